import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import orjson
import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection

from machines.models import Machine, Process
from monitor import relay
from monitor.hub import MAX_WAITING_FRAMES, Hub, Listener, frame
from monitor.relay import Tail
from tests.monitor.conftest import TakeStep


class Outage:
    """A database that answers none of the tail's queries, from ``begin`` to ``end``."""

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self._wrapping = ExitStack()

    async def begin(self) -> None:
        def refuse(*_query: object) -> None:
            raise OperationalError("no answer")

        await self._tail._in_thread(
            lambda: self._wrapping.enter_context(connection.execute_wrapper(refuse))
        )
        self._tail.wake()

    async def end(self) -> None:
        await self._tail._in_thread(self._wrapping.close)


pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    """A hub with a tail that follows the database."""
    hub = Hub()
    tail = asyncio.create_task(Tail(hub).run())
    yield hub
    tail.cancel()
    await asyncio.wait([tail])


async def steps_heard(listener: Listener, count: int) -> list[int]:
    """The seqs of the first ``count`` steps, from when the listener was told to begin anew."""
    seqs: list[int] = []
    async with asyncio.timeout(20):
        while len(seqs) < count:
            seqs += [frame.seq for frame in await listener.take() or () if frame.seq is not None]
    return seqs


async def begun(listener: Listener) -> None:
    """Wait until the tail follows the database."""
    async with asyncio.timeout(20):
        while await listener.take() is not None:
            pass


async def test_burst_reaches_twenty_listeners_whole_and_in_order(
    hub: Hub, kitchen: Machine, take_step: TakeStep
) -> None:
    with hub.join(None) as first:
        await begun(first)
        listeners = [hub.join("kitchen") for _ in range(20)]
        heard = [asyncio.create_task(steps_heard(each.__enter__(), 200)) for each in listeners]
        for number in range(200):
            await sync_to_async(take_step)(kitchen, ("cooking", "waiting")[number % 2])

        seqs = await asyncio.gather(*heard)

    for each in listeners:
        each.__exit__(None, None, None)
    assert seqs == [list(range(1, 201))] * 20


async def test_listener_that_does_not_take_holds_nobody_up(
    hub: Hub, kitchen: Machine, take_step: TakeStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub.join(None) as slow, hub.join("kitchen") as quick:
        await begun(quick)
        await begun(slow)
        for _ in range(MAX_WAITING_FRAMES - 1):
            slow.put(frame({"type": "machine"}))
        await sync_to_async(take_step)(kitchen, "cooking")
        await sync_to_async(take_step)(kitchen, "waiting")

        assert await steps_heard(quick, 2) == [1, 2]
        assert await slow.take() is None


async def test_tail_finds_steps_without_a_ring(
    hub: Hub, kitchen: Machine, take_step: TakeStep, run_directory: Path
) -> None:
    with hub.join("kitchen") as listener:
        await begun(listener)
        for bell in bells_in(run_directory):
            bell.unlink()
        await sync_to_async(take_step)(kitchen, "cooking")

        seqs = await steps_heard(listener, 1)

    assert seqs == [1]


async def test_tail_is_on_record_with_its_bell_while_it_runs(
    kitchen: Machine, run_directory: Path
) -> None:
    hub = Hub()
    tail = asyncio.create_task(Tail(hub).run())
    with hub.join("kitchen") as listener:
        await begun(listener)
        await until_on_record()
        bells = bells_in(run_directory)
    tail.cancel()
    await asyncio.wait([tail])

    assert [bell.name for bell in bells] == [f"web-{os.getpid()}.bell"]
    assert not await Process.objects.aexists()
    assert not bells_in(run_directory)


def bells_in(run_directory: Path) -> list[Path]:
    """The bells of web processes."""
    return list(run_directory.glob("web-*.bell"))


async def until_on_record() -> None:
    """Wait until the web process has written its row."""
    async with asyncio.timeout(20):
        while not await Process.objects.filter(pid=os.getpid()).aexists():
            pass


async def test_tail_says_when_the_database_is_out_and_begins_anew_when_it_is_back(
    kitchen: Machine, take_step: TakeStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "RETRY_SECONDS", 0.01)
    hub = Hub()
    tail = Tail(hub)
    outage = Outage(tail)
    running = asyncio.create_task(tail.run())
    with hub.join("kitchen") as listener:
        await begun(listener)
        await outage.begin()
        frames = await listener.take()
        fault = tail.fault
        await outage.end()
        await begun(listener)
        await sync_to_async(take_step)(kitchen, "cooking")
        seqs = await steps_heard(listener, 1)
    running.cancel()
    await asyncio.wait([running])

    assert [orjson.loads(frame.text)["type"] for frame in frames or ()] == ["error"]
    assert fault == "no answer"
    assert seqs == [1]
