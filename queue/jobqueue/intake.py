"""The door of the queue: what comes in is checked here, with a message that says what is wrong."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from jobqueue.errors import JobError
from jobqueue.models import DEFAULT_MAX_ATTEMPTS, DEFAULT_PRIORITY, NAME_LENGTH, Job
from jobqueue.plain_json import checked_json, checked_text

MAX_ATTEMPTS_LIMIT = 1_000  # more is a job that never ends


def create_job(
    *,
    job_type: str,
    data: Mapping[str, Any] | None = None,
    job_id: str | None = None,
    source_job_id: str = "",
    machine_type: str = "",
    priority: int = DEFAULT_PRIORITY,
    run_at: datetime | str | None = None,
    max_attempts: int = DEFAULT_MAX_ATTEMPTS,
    unique_key: str = "",
    created_by: str = "",
) -> Job:
    """Store a pending job and announce it after the commit; JobError if anything is not right.

    ``data`` is an object of plain JSON, at most 256 KiB encoded and 32 levels deep; None is the
    empty one. Without a ``job_id`` the job gets a new one. ``run_at`` (None: at once) is a time
    with a zone, or such a time in ISO 8601. While a job with the same ``unique_key`` is not
    finished, another is refused.
    """
    job = Job(
        job_type=_name("job_type", job_type, required=True),
        data=_object(data),
        source_job_id=_name("source_job_id", source_job_id),
        machine_type=_name("machine_type", machine_type),
        priority=_number("priority", priority, 9),
        run_at=None if run_at is None else checked_time("run_at", run_at),
        max_attempts=_number("max_attempts", max_attempts, MAX_ATTEMPTS_LIMIT),
        unique_key=_name("unique_key", unique_key),
        created_by=_name("created_by", created_by),
    )
    if job_id is not None:
        job.job_id = _name("job_id", job_id, required=True)
    try:
        with transaction.atomic():
            job.save(force_insert=True)
            job.announce_ready()
    except IntegrityError as error:
        raise JobError(_conflict(job, str(error))) from error
    return job


def checked_time(name: str, value: datetime | str) -> datetime:
    """Return ``value`` as a time with a zone, else raise JobError."""
    example = "2030-01-31T18:00:00Z"
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise JobError(f"{name}: {value!r:.80} is no time; write it like {example}") from error
    if not isinstance(value, datetime):
        raise JobError(f"{name}: {value!r:.80} is no time; write it like {example}")
    if value.utcoffset() is None:
        raise JobError(f"{name}: {value.isoformat()} has no time zone; write it like {example}")
    return value


def _name(where: str, value: Any, *, required: bool = False) -> str:
    text = checked_text(value, where)
    if required and not text.strip():
        raise JobError(f"{where}: it may not be empty")
    if len(text) > NAME_LENGTH:
        raise JobError(f"{where}: {len(text)} characters; at most {NAME_LENGTH} are taken")
    return text


def _number(where: str, value: Any, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise JobError(f"{where}: {value!r:.80}; it may be a whole number from 1 to {most}")
    return value


def _object(data: Any) -> dict[str, Any]:
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise JobError(f'data: {data!r:.80}; it may be an object, such as {{"key": "value"}}')
    checked: dict[str, Any] = checked_json(dict(data), "data")
    return checked


def _conflict(job: Job, error: str) -> str:
    if Job.objects.filter(job_id=job.job_id).exists():
        return f"a job {job.job_id!r} exists already"
    rival = Job.objects.live().exclude(unique_key="").filter(unique_key=job.unique_key).first()
    if rival is not None:
        return (
            f"job {rival.job_id!r} with the unique_key {job.unique_key!r} is still {rival.status}"
        )
    # The rival ended between the refusal and the question.
    return f"the job collided with another that is gone again; create it once more ({error})"
