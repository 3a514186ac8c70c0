"""A job as programs see it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from jobqueue.models import Job
from jobqueue.presentation import as_json, utc_text


def test_as_json_has_the_keys_that_programs_rely_on(
    make_job: Callable[..., Job], now: datetime
) -> None:
    make_job("j", data={"a": 1}, machine_type="gpu", source_job_id="i")
    job = Job.objects.claim("j", worker="w", now=now)
    assert job is not None
    job.finish(job.claim_token, [1], by="w", now=now + timedelta(seconds=1))
    job.created_at = now

    assert as_json(job) == {
        "job_id": "j",
        "job_type": "resize",
        "machine_type": "gpu",
        "source_job_id": "i",
        "status": "completed",
        "priority": 5,
        "data": {"a": 1},
        "result": [1],
        "attempts": 1,
        "claimed_by": "w",
        "error_message": "",
        "created_at": "2030-01-31T18:00:00.000Z",
        "started_at": "2030-01-31T18:00:00.000Z",
        "completed_at": "2030-01-31T18:00:01.000Z",
    }


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (None, None),
        (datetime(2030, 1, 31, 18, tzinfo=UTC), "2030-01-31T18:00:00.000Z"),
        (
            datetime(2030, 1, 31, 18, 0, 0, 123456, timezone(timedelta(hours=1))),
            "2030-01-31T17:00:00.123Z",
        ),
    ],
)
def test_utc_text(time: datetime | None, text: str | None) -> None:
    assert utc_text(time) == text
