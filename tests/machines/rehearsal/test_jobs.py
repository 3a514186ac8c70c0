"""The queue of a rehearsal."""

from datetime import UTC, datetime, timedelta

import pytest
from jobqueue.errors import JobError, StaleClaim

from machines.rehearsal.jobs import JobQueue, RehearsedJobs

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def queue() -> JobQueue:
    queue = JobQueue()
    queue.add(now=NOON, job_id="a", job_type="x", machine_type="gpu", priority=5)
    queue.add(now=NOON, job_id="b", job_type="x", machine_type="", priority=2)
    queue.add(now=NOON, job_id="c", job_type="y", machine_type="gpu", priority=1)
    queue.add(now=NOON, job_id="d", job_type="x", run_at=NOON + timedelta(seconds=1))
    return queue


@pytest.mark.parametrize(
    ("job_type", "machine_type", "ids"),
    [
        (None, None, ["c", "b", "a"]),
        ("x", None, ["b", "a"]),
        (None, "gpu", ["c", "a"]),
        ("x", "gpu", ["a"]),
        ("x", "", ["b"]),
        ("z", None, []),
    ],
)
def test_jobs_of_a_kind_are_ready_the_most_urgent_first(
    queue: JobQueue, job_type: str | None, machine_type: str | None, ids: list[str]
) -> None:
    assert [job.job_id for job in queue.ready(NOON, job_type, machine_type)] == ids


def test_a_job_is_claimed_and_ended_with_its_token(queue: JobQueue) -> None:
    jobs = RehearsedJobs(queue, "worker", NOON)

    job = jobs.claim_next("x", "gpu")

    assert job is not None
    assert (job.job_id, job.claimed_by, jobs.claim("a")) == ("a", "worker", None)
    with pytest.raises(StaleClaim):
        jobs.finish(job, "another", None)
    jobs.finish(job, job.claim_token, {"n": 1})
    assert jobs.statuses(["a", "b", "gone"]) == {"a": "completed", "b": "pending"}
    with pytest.raises(JobError, match="only a processing job"):
        jobs.fail(job, None, "late")


def test_an_id_or_a_key_is_taken_once(queue: JobQueue) -> None:
    jobs = RehearsedJobs(queue, "worker", NOON)
    jobs.create(job_type="x", unique_key="k")

    with pytest.raises(JobError, match="exists already"):
        jobs.create(job_type="x", job_id="a")
    with pytest.raises(JobError, match="unique_key"):
        jobs.create(job_type="x", unique_key="k")
