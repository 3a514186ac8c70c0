"""A real host in the test's own loop: real database, real socket, real processes of actions."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from machines.models import Event, Machine, Process, Run, Step, Timer
from machines.runtime import ownership
from machines.runtime.clock import Clock
from machines.runtime.host import Host
from machines.runtime.journal import Journal
from machines.runtime.launch import Order
from machines.runtime.rundir import run_dir
from machines.runtime.service import prepare_all

PATIENCE_SECONDS = 20


@dataclass
class Driver:
    """A running machine, as a test drives it."""

    name: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    host: "asyncio.Task[int]"
    folder: Path
    journal: Journal

    async def send(self, event: str | dict[str, Any], **frame: Any) -> dict[str, Any]:
        """Send a frame and return its answer."""
        fields = event if isinstance(event, dict) else {"type": event, **frame}
        self.writer.write(orjson.dumps(fields) + b"\n")
        return await self.answer()

    async def answer(self) -> dict[str, Any]:
        """The next answer."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            found: dict[str, Any] = orjson.loads(await self.reader.readline())
            return found

    async def ends(self) -> int:
        """Wait until the host has ended; its exit code."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await asyncio.shield(self.host)

    async def machine(self) -> Machine:
        """The machine's row."""
        return await Machine.objects.select_related("job").aget(name=self.name)

    async def steps(self) -> list[tuple[str, str | None, str]]:
        """Its steps: event, source, target."""
        rows = Step.objects.filter(machine__name=self.name).order_by("seq")
        return [row async for row in rows.values_list("event", "source", "target")]

    async def moves(self) -> list[str]:
        """The states it went through, one after the other, self-loops left out."""
        return [target for _event, source, target in await self.steps() if source != target]

    async def events(self) -> list[tuple[str, str]]:
        """Events sent to it: type and status."""
        rows = Event.objects.filter(target=self.name).order_by("id")
        return [row async for row in rows.values_list("type", "status")]

    async def runs(self) -> list[Run]:
        """Its runs, oldest first."""
        return [run async for run in Run.objects.filter(machine__name=self.name).order_by("id")]

    async def timers(self) -> list[Timer]:
        """Its deadlines."""
        return [timer async for timer in Timer.objects.filter(machine__name=self.name)]

    async def reaches(self, state: str) -> Machine:
        """Wait until it is in ``state``."""
        return await self.until(lambda machine: machine.state == state, f"state {state!r}")

    async def until(self, true: Callable[[Machine], bool], what: str) -> Machine:
        """Wait until something is true of its row."""
        give_up_at = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while asyncio.get_running_loop().time() < give_up_at:
            machine = await self.machine()
            if true(machine):
                return machine
            await asyncio.sleep(0.01)
        raise AssertionError(
            f"{what} did not come; {machine.status} in {machine.states}: {await self.steps()}"
        )

    async def pending(self, count: int = 0) -> None:
        """Wait until so many of its events are pending."""
        give_up_at = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        waiting = Event.objects.filter(target=self.name, status="pending")
        while await waiting.acount() != count:
            assert asyncio.get_running_loop().time() < give_up_at, await self.events()
            await asyncio.sleep(0.01)

    def asks_to_go(self) -> None:
        """What Ctrl+C does."""
        os.kill(os.getpid(), signal.SIGINT)


Runner = Callable[..., contextlib.AbstractAsyncContextManager[Driver]]


@pytest.fixture
def run_directory(tmp_path: Path, settings: Any) -> Path:
    """A run directory of the test's own."""
    settings.SM_RUN_DIR = str(tmp_path / "run")
    return run_dir()


@pytest.fixture
def run(tmp_path: Path, run_directory: Path, transactional_db: None) -> Runner:
    """``async with run(yaml_text) as machine``: a machine that runs until the block ends."""

    @contextlib.asynccontextmanager
    async def running(
        yaml: str, *others: str, name: str = "machine", **options: Any
    ) -> AsyncIterator[Driver]:
        files = []
        for number, text in enumerate((yaml, *others)):
            path = tmp_path / (f"{name}.yaml" if number == 0 else f"other{number}.yaml")
            await asyncio.to_thread(path.write_text, text)
            files.append(path)
        orders = [
            Order(str(files[0]), machine_name=name, **options),
            *(Order(str(path)) for path in files[1:]),
        ]
        host, process, lock = await sync_to_async(_prepare)(orders, run_directory)
        ready = asyncio.Event()
        host._on_ready = ready.set
        task = asyncio.create_task(host.run())
        try:
            await asyncio.wait(
                {asyncio.ensure_future(ready.wait()), task},
                return_when=asyncio.FIRST_COMPLETED,
                timeout=PATIENCE_SECONDS,
            )
            reader, writer = await asyncio.open_unix_connection(run_directory / f"{name}.sock")
            async with contextlib.AsyncExitStack() as stack:
                stack.push_async_callback(writer.wait_closed)
                stack.callback(writer.close)
                yield Driver(name, reader, writer, task, tmp_path, host._journal)
        finally:
            host._to_end.set()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await asyncio.gather(task, return_exceptions=True)
            await sync_to_async(_release)(process, lock)

    return running


def _prepare(orders: list[Order], directory: Path) -> tuple[Host, Process, ownership.HostLock]:
    clock = Clock()
    lock = ownership.HostLock()
    lock.acquire()
    path = directory / f"host-{os.getpid()}.sock"
    process = ownership.register_host(str(path), "test", clock.now())
    try:
        entries = prepare_all(orders, process, clock)
    except BaseException:
        _release(process, lock)
        raise
    host = Host(
        process, entries, clock=clock, machine_sockets=lambda name: directory / f"{name}.sock"
    )
    return host, process, lock


def _release(process: Process, lock: ownership.HostLock) -> None:
    ownership.release(process)
    lock.release()
    connections.close_all()
