"""Actions on the job queue: claim the next job, end it, make another."""

from typing import Any

from jobqueue.models import DEFAULT_PRIORITY, Job

from machines.actions.base import ActionType, Call
from machines.core.errors import MachineError
from machines.core.settling import Outcome
from machines.core.signatures import Kind, Raises, Setting, Signature, ValueKind
from machines.core.turn import Subscription


class NoSuchJob(MachineError):  # noqa: N818 - reads as what happened
    """A job that is to be ended is not there."""


def job_names(job: Job) -> dict[str, Any]:
    """The layer of names that a current job adds: itself, its fields, the keys of its data."""
    data = job.data if isinstance(job.data, dict) else {}
    fields = {
        "id": job.job_id,
        "job_id": job.job_id,
        "job_type": job.job_type,
        "source_job_id": job.source_job_id or None,
    }
    return {**data, **fields, "current_job": {**data, **fields, "data": job.data}}


def looked_for(job_type: str | None, machine_type: str | None) -> Subscription:
    """What a machine that found no such job waits for; None is any, an empty text is exact."""
    return ("jobs", *("*" if kind is None else kind for kind in (job_type, machine_type)))


def check_database_queue(call: Call) -> Outcome:
    """Claim the most urgent job that is ready."""
    settings, services = call.settings, call.services
    job_type = settings.optional_text("job_type")
    machine_type = settings.optional_text("machine_type")
    job = services.jobs.claim_next(job_type, machine_type)
    services.hold_job(job)
    if job is None:
        event = settings.event("empty", "no_jobs")
        return Outcome(event=event, nothing=looked_for(job_type, machine_type), job={})
    return Outcome(event=settings.event("success", "new_job"), job=job_names(job))


def complete_job(call: Call) -> Outcome:
    """End a job, the current one if none is named, as completed."""
    job, token = _job_to_end(call)
    result = call.settings.get("result")
    call.services.jobs.finish(job, token, result)
    return _ended(call, token)


def fail_job(call: Call) -> Outcome:
    """End a job, the current one if none is named, as failed."""
    job, token = _job_to_end(call)
    reason = call.settings.text("reason", str(call.context.get("last_error") or "failed"))
    call.services.jobs.fail(job, token, reason)
    return _ended(call, token)


def create_job(call: Call) -> Outcome:
    """Put a new job into the queue."""
    settings = call.settings
    job = call.services.jobs.create(
        job_type=settings.required_text("job_type"),
        data=dict(settings.mapping("data")),
        job_id=settings.optional_text("job_id"),
        machine_type=settings.text("machine_type"),
        priority=settings.integer("priority", DEFAULT_PRIORITY),
        run_at=settings.get("run_at"),
        unique_key=settings.text("unique_key"),
        source_job_id=settings.text("source_job_id"),
    )
    return Outcome(
        event=settings.event("success", "job_created"), changes={"created_job_id": job.job_id}
    )


def _job_to_end(call: Call) -> tuple[Job, str | None]:
    """The job that is meant, and the token of this machine's claim on it."""
    held, token = call.services.held_job()
    wanted = call.settings.optional_text("job_id")
    if wanted is None or (held is not None and wanted in {held.job_id, str(held.pk)}):
        if held is None:
            raise NoSuchJob(f"{call.action.type}: there is no current job; name one with 'job_id'")
        return held, token or None
    job = call.services.jobs.find(wanted)
    if job is None:
        raise NoSuchJob(f"{call.action.type}: there is no job {wanted!r}")
    # One that this machine claimed by its id is held until it is ended.
    return job, job.claim_token if job.claimed_by == call.services.machine else None


def _ended(call: Call, token: str | None) -> Outcome:
    if token is not None and token == call.services.held_job()[1]:
        call.services.end_claim()
    return Outcome(event=call.settings.event("success", "success"))


_JOB = Setting("job_id", ValueKind.TEXT, "the job; left out: the current one")
_ENDED = Raises("success", "success", "the job has ended", usual=True)

TYPES = (
    ActionType(
        "check_database_queue",
        perform=check_database_queue,
        writes_tables=True,
        on_jobs=True,
        only_looks=True,
        signature=Signature(
            "check_database_queue",
            Kind.EFFECT,
            "Claim the most urgent job that is ready; it becomes the current job.",
            settings=(
                Setting("job_type", ValueKind.TEXT, "only of this kind; left out: of any"),
                Setting("machine_type", ValueKind.TEXT, "only with this one; left out: with any"),
            ),
            raises=(
                Raises("new_job", "success", "a job is claimed", usual=True),
                Raises("no_jobs", "empty", "no job is ready"),
            ),
            can_fail=False,
            claims=True,
        ),
    ),
    ActionType(
        "complete_job",
        perform=complete_job,
        writes_tables=True,
        on_jobs=True,
        signature=Signature(
            "complete_job",
            Kind.EFFECT,
            "End a job as completed.",
            settings=(_JOB, Setting("result", ValueKind.ANY, "what came of it")),
            raises=(_ENDED,),
        ),
    ),
    ActionType(
        "fail_job",
        perform=fail_job,
        writes_tables=True,
        on_jobs=True,
        signature=Signature(
            "fail_job",
            Kind.EFFECT,
            "End a job as failed.",
            settings=(
                _JOB,
                Setting("reason", ValueKind.TEXT, "why; left out: the context's last_error"),
            ),
            raises=(_ENDED,),
        ),
    ),
    ActionType(
        "create_job",
        perform=create_job,
        writes_tables=True,
        on_jobs=True,
        null_settings=frozenset({"data"}),
        signature=Signature(
            "create_job",
            Kind.EFFECT,
            "Put a new job into the queue.",
            settings=(
                Setting("job_type", ValueKind.TEXT, "its kind", required=True),
                Setting("data", ValueKind.MAPPING, "what it is about"),
                Setting("job_id", ValueKind.TEXT, "its name; left out: a new one"),
                Setting("machine_type", ValueKind.TEXT, "which kind of machine it is for"),
                Setting(
                    "priority",
                    ValueKind.INTEGER,
                    "1 (first) to 9 (last)",
                    default=DEFAULT_PRIORITY,
                ),
                Setting(
                    "run_at",
                    ValueKind.TEXT,
                    "not before this time, such as 2030-01-31T18:00:00Z; left out: at once",
                ),
                Setting(
                    "unique_key", ValueKind.TEXT, "at most one unfinished job has the same one"
                ),
                Setting("source_job_id", ValueKind.TEXT, "the job that it comes from"),
            ),
            raises=(Raises("job_created", "success", "it is in the queue", usual=True),),
            sets=("created_job_id",),
        ),
    ),
)
