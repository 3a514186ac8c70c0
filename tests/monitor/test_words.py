from datetime import timedelta

import pytest

from monitor.words import plain, shown_status, span


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0 ms"),
        (0.0425, "42 ms"),
        (1, "1 s"),
        (192, "3 min 12 s"),
        (3600, "1 h"),
        (3661, "1 h 1 min"),
        (90061, "1 d 1 h"),
        (86400 + 60, "1 d"),
    ],
)
def test_span_names_the_two_largest_units(seconds: float, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words


def test_plain_leaves_out_the_codes_of_a_terminal() -> None:
    assert plain("\x1b[1;31mred\x1b[0m\n") == "red\n"


@pytest.mark.parametrize(
    ("status", "up", "shown"),
    [("running", True, "running"), ("running", False, "down"), ("finished", False, "finished")],
)
def test_shown_status_says_when_the_host_is_dead(status: str, up: bool, shown: str) -> None:
    assert shown_status(status, up=up) == shown
