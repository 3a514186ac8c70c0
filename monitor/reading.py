"""What the pages and the feed ask the database: always a fixed number of queries."""

import difflib
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet
from jobqueue.models import Job

from machines.models import Machine, Run, Step
from monitor import messages
from monitor.presence import Pulse

MAX_CARDS = 200  # machines on the first page; more are found by its filter
MAX_STEPS = 50
MAX_LINES = 100
MAX_MISSED = 1_000  # steps or lines a page asks for after a break; beyond, it loads anew

OWNED = (Machine.Status.RUNNING, Machine.Status.PAUSED)  # by a host, dead or alive


def machines() -> QuerySet[Machine]:
    """All machines by name, with what a card shows of them."""
    return (
        Machine.objects.select_related("definition", "process", "last_event", "job")
        .defer("turn", "definition__source", "last_event__payload", "job__data", "job__result")
        .order_by("name")
    )


def counts_of_jobs() -> dict[str, int]:
    """How many jobs there are of each status; those without any are left out."""
    rows = Job.objects.order_by().values_list("status").annotate(Count("id"))
    return {str(status): count for status, count in rows}


def counts_of_machines() -> dict[str, int]:
    """How many machines there are of each status; those without any are left out."""
    rows = Machine.objects.order_by().values_list("status").annotate(Count("id"))
    return {str(status): count for status, count in rows}


def newest_steps(machine: Machine) -> list[Step]:
    """The last steps of a machine, newest first."""
    return list(Step.objects.filter(machine=machine).order_by("-seq")[:MAX_STEPS])


def newest_lines(machine: Machine) -> list[Run]:
    """The last log lines and runs of a machine, newest first."""
    return list(Run.objects.filter(machine=machine).order_by("-id")[:MAX_LINES])


def since(machine: Machine, seq: int, run: int) -> dict[str, Any]:
    """Messages of what a page has missed: steps after ``seq``, lines after run id ``run``."""
    steps = Step.objects.filter(machine=machine, seq__gt=seq).order_by("seq")[:MAX_MISSED]
    runs = Run.objects.filter(machine=machine, id__gt=run).order_by("id")[:MAX_MISSED]
    return {
        "steps": [messages.state_change(step, machine.name) for step in steps],
        "lines": [messages.activity_log(line, machine.name) for line in runs],
    }


def snapshot(name: str | None, now: datetime) -> messages.Message | None:
    """The first message of a feed: all machines, or the one called ``name`` in detail.

    None if there is no such machine.
    """
    pulse = Pulse(now)
    if name is None:
        rows = machines().defer("context", "turn")
        shown = [messages.machine_state(machine, pulse) for machine in rows]
    else:
        one = machines().filter(name=name).first()
        if one is None:
            return None
        shown = [messages.machine_detail(one, one.timers.all(), pulse)]
    jobs = messages.job_counts(counts_of_jobs())["counts"]
    return {"type": "initial", "now": now.isoformat(), "machines": shown, "jobs": jobs}


def close_names(name: str) -> list[str]:
    """Names of machines that ``name`` may have meant, the closest first."""
    names = Machine.objects.values_list("name", flat=True)
    return difflib.get_close_matches(name, names, n=3)
