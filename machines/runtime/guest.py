"""A host that is a guest in another program: machines come and go while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from machines.core.protocol import EventFrame
from machines.runtime.control import Answer
from machines.runtime.host import WORK_GRACE_SECONDS, Host
from machines.runtime.launch import CannotRun
from machines.runtime.live import Live
from machines.runtime.requests import Control, Enter, Look

_OVER = {"ok": False, "code": "unknown", "error": "the host has ended"}


class GuestHost(Host):
    """Leaves the signals to the program, and runs until ``stop``, machines or none."""

    _is_over = False

    async def run(self) -> int:
        """See Host; whoever asked something then hears that it is over."""
        self._is_up = asyncio.Event()
        self._ends: dict[str, asyncio.Future[str]] = {}
        self._questions: set[asyncio.Future[dict[str, Any]]] = set()
        try:
            return await super().run()
        finally:
            self._is_over = True
            for question in tuple(self._questions):
                settle(question, _OVER)
            for end in self._ends.values():
                settle(end, "")

    async def is_up(self) -> None:
        """Wait until it takes machines in."""
        await self._is_up.wait()

    def live(self, machine: str) -> Live | None:
        """The memory of a machine that runs here; None if it does not."""
        return None if self._is_over else self._lives.get(machine)

    def end_of(self, machine: str) -> asyncio.Future[str]:
        """The last status of a machine that runs here, when it has ended.

        It is ``fenced`` if another host took the machine over, empty if this host broke.
        """
        if machine not in self._ends:
            self._ends[machine] = asyncio.get_running_loop().create_future()
        return self._ends[machine]

    def serve(self, frame: EventFrame, answer: Answer) -> None:
        """Take an event in for a machine that runs here, as its control socket does."""
        self._desk.serve(frame, answer)

    async def take_in(self, entry: Enter) -> asyncio.Future[str]:
        """Run one more machine; its end, when it is in and its socket listens.

        Raises CannotRun if it could not be taken in.
        """
        live = entry.live
        self._lives[live.name] = live
        end = self.end_of(live.name)
        self._journal.put(entry)
        self._journal.put(Look())  # for what was sent after its inbox was read
        await self._listen_for(live)
        said = await self._ask(live.name, "status")
        # An instance that has ended already is forgotten.
        if not said["ok"] and not live.is_child:
            raise CannotRun(f"machine {live.name!r} could not be taken in: {said['error']}")
        return end

    async def let_go(self, machines: Collection[str]) -> None:
        """Let machines go while others run on; they go on when they are run again.

        Their running work ends, or is ended, as when the whole host goes down.
        """
        going = [name for name in machines if self.live(name) is not None]
        for name in going:
            await self._ask(name, "drain")
        await self._workshop.shut_down(WORK_GRACE_SECONDS, machines)
        for name in going:
            await self._ask(name, "leave")
        await self._workshop.shut_down(0, machines)
        for name in machines:
            self._lives.pop(name, None)
            if (door := self._doors.pop(name, None)) is not None:
                await door.close()

    async def _ask(self, machine: str, verb: str) -> dict[str, Any]:
        """What the journal says to a word to a machine."""
        if self._is_over:
            return _OVER
        question: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._questions.add(question)
        question.add_done_callback(self._questions.discard)
        self._journal.put(Control(machine, verb, lambda said: settle(question, said)))
        return await question

    async def _begin(self) -> None:
        await super()._begin()
        self._is_up.set()

    def _gone(self, machine: str, status: str) -> None:
        super()._gone(machine, status)
        if (end := self._ends.pop(machine, None)) is not None:
            settle(end, status)

    def _has_ended(self) -> bool:
        return False

    def _hear_signals(self) -> None:
        pass


def settle(future: asyncio.Future[Any], said: Any) -> None:
    """Answer who waits, if he still does and nobody has."""
    if not future.done():
        future.set_result(said)
