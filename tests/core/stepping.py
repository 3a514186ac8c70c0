"""What the tests of the step function share: small machines, and where they stand."""

from datetime import UTC, datetime, timedelta
from typing import Any

from machines.core.definition import Definition
from machines.core.loading import load
from machines.core.snapshot import Deadline, Event, Kind, Snapshot
from machines.core.turn import OF_STATE, Turn

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


LATER = NOON + timedelta(seconds=7)


OWN_WORK = Turn(todo=((OF_STATE, 1, 3),), checked=(("jobs", "", ""),), worked=True, quiet=True)


def loaded(text: str) -> Definition:
    return load(text, origin="test.yaml")


def machine(*transitions: str, more: str = "") -> Definition:
    """States a, b and c with these transitions."""
    lines = "".join(f"  - {line}\n" for line in transitions)
    return loaded(f"initial_state: a\nstates: [a, b, c]\ntransitions:\n{lines}{more}")


def at(state: str, turn: Turn | None = None, **context: Any) -> Snapshot:
    return Snapshot("worker", (state,), context, Turn() if turn is None else turn, entered_at=NOON)


def timer(index: int) -> Event:
    return Event("timeout(5)", Kind.TIMER, at=NOON, transition=index)


def due(index: int, seconds: float, name: str, start: datetime = NOON) -> Deadline:
    return Deadline(name, start + timedelta(seconds=seconds), transition=index)
