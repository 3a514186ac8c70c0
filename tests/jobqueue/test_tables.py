"""Tables for people."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from jobqueue.tables import Page, as_card, as_table, printable, relative_time


@pytest.fixture
def page(now: datetime) -> Page:
    return Page(now=now, width=None, colour=False)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "now"),
        (0.9, "now"),
        (1, "1 s ago"),
        (59.9, "59 s ago"),
        (60, "1 min ago"),
        (3_599, "59 min ago"),
        (7_200, "2 h ago"),
        (86_400, "1 day ago"),
        (200_000, "2 days ago"),
        (-90, "in 1 min"),
        (-200_000, "in 2 days"),
    ],
)
def test_relative_time(now: datetime, seconds: float, text: str) -> None:
    assert relative_time(now - timedelta(seconds=seconds), now) == text


def test_printable_escapes_what_a_terminal_would_obey() -> None:
    assert printable("ż\x1b[31m\r\n\u202e") == "ż\\x1b[31m\\r\\n\\u202e"


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("name", "[bold]x[/bold]", "[bold]x[/bold]"),
        ("name", "", "-"),
        ("name", None, "-"),
        ("count", 0, "0"),
        ("data", {"a": [1, None]}, '{"a":[1,null]}'),
        ("ended_at", "2030-01-31T17:57:00.000Z", "3 min ago"),
        ("ended_at", None, "-"),
    ],
)
def test_a_cell_shows_its_value(page: Page, key: str, value: Any, shown: str) -> None:
    lines = as_table([{key: value}], [key], page).splitlines()

    assert lines[0].strip() == key.removesuffix("_at")
    assert lines[2].strip() == shown


def test_a_time_may_be_a_datetime(page: Page, now: datetime) -> None:
    assert "now" in as_card({"ended_at": now}, page)


def test_without_a_terminal_nothing_is_cut(page: Page) -> None:
    long = "x" * 300_000

    assert long in as_table([{"a": "b", "data": long}], ["a", "data"], page)


def test_a_narrow_terminal_folds_long_cells_and_never_the_name(now: datetime) -> None:
    row = {"job_id": "job-" + "0" * 32, "data": "word " * 100}

    lines = as_table([row], ["job_id", "data"], Page(now, 80, colour=False)).splitlines()

    assert row["job_id"] in lines[2]
    assert max(map(len, lines)) <= 80
    assert "".join(lines).count("word") == 100


def test_colour_is_put_only_where_it_is_wanted(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)  # it forbids all colour, wherever tests run
    row = {"name": "a", "status": "failed"}
    plain, coloured = (
        as_table([row], list(row), Page(now, 80, colour=colour)) for colour in (False, True)
    )

    assert "\x1b" not in plain
    assert "\x1b[31mfailed" in coloured


def test_a_card_has_a_line_for_each_key(page: Page) -> None:
    card = as_card({"job_id": "j", "error_message": "", "data": {}}, page)

    assert [line.split() for line in card.splitlines()] == [
        ["job", "id", "j"],
        ["error", "message", "-"],
        ["data", "{}"],
    ]
