"""What an unquoted word means and how long a written time is."""

import math

import pytest

from machines.core.loading.scalars import parse_duration, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None),
        ("true", True), ("Yes", True), ("ON", True), ("off", False), ("No", False),
        ("0", 0), ("-12", -12), ("+7", 7), ("1_000", 1000),
        ("0x1F", 31), ("0o17", 15), ("0b101", 5), ("-0x_f", -15),
        ("1.5", 1.5), ("-.5", -0.5), ("1.", 1.0), ("2.5e3", 2500.0), ("1_0.5", 10.5),
        (".inf", math.inf), ("-.INF", -math.inf), ("1.0e999", math.inf),
        ("18446744073709551615", 18446744073709551615),
    ],
)  # fmt: skip
def test_resolve_reads_nulls_booleans_and_numbers(text: str, value: object) -> None:
    found = resolve(text)

    assert found == value
    assert type(found) is type(value)


def test_resolve_reads_not_a_number() -> None:
    found = resolve(".nan")

    assert isinstance(found, float)
    assert math.isnan(found)


@pytest.mark.parametrize(
    "text",
    [
        "waiting", "y", "tRUE", "2024-01-31", "12:30", "007", "1e3", "0x", "0x_", "-", "+", ".",
        "...", "1.2.3", "18446744073709551616", "-9223372036854775809", "9" * 5_000, "٣",
    ],
)  # fmt: skip
def test_resolve_leaves_text_what_no_number_holds_as_written(text: str) -> None:
    assert resolve(text) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5), ("5s", 5.0), ("10m", 600.0), ("1h", 3600.0), ("1d", 86400.0),
        ("7", 7.0), ("0.25", 0.25), (" 1.5 h ", 5400.0), ("3650d", 315_360_000.0),
    ],
)  # fmt: skip
def test_parse_duration_reads_a_number_with_a_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "s", "-5s", "5 minutes", "1h30m", "3651d", "nan", "inf", "1e3", "9" * 500, "٣s"]
)
def test_parse_duration_refuses_anything_else(text: str) -> None:
    assert parse_duration(text) is None
