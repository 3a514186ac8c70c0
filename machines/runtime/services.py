"""What an effect may do, carried out inside the journal's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobqueue.models import Job

from machines.actions.base import StartedMachine, TaskEnd
from machines.models import Machine
from machines.runtime import background, intake
from machines.runtime.job_table import JobTable

if TYPE_CHECKING:
    from machines.core.decisions import Perform
    from machines.runtime.group import Group
    from machines.runtime.live import Live


class EffectServices:
    """The services of one performance of an effect."""

    def __init__(self, group: Group, live: Live, performed: Perform) -> None:
        self._group = group
        self._live = live
        self._performed = performed

    @property
    def machine(self) -> str:
        """The name of the machine."""
        return self._live.name

    @property
    def now(self) -> datetime:
        """The time of this transaction."""
        return self._group.now

    def log(self, level: str, message: str) -> None:
        """See Services."""
        self._group.log(self._live, level, message)

    def send(self, *, target: str, event_type: str, payload: Any, job_id: str) -> None:
        """See Services."""
        intake.send_from_machine(
            self._group,
            self._live.name,
            target=target,
            event_type=event_type,
            payload=payload,
            job_id=job_id,
        )

    def waits(self, event_types: Iterable[str]) -> bool:
        """See Services."""
        return next(self._live.waiting.named(event_types), None) is not None

    def clear(self, target: str, event_types: Iterable[str]) -> int:
        """See Services."""
        return intake.clear(self._group, target, tuple(event_types))

    def stop(self, target: str) -> None:
        """See Services."""
        machine = Machine.objects.select_related("process").filter(name=target).first()
        if machine is None or machine.process is None:
            raise intake.UnknownTarget(f"no machine named {target!r} is running")
        Machine.objects.filter(pk=machine.pk).update(wanted=Machine.Status.STOPPED)
        if machine.process.is_here:
            self._group.after.ring_hosts.add(machine.process.pid)

    @property
    def jobs(self) -> JobTable:
        """See Services."""
        return JobTable(self._live.name, self._group.now)

    def held_job(self) -> tuple[Job | None, str]:
        """See Services."""
        if self._live.job_pk is None:
            return None, ""
        return Job.objects.filter(pk=self._live.job_pk).first(), self._live.job_token

    def hold_job(self, job: Job | None) -> None:
        """See Services."""
        self._live.job_pk = None if job is None else job.pk
        self._live.job_token = "" if job is None else job.claim_token
        self._group.left_traces = self._group.left_traces or job is not None

    def end_claim(self) -> None:
        """See Services."""
        self._live.job_token = ""

    def begin_task(
        self, function: str, args: Sequence[Any], kwargs: Mapping[str, Any], seconds: float
    ) -> str:
        """See Services."""
        return background.begin(
            self._group, self._live, self._performed, function, args, kwargs, seconds
        )

    def task_end(self, token: str) -> TaskEnd | None:
        """See Services."""
        return background.end_of(token)

    def give_up_task(self, token: str, why: str) -> None:
        """See Services."""
        self._group.rows.cut_run(token, "failed", why, self._group.now)

    def start_machine(
        self, yaml_path: str, name: str | None, context: Mapping[str, Any]
    ) -> StartedMachine:
        """See Services."""
        from machines.runtime import children  # which plays turns, as those who call here do

        return children.start(self._group, self._live, yaml_path, name, context)
