"""Where a machine stands, as immutable values: events, the snapshot, the turn, and a step."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from machines.core.definition import Transition
from machines.core.turn import AT_REST, ActionRef, Turn

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    from machines.core.values import dataclass

MAX_REASON_LENGTH = 2_000  # characters; guards may have read long texts

EMPTY: Mapping[str, Any] = {}


class Kind(Enum):
    """Where an event comes from; all but OUTSIDE are internal and have no row."""

    OUTSIDE = "outside"  # somebody sent it
    RESULT = "result"  # an action returned it
    TIMER = "timer"  # a deadline of a transition passed
    WAKE = "wake"  # a deadline of an action passed: a sleep, a retry, a repetition
    START = "start"  # the machine began
    AUTOMATIC = "automatic"  # a transition that waits for nothing but its guard


@dataclass(frozen=True, slots=True)
class Event:
    """An event that a machine judges. ``at`` is when it was accepted, or due.

    ``loops``: a self-loop that it takes asks for a new round.
    """

    name: str
    kind: Kind = Kind.OUTSIDE
    at: datetime | None = None
    id: int | None = None
    payload: Any = None
    job_id: str = ""
    source: str = ""
    transition: int | None = None
    action: ActionRef | None = None
    loops: bool = True

    def as_data(self) -> dict[str, Any]:
        """What ``event_data`` becomes when it is judged."""
        return {
            "type": self.name,
            "payload": self.payload,
            "job_id": self.job_id or None,
            "source": self.source or None,
        }


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that decides what a machine does next. A flat machine has one active state.

    ``received``: the last event from outside that it judged.
    """

    machine: str
    states: tuple[str, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)
    turn: Turn = AT_REST
    received: Event | None = None
    job: Mapping[str, Any] = field(default_factory=dict)
    entered_at: datetime | None = None
    instant_steps: int = 0

    @property
    def state(self) -> str:
        """The active state of a flat machine."""
        return self.states[0]

    @property
    def event_data(self) -> Mapping[str, Any]:
        """What the last event from outside brought; empty before the first."""
        return EMPTY if self.received is None else self.received.as_data()


@dataclass(frozen=True, slots=True)
class Deadline:
    """A timer to set: of a transition, or of an action that waits or repeats."""

    name: str
    due_at: datetime
    transition: int | None = None
    action: ActionRef | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What an event did. ``snapshot`` is what the machine is afterwards.

    ``taken`` is None if the event was not taken; ``reason`` then says why, and ``invalid`` that
    its payload breaks its schema. ``guards`` holds (transition index, value or error text) of
    each guard tried. ``left``: the state was left, so its timers and its work end.
    ``error`` asks for an ``error`` event to be judged next.
    """

    event: Event
    snapshot: Snapshot
    taken: Transition | None = None
    source: str | None = None
    guards: tuple[tuple[int, Any], ...] = ()
    left: bool = False
    deadlines: tuple[Deadline, ...] = ()
    changes: Mapping[str, Any] | None = None
    fault: str = ""
    error: str = ""

    @property
    def reason(self) -> str:
        """Why the event was not taken; empty if it was."""
        if self.taken is not None or self.fault:
            return self.fault
        if not self.guards:
            return f"no transition for {self.event.name!r} in state {self.target!r}"
        values = ", ".join(f"transitions[{index}]: {value!r}" for index, value in self.guards)
        why = f"no guard holds for {self.event.name!r} in state {self.target!r}: {values}"
        return why[:MAX_REASON_LENGTH]

    @property
    def target(self) -> str:
        """The state that is active afterwards."""
        return self.snapshot.states[0]
