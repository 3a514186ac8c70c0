"""Instances that machines start, with the jobs that are handed over to them."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction
from jobqueue.models import Job

from machines.actions.base import StartedMachine
from machines.actions.registry import Registry
from machines.models import Machine, MachineDefinition, Process
from machines.runtime import launch, lifecycle, ownership
from machines.runtime.launch import CannotRun, Found, Order

if TYPE_CHECKING:
    from datetime import datetime

    from machines.runtime.group import Group
    from machines.runtime.live import Live

# In these it goes on where it was when it is run, so its name is taken.
GOES_ON = {Machine.Status.RUNNING, Machine.Status.PAUSED, Machine.Status.STOPPED}


def start(
    group: Group, starter: Live, yaml_path: str, name: str | None, context: Mapping[str, Any]
) -> StartedMachine:
    """Start an instance within the transaction of its starter's step.

    Raises MachineError if it cannot be run, or its name is that of a machine that goes on.
    """
    order = Order(what(starter.definition_id, yaml_path), machine_name=name, context=context)
    found, job = register(starter.name, order)
    process = Process.objects.get(pk=group.process_id)
    request = launch.prepare(order, process, group.now, found=found, registry_of=_registry)
    if job is not None and job.pk == starter.job_pk:
        starter.job_token = ""  # its names stay, its claim is the instance's
    request.live.is_child = True
    group.after.started.append(request.live)
    # One that ended just now is here again.
    group.after.gone = [gone for gone in group.after.gone if gone[0] != request.live.name]
    lifecycle.enter(group, request)
    return StartedMachine(found.machine.name, os.getpid())


def register(starter: str, order: Order) -> tuple[Found, Job | None]:
    """Put an instance on record, new, with its first context, and hand a job over to it.

    The job is one that the starter holds, with its id among the values of the first context.
    Raises MachineError, as ``start`` does.
    """
    with transaction.atomic():
        found = launch.find(order)
        machine = found.machine
        if machine.status in GOES_ON or machine.status == Machine.Status.FAULTED:
            raise CannotRun(
                f"a machine {machine.name!r} is there already, and is {machine.status};"
                " give the new one another name with machine_name"
            )
        # An order that was given once more, after a crash, finds the job with the instance.
        begun = machine.status == Machine.Status.NEW and machine.started_by == starter
        holders = [starter, machine.name] if begun else [starter]
        job = _handed_over(holders, machine.name, order.context.values())
        machine.status, machine.context = Machine.Status.NEW, dict(order.context)
        machine.started_by, machine.job = starter, job
        machine.job_token = "" if job is None else job.claim_token
        machine.save(update_fields=["status", "context", "started_by", "job", "job_token"])
    return found, job


def left_behind(names: Iterable[str], now: datetime) -> list[str]:
    """Machines that those of ``names`` started, or started in turn, and that nobody runs now.

    Only those that were under way count: who was stopped, or has ended, stays so.
    """
    found: list[str] = []
    starters = list(names)
    while starters:
        under_way = Machine.objects.filter(
            started_by__in=starters, status__in=[Machine.Status.RUNNING, Machine.Status.PAUSED]
        ).select_related("process")
        starters = [
            machine.name
            for machine in under_way.order_by("id")
            if machine.name not in found
            and (machine.process is None or not ownership.lives(machine.process, now))
        ]
        found.extend(starters)
    return found


def what(definition_id: int, yaml_path: str) -> str:
    """A file beside the starter's own, else in the working folder; else the name as it is."""
    record = MachineDefinition.objects.only("origin").get(pk=definition_id)
    beside = Path(record.origin).parent / yaml_path if record.origin else Path(yaml_path)
    return str(beside) if beside.is_file() else yaml_path


@functools.lru_cache(maxsize=64)
def _registry(folders: tuple[Path, ...]) -> Registry:
    """The action types of many instances: folders are looked through once for all of them."""
    return Registry(folders)


def _handed_over(holders: Iterable[str], name: str, values: Iterable[Any]) -> Job | None:
    """The job of ``holders`` whose id is among ``values``: claimed by the instance from now on."""
    ids = {str(value) for value in values if isinstance(value, str | int)}
    held = Job.objects.claimed().filter(claimed_by__in=holders, job_id__in=ids)
    job = held.order_by("started_at").first()
    if job is not None:
        Job.objects.filter(pk=job.pk).update(claimed_by=name)
        job.attempt_set.filter(ended_at=None).update(claimed_by=name)
        job.claimed_by = name
    return job
