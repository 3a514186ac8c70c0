"""Machines in a program of one's own: an engine runs one, in any asyncio program.

from machines.engine import StateMachineEngine
"""
# ruff: noqa: E402 - a program may import this first: Django is set up before its models load

from __future__ import annotations

from machines.django_setup import set_up

set_up()

import asyncio
import contextlib
import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection

from machines.core.errors import DefinitionError, MachineError
from machines.models import Machine
from machines.runtime import calling, intake, launch, sending
from machines.runtime.inbox import Reply
from machines.runtime.intake import Refused
from machines.runtime.launch import CannotRun, Order
from machines.runtime.live import Live
from machines.runtime.ownership import AlreadyRuns
from machines.runtime.resident import Stay, residence

__all__ = [
    "AlreadyRuns",
    "CannotRun",
    "DefinitionError",
    "Lost",
    "MachineError",
    "Refused",
    "Reply",
    "Standing",
    "StateMachineEngine",
]


class Lost(MachineError):  # noqa: N818 - reads as what happened
    """A machine that ran here and does not any more, though it has not ended."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a machine stands. ``fault``: why it is faulted."""

    status: str
    state: str | None
    context: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""


class StateMachineEngine:
    """Runs one machine, and sends it events. Its methods are for one event loop.

    Any number of engines may run in a process. What they do is on record as with ``runmachine``:
    events accepted are never lost, and a machine goes on where it was when it is run again.
    """

    def __init__(
        self,
        machine_name: str | None = None,
        *,
        actions_dir: str | Path | None = None,
        initial_context: Mapping[str, Any] | None = None,
        restart: bool = False,
        takeover: bool = False,
    ) -> None:
        """As the flags of ``runmachine``; without a name the file says it.

        ``initial_context`` counts when the machine begins, not when it goes on. ``restart``:
        begin anew. ``takeover``: take it from the host that runs it.
        """
        self._order = Order(
            "",
            machine_name=machine_name,
            actions_dir=None if actions_dir is None else str(actions_dir),
            context=dict(initial_context or {}),
            restart=restart,
            takeover=takeover,
        )
        self._last = Standing("new", None)
        self._stay: Stay | None = None
        self._leaving: asyncio.Task[None] | None = None

    async def load_config(self, what: str | Path, *, definition: str | None = None) -> None:
        """Put a file and its machine on record, to be executed; nothing runs yet.

        ``what`` may also be the name of a machine or definition on record. ``definition``: the
        name of the definition, if the file's own is not to be used. Raises DefinitionError with
        all that is wrong with the file, or another MachineError.
        """
        order = replace(self._order, what=str(what), definition_name=definition)
        machine = await sync_to_async(_on_record)(order)
        self._order = await sync_to_async(_kept)(order, machine)
        self._last = Standing(machine.status, machine.state, machine.context, machine.fault)

    async def execute_state_machine(
        self, initial_context: Mapping[str, Any] | None = None
    ) -> Standing:
        """Run the machine until it has ended, and the instances that it started; how it ended.

        It ends finished, faulted or stopped. To cancel this is a clean stop: running work has
        20 s to end, and the machine goes on when it is run again. Raises AlreadyRuns if it runs
        already, Lost if another host took it over, or another MachineError.
        """
        stay = await self._start(initial_context)
        try:
            await stay.ended()
        finally:
            await self.stop()
        return self._end_of(stay)

    async def process_event(
        self,
        event: str,
        payload: Any = None,
        *,
        job_id: str = "",
        source: str = "",
        key: str | None = None,
        wait: float | None = None,
    ) -> Reply:
        """Send the machine an event; when it was judged, what became of it.

        ``status`` is ``processed`` or ``ignored`` (``failed`` if its payload breaks its schema),
        with the state that the machine is in then, and the reason. ``accepted``: it is on record
        and will be judged: the machine does not run, or not within ``wait`` seconds could it be
        judged. Giving up does not take the event back. The same ``key`` is the same event.

        Raises Refused if it was not accepted.
        """
        if self._order.machine_name is None:
            raise CannotRun("it is not known which machine this engine is for: load_config says it")
        frame = sending.checked_frame(
            target=self._order.machine_name,
            type=event,
            payload=payload,
            job_id=job_id,
            source=source,
            key=key,
        )
        raw = intake.encoded_payload(payload)
        # What the machine sees is the program's no more.
        frame["payload"] = None if raw is None else orjson.loads(raw)
        return await calling.send(frame, wait)

    async def until_ended(self) -> Standing:
        """Wait until the machine that runs in the background has ended; how it ended."""
        stay = self._stay
        if stay is None:
            return self._last
        await stay.ended()
        return self._end_of(stay)

    async def stop(self) -> None:
        """Stop the machine cleanly, if it runs here; it goes on when it is run again."""
        if self._stay is None:
            return
        if self._leaving is None:
            self._leaving = asyncio.ensure_future(self._leave(self._stay))
        await asyncio.shield(self._leaving)

    async def __aenter__(self) -> Self:
        """Run the machine in the background of the block."""
        await self._start(None)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Stop it. Raises Lost if it was lost meanwhile."""
        stay = self._stay
        await self.stop()
        if kind is None and stay is not None:
            self._end_of(stay)

    @property
    def machine_name(self) -> str | None:
        """The machine's name, None until it is known."""
        return self._order.machine_name

    @property
    def status(self) -> str:
        """``running``, ``paused``, ``finished``, …; of a machine elsewhere, as it was loaded."""
        return self._standing.status

    @property
    def current_state(self) -> str | None:
        """The state it is in, None before it begins."""
        return self._standing.state

    @property
    def context(self) -> dict[str, Any]:
        """A copy of its context."""
        return copy.deepcopy(dict(self._standing.context))

    # -- inside

    @property
    def _standing(self) -> Standing:
        return self._last if self._stay is None else _standing_of(self._stay.live)

    async def _start(self, context: Mapping[str, Any] | None) -> Stay:
        if not self._order.what:
            raise CannotRun("nothing is loaded that could be executed: load_config comes first")
        order = replace(self._order, context={**self._order.context, **(context or {})})
        coming = asyncio.ensure_future(residence().take_in(order))
        try:
            self._stay = await asyncio.shield(coming)
        except asyncio.CancelledError:
            # What has begun to come in, in a thread, can only leave by the door.
            with contextlib.suppress(MachineError):
                await (await coming).leave()
            raise
        return self._stay

    async def _leave(self, stay: Stay) -> None:
        await stay.leave()
        self._last = _standing_of(stay.live)
        self._stay = self._leaving = None

    def _end_of(self, stay: Stay) -> Standing:
        status = stay.end.result() if stay.end.done() else "stopped"
        if status == "fenced":
            raise Lost(f"machine {stay.name!r} was taken over by another host")
        if not status:
            raise Lost(f"the host of machine {stay.name!r} broke; the log says why")
        return _standing_of(stay.live)


def _standing_of(live: Live) -> Standing:
    snapshot = live.snapshot
    state = snapshot.states[0] if snapshot.states else None
    return Standing(live.status, state, snapshot.context, live.fault)


def _kept(order: Order, machine: Machine) -> Order:
    """The same, whatever folder the program is in when it executes it."""
    path = Path(order.what)
    what = str(path.resolve()) if path.is_file() else order.what
    return replace(order, what=what, machine_name=machine.name)


def _on_record(order: Order) -> Machine:
    try:
        return launch.find(order).machine
    except DatabaseError as error:
        if Machine._meta.db_table in connection.introspection.table_names():
            raise
        raise CannotRun(
            f"the database {connection.settings_dict['NAME']} has no tables yet;"
            " make them with: python manage.py migrate"
        ) from error
