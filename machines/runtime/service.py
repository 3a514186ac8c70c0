"""One run of a host process, from its place on record to its exit code."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from django.db import connections

from machines.core.errors import MachineError
from machines.core.validation import Severity, validate
from machines.models import Process
from machines.runtime import children, ownership
from machines.runtime.clock import Clock
from machines.runtime.host import Host
from machines.runtime.launch import Order, prepare
from machines.runtime.requests import Enter
from machines.runtime.rundir import run_dir

logger = logging.getLogger("machines.runtime")

MAX_PROBLEMS_TOLD = 20  # of one definition, when its first machine starts


def run_machines(
    orders: Sequence[Order], *, socket_prefix: str = "", others_go_on: bool = False
) -> int:
    """Run machines until the last has ended or this process is asked to go; the exit code.

    ``socket_prefix`` is what the path of each machine's control socket begins with, up to its
    name; without one they are in the run directory. Raises MachineError if a machine cannot be
    run; with ``others_go_on`` that is only logged, unless it is true of all of them.
    """
    clock = Clock()
    with on_record(clock) as process:
        entries = prepare_all(orders, process, clock, others_go_on=others_go_on)
        connections.close_all()
        host = Host(
            process,
            entries,
            clock=clock,
            machine_sockets=sockets(socket_prefix),
            on_ready=lambda: say_ready(entries),
        )
        return asyncio.run(host.run())


@contextlib.contextmanager
def on_record(clock: Clock) -> Iterator[Process]:
    """This process as a host: within the block it holds its lock and is on record."""
    lock = ownership.HostLock()
    lock.acquire()
    try:
        socket_path = run_dir() / f"host-{os.getpid()}.sock"
        process = ownership.register_host(str(socket_path), _version(), clock.now())
        try:
            yield process
        finally:
            ownership.release(process)
    finally:
        lock.release()


def prepare_all(
    orders: Sequence[Order], process: Process, clock: Clock, *, others_go_on: bool = False
) -> list[Enter]:
    """What is asked for, and the instances it started before that nobody runs now.

    Raises MachineError if one cannot be run; with ``others_go_on`` only if none can.
    """
    entries: list[Enter] = []
    failed: MachineError | None = None
    for order in orders:
        try:
            entries.append(prepare(order, process, clock.now()))
        except MachineError as error:
            if not others_go_on:
                raise
            failed = error
            logger.error("%s: %s", order.machine_name or order.what, error)  # noqa: TRY400
    if failed is not None and not entries:
        raise failed
    _tell_problems(entries)
    return entries + _children(entries, process, clock)


def _tell_problems(entries: Sequence[Enter]) -> None:
    """Tell the log what the validator says of each definition; it runs all the same."""
    told: set[int] = set()
    for entry in entries:
        live = entry.live
        if live.definition_id in told:
            continue
        told.add(live.definition_id)
        context = {**live.definition.context, **live.snapshot.context, **entry.context}
        definition = replace(live.definition, context=context)
        found = [
            problem
            for problem in validate(definition, live.registry.signatures())
            if problem.severity is not Severity.INFO
        ]
        for each in found[:MAX_PROBLEMS_TOLD]:
            place = f"{definition.name}:{each.place.line}:{each.place.column}"
            logger.warning("%s: %s %s: %s", place, each.severity.value, each.code, each.message)
        if len(found) > MAX_PROBLEMS_TOLD:
            more = len(found) - MAX_PROBLEMS_TOLD
            logger.warning("%s: %d more; validatemachines tells all", definition.name, more)


def _children(entries: Sequence[Enter], process: Process, clock: Clock) -> list[Enter]:
    """The instances that these machines started, whose host ended before they did."""
    found: list[Enter] = []
    for name in children.left_behind([entry.live.name for entry in entries], clock.now()):
        try:
            entry = prepare(Order(name), process, clock.now())
        except MachineError:
            logger.exception("%s cannot go on", name)
            continue
        entry.live.is_child = True
        found.append(entry)
    return found


def sockets(prefix: str = "") -> Callable[[str], Path]:
    """Where each machine has its control socket."""

    def path(name: str) -> Path:
        return Path(f"{prefix}{name}.sock") if prefix else run_dir() / f"{name}.sock"

    return path


def say_ready(entries: Sequence[Enter]) -> None:
    """Tell the log that machines begin, or go on."""
    for entry in entries:
        definition = entry.live.definition
        verb = "begins" if entry.begins else "goes on"
        logger.info("%s: %s (%s)", entry.live.name, verb, definition.name)


def _version() -> str:
    try:
        return importlib.metadata.version("state-machine-engine")
    except importlib.metadata.PackageNotFoundError:
        return "development"
