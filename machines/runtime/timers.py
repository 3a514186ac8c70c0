"""Deadlines in the host's loop. Their rows are the truth; here they only sleep until due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from machines.core.snapshot import Deadline
from machines.runtime.clock import Clock
from machines.runtime.live import DeadlineKey, key_of
from machines.runtime.requests import Due

LONGEST_SLEEP_SECONDS = 86_400.0  # the loop's own timers end at about 24 days on some systems


class Timers:
    """The deadlines of the machines of a host."""

    def __init__(self, clock: Clock, put: Callable[[Due], None]) -> None:
        """``put`` hands what is due to the journal."""
        self._clock = clock
        self._put = put
        self._handles: dict[tuple[str, DeadlineKey], asyncio.TimerHandle] = {}

    def follow(
        self,
        disarm: Iterable[tuple[str, DeadlineKey]],
        arm: Iterable[tuple[str, Deadline]],
    ) -> None:
        """Do what a commit asks for: first those that are over, then those that are new."""
        for machine, key in disarm:
            self.disarm(machine, key)
        for machine, deadline in arm:
            self.arm(machine, deadline)

    def arm(self, machine: str, deadline: Deadline) -> None:
        """Ask for a deadline; one for the same transition or action is replaced."""
        self.disarm(machine, key_of(deadline))
        seconds = self._clock.seconds_until(deadline.due_at)
        loop = asyncio.get_running_loop()
        self._handles[machine, key_of(deadline)] = loop.call_later(
            min(seconds, LONGEST_SLEEP_SECONDS), self._wake, machine, deadline
        )

    def disarm(self, machine: str, key: DeadlineKey) -> None:
        """Ask for it no longer; nothing happens if it was not asked for."""
        handle = self._handles.pop((machine, key), None)
        if handle is not None:
            handle.cancel()

    def disarm_all(self) -> None:
        """Ask for nothing any more."""
        for handle in self._handles.values():
            handle.cancel()
        self._handles.clear()

    def _wake(self, machine: str, deadline: Deadline) -> None:
        if self._clock.seconds_until(deadline.due_at) > 0:
            self.arm(machine, deadline)
            return
        self._handles.pop((machine, key_of(deadline)), None)
        self._put(Due(machine, deadline))
