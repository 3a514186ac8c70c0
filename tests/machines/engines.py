"""Engines as tests run them: files, helpers, and what may be left when they have gone."""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from machines.engine import (
    StateMachineEngine,
)
from machines.models import Process
from machines.runtime.ownership import lock_path

DOOR = """
initial_state: shut
events: {push: {context_map: {by: payload.by}}}
transitions:
  - {from: shut, to: open, event: push}
  - {from: open, to: shut, event: pull}
  - {from: "*", to: completed, event: finish}
"""
BUSY = """
initial_state: idle
states:
  idle:
  busy: {actions: [{type: bash, command: "read line < gate"}]}
transitions:
  - {from: idle, to: busy, event: work}
  - {from: busy, to: idle, event: job_done}
"""
PATIENCE_SECONDS = 20


@pytest.fixture(autouse=True)
async def leaves_nothing(
    transactional_db: None, run_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """Whatever a test does: when its engines have left, nothing of a host is there."""
    monkeypatch.chdir(tmp_path)
    tasks, threads = asyncio.all_tasks(), _journals()

    async with asyncio.timeout(60):
        yield

    assert asyncio.all_tasks() <= tasks | {asyncio.current_task()}
    assert _journals() == threads
    assert not lock_path(os.getpid()).exists()
    assert await asyncio.to_thread(os.listdir, run_directory) == []
    assert not await Process.objects.aexists()
    await sync_to_async(connections.close_all)()


def _journals() -> int:
    return sum(thread.name == "journal" for thread in threading.enumerate())


async def loaded(name: str, text: str, **options: Any) -> StateMachineEngine:
    """An engine for a file with that text."""
    path = Path(f"{name}.yaml")
    await asyncio.to_thread(path.write_text, text)
    engine = StateMachineEngine(machine_name=name, **options)
    await engine.load_config(path)
    return engine


async def reaches(engine: StateMachineEngine, state: str) -> None:
    """Wait until its machine is in ``state``."""
    await until(lambda: engine.current_state == state)


async def until(true: Callable[[], Any]) -> None:
    """Wait until something is true."""
    give_up_at = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while not await sync_to_async(true)():
        assert asyncio.get_running_loop().time() < give_up_at
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def executed(engine: StateMachineEngine) -> AsyncIterator["asyncio.Task[Any]"]:
    """A task that executes it, cancelled at the end of the block."""
    task = asyncio.create_task(engine.execute_state_machine())
    try:
        await until(lambda: engine.status == "running" or task.done())
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
