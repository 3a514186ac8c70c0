"""Plain functions beside the loop, in threads that hold nobody up.

The loop's own pool is joined when it ends: a function that sleeps for an hour would keep a host
from going down.
"""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar

from django.db import connections

Result = TypeVar("Result")


async def in_thread(function: Callable[[], Result]) -> Result:
    """What ``function``, which raises nothing, returns. Cancelled, it runs on and is not heard."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()
    context = contextvars.copy_context()

    def tell(result: Result) -> None:
        if not future.done():
            future.set_result(result)

    def run() -> None:
        try:
            result = context.run(function)
        finally:
            connections.close_all()
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, result)

    threading.Thread(target=run, name="action", daemon=True).start()
    return await future
