"""The host: a process that runs machines, one or thousands, in one asyncio loop.

Here everything waits: sockets, bells, deadlines, running work. What happens is decided and
written by the journal; the loop carries out what a commit asks for, and tells the journal what
came.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections

from machines.models import Process
from machines.runtime.bells import Bell, Ringer
from machines.runtime.clock import Clock
from machines.runtime.control import ControlServer
from machines.runtime.desk import Desk
from machines.runtime.journal import Journal
from machines.runtime.live import Live
from machines.runtime.lookout import Lookout
from machines.runtime.nursery import Nursery
from machines.runtime.requests import After, Control, Enter
from machines.runtime.secrets import load as load_secrets
from machines.runtime.timers import Timers
from machines.runtime.work import Workshop

logger = logging.getLogger("machines.runtime")

WORK_GRACE_SECONDS = 20.0  # for running work when the host goes down
LEVELS = {"debug": logging.DEBUG, "warning": logging.WARNING, "error": logging.ERROR}


class Host:
    """One host. ``run`` returns when its last machine has ended, or it was asked to go."""

    def __init__(
        self,
        process: Process,
        entries: Sequence[Enter],
        *,
        clock: Clock,
        machine_sockets: Callable[[str], Path],
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        """``entries`` are owned by ``process`` already; ``machine_sockets`` names a socket each."""
        self._process = process
        self._entries = entries
        self._clock = clock
        self._machine_sockets = machine_sockets
        self._on_ready = on_ready
        self._lives = {entry.live.name: entry.live for entry in entries}
        self._entering = set(self._lives)
        self._faulted = False
        self._to_end = asyncio.Event()
        self._doors: dict[str, ControlServer] = {}
        self._journal: Journal

    async def run(self) -> int:
        """Run until the end; the exit code: 1 if a machine is faulted, else 0.

        To be cancelled is to be asked to go: it goes down first.
        """
        loop = asyncio.get_running_loop()
        secrets = load_secrets()
        self._ringer = Ringer()
        self._journal = Journal(
            self._process.pk,
            self._clock,
            lambda after: loop.call_soon_threadsafe(self._carry_out, after),
            secrets,
        )
        self._timers = Timers(self._clock, self._journal.put)
        self._desk = Desk(self._journal.put, self._lives)
        lookout = Lookout(self._process, self._lives, self._clock, self._journal.put)
        bell = Bell("host", lookout.ring)
        try:
            async with asyncio.TaskGroup() as group:
                nursery = Nursery()
                self._workshop = Workshop(group, self._journal.put, nursery, secrets)
                chores = [
                    group.create_task(chore())
                    for chore in (lookout.answer_rings, lookout.sweep, lookout.beat)
                ]
                self._hear_signals()
                bell.open()
                self._journal.start()
                try:
                    await self._begin()
                    await self._to_end.wait()
                finally:
                    for door in self._doors.values():
                        await door.close()
                    for chore in chores:
                        chore.cancel()
                    await self._go_down()
                    await nursery.close()
        finally:
            await lookout.close()
            bell.close()
            self._ringer.close()
            await sync_to_async(connections.close_all)()
        if self._journal.failure is not None:
            return 1
        return 1 if self._faulted else 0

    def stop(self) -> None:
        """Ask it to go down."""
        self._to_end.set()

    async def _begin(self) -> None:
        for entry in self._entries:
            self._journal.put(entry)
        await self._open_door("", Path(self._process.socket_path))
        for entry in self._entries:
            await self._listen_for(entry.live)

    async def _listen_for(self, live: Live) -> None:
        if not live.is_child:
            await self._open_door(live.name, self._machine_sockets(live.name))

    async def _open_door(self, target: str, path: Path) -> None:
        door = self._doors[target] = ControlServer(self._desk.serve)
        await door.listen(path, default_target=target)

    # -- after a commit

    def _carry_out(self, after: After) -> None:
        for machine, token in after.stop_work:
            self._workshop.stop(machine, token)
        for order in after.start_work:
            self._workshop.start(order)
        self._timers.follow(after.disarm, after.arm)
        for reply, said in after.replies:
            reply(said)
        for live in after.started:
            self._lives[live.name] = live
        if after.entered:
            self._entering.difference_update(after.entered)
            if not self._entering:
                self._on_ready()
        self._tell_others(after)
        for machine, status in after.gone:
            self._gone(machine, status)
        self._end_if_done()

    def _end_if_done(self) -> None:
        if self._journal.failure is not None or self._has_ended():
            self._to_end.set()

    def _tell_others(self, after: After) -> None:
        for pid in after.ring_hosts:
            self._ringer.ring_host(pid)
        if after.changed:
            self._ringer.ring_web()
        for machine, level, message in after.lines:
            logger.log(LEVELS.get(level, logging.INFO), "%s: %s", machine, message)

    def _gone(self, machine: str, status: str) -> None:
        logger.info("%s: %s", machine, status or "lost")
        self._faulted = self._faulted or status == "faulted"
        self._lives.pop(machine, None)

    def _has_ended(self) -> bool:
        return not self._lives

    def _hear_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_go, number)

    def _asked_to_go(self, number: signal.Signals) -> None:
        logger.info("%s: going down", signal.Signals(number).name)
        self._to_end.set()

    async def _go_down(self) -> None:
        """No new work; running work ends, or is ended; machines go on when they are run again."""
        for name in tuple(self._lives):
            self._journal.put(Control(name, "drain", _ignore))
        await self._workshop.shut_down(WORK_GRACE_SECONDS)
        for name in tuple(self._lives):
            self._journal.put(Control(name, "leave", _ignore))
        await asyncio.to_thread(self._journal.stop)
        # What the last commits asked for was handed over by the thread that has ended now.
        await asyncio.sleep(0)
        self._timers.disarm_all()
        await self._workshop.shut_down(0)


def _ignore(_said: dict[str, Any]) -> None:
    pass
