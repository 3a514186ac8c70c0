"""The queue as actions reach it: the table of jobs, on behalf of one machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jobqueue.intake import create_job
from jobqueue.models import Job

NAMES_AT_ONCE = 500  # of a query; SQLite takes at most 999 parameters of old


@dataclass(frozen=True, slots=True)
class JobTable:
    """See JobStore. ``worker`` is the machine, ``now`` the time of its transaction."""

    worker: str
    now: datetime

    def claim_next(self, job_type: str | None, machine_type: str | None) -> Job | None:
        """See JobStore."""
        return Job.objects.claim_next(
            worker=self.worker, job_type=job_type, machine_type=machine_type, now=self.now
        )

    def claim(self, job_id: str) -> Job | None:
        """See JobStore."""
        return Job.objects.claim(job_id, worker=self.worker, now=self.now)

    def ready(self, job_type: str | None, machine_type: str | None, limit: int) -> Sequence[Job]:
        """See JobStore."""
        sought = {"job_type": job_type, "machine_type": machine_type}
        given = {key: value for key, value in sought.items() if value is not None}
        found = Job.objects.ready(self.now).filter(**given).order_by("priority", "id")
        return list(found[:limit])

    def find(self, job_id: str) -> Job | None:
        """See JobStore."""
        return Job.objects.filter(job_id=job_id).first()

    def statuses(self, job_ids: Sequence[str]) -> dict[str, str]:
        """See JobStore."""
        found: dict[str, str] = {}
        for start in range(0, len(job_ids), NAMES_AT_ONCE):
            some = job_ids[start : start + NAMES_AT_ONCE]
            found |= dict(Job.objects.filter(job_id__in=some).values_list("job_id", "status"))
        return found

    def create(self, **columns: Any) -> Job:
        """See JobStore."""
        return create_job(**columns, created_by=self.worker)

    def finish(self, job: Job, token: str | None, result: Any) -> None:
        """See JobStore."""
        job.finish(token, result, by=self.worker, now=self.now)

    def fail(self, job: Job, token: str | None, reason: str) -> None:
        """See JobStore."""
        job.fail(token, reason, by=self.worker, now=self.now)
