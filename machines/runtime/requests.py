"""What the journal is asked to do, and what it answers the loop after a commit."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import field, fields, replace
from typing import TYPE_CHECKING, Any

from jobqueue.models import Job

from machines.actions.base import ActionType
from machines.core.definition import Action
from machines.core.snapshot import Deadline
from machines.core.turn import Subscription, Work
from machines.runtime.live import DeadlineKey, Ended, Live, Reply

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    from machines.core.values import dataclass


@dataclass(frozen=True, slots=True)
class Submit:
    """Accept an event for a machine that runs here. ``wait``: reply when it has ended."""

    machine: str
    type: str
    payload: Any
    raw_payload: bytes | None
    key: str
    keyed: bool
    source: str
    job_id: str
    actor: str
    reply: Reply
    wait: bool = False


@dataclass(frozen=True, slots=True)
class Enter:
    """Take a machine in: it begins, or goes on where it was. ``begins``: from the start.

    ``job``: claimed for it already, its current one when it begins.
    """

    live: Live
    begins: bool
    context: Mapping[str, Any]
    moved: bool = False  # to another version of its definition
    job: Job | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """Look into the database: new events of machines that run here, and what was asked of them."""


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline passed."""

    machine: str
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class Printed:
    """What running work has printed so far."""

    token: str
    output: str


@dataclass(frozen=True, slots=True)
class Play:
    """Go on with a machine whose turn was cut short, or for which there is news.

    ``rung``: what it looked for while idle may be there. ``there``: what its waits await.
    """

    machine: str
    rung: bool = False
    there: tuple[Subscription, ...] = ()


@dataclass(frozen=True, slots=True)
class Control:
    """A person's word to a machine: pause, resume, stop; ``drain`` and ``leave`` are the host's."""

    machine: str
    verb: str
    reply: Reply


Request = Submit | Enter | Look | Due | Ended | Printed | Play | Control


@dataclass(frozen=True, slots=True)
class StartWork:
    """Begin work whose run is on record."""

    machine: str
    work: Work
    type: ActionType
    action: Action
    settings: Mapping[str, Any]
    names: Mapping[str, Any]
    context: Mapping[str, Any]
    job: Mapping[str, Any]


@dataclass(frozen=False, slots=True)
class After:
    """What is to be done when a transaction has been committed, in this order."""

    stop_work: list[tuple[str, str]] = field(default_factory=list)  # machine, token
    start_work: list[StartWork] = field(default_factory=list)
    disarm: list[tuple[str, DeadlineKey]] = field(default_factory=list)
    arm: list[tuple[str, Deadline]] = field(default_factory=list)
    replies: list[tuple[Reply, dict[str, Any]]] = field(default_factory=list)
    ring_hosts: set[int] = field(default_factory=set)
    lines: list[tuple[str, str, str]] = field(default_factory=list)  # machine, level, message
    entered: list[str] = field(default_factory=list)
    started: list[Live] = field(default_factory=list)
    gone: list[tuple[str, str]] = field(default_factory=list)  # machine, its last status
    left: list[str] = field(default_factory=list)  # machines that nobody here has to know
    requests: list[Request] = field(default_factory=list)
    changed: bool = False

    def copy(self) -> After:
        """The same, to go back to."""
        return replace(
            self,
            **{
                entry.name: copy.copy(getattr(self, entry.name))
                for entry in fields(self)
                if entry.name != "changed"
            },
        )
