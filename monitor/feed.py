"""The live feed of this web process: one hub, and the tail that feeds it.

An ASGI server owns the event loop and may know no start and no end, so the feed starts with the
first connection that comes in, and what it leaves behind is removed when the process ends.
"""

import asyncio
import atexit
import contextlib
import logging
import os

from django.db import Error

from machines.runtime.bells import bell_path
from monitor.hub import Hub
from monitor.presence import forget_web_process
from monitor.relay import Tail

logger = logging.getLogger(__name__)


class Feed:
    """Hub and tail of the running loop."""

    def __init__(self) -> None:
        self.hub = Hub()
        self._tail: Tail | None = None
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def state(self) -> str:
        """``live``, ``stale`` while the database does not answer, ``off`` before the start."""
        if self._tail is None or self._task is None or self._task.done():
            return "off"
        return "stale" if self._tail.fault else "live"

    def start(self) -> None:
        """Start the tail in the running loop, unless it runs there already."""
        loop = asyncio.get_running_loop()
        if loop is self._loop and self._task is not None and not self._task.done():
            return
        if loop is not self._loop:
            self._loop = loop
            self.hub = Hub()
        self._tail = Tail(self.hub)
        self._task = loop.create_task(self._tail.run(), name="live feed")
        self._task.add_done_callback(_report)

    async def stop(self) -> None:
        """End the tail and wait until it has put away its bell and its row."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._task = self._tail = None


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (fault := task.exception()) is not None:
        logger.error(
            "live feed: stopped; the next connection or ping starts it again", exc_info=fault
        )


def leave_nothing() -> None:
    """Remove bell and row of this process; for servers that end without telling the feed."""
    bell_path("web", os.getpid()).unlink(missing_ok=True)
    with contextlib.suppress(Error):
        forget_web_process()


feed = Feed()


def start_feed() -> None:
    """Start the feed of this process, and see to its end."""
    if feed.state == "off":
        atexit.unregister(leave_nothing)
        atexit.register(leave_nothing)
    feed.start()
