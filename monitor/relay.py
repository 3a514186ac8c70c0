"""The tail: follows the database and passes on to the hub what is new, each frame encoded once.

A push only says "look"; the database is the feed. So a lost push costs one sweep, never a wrong
picture.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import Error, close_old_connections, connections
from django.utils import timezone

from machines.runtime.bells import Bell
from monitor import messages
from monitor.changes import Changes
from monitor.hub import Hub, frame
from monitor.presence import HEARTBEAT_SECONDS, Presence

COALESCING_SECONDS = 0.025  # at most 40 looks a second: a burst becomes a few large reads
SWEEP_SECONDS = 0.5  # a push that got lost is made up for within this time
IDLE_SWEEP_SECONDS = 2.0  # while nobody looks
RETRY_SECONDS = 1.0  # while the database does not answer

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Tail:
    """One for each web process; ``run`` is its whole life."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._changes = Changes()
        self._presence = Presence()
        self._wake = asyncio.Event()
        # A thread of its own: pages share one, and a slow page must not hold up the feed.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feed")
        self._beat_at = 0.0
        self.fault = ""  # why the feed is not live; empty while it is

    def wake(self) -> None:
        """Look now."""
        self._wake.set()

    async def run(self) -> None:
        """Follow the database until cancelled; a database that is out is asked again."""
        bell = Bell("web", self.wake)
        bell.open()
        try:
            while True:
                try:
                    await self._follow()
                except Error as fault:
                    await self._tell_fault(fault)
        finally:
            bell.close()
            await self._end()

    async def _follow(self) -> None:
        await self._begin()
        while True:
            await self._beat()
            if self._hub:
                await self._pass_on()
            else:
                await self._begin()
            self.fault = ""
            await asyncio.sleep(COALESCING_SECONDS)
            await self._rest()

    async def _begin(self) -> None:
        await self._in_thread(self._changes.begin)
        self._hub.lose()  # who joined meanwhile may have missed what came meanwhile

    async def _rest(self) -> None:
        seconds = SWEEP_SECONDS if self._hub else IDLE_SWEEP_SECONDS
        if self._changes.owing is not None:
            seconds = self._changes.owing.total_seconds()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self._wake.clear()

    async def _pass_on(self) -> None:
        watched = self._hub.watched
        for message in await self._in_thread(self._changes.read, watched, timezone.now()):
            self._hub.publish(frame(message), closely="context" in message)

    async def _beat(self) -> None:
        now = asyncio.get_running_loop().time()
        if not self._beat_at or now - self._beat_at >= HEARTBEAT_SECONDS:
            self._beat_at = now
            await self._in_thread(self._presence.beat, timezone.now())

    async def _tell_fault(self, fault: Error) -> None:
        if not self.fault:
            logger.warning("live feed: the database does not answer: %s", fault)
            text = "the database does not answer; the picture may be old"
            self._hub.publish(frame(messages.error(text)))
        self.fault = str(fault) or type(fault).__name__
        self._beat_at = 0.0
        await asyncio.sleep(RETRY_SECONDS)
        await self._in_thread(close_old_connections)

    async def _end(self) -> None:
        with contextlib.suppress(Error):
            await self._in_thread(self._presence.leave)
        await self._in_thread(connections.close_all)
        self._thread.shutdown()

    async def _in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, function, *arguments)
