"""Effects where nothing runs: what needs settings, context and inbox only is performed as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jobqueue.models import Job

from machines.actions.base import ActionType, Call
from machines.actions.settings import Settings
from machines.core.decisions import Perform
from machines.core.engine import names
from machines.core.errors import MachineError
from machines.core.interpolation import Unknown, interpolate
from machines.core.settling import Outcome
from machines.core.snapshot import Snapshot
from machines.core.waiting import Waiting


@dataclass(frozen=True, slots=True)
class Sent:
    """An event that a machine sent to another."""

    target: str
    type: str
    payload: Any = None
    job_id: str = ""


@dataclass(slots=True)
class RehearsalServices:
    """The services of an effect, all in memory; what it did is kept in ``lines`` and ``sent``."""

    machine: str
    now: datetime
    waiting: Waiting
    cleared: Callable[[tuple[str, ...]], int]
    lines: list[tuple[str, str]] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    def log(self, level: str, message: str) -> None:
        """See Services."""
        self.lines.append((level, message))

    def send(self, *, target: str, event_type: str, payload: Any, job_id: str) -> None:
        """See Services."""
        self.sent.append(Sent(target, event_type, payload, job_id))

    def waits(self, event_types: Iterable[str]) -> bool:
        """See Services."""
        return next(self.waiting.named(event_types), None) is not None

    def clear(self, target: str, event_types: Iterable[str]) -> int:
        """See Services."""
        return self.cleared(tuple(event_types)) if target == self.machine else 0

    def stop(self, target: str) -> None:
        """See Services."""
        self.stopped.append(target)

    def held_job(self) -> tuple[Job | None, str]:
        """See Services."""
        raise _no_database()

    def hold_job(self, job: Job | None) -> None:
        """See Services."""
        raise _no_database()

    def end_claim(self) -> None:
        """See Services."""
        raise _no_database()


def perform(
    found: ActionType, performed: Perform, snapshot: Snapshot, services: RehearsalServices
) -> Outcome | None:
    """What an effect answers; None if it needs more than a rehearsal has.

    Never raises: what it raises is the error of its outcome, as in a host.
    """
    if not found.rehearses or found.perform is None:
        return None
    seen = names(snapshot)
    settings = {
        key: value
        if key in found.raw_settings
        else interpolate(
            value,
            seen,
            unknown=Unknown.NULL if key in found.null_settings else Unknown.AS_WRITTEN,
        )
        for key, value in performed.action.settings.items()
    }
    call = Call(
        performed.action,
        Settings(performed.action.type, settings),
        snapshot.context,
        services,
        performed.resumed,
    )
    try:
        return found.perform(call)
    except MachineError as error:
        return Outcome(error=str(error))


def _no_database() -> RuntimeError:
    return RuntimeError("a rehearsal has no jobs: the action is to be answered for")
