"""The memory of a machine that runs here. Only the journal's thread reads and changes it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from machines.actions.base import Worked
from machines.actions.registry import Registry
from machines.core.definition import Definition
from machines.core.snapshot import Deadline, Snapshot
from machines.core.turn import ActionRef, Work
from machines.core.waiting import Waiting

Reply = Callable[[dict[str, Any]], None]  # called in the loop, after the commit
DeadlineKey = tuple[int | None, ActionRef | None]
TRAIL_LENGTH = 12  # steps named when a machine is caught in a cycle


def key_of(deadline: Deadline) -> DeadlineKey:
    """What a machine has at most one deadline of: a transition, or an action."""
    return (deadline.transition, deadline.action)


@dataclass(frozen=True, slots=True)
class Ended:
    """Work ended; ``error`` if it raised, ``stopped`` if it was ended from outside."""

    machine: str
    work: Work
    worked: Worked | None
    error: str = ""
    output: str = ""
    stopped: bool = False


@dataclass(slots=True)
class Live:
    """A machine in memory.

    ``saved_seq`` is the step that its row is at, and ``saved_row`` what was written of it, within
    the present transaction too. ``watchers`` wait for an event to end. ``held``: results that came
    while it was paused. ``guards_told``: automatic transitions whose guard raised, on record since
    the entry. ``draining``: its host goes down, so no new work is begun. ``is_child``: a machine
    of this host started it; ``started``: some machine did.
    """

    id: int
    name: str
    definition: Definition
    definition_id: int
    registry: Registry
    epoch: int
    snapshot: Snapshot
    status: str = "new"
    fault: str = ""
    seq: int = 0
    saved_seq: int = 0
    last_event_id: int | None = None
    job_pk: int | None = None
    job_token: str = ""
    active_at: datetime | None = None
    waiting: Waiting = field(default_factory=Waiting)
    deadlines: dict[DeadlineKey, tuple[Deadline, int]] = field(default_factory=dict)
    watchers: dict[int, list[Reply]] = field(default_factory=dict)
    held: list[Ended] = field(default_factory=list)
    trail: deque[tuple[str | None, str, str]] = field(
        default_factory=lambda: deque(maxlen=TRAIL_LENGTH)
    )
    guards_told: set[int] = field(default_factory=set)
    draining: bool = False
    is_child: bool = False
    started: bool = False
    saved_row: tuple[Any, ...] | None = None
    context_json: tuple[Any, str] | None = None

    @property
    def paused(self) -> bool:
        """True if it holds back all that arrives."""
        return self.status == "paused"

    @property
    def ended(self) -> bool:
        """True if nothing more happens to it here."""
        return self.status in {"finished", "faulted", "stopped"}

    @property
    def runs(self) -> bool:
        """True if it judges and acts."""
        return self.status == "running"
