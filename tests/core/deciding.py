"""What the tests of decisions share: a machine of two actions, and what may wait for it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from machines.core.decisions import Decision, Judge, Perform
from machines.core.definition import Definition
from machines.core.loading import load
from machines.core.snapshot import Event, Kind, Snapshot
from machines.core.turn import OF_STATE, Turn, Wait, Work
from machines.core.waiting import Waiting

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


FIRST = (OF_STATE, 0)


ROUND = Turn(todo=((OF_STATE, 0, 2),))


WORKING = Turn(work=Work(FIRST, "token"), todo=((OF_STATE, 1, 2),))


BEHIND = ((OF_STATE, 1, 2),)


SLEEPING = Turn(waits=(Wait(FIRST, behind=BEHIND),))


JOBS = ("jobs", "", "")


def machine(
    *transitions: str, action: str = "{type: work}", states: str = "[a, b, c]"
) -> Definition:
    """State a has two actions, of which the first is ``action``."""
    lines = "".join(f"  - {line}\n" for line in transitions)
    return load(
        f"initial_state: a\nstates: {states}\ntransitions:\n{lines}"
        f"actions:\n  a:\n    - {action}\n    - {{type: log}}\n",
        origin="test.yaml",
    )


def at(state: str, turn: Turn | None = None, **context: Any) -> Snapshot:
    return Snapshot("worker", (state,), context, turn or Turn(), entered_at=NOON)


def sent(second: int, name: str = "go", payload: Any = None) -> Event:
    return Event(name, at=NOON + timedelta(seconds=second), id=second + 1, payload=payload)


def passed(second: int, transition: int) -> Event:
    at = NOON + timedelta(seconds=second)
    return Event("timeout", Kind.TIMER, at=at, transition=transition)


def woken(second: int, action: tuple[int, int] = FIRST) -> Event:
    return Event("wake_up", Kind.WAKE, at=NOON + timedelta(seconds=second), action=action)


def waiting_for(*events: Event) -> Waiting:
    waiting = Waiting()
    for event in events:
        if event.kind is Kind.OUTSIDE:
            waiting.add(event)
        else:
            waiting.add_due(event)
    return waiting


def shown(decision: Decision) -> str:
    """A decision in a few words."""
    if isinstance(decision, Judge):
        event = decision.event
        name = f"automatic {event.transition}" if event.kind is Kind.AUTOMATIC else event.name
        return f"{'interrupt' if decision.interrupts else 'judge'} {name}"
    return f"perform {decision.ref}" if isinstance(decision, Perform) else decision.name


GO = "{from: a, to: b, event: go}"
