"""The lookout of a host: it asks the database when a bell rings, and every two seconds.

However many rings come while it asks, it asks once more, not as often.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from django.db import DatabaseError, connections

from machines.models import Process
from machines.runtime import ownership, sweep
from machines.runtime.clock import Clock
from machines.runtime.live import Live
from machines.runtime.requests import Look, Play, Request

logger = logging.getLogger("machines.runtime")
Said = TypeVar("Said")

SWEEP_SECONDS = 2.0  # how long a lost ring may go unnoticed


class Lookout:
    """Looks for what others wrote for the machines of a host, and says that the host lives."""

    def __init__(
        self,
        process: Process,
        lives: Mapping[str, Live],
        clock: Clock,
        put: Callable[[Request], None],
    ) -> None:
        """``put`` hands what is found to the journal."""
        self._process = process
        self._lives = lives
        self._clock = clock
        self._put = put
        self._rung = asyncio.Event()
        # Of its own: what actions do in Django's one thread must not hold up the heartbeat.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lookout")

    def ring(self) -> None:
        """Somebody says that there is something."""
        self._put(Look())
        self._rung.set()

    async def answer_rings(self) -> None:
        """Look for what machines wait for, whenever it was rung."""
        while True:
            await self._rung.wait()
            self._rung.clear()
            await self._wake_subscribers()

    async def sweep(self) -> None:
        """Look every two seconds, in case a ring was lost."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                if await self._ask(sweep.something_waits, self._process.pk, self._lives):
                    self._put(Look())
            except DatabaseError as error:
                logger.warning("the sweep of the inbox failed: %s", error)
            await self._wake_subscribers()

    async def beat(self) -> None:
        """Write the heartbeat."""
        while True:
            await asyncio.sleep(ownership.HEARTBEAT_SECONDS)
            with contextlib.suppress(DatabaseError):
                await self._ask(ownership.beat, self._process, self._clock.now())

    async def close(self) -> None:
        """Let go of the thread and its connection."""
        await self._ask(connections.close_all)
        self._thread.shutdown()

    async def _ask(self, question: Callable[..., Said], *args: Any) -> Said:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(question, *args))

    async def _wake_subscribers(self) -> None:
        wanted = sweep.subscriptions(self._lives)
        if not wanted:
            return
        try:
            found = await self._ask(sweep.there, wanted, self._clock.now())
        except DatabaseError as error:
            logger.warning("the sweep of the jobs failed: %s", error)
            return
        for name, entries in found.items():
            self._put(Play(name, rung=True, there=tuple(entries)))
