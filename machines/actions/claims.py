"""Actions that look at the queue without taking from it, or take one job that is named."""

from typing import Any

from jobqueue.models import Job

from machines.actions.base import ActionType, Call
from machines.actions.jobs import job_names, looked_for
from machines.actions.settings import SettingError
from machines.core.settling import Outcome
from machines.core.signatures import Kind, Raises, Setting, Signature, ValueKind

DEFAULT_LIMIT = 100  # jobs; they stand in the context, which is bounded
PENDING_JOBS = "pending_jobs"


def get_pending_jobs(call: Call) -> Outcome:
    """Keep a list of the jobs that are ready, the most urgent first; claims nothing."""
    settings = call.settings
    job_type = settings.optional_text("job_type")
    machine_type = settings.optional_text("machine_type")
    limit = settings.integer("limit", DEFAULT_LIMIT)
    if limit < 1:
        raise SettingError(
            f"get_pending_jobs: the setting 'limit' is {limit}; it must be 1 or more"
        )
    found = [_as_item(job) for job in call.services.jobs.ready(job_type, machine_type, limit)]
    store_as = settings.text("store_as", PENDING_JOBS)
    if not found:
        changes: dict[str, Any] = {} if call.context.get(store_as) == [] else {store_as: []}
        event = settings.event("empty", "no_jobs")
        return Outcome(event=event, nothing=looked_for(job_type, machine_type), changes=changes)
    return Outcome(event=settings.event("success", "jobs_found"), changes={store_as: found})


def claim_job(call: Call) -> Outcome:
    """Claim one job by its id; it is the current one then, and held until it is ended."""
    settings, services = call.settings, call.services
    wanted = settings.required_text("job_id")
    job = services.jobs.claim(wanted)
    if job is not None:
        services.hold_job(job)
        return Outcome(event=settings.event("success", "claimed"), job=job_names(job))
    _job, token = services.held_job()
    if not token:
        services.hold_job(None)  # the names of a job that has ended stay until the next claim
    event = settings.event("already_claimed", "already_claimed")
    return Outcome(event=event, job=None if token else {})


def _as_item(job: Job) -> dict[str, Any]:
    """A job as the names that it would add as the current one, flat and under ``data``."""
    return {
        **job_names(job)["current_job"],
        "machine_type": job.machine_type or None,
        "priority": job.priority,
    }


_JOB_TYPE = Setting("job_type", ValueKind.TEXT, "jobs of this type only")
_MACHINE_TYPE = Setting("machine_type", ValueKind.TEXT, "jobs for this type of machine only")

TYPES = (
    ActionType(
        "get_pending_jobs",
        perform=get_pending_jobs,
        writes_tables=True,
        on_jobs=True,
        only_looks=True,
        signature=Signature(
            "get_pending_jobs",
            Kind.EFFECT,
            "Keep a list of the jobs that are ready, without claiming any.",
            settings=(
                _JOB_TYPE,
                _MACHINE_TYPE,
                Setting("limit", ValueKind.INTEGER, "how many at most", default=DEFAULT_LIMIT),
                Setting(
                    "store_as",
                    ValueKind.KEY,
                    "where the list is kept",
                    default=PENDING_JOBS,
                    writes=True,
                ),
            ),
            raises=(
                Raises("jobs_found", "success", "there are some", usual=True),
                Raises("no_jobs", "empty", "there is none"),
            ),
        ),
    ),
    ActionType(
        "claim_job",
        perform=claim_job,
        writes_tables=True,
        on_jobs=True,
        signature=Signature(
            "claim_job",
            Kind.EFFECT,
            "Claim one job by its id and hold it until it is ended or handed over.",
            settings=(Setting("job_id", ValueKind.TEXT, "which job", required=True),),
            raises=(
                Raises("claimed", "success", "it is this machine's now", usual=True),
                Raises(
                    "already_claimed",
                    "already_claimed",
                    "it is not ready, this machine's own already, or unknown",
                ),
            ),
            claims=True,
        ),
    ),
)
