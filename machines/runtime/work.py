"""Work in the host's loop: started when its run is on record, stopped when its state is left."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from asgiref.sync import sync_to_async
from jobqueue.intake import create_job

from machines.actions.base import StartedMachine, WorkCall, Worked
from machines.actions.settings import Settings
from machines.core.errors import MachineError
from machines.core.settling import Outcome
from machines.core.storable import storable
from machines.runtime.launch import Order
from machines.runtime.live import Ended
from machines.runtime.nursery import Nursery
from machines.runtime.printout import Printout
from machines.runtime.requests import Printed, Request, StartWork
from machines.runtime.secrets import Secrets
from machines.runtime.sending import send_event

logger = logging.getLogger("machines.runtime")

OUTPUT_INTERVAL_SECONDS = 1.0  # how often the output of running work is written


class Workshop:
    """The running work of a host: at most one action of a machine at a time."""

    def __init__(
        self,
        group: asyncio.TaskGroup,
        put: Callable[[Request], None],
        nursery: Nursery,
        secrets: Secrets,
    ) -> None:
        """``put`` hands requests to the journal; what work says is masked by ``secrets``."""
        self._group = group
        self._nursery = nursery
        self._secrets = secrets
        self._put = put
        self._tasks: dict[str, tuple[str, asyncio.Task[None]]] = {}
        self._leaving: dict[str, set[asyncio.Task[None]]] = {}

    def start(self, order: StartWork) -> None:
        """Begin work; it waits until the machine's work before has ended."""
        before = tuple(self._leaving.get(order.machine, ()))
        task = self._group.create_task(
            self._run(order, before), name=f"{order.machine} {order.action.type}"
        )
        self._tasks[order.machine] = (order.work.token, task)

    def stop(self, machine: str, token: str) -> None:
        """End the work of a state that was left."""
        found = self._tasks.get(machine)
        if found is None or found[0] != token:
            return
        del self._tasks[machine]
        task = found[1]
        self._leaving.setdefault(machine, set()).add(task)
        task.add_done_callback(lambda _done: self._left(machine, task))
        task.cancel()

    @property
    def busy(self) -> bool:
        """True while something runs."""
        return bool(self._tasks or self._leaving)

    async def shut_down(
        self, grace_seconds: float, machines: Collection[str] | None = None
    ) -> None:
        """Let running work end, of ``machines`` or of all; what has not by then is stopped."""
        running = [
            task
            for name, (_token, task) in self._tasks.items()
            if machines is None or name in machines
        ]
        running.extend(
            task
            for name, tasks in self._leaving.items()
            if machines is None or name in machines
            for task in tasks
        )
        if not running:
            return
        _done, late = await asyncio.wait(running, timeout=grace_seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _left(self, machine: str, task: asyncio.Task[None]) -> None:
        leaving = self._leaving[machine]
        leaving.discard(task)
        if not leaving:
            del self._leaving[machine]

    async def _run(self, order: StartWork, before: Sequence[asyncio.Task[None]]) -> None:
        printout = Printout(order.machine, self._secrets)
        reporter: asyncio.Task[None] | None = None
        worked: Worked | None = None
        error, stopped = "", False
        try:
            if before:
                await asyncio.wait(before)
            reporter = asyncio.ensure_future(self._report(order, printout))
            worked = self._masked(await self._work(order, printout))
        except asyncio.CancelledError:
            stopped = True
        except MachineError as fault:
            error = str(fault)
        except Exception as fault:  # noqa: BLE001 - whatever work raises becomes `error`
            error = f"{type(fault).__name__}: {fault}"
            printout.add(traceback.format_exc().encode(errors="replace"))
        finally:
            if reporter is not None:
                reporter.cancel()
            token = order.work.token
            if self._tasks.get(order.machine, ("",))[0] == token:
                del self._tasks[order.machine]
        self._put(
            Ended(
                order.machine,
                order.work,
                worked,
                self._secrets.mask(storable(error)),
                printout.end(),
                stopped=stopped,
            )
        )

    def _masked(self, worked: Worked) -> Worked:
        if not self._secrets:
            return worked
        outcome = worked.outcome
        masked = replace(
            outcome,
            error=self._secrets.mask(outcome.error),
            event=outcome.event and self._secrets.mask(outcome.event),
            changes=cast("dict[str, Any]", self._secrets.mask_all(outcome.changes)),
        )
        return replace(worked, outcome=masked)

    async def _work(self, order: StartWork, printout: Printout) -> Worked:
        if order.type.work is None:
            raise RuntimeError(f"{order.type.name} is no work")
        self._secrets.check(order.action.settings)
        call = WorkCall(
            action=order.action,
            settings=Settings(order.action.type, order.settings),
            names=order.names,
            context=order.context,
            job=order.job,
            machine=order.machine,
            token=order.work.token,
            attempt=order.work.attempt,
            output=printout.add,
            services=_Services(order.machine, self._nursery),
        )
        try:
            return await order.type.work(call)
        except TimeoutError:
            seconds = call.settings.seconds("timeout", 0)
            return Worked(Outcome(error=f"timed out after {seconds:g} s"))

    async def _report(self, order: StartWork, printout: Printout) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(OUTPUT_INTERVAL_SECONDS)
                if printout.grew:
                    self._put(Printed(order.work.token, printout.look()))


class _Services:
    """What custom work may do: events and jobs, on behalf of its machine."""

    def __init__(self, machine: str, nursery: Nursery) -> None:
        self._machine = machine
        self._nursery = nursery

    async def send_event(
        self, target: str, event_type: str, payload: Any = None, job_id: str = ""
    ) -> None:
        """See WorkServices."""
        await send_event(
            target=target,
            type=event_type,
            payload=payload,
            job_id=job_id,
            source=self._machine,
            actor=self._machine,
            known_only=False,
        )

    async def create_job(self, job_type: str, data: Any = None, **options: Any) -> str:
        """See WorkServices."""
        job = await sync_to_async(create_job)(
            job_type=job_type, data=data, created_by=self._machine, **options
        )
        return job.job_id

    async def start_process(
        self, yaml_path: str, name: str | None, context: Mapping[str, Any]
    ) -> StartedMachine:
        """See WorkServices."""
        order = Order(yaml_path, machine_name=name, context=context)
        return await self._nursery.start(self._machine, order)
