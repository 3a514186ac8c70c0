"""Effects where nothing runs: what needs settings, context and inbox only is performed as it is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jobqueue.models import Job

from machines.actions.base import ActionType, Call, JobStore, Services, StartedMachine, TaskEnd
from machines.actions.settings import Settings
from machines.core.decisions import Perform
from machines.core.engine import names
from machines.core.errors import MachineError
from machines.core.settling import Outcome
from machines.core.snapshot import Snapshot
from machines.core.storable import storable
from machines.core.waiting import Waiting

logger = logging.getLogger("machines.rehearsal")


@dataclass(frozen=True, slots=True)
class Sent:
    """An event that a machine sent to another."""

    target: str
    type: str
    payload: Any = None
    job_id: str = ""


class NothingRuns:
    """The services that start something: in a rehearsal they are answered for."""

    def begin_task(
        self, function: str, args: Sequence[Any], kwargs: Mapping[str, Any], seconds: float
    ) -> str:
        """See Services."""
        raise _answered_for()

    def task_end(self, token: str) -> TaskEnd | None:
        """See Services."""
        raise _answered_for()

    def give_up_task(self, token: str, why: str) -> None:
        """See Services."""
        raise _answered_for()

    def start_machine(
        self, yaml_path: str, name: str | None, context: Mapping[str, Any]
    ) -> StartedMachine:
        """See Services."""
        raise _answered_for()


@dataclass(slots=True)
class RehearsalServices(NothingRuns):
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

    @property
    def jobs(self) -> JobStore:
        """See Services."""
        raise _answered_for()

    def held_job(self) -> tuple[Job | None, str]:
        """See Services."""
        raise _answered_for()

    def hold_job(self, job: Job | None) -> None:
        """See Services."""
        raise _answered_for()

    def end_claim(self) -> None:
        """See Services."""
        raise _answered_for()


def perform(
    found: ActionType,
    performed: Perform,
    snapshot: Snapshot,
    services: Services,
    *,
    with_jobs: bool = False,
) -> Outcome | None:
    """What an effect answers; None if it needs more than there is. ``with_jobs``: a queue is.

    Never raises: what it raises is the error of its outcome, as in a host.
    """
    if found.perform is None or not (found.rehearses or (with_jobs and found.on_jobs)):
        return None
    return attempt(found.perform, call_for(found, performed, snapshot, services))


def attempt(do: Callable[[Call], Outcome], call: Call) -> Outcome:
    """What an effect answers; what it raises is the error of its outcome, as in a host."""
    try:
        return do(call)
    except MachineError as error:
        return Outcome(error=str(error))
    except Exception as error:
        logger.debug("%s: %s failed", call.services.machine, call.action.type, exc_info=True)
        return Outcome(error=storable(str(error)) or type(error).__name__)


def call_for(found: ActionType, performed: Perform, snapshot: Snapshot, services: Services) -> Call:
    """What an effect is handed: its settings filled in."""
    action, seen = performed.action, names(snapshot)
    settings = Settings(action.type, found.filled(action, seen))
    return Call(action, settings, snapshot.context, services, performed.resumed, seen)


def _answered_for() -> RuntimeError:
    return RuntimeError("a rehearsal has no jobs and starts nothing: the action is answered for")
