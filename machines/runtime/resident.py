"""The host that all engines of a process share: it comes with the first, goes with the last.

A process has one lock, one place on record and one journal, so there is one host in it, in one
event loop. Who comes and who goes takes turns.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import os
import socket
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections

from machines.core.protocol import EventFrame
from machines.models import Machine, Process
from machines.runtime import ownership, service
from machines.runtime.clock import Clock
from machines.runtime.guest import GuestHost, settle
from machines.runtime.launch import CannotRun, Order
from machines.runtime.live import Live
from machines.runtime.ownership import AlreadyRuns
from machines.runtime.requests import Enter

logger = logging.getLogger("machines.runtime")


@dataclass(frozen=True, slots=True)
class Opened:
    """A host that runs as a task, and its place on record. The task's result is what broke it."""

    host: GuestHost
    task: asyncio.Task[str]
    process: Process
    clock: Clock


class Stay:
    """A machine in the shared host, with the instances that it starts there."""

    def __init__(self, residence: Residence, opened: Opened, entries: list[Enter]) -> None:
        self._residence = residence
        self.opened = opened
        self.live = entries[0].live
        self.lives = [entry.live for entry in entries]
        self.end: asyncio.Future[str]

    @property
    def name(self) -> str:
        """The machine's name."""
        return self.live.name

    async def ended(self) -> str:
        """Wait until the machine has ended, and what it started; its last status."""
        status = await asyncio.shield(self.end)
        while ends := [self.opened.host.end_of(live.name) for live in await self.family()]:
            await asyncio.wait(ends)
        return status

    async def leave(self) -> None:
        """Leave cleanly: running work has its grace, and the machine goes on next time."""
        await self._residence.let_leave(self)

    async def family(self) -> list[Live]:
        """The machines that this one started, or that they started in turn, and that run here."""
        host = self.opened.host
        guests = self._residence.names
        found: list[Live] = []
        starters = [self.name]
        while starters:
            started = Machine.objects.filter(started_by__in=starters).values_list("name", flat=True)
            lives = [host.live(name) async for name in started if name not in guests]
            new = [live for live in lives if live is not None and live not in found]
            found += new
            starters = [live.name for live in new]
        return found


class Residence:
    """Opens the host of this process for whoever comes first, and closes it after the last."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._opened: Opened | None = None
        self._stays: set[Stay] = set()

    @property
    def is_open(self) -> bool:
        """True while its host is there."""
        return self._opened is not None and not self._opened.task.done()

    @property
    def names(self) -> set[str]:
        """The machines that have come and not left."""
        return {stay.name for stay in self._stays}

    async def take_in(self, order: Order) -> Stay:
        """Let a machine run here. The order names the machine.

        Raises AlreadyRuns or another MachineError if it cannot be run.
        """
        async with self._turn:
            opened = await self._open()
            try:
                return await self._admit(order, opened)
            finally:
                await self._close_if_empty()

    async def let_leave(self, stay: Stay) -> None:
        """Let a machine go, with those that it started; the last one closes the host."""
        family = await stay.family()
        await stay.opened.host.let_go([stay.name, *(live.name for live in family)])
        async with self._turn:
            await sync_to_async(_give_up)([*stay.lives, *family])
            self._stays.discard(stay)
            await self._close_if_empty()

    async def submit(self, frame: EventFrame) -> dict[str, Any] | None:
        """What the host says to an event; None if it does not run the target."""
        host = None if self._opened is None else self._opened.host
        if host is None or host.live(frame.target) is None:
            return None
        end: asyncio.Future[Any] = host.end_of(frame.target)
        answer: asyncio.Future[Any] = self.loop.create_future()
        host.serve(frame, lambda said: settle(answer, said))
        await asyncio.wait([answer, end], return_when=asyncio.FIRST_COMPLETED)
        return answer.result() if answer.done() else None

    async def _open(self) -> Opened:
        if self._opened is not None and self.is_open:
            return self._opened
        clock = Clock()
        place = contextlib.ExitStack()
        process = await sync_to_async(_check_in)(place, clock)
        host = GuestHost(process, [], clock=clock, machine_sockets=service.sockets())
        # Of its own, not of the engine that came first: it may outlive that one's task, and what
        # that one runs in (a request, say).
        task = self.loop.create_task(
            _run(host, place), name="machines host", context=contextvars.Context()
        )
        up = self.loop.create_task(host.is_up())
        await asyncio.wait({task, up}, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        if task.done():
            raise CannotRun(f"no machine can be run in this process: {task.result()}")
        self._stays = set()
        self._opened = Opened(host, task, process, clock)
        return self._opened

    async def _admit(self, order: Order, opened: Opened) -> Stay:
        name = str(order.machine_name)
        host = opened.host
        if name in self.names or host.live(name) is not None:
            raise AlreadyRuns(f"machine {name!r} runs in this process already")
        entries = await sync_to_async(service.prepare_all)([order], opened.process, opened.clock)
        stay = Stay(self, opened, entries)
        self._stays.add(stay)
        try:
            stay.end = await host.take_in(entries[0])
            for entry in entries[1:]:
                await host.take_in(entry)
        except BaseException:
            await host.let_go([live.name for live in stay.lives])
            await sync_to_async(_give_up)(stay.lives)
            self._stays.discard(stay)
            raise
        service.say_ready(entries)
        return stay

    async def _close_if_empty(self) -> None:
        opened = self._opened
        if self._stays or opened is None:
            return
        opened.host.stop()
        await asyncio.wait({opened.task})
        self._opened = None


_residence: Residence | None = None


def residence() -> Residence:
    """That of this process. Raises CannotRun if its machines run in another event loop."""
    global _residence
    loop = asyncio.get_running_loop()
    if _residence is None or (_residence.loop is not loop and not _residence.is_open):
        _residence = Residence()
    if _residence.loop is not loop:
        raise CannotRun(
            "the machines of this process run in another event loop;"
            " a process has one for all of its engines"
        )
    return _residence


async def submit(frame: EventFrame) -> dict[str, Any] | None:
    """What the host of this process and event loop says to an event; None if it is not there."""
    if _residence is None or _residence.loop is not asyncio.get_running_loop():
        return None
    return await _residence.submit(frame)


async def _run(host: GuestHost, place: contextlib.ExitStack) -> str:
    try:
        await host.run()
    except Exception as error:
        logger.exception("the host of this process broke")
        return f"{type(error).__name__}: {error}"
    finally:
        await sync_to_async(_check_out)(place)
    return ""


def _check_in(place: contextlib.ExitStack, clock: Clock) -> Process:
    ours = Process.objects.filter(
        kind=Process.Kind.HOST, host=socket.gethostname(), pid=os.getpid()
    ).first()
    if ours is not None and ownership.lives(ours, clock.now()):
        raise CannotRun("this process is a host already; an engine cannot be run within runmachine")
    return place.enter_context(service.on_record(clock))


def _check_out(place: contextlib.ExitStack) -> None:
    place.close()
    connections.close_all()


def _give_up(lives: list[Live]) -> None:
    """Let machines that have left have no owner, unless they have a new one."""
    for live in lives:
        Machine.objects.filter(pk=live.id, epoch=live.epoch).update(process=None)
