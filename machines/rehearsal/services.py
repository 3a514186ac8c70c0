"""What an effect may do in a rehearsal: speak, send, look at inboxes and at the queue's memory."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobqueue.models import Job

from machines.core.errors import MachineError
from machines.core.schemas import parsed_payload
from machines.models import MACHINE_NAME_PATTERN
from machines.rehearsal.effects import NothingRuns
from machines.rehearsal.jobs import RehearsedJobs

if TYPE_CHECKING:
    from machines.rehearsal.player import Player

_MACHINE_NAME = re.compile(MACHINE_NAME_PATTERN)


class NotSent(MachineError):  # noqa: N818 - reads as what happened
    """An event that a host would refuse."""


class PlayerServices(NothingRuns):
    """The services of one machine of a rehearsal."""

    def __init__(self, player: Player) -> None:
        self._player = player

    @property
    def machine(self) -> str:
        """See Services."""
        return self._player.name

    @property
    def now(self) -> datetime:
        """See Services."""
        return self._player.stage.now

    def log(self, level: str, message: str) -> None:
        """See Services."""
        self._player.log(level, message)

    def send(self, *, target: str, event_type: str, payload: Any, job_id: str) -> None:
        """See Services."""
        if not _MACHINE_NAME.fullmatch(target):
            raise NotSent(f"target: {target!r:.100} is no machine's name")
        if event_type.startswith("timeout("):
            raise NotSent(f"type: {event_type!r} is a timer's name; nobody can send it")
        self._player.send_to(target, event_type, parsed_payload(payload), job_id)

    def waits(self, event_types: Iterable[str]) -> bool:
        """See Services."""
        return next(self._player.waiting.named(event_types), None) is not None

    def clear(self, target: str, event_types: Iterable[str]) -> int:
        """See Services."""
        found = self._player.stage.players.get(target)
        if found is None:
            return 0
        cleared = list(found.waiting.named(event_types))
        for event in cleared:
            found.waiting.discard(event)
        return len(cleared)

    def stop(self, target: str) -> None:
        """See Services."""
        found = self._player.stage.players.get(target)
        if found is None or found.ended:
            raise NotSent(f"no machine named {target!r} is running")
        found.stop()

    @property
    def jobs(self) -> RehearsedJobs:
        """See Services."""
        return RehearsedJobs(self._player.stage.queue, self.machine, self.now)

    def held_job(self) -> tuple[Job | None, str]:
        """See Services."""
        return self._player.job, self._player.job_token

    def hold_job(self, job: Job | None) -> None:
        """See Services."""
        self._player.hold_job(job)

    def end_claim(self) -> None:
        """See Services."""
        self._player.job_token = ""
