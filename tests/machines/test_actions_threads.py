"""Plain functions beside the loop."""

import asyncio
import threading

import pytest

from machines.actions.threads import in_thread

PATIENCE_SECONDS = 20


async def test_what_the_function_returns_is_heard() -> None:
    name = await in_thread(lambda: threading.current_thread().name)

    assert name == "action"


def test_a_function_that_does_not_end_holds_nobody_up() -> None:
    gate = threading.Event()

    async def gives_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await in_thread(lambda: gate.wait(PATIENCE_SECONDS))

    asyncio.run(gives_up())  # it would join the threads of the loop's own pool

    assert not gate.is_set()
    gate.set()
