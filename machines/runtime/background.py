"""Runs that the background workers perform: begun, looked at and given up within a transaction."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction

from machines.actions.base import TaskEnd
from machines.models import Run
from machines.runtime.sweep import RUN
from machines.tasks import result_of

if TYPE_CHECKING:
    from machines.core.decisions import Perform
    from machines.runtime.group import Group
    from machines.runtime.live import Live

PERFORM = "machines.tasks.run_task"


def begin(
    group: Group,
    live: Live,
    performed: Perform,
    function: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    seconds: float,
) -> str:
    """Put a run on record and into the workers' queue; its token."""
    from django_q.conf import Conf  # a third of a host's start, for what few machines do
    from django_q.tasks import async_task

    token = uuid.uuid4().hex
    group.begin_run(live, performed, token)

    def enqueue() -> None:
        async_task(
            PERFORM,
            token,
            function,
            list(args),
            dict(kwargs),
            q_options=_options(function, seconds),
        )

    if Conf.ORM:  # the queue is a table of this database: in it with the run, or not at all
        enqueue()
    else:
        transaction.on_commit(enqueue)
    return token


def end_of(token: str) -> TaskEnd | None:
    """How the run ended, None while it runs."""
    run = Run.objects.filter(token=token).first()
    if run is None:
        return TaskEnd(error="its record is gone, so nobody knows how it ended")
    if run.outcome == Run.Outcome.RUNNING:
        return None
    if run.outcome == Run.Outcome.DONE:
        return TaskEnd(result=result_of(run))
    return TaskEnd(error=run.message or f"it is on record as {run.outcome}")


def leave(group: Group, live: Live) -> None:
    """Await no background run any more: the state that began it is left."""
    for wait in live.snapshot.turn.waits:
        if wait.awaits and wait.awaits[0] == RUN:
            group.rows.cut_run(wait.awaits[1], "stopped", "its state was left", group.now)


def _options(function: str, seconds: float) -> dict[str, Any]:
    return {
        "task_name": function[:100],
        "timeout": max(1, int(seconds)),
        "save": False,
        "ack_failure": True,
    }
