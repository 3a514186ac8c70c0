"""The queue of a rehearsal: jobs in memory, claimed and ended as those of the table are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jobqueue.errors import JobError, StaleClaim
from jobqueue.intake import checked_time
from jobqueue.models import Job

from machines.core.turn import Subscription

LIVE = (Job.Status.PENDING, Job.Status.PROCESSING)


@dataclass(slots=True)
class JobQueue:
    """Jobs in the order they came."""

    jobs: list[Job] = field(default_factory=list)

    def add(self, *, job_id: str | None = None, now: datetime, **columns: Any) -> Job:
        """Put a job into the queue; one without an id is called ``job-1``, ``job-2``, ….

        Raises JobError if the id, or the ``unique_key`` of a job that is not finished, is taken.
        """
        number = len(self.jobs) + 1
        if job_id is not None and self.find(job_id) is not None:
            raise JobError(f"a job {job_id!r} exists already")
        self._check_unique(columns.get("unique_key", ""))
        job = Job(job_id=job_id or f"job-{number}", pk=number, created_at=now, **columns)
        self.jobs.append(job)
        return job

    def _check_unique(self, unique_key: str) -> None:
        for job in self.jobs:
            if unique_key and job.unique_key == unique_key and job.status in LIVE:
                raise JobError(
                    f"job {job.job_id!r} with the unique_key {unique_key!r} is still {job.status}"
                )

    def find(self, job_id: str) -> Job | None:
        """The job of that id, or None."""
        return next((job for job in self.jobs if job.job_id == job_id), None)

    def ready(
        self, now: datetime, job_type: str | None = None, machine_type: str | None = None
    ) -> list[Job]:
        """The jobs that may be claimed, the most urgent first; None finds any."""
        found = [
            job
            for job in self.jobs
            if job.status == Job.Status.PENDING
            and (job.run_at is None or job.run_at <= now)
            and job_type in (None, job.job_type)
            and machine_type in (None, job.machine_type)
        ]
        return sorted(found, key=lambda job: (job.priority, job.pk))

    def next_at(self, now: datetime) -> datetime | None:
        """When the next job that waits for its time may be claimed; None if there is none."""
        later = [
            job.run_at
            for job in self.jobs
            if job.status == Job.Status.PENDING and job.run_at is not None and job.run_at > now
        ]
        return min(later, default=None)

    def has(self, subscription: Subscription, now: datetime) -> bool:
        """True if what a machine looked for, or waits for, is there."""
        kind, *words = subscription
        if kind == "jobs":
            return bool(self.ready(now, *(None if word == "*" else word for word in words)))
        if kind == "finished":
            until, *names = words
            return until <= now.isoformat() or any(self.status(name) not in LIVE for name in names)
        return False

    def status(self, job_id: str) -> str | None:
        """The status of a job; None if there is none."""
        job = self.find(job_id)
        return None if job is None else job.status

    def claim(self, job: Job, worker: str, now: datetime) -> None:
        """Let ``worker`` hold a job."""
        job.attempts += 1
        job.status, job.claimed_by = Job.Status.PROCESSING, worker
        job.claim_token, job.started_at = f"{job.job_id}#{job.attempts}", now

    def end(self, job: Job, token: str | None, status: Job.Status, **columns: Any) -> None:
        """End a job. With a ``token``, only while that claim is the current one.

        Raises JobError if it is not, or if the job is not being worked on.
        """
        if job.status != Job.Status.PROCESSING or token not in (None, job.claim_token):
            raise _refusal(job, token)
        job.status, job.claim_token = status, ""
        for column, value in columns.items():
            setattr(job, column, value)


def _refusal(job: Job, token: str | None) -> JobError:
    if token is None:
        return JobError(f"job {job.job_id!r} is {job.status}; only a processing job can be ended")
    holder = f", claimed by {job.claimed_by!r}" if job.claim_token else ""
    return StaleClaim(
        f"job {job.job_id!r}: this claim is no longer current; the job is {job.status}{holder}"
    )


@dataclass(frozen=True, slots=True)
class RehearsedJobs:
    """The queue as an action reaches it: see JobStore."""

    queue: JobQueue
    worker: str
    now: datetime

    def claim_next(self, job_type: str | None, machine_type: str | None) -> Job | None:
        """See JobStore."""
        return self._claimed(self.queue.ready(self.now, job_type, machine_type)[:1])

    def claim(self, job_id: str) -> Job | None:
        """See JobStore."""
        return self._claimed([job for job in self.queue.ready(self.now) if job.job_id == job_id])

    def ready(self, job_type: str | None, machine_type: str | None, limit: int) -> list[Job]:
        """See JobStore."""
        return self.queue.ready(self.now, job_type, machine_type)[:limit]

    def find(self, job_id: str) -> Job | None:
        """See JobStore."""
        return self.queue.find(job_id)

    def statuses(self, job_ids: Sequence[str]) -> dict[str, str]:
        """See JobStore."""
        wanted = set(job_ids)
        return {job.job_id: job.status for job in self.queue.jobs if job.job_id in wanted}

    def create(self, *, run_at: Any = None, **columns: Any) -> Job:
        """See JobStore."""
        at = None if run_at is None else checked_time("run_at", run_at)
        return self.queue.add(now=self.now, run_at=at, created_by=self.worker, **columns)

    def finish(self, job: Job, token: str | None, result: Any) -> None:
        """See JobStore."""
        self._end(job, token, Job.Status.COMPLETED, result=result)

    def fail(self, job: Job, token: str | None, reason: str) -> None:
        """See JobStore."""
        self._end(job, token, Job.Status.FAILED, error_message=reason)

    def _claimed(self, found: Sequence[Job]) -> Job | None:
        for job in found:
            self.queue.claim(job, self.worker, self.now)
            return job
        return None

    def _end(self, job: Job, token: str | None, status: Job.Status, **columns: Any) -> None:
        self.queue.end(
            job, token, status, finished_by=self.worker, completed_at=self.now, **columns
        )
