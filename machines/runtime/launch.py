"""From what a person asks to run to machines that a host can take in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings

from machines.actions.registry import Registry, folders_of
from machines.core.definition import Definition
from machines.core.engine import context_fault
from machines.core.errors import MachineError
from machines.core.loading.scalars import parse_duration
from machines.core.snapshot import Snapshot
from machines.models import MACHINE_NAME_PATTERN, Event, Machine, MachineDefinition, Process
from machines.runtime import definitions, lifecycle, ownership
from machines.runtime.live import Live
from machines.runtime.requests import Enter


class CannotRun(MachineError):  # noqa: N818 - reads as what happened
    """What is asked for cannot be run."""


@dataclass(frozen=True, slots=True)
class Order:
    """One machine that is to run: ``what`` is a file, or the name of a machine or definition."""

    what: str
    machine_name: str | None = None
    definition_name: str | None = None
    actions_dir: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    restart: bool = False
    takeover: bool = False
    discard_pending: bool = False


class Found(NamedTuple):
    """What an order means."""

    machine: Machine
    record: MachineDefinition
    definition: Definition


def prepare(
    order: Order,
    process: Process,
    now: datetime,
    *,
    found: Found | None = None,
    registry_of: Callable[[tuple[Path, ...]], Registry] = Registry,
) -> Enter:
    """Make ``process`` the owner of the machine that is asked for, ready to be taken in.

    ``found``: what ``find`` says of ``order``, if it was asked before. Raises DefinitionError,
    CannotRun, AlreadyRuns, Unknown or another MachineError.
    """
    machine, record, definition = found or find(order)
    actions_dir = order.actions_dir or machine.actions_dir
    registry = registry_of(folders_of(record.origin, definition, actions_dir))
    # Whoever registered it for another has put its first context on record.
    given = machine.context if machine.status == Machine.Status.NEW else {}
    context = {**given, **order.context}
    if fault := context_fault({**definition.context, **context}):
        raise CannotRun(f"its first context: {fault}")
    ownership.claim(machine, process, now, takeover=order.takeover)
    try:
        begins, moved = _beginning(machine, record, definition, restart=order.restart)
    except CannotRun:
        ownership.give_up(machine)
        raise
    Machine.objects.filter(pk=machine.pk).update(actions_dir=actions_dir)
    if order.discard_pending:
        _expire(machine, "discarded on request", now)
    elif machine.status == Machine.Status.NEW:
        _expire(machine, f"older than {settings.SM_EVENT_TTL} when the machine began", now, _ttl())
    live = Live(
        id=machine.pk,
        name=machine.name,
        definition=definition,
        definition_id=record.pk,
        registry=registry,
        epoch=machine.epoch,
        snapshot=Snapshot(machine.name),
        started=bool(machine.started_by),
    )
    lifecycle.load(live)
    new = begins and machine.status == Machine.Status.NEW
    return Enter(live, begins, context, moved, machine.job if new else None)


def find(order: Order) -> Found:
    """What is asked for: its row (made if there is none), definition and meaning.

    Raises MachineError.
    """
    machine, record = _resolve(order)
    definition = definitions.compiled(record)
    name = _machine_name(order, machine, record, definition)
    if machine is None:
        machine = Machine.objects.filter(name=name).first()
    if machine is None:
        machine, _created = Machine.objects.get_or_create(
            name=name, defaults={"definition": record}
        )
    return Found(machine, record, definition)


def _ttl() -> timedelta:
    seconds = parse_duration(settings.SM_EVENT_TTL)
    if seconds is None:
        raise CannotRun(f"SM_EVENT_TTL is {settings.SM_EVENT_TTL!r}; write a time such as 30d")
    return timedelta(seconds=seconds)


def _expire(machine: Machine, why: str, now: datetime, age: timedelta | None = None) -> None:
    """Let what waits for a machine expire, if it is older than ``age``."""
    pending = Event.objects.filter(target=machine.name, status=Event.Status.PENDING)
    if age is not None:
        pending = pending.filter(created_at__lt=now - age)
    pending.update(status=Event.Status.EXPIRED, reason=why, processed_at=now)


def _resolve(order: Order) -> tuple[Machine | None, MachineDefinition]:
    path = Path(order.what)
    if path.is_file():
        return None, definitions.register(path, name=order.definition_name)
    if path.suffix in {".yaml", ".yml"} or "/" in order.what:
        raise definitions.Unknown(f"no file {order.what!r}")
    machine, record = definitions.find(order.what)
    if order.machine_name and machine is not None and machine.name != order.machine_name:
        machine = None
    return machine, record


def _machine_name(
    order: Order, machine: Machine | None, record: MachineDefinition, definition: Definition
) -> str:
    if machine is not None:
        return machine.name
    declared = definition.metadata.get("machine_name")
    stem = Path(record.origin).stem if record.origin else record.name
    name = order.machine_name or str(declared or stem)
    if not re.fullmatch(MACHINE_NAME_PATTERN, name):
        raise CannotRun(
            f"{name!r} is no machine's name: it starts with a letter and has up to 63 letters,"
            " digits, _ and -; give one with --machine-name"
        )
    return name


def _beginning(
    machine: Machine, record: MachineDefinition, definition: Definition, *, restart: bool
) -> tuple[bool, bool]:
    """Whether it begins anew; if not, whether it goes on in another version."""
    begins = _begins(machine, restart=restart)
    moved = not begins and machine.definition_id != record.pk
    if moved and machine.state not in definition.states:
        raise CannotRun(
            f"machine {machine.name!r} is in state {machine.state!r}, which {record} does not"
            " have; begin anew with --restart"
        )
    return begins, moved


def _begins(machine: Machine, *, restart: bool) -> bool:
    """True if it starts in its initial state; False if it goes on where it was."""
    if restart or machine.status in {Machine.Status.NEW, Machine.Status.FINISHED}:
        return True
    if machine.status == Machine.Status.FAULTED:
        raise CannotRun(
            f"machine {machine.name!r} is faulted ({machine.fault[:300]});"
            " begin anew with --restart"
        )
    return not machine.states
