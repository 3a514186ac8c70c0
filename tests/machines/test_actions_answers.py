"""What is read from programs and servers is exactly what they said, or refused."""

from typing import Any

import pytest

from machines.actions.answers import read_json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"null", None),
        (b' {"a": [1, 2.5, true]}\n', {"a": [1, 2.5, True]}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"18446744073709551615", 2**64 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b'["1234567890123456789012345"]', ["1234567890123456789012345"]),
        (b"0.12345678901234567890123", 0.12345678901234568),
    ],
)
def test_json_is_read_exactly(text: bytes, value: Any) -> None:
    assert read_json(text) == value


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"18446744073709551616",
        b"-9223372036854775809",
        b'{"id": 123456789012345678901234567890}',
        b"1" * 5000,
        b"[" * 100_000,
        b'"\\ud800"',
        b'"\xff"',
        b"{} {}",
    ],
)
def test_what_cannot_be_read_exactly_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        read_json(text)
