"""Events, machines and steps as programs see them: stable keys, times in UTC.

Shared by the commands and the API. An empty text of a table is null here.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from jobqueue.presentation import utc_text

from machines.models import Event, Machine, Process, Step
from machines.runtime.ownership import lives

OWNED = (Machine.Status.RUNNING, Machine.Status.PAUSED)  # by a host, alive or dead


def event_as_json(event: Event) -> dict[str, Any]:
    """The event as a JSON object."""
    return {
        "id": event.pk,
        "source": event.source or None,
        "target": event.target,
        "type": event.type,
        "payload": event.payload,
        "job_id": event.job_id or None,
        "status": str(event.status),
        "reason": event.reason or None,
        "created_at": utc_text(event.created_at),
        "processed_at": utc_text(event.processed_at),
    }


def machines_with_owners() -> QuerySet[Machine]:
    """All machines by name, with all that ``machines_as_json`` shows: one query."""
    machines = Machine.objects.select_related("definition", "process").order_by("name")
    return machines.defer("turn", "definition__source")


def machines_as_json(machines: Iterable[Machine], now: datetime) -> Iterator[dict[str, Any]]:
    """Machines as JSON objects; each of their processes is looked at once."""
    alive: dict[int, bool] = {}
    for machine in machines:
        process = machine.process
        if process is not None and process.pk not in alive:
            alive[process.pk] = lives(process, now)
        runs = process is not None and machine.status in OWNED and alive[process.pk]
        yield _machine(machine, process if runs else None)


def machine_as_json(machine: Machine, now: datetime) -> dict[str, Any]:
    """The machine as a JSON object; ``pid`` and ``host`` only while a live process runs it."""
    return next(machines_as_json([machine], now))


def steps_with_times(steps: QuerySet[Step]) -> QuerySet[Step]:
    """The steps, each with ``before_at``: when its machine took the step before, or None."""
    before = Step.objects.filter(machine=OuterRef("machine"), seq=OuterRef("seq") - 1)
    return steps.annotate(before_at=Subquery(before.values("at")[:1]))


def step_as_json(step: Step, before_at: datetime | None) -> dict[str, Any]:
    """The step as a JSON object; ``ms`` since the step before, which was taken at ``before_at``."""
    elapsed = None if before_at is None else step.at - before_at
    return {
        "seq": step.seq,
        "event": step.event or None,
        "source": step.source,
        "target": step.target,
        "at": utc_text(step.at),
        "guard": step.guard,
        "ms": None if elapsed is None else round(elapsed / timedelta(milliseconds=1), 3),
    }


def _machine(machine: Machine, owner: Process | None) -> dict[str, Any]:
    return {
        "name": machine.name,
        "definition": machine.definition.name,
        "version": machine.definition.version,
        "state": machine.state,
        "status": str(machine.status),
        "pid": owner.pid if owner is not None else None,
        "host": owner.host if owner is not None else None,
        "last_activity": utc_text(machine.active_at),
        "context": machine.context,
    }
