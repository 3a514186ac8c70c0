"""The actions on jobs, done on the queue of a rehearsal.

What they do with a job in memory is what ``machines.actions`` does with its row.
"""

from collections.abc import Callable, Mapping
from typing import Any

from jobqueue.intake import checked_time
from jobqueue.models import DEFAULT_PRIORITY, Job

from machines.actions.base import Call
from machines.actions.jobs import NoSuchJob, job_names
from machines.core.settling import Outcome
from machines.rehearsal.jobs import JobQueue
from machines.rehearsal.tracking import wait_for_jobs

PENDING_JOBS = "pending_jobs"


def _check_database_queue(call: Call, queue: JobQueue) -> Outcome:
    settings, services = call.settings, call.services
    job_type = settings.optional_text("job_type")
    machine_type = settings.optional_text("machine_type")
    job = next(iter(queue.ready(services.now, job_type, machine_type)), None)
    if job is None:
        services.hold_job(None)
        looked_for = ("jobs", job_type or "*", machine_type or "*")
        return Outcome(event=settings.event("empty", "no_jobs"), nothing=looked_for, job={})
    queue.claim(job, services.machine, services.now)
    services.hold_job(job)
    return Outcome(event=settings.event("success", "new_job"), job=job_names(job))


def _claim_job(call: Call, queue: JobQueue) -> Outcome:
    settings, services = call.settings, call.services
    wanted = settings.required_text("job_id")
    job = next((job for job in queue.ready(services.now) if job.job_id == wanted), None)
    if job is not None:
        queue.claim(job, services.machine, services.now)
        services.hold_job(job)
        return Outcome(event=settings.event("success", "claimed"), job=job_names(job))
    _job, token = services.held_job()
    if not token:
        services.hold_job(None)
    event = settings.event("already_claimed", "already_claimed")
    return Outcome(event=event, job=None if token else {})


def _get_pending_jobs(call: Call, queue: JobQueue) -> Outcome:
    settings = call.settings
    job_type = settings.optional_text("job_type")
    machine_type = settings.optional_text("machine_type")
    ready = queue.ready(call.services.now, job_type, machine_type)
    store_as = settings.text("store_as", PENDING_JOBS)
    if not ready:
        looked_for = ("jobs", job_type or "*", machine_type or "*")
        changes: dict[str, Any] = {} if call.context.get(store_as) == [] else {store_as: []}
        event = settings.event("empty", "no_jobs")
        return Outcome(event=event, nothing=looked_for, changes=changes)
    found = [_as_item(job) for job in ready[: settings.integer("limit", len(ready))]]
    return Outcome(event=settings.event("success", "jobs_found"), changes={store_as: found})


def _complete_job(call: Call, queue: JobQueue) -> Outcome:
    job, token = _job_to_end(call, queue)
    queue.end(
        job,
        token,
        Job.Status.COMPLETED,
        result=call.settings.get("result"),
        finished_by=call.services.machine,
        completed_at=call.services.now,
    )
    return _ended(call, token)


def _fail_job(call: Call, queue: JobQueue) -> Outcome:
    job, token = _job_to_end(call, queue)
    reason = call.settings.text("reason", str(call.context.get("last_error") or "failed"))
    queue.end(
        job,
        token,
        Job.Status.FAILED,
        error_message=reason,
        finished_by=call.services.machine,
        completed_at=call.services.now,
    )
    return _ended(call, token)


def _create_job(call: Call, queue: JobQueue) -> Outcome:
    settings = call.settings
    run_at = settings.get("run_at")
    job = queue.add(
        job_id=settings.optional_text("job_id"),
        now=call.services.now,
        job_type=settings.required_text("job_type"),
        data=dict(settings.mapping("data")),
        machine_type=settings.text("machine_type"),
        priority=settings.integer("priority", DEFAULT_PRIORITY),
        run_at=None if run_at is None else checked_time("run_at", run_at),
        unique_key=settings.text("unique_key"),
        source_job_id=settings.text("source_job_id"),
        created_by=call.services.machine,
    )
    return Outcome(
        event=settings.event("success", "job_created"), changes={"created_job_id": job.job_id}
    )


def _job_to_end(call: Call, queue: JobQueue) -> tuple[Job, str | None]:
    held, token = call.services.held_job()
    wanted = call.settings.optional_text("job_id")
    if wanted is None or (held is not None and wanted in {held.job_id, str(held.pk)}):
        if held is None:
            raise NoSuchJob(f"{call.action.type}: there is no current job; name one with 'job_id'")
        return held, token or None
    job = queue.find(wanted)
    if job is None:
        raise NoSuchJob(f"{call.action.type}: there is no job {wanted!r}")
    return job, job.claim_token if job.claimed_by == call.services.machine else None


def _ended(call: Call, token: str | None) -> Outcome:
    if token is not None and token == call.services.held_job()[1]:
        call.services.end_claim()
    return Outcome(event=call.settings.event("success", "success"))


def _as_item(job: Job) -> dict[str, Any]:
    return {
        **job_names(job)["current_job"],
        "machine_type": job.machine_type or None,
        "priority": job.priority,
    }


# What is done in memory, by the type of action.
PERFORM: Mapping[str, Callable[[Call, JobQueue], Outcome]] = {
    "check_database_queue": _check_database_queue,
    "claim_job": _claim_job,
    "complete_job": _complete_job,
    "create_job": _create_job,
    "fail_job": _fail_job,
    "get_pending_jobs": _get_pending_jobs,
    "wait_for_jobs": wait_for_jobs,
}
