"""The queue's tables: a job is claimed by one worker at a time, and each claim is an attempt.

Questions are on the QuerySet, verbs on the row. Every change of status is one conditional
UPDATE, so of two callers that saw the same row one changes it and the other is told.
"""

import secrets
import time
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Self

from django.db import models, transaction
from django.db.models import Q
from django.dispatch import Signal

from jobqueue.claiming import claim_statement
from jobqueue.errors import JobError, StaleClaim
from jobqueue.plain_json import checked_json, storable_text
from jobqueue.signals import job_finished, job_ready

NAME_LENGTH = 200  # characters; of names, types and keys
DEFAULT_PRIORITY = 5  # of 1 (first) to 9 (last)
DEFAULT_MAX_ATTEMPTS = 5


def new_job_id() -> str:
    """A job id nobody has used: in order of creation to the millisecond, like a UUIDv7."""
    milliseconds = time.time_ns() // 1_000_000
    return f"job-{milliseconds:012x}{secrets.token_hex(10)}"


class JobQuerySet(models.QuerySet["Job"]):
    def ready(self, now: datetime) -> Self:
        """Jobs that may be claimed at ``now``."""
        return self.filter(Q(run_at=None) | Q(run_at__lte=now), status=Job.Status.PENDING)

    def live(self) -> Self:
        """Jobs without a final status."""
        return self.filter(status__in=LIVE_STATUSES)

    def claimed(self) -> Self:
        """Jobs that a worker holds; a `processing` job that nobody claimed is not among them."""
        return self.filter(status=Job.Status.PROCESSING).exclude(claim_token="")

    def claim_next(
        self,
        *,
        worker: str,
        job_type: str | None = None,
        machine_type: str | None = None,
        lease: timedelta | None = None,
        now: datetime,
    ) -> "Job | None":
        """Claim the most urgent ready job for ``worker``, or return None if there is none.

        Lowest priority number first, then the oldest. A ``job_type`` or ``machine_type`` that is
        given must match exactly ("" finds jobs without one); None finds any. Without a ``lease``
        the claim never expires. Safe with any number of workers: choosing and claiming are one
        statement, and the attempt is counted by it.
        """
        sought = {"job_type": job_type, "machine_type": machine_type}
        return self._claim(sought, worker, lease, now)

    def claim(
        self, job_id: str, *, worker: str, lease: timedelta | None = None, now: datetime
    ) -> "Job | None":
        """Claim one job by its id, or return None if it is unknown, not ready or already taken."""
        return self._claim({"job_id": job_id}, worker, lease, now)

    def _claim(
        self, sought: dict[str, str | None], worker: str, lease: timedelta | None, now: datetime
    ) -> "Job | None":
        token = secrets.token_hex(16)
        sql, params = claim_statement(
            {column: value for column, value in sought.items() if value is not None},
            claimed_by=worker,
            claim_token=token,
            lease_expires_at=None if lease is None else now + lease,
            now=now,
            skip_locked=transaction.get_connection(
                self.db
            ).features.has_select_for_update_skip_locked,
        )
        with transaction.atomic(using=self.db, savepoint=False):
            job = next(iter(self.using(self.db).raw(sql, params)), None)
            if job is not None:
                Attempt.objects.using(self.db).create(
                    job=job, number=job.attempts, token=token, claimed_by=worker, started_at=now
                )
        return job


class Job(models.Model):
    """A piece of work for a machine, kept until retention removes it."""

    class Status(models.TextChoices):
        PENDING = "pending"  # waits to be claimed, from `run_at` on
        PROCESSING = "processing"  # somebody works on it; without a lease it is never rescued
        COMPLETED = "completed"  # done; `result` says what came of it
        FAILED = "failed"  # given up; `error_message` says why
        CANCELLED = "cancelled"  # no longer wanted

    job_id = models.CharField(max_length=NAME_LENGTH, unique=True, default=new_job_id)
    job_type = models.CharField(max_length=NAME_LENGTH)
    machine_type = models.CharField(
        max_length=NAME_LENGTH, blank=True, help_text="Blank: for any machine."
    )
    source_job_id = models.CharField(
        max_length=NAME_LENGTH, blank=True, help_text="The job that this one came from."
    )
    data = models.JSONField(default=dict, blank=True)
    result = models.JSONField(null=True, blank=True)
    priority = models.PositiveSmallIntegerField(
        default=DEFAULT_PRIORITY, help_text="1 (first) to 9 (last)."
    )
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    run_at = models.DateTimeField(
        null=True, blank=True, help_text="Not claimed before; blank: now."
    )
    attempts = models.PositiveIntegerField(default=0, help_text="How often it was claimed.")
    max_attempts = models.PositiveIntegerField(default=DEFAULT_MAX_ATTEMPTS)
    unique_key = models.CharField(
        max_length=NAME_LENGTH, blank=True, help_text="At most one unfinished job has this key."
    )
    claimed_by = models.CharField(max_length=NAME_LENGTH, blank=True)
    claim_token = models.CharField(max_length=32, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    error_message = models.TextField(blank=True)
    created_by = models.CharField(max_length=NAME_LENGTH, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True, help_text="Of the last attempt.")
    completed_at = models.DateTimeField(null=True, blank=True)
    finished_by = models.CharField(max_length=NAME_LENGTH, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes = [
            # claim_next: the first row of this index is the next job.
            models.Index("priority", "id", condition=Q(status="pending"), name="queue_job_pending"),
            # claim_next with a job_type: jobs of other types do not stand in the way.
            models.Index(
                "job_type",
                "priority",
                "id",
                condition=Q(status="pending"),
                name="queue_job_pending_type",
            ),
            # claimed, and listjobs --status. One index over all statuses would be taken for
            # claim_next by SQLite, which would then sort every pending job for each claim.
            models.Index("id", condition=Q(status="processing"), name="queue_job_processing"),
            # listjobs --status: the few among many that somebody looks for.
            models.Index("id", condition=Q(status="failed"), name="queue_job_failed"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["unique_key"],
                condition=Q(status__in=["pending", "processing"]) & ~Q(unique_key=""),
                name="queue_job_unique_key_while_live",
            ),
            models.CheckConstraint(
                condition=Q(priority__gte=1, priority__lte=9), name="queue_job_priority_1_to_9"
            ),
        ]

    def __str__(self) -> str:
        return self.job_id

    def finish(self, token: str | None, result: Any, *, by: str, now: datetime) -> None:
        """Complete this job with ``result`` (plain JSON, or None).

        With a ``token``, only while that claim is the current one, else StaleClaim; without
        one, whoever holds it, as long as it is `processing`, else JobError. A refusal leaves
        a transaction around it intact.
        """
        changes = {"result": checked_json(result, "result"), "finished_by": by, "completed_at": now}
        self._end(token, Job.Status.COMPLETED, changes, Attempt.Outcome.COMPLETED, "", now)

    def fail(self, token: str | None, reason: str, *, by: str, now: datetime) -> None:
        """Give this job up for ``reason``; the token is as for ``finish``."""
        error = storable_text(reason)
        changes = {"error_message": error, "finished_by": by, "completed_at": now}
        self._end(token, Job.Status.FAILED, changes, Attempt.Outcome.FAILED, error, now)

    def release(
        self, token: str | None, reason: str, *, run_at: datetime | None = None, now: datetime
    ) -> None:
        """Give this job back to the queue, to be claimed from ``run_at`` on (None: at once).

        The attempt stays counted. The token is as for ``finish``.
        """
        changes = {"run_at": run_at, "claimed_by": "", "started_at": None}
        outcome = Attempt.Outcome.RELEASED
        self._end(token, Job.Status.PENDING, changes, outcome, storable_text(reason), now)

    def announce_ready(self) -> None:
        """Tell after the commit that this job can be claimed."""
        self._tell(job_ready, job_type=self.job_type, machine_type=self.machine_type)

    def _end(
        self,
        token: str | None,
        status: Status,
        changes: dict[str, Any],
        outcome: "Attempt.Outcome",
        error: str,
        now: datetime,
    ) -> None:
        """Leave `processing` for ``status`` and close the attempt, or raise and change nothing."""
        changes |= {"status": status, "claim_token": "", "lease_expires_at": None}
        using = self._state.db
        held = Job.objects.using(using).filter(pk=self.pk, status=Job.Status.PROCESSING)
        if token is not None:
            held = held.filter(claim_token=token)
        # Without a savepoint a refusal raised inside would spoil the transaction around it.
        with transaction.atomic(using=using, savepoint=False):
            if ended := bool(held.update(**changes)):
                # A job that nobody claimed has no open attempt: then there is nothing to close.
                attempts = Attempt.objects.using(using).filter(job=self, ended_at=None)
                attempts.update(outcome=outcome, error=error, ended_at=now)
                for column, value in changes.items():
                    setattr(self, column, value)
                self._announce_status()
        if not ended:
            raise self._refusal(token)

    def _announce_status(self) -> None:
        if self.status == Job.Status.PENDING:
            self.announce_ready()
        else:
            self._tell(job_finished, status=str(self.status))

    def _tell(self, signal: Signal, **news: str) -> None:
        using = self._state.db
        send = partial(signal.send, Job, job_id=self.job_id, using=using, **news)
        transaction.on_commit(send, using=using)

    def _refusal(self, token: str | None) -> JobError:
        current = Job.objects.using(self._state.db).filter(pk=self.pk).first()
        if current is None:
            return JobError(f"job {self.job_id!r} does not exist any more")
        if token is None:
            return JobError(
                f"job {self.job_id!r} is {current.status}; only a processing job can be ended"
            )
        holder = f", claimed by {current.claimed_by!r}" if current.claim_token else ""
        return StaleClaim(
            f"job {self.job_id!r}: this claim is no longer current;"
            f" the job is {current.status}{holder}"
        )


LIVE_STATUSES = (Job.Status.PENDING, Job.Status.PROCESSING)


class Attempt(models.Model):
    """One claim of a job and how it ended; never edited afterwards."""

    class Outcome(models.TextChoices):
        RUNNING = ""  # the claim is still held
        COMPLETED = "completed"  # the job was done
        FAILED = "failed"  # the job was given up
        RELEASED = "released"  # the job went back to the queue

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="attempt_set")
    number = models.PositiveIntegerField(help_text="1 is the first.")
    token = models.CharField(max_length=32)
    claimed_by = models.CharField(max_length=NAME_LENGTH)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, choices=Outcome, default=Outcome.RUNNING, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="queue_attempt_number"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.job_id}"
