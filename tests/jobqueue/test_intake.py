"""The door of the queue."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError
from jobqueue.errors import JobError
from jobqueue.intake import checked_time, create_job
from jobqueue.models import Job

MakeJob = Callable[..., Job]

pytestmark = pytest.mark.django_db


def test_create_job_fills_in_what_is_left_out() -> None:
    job = create_job(job_type="resize")

    job.refresh_from_db()
    assert job.job_id.startswith("job-")
    assert (job.status, job.priority, job.max_attempts) == ("pending", 5, 5)
    assert (job.data, job.result, job.run_at) == ({}, None, None)


def test_create_job_stores_everything_it_is_given() -> None:
    settings: dict[str, Any] = {
        "job_type": "resize",
        "data": {"file": "żółw.png", "sizes": [1, 2.5, None]},
        "job_id": "j",
        "source_job_id": "i",
        "machine_type": "gpu",
        "priority": 1,
        "run_at": datetime(2030, 1, 1, tzinfo=UTC),
        "max_attempts": 1,
        "unique_key": "k",
        "created_by": "me",
    }

    create_job(**settings)

    row = Job.objects.get(job_id="j")
    assert {name: getattr(row, name) for name in settings} == settings


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"job_type": ""}, "job_type: it may not be empty"),
        ({"job_type": "  "}, "job_type: it may not be empty"),
        ({"job_type": None}, "job_type: None is of type NoneType; a text belongs here"),
        ({"job_type": "x" * 201}, "job_type: 201 characters; at most 200 are taken"),
        ({"job_type": "x\0"}, "job_type: 'x\\x00' holds a NUL character"),
        ({"job_id": ""}, "job_id: it may not be empty"),
        ({"job_id": 7}, "job_id: 7 is of type int"),
        ({"job_id": "\ud800"}, "job_id: '\\ud800' holds half of a surrogate pair"),
        ({"machine_type": "x" * 201}, "machine_type: 201 characters"),
        ({"unique_key": ["k"]}, "unique_key: ['k'] is of type list"),
        ({"priority": 0}, "priority: 0; it may be a whole number from 1 to 9"),
        ({"priority": 10}, "priority: 10;"),
        ({"priority": True}, "priority: True;"),
        ({"priority": "5"}, "priority: '5';"),
        ({"priority": 1.0}, "priority: 1.0;"),
        ({"max_attempts": 0}, "max_attempts: 0; it may be a whole number from 1 to 1000"),
        ({"max_attempts": 2**40}, "max_attempts: 1099511627776;"),
        ({"data": []}, 'data: []; it may be an object, such as {"key": "value"}'),
        ({"data": "text"}, "data: 'text'; it may be an object"),
        ({"data": {"a": float("nan")}}, "data.a: JSON has no nan"),
        ({"data": {"a": "x" * (256 << 10)}}, "data: 262,152 bytes of JSON"),
        ({"run_at": "tomorrow"}, "run_at: 'tomorrow' is no time; write it like 2030-01-31T18:00"),
        ({"run_at": "2030-01-01T00:00"}, "run_at: 2030-01-01T00:00:00 has no time zone"),
        ({"run_at": 5}, "run_at: 5 is no time"),
    ],
)
def test_create_job_refuses_and_stores_nothing(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(JobError) as refusal:
        create_job(**{"job_type": "resize", **wrong})

    assert complaint in str(refusal.value)
    assert not Job.objects.exists()


def test_checked_time_keeps_the_moment_of_a_text() -> None:
    assert checked_time("run_at", "2030-01-31T19:00:00+01:00") == datetime(
        2030, 1, 31, 18, tzinfo=UTC
    )


def test_a_second_job_of_the_same_id_is_refused(make_job: MakeJob) -> None:
    make_job("j")

    with pytest.raises(JobError, match=r"^a job 'j' exists already$"):
        make_job("j")


def test_a_unique_key_is_taken_until_its_job_has_ended(make_job: MakeJob, now: datetime) -> None:
    first = make_job("first", unique_key="k")
    with pytest.raises(JobError, match="job 'first' with the unique_key 'k' is still pending"):
        make_job(unique_key="k")
    claim = Job.objects.claim("first", worker="w", now=now)
    with pytest.raises(JobError, match="is still processing"):
        make_job(unique_key="k")

    first.finish(None, None, by="w", now=now)

    assert claim is not None
    assert make_job("second", unique_key="k").job_id == "second"


def test_jobs_without_a_unique_key_do_not_collide(make_job: MakeJob) -> None:
    make_job()
    make_job()

    assert Job.objects.live().count() == 2


def test_a_collision_with_a_job_that_has_ended_meanwhile_asks_to_try_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def collide(*args: Any, **options: Any) -> None:
        raise IntegrityError("UNIQUE constraint failed")

    monkeypatch.setattr("django.db.models.Model.save", collide)

    with pytest.raises(JobError, match="create it once more"):
        create_job(job_type="resize", unique_key="k")
