"""The clock of a host: counted on from one reading of the wall time."""

from datetime import UTC, datetime, timedelta

import pytest

from machines.runtime.clock import Clock


def test_the_clock_shows_the_present_time_in_utc() -> None:
    clock = Clock()

    now = clock.now()

    assert now.tzinfo is UTC
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)


def test_the_clock_never_goes_back() -> None:
    clock = Clock()

    readings = [clock.now() for _ in range(100)]

    assert readings == sorted(readings)


@pytest.mark.parametrize(
    ("ahead", "seconds"),
    [
        (timedelta(hours=1), 3600.0),
        (timedelta(0), 0.0),
        (timedelta(days=-1), 0.0),
    ],
)
def test_the_time_until_a_moment_is_never_negative(ahead: timedelta, seconds: float) -> None:
    clock = Clock()

    left = clock.seconds_until(clock.now() + ahead)

    assert left == pytest.approx(seconds, abs=5)
    assert left >= 0
