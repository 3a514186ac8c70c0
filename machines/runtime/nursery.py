"""Instances in processes of their own: started by a host, ended with it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from dataclasses import replace

from asgiref.sync import sync_to_async
from django.conf import settings

from machines.actions.base import StartedMachine
from machines.actions.processes import tied_to_us
from machines.core.errors import MachineError
from machines.models import Machine
from machines.runtime import children
from machines.runtime.launch import Order

logger = logging.getLogger("machines.runtime")

PATIENCE_SECONDS = 20.0  # for a process to take its machine in
LOOK_SECONDS = 0.05
STOP_SECONDS = 30.0  # for a host to go down: its own grace for running work, and some


class CannotStart(MachineError):  # noqa: N818 - reads as what happened
    """A process that did not come to run its machine."""


class Nursery:
    """The processes that machines of this host have started."""

    def __init__(self) -> None:
        self._processes: set[asyncio.subprocess.Process] = set()

    async def start(self, starter: str, order: Order) -> StartedMachine:
        """Start ``runmachine`` for an instance; return when it runs. Raises MachineError."""
        self._processes = {each for each in self._processes if each.returncode is None}
        order, machine = await sync_to_async(_registered)(starter, order)
        process = await asyncio.create_subprocess_exec(
            *tied_to_us(signal.SIGTERM),
            *_words(order.what, machine.name),
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._processes.add(process)
        await self._until_it_runs(process, machine)
        return StartedMachine(machine.name, process.pid)

    async def close(self) -> None:
        """End them all: cleanly, so that their machines go on next time."""
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        for process in self._processes:
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()
            except TimeoutError:
                logger.warning("process %s did not end: killed", process.pid)
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    async def _until_it_runs(self, process: asyncio.subprocess.Process, machine: Machine) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not await _is_taken_in(machine.pk):
                    if process.returncode is not None:
                        raise CannotStart(
                            f"the process of {machine.name!r} ended with {process.returncode};"
                            " its log says why"
                        )
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise CannotStart(
                f"the process of {machine.name!r} did not run it in {PATIENCE_SECONDS:g} s"
            ) from None


def _registered(starter: str, order: Order) -> tuple[Order, Machine]:
    definition_id = Machine.objects.get(name=starter).definition_id
    order = replace(order, what=children.what(definition_id, order.what))
    return order, children.register(starter, order)[0].machine


async def _is_taken_in(machine_id: int) -> bool:
    fresh = Machine.objects.exclude(status=Machine.Status.NEW)
    return await fresh.filter(pk=machine_id).aexists()


def _words(what: str, name: str) -> list[str]:
    return [
        sys.executable,
        str(settings.BASE_DIR / "manage.py"),
        "runmachine",
        what,
        "--machine-name",
        name,
    ]
