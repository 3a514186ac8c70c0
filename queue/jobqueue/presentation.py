"""A job as programs see it: the keys of ``listjobs``, stable, times in UTC."""

from datetime import UTC, datetime
from typing import Any

from jobqueue.models import Job


def as_json(job: Job) -> dict[str, Any]:
    """The job as a JSON object."""
    return {
        "job_id": job.job_id,
        "job_type": job.job_type,
        "machine_type": job.machine_type,
        "source_job_id": job.source_job_id,
        "status": str(job.status),
        "priority": job.priority,
        "data": job.data,
        "result": job.result,
        "attempts": job.attempts,
        "claimed_by": job.claimed_by,
        "error_message": job.error_message,
        "created_at": utc_text(job.created_at),
        "started_at": utc_text(job.started_at),
        "completed_at": utc_text(job.completed_at),
    }


def utc_text(time: datetime | None) -> str | None:
    """ISO 8601 in UTC to the millisecond, with a Z; None stays None."""
    if time is None:
        return None
    return time.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
