"""Claims, and the verbs that end them."""

import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connections
from jobqueue.errors import JobError, StaleClaim
from jobqueue.intake import create_job
from jobqueue.models import Attempt, Job, new_job_id
from jobqueue.signals import job_finished, job_ready

MakeJob = Callable[..., Job]


@pytest.fixture
def heard() -> Any:
    """The signals sent during the test, each as its name and what it said."""
    said: list[dict[str, Any]] = []

    def hear(signal: Any, **named: Any) -> None:
        said.append({key: value for key, value in named.items() if key not in ("sender", "using")})

    job_ready.connect(hear)
    job_finished.connect(hear)
    yield said
    job_ready.disconnect(hear)
    job_finished.disconnect(hear)


def claimed(job: Job, now: datetime, worker: str = "worker-1") -> Job:
    claim = Job.objects.claim(job.job_id, worker=worker, now=now)
    assert claim is not None
    return claim


def stored(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def test_new_job_id_sorts_by_time_and_never_repeats() -> None:
    ids = [new_job_id() for _ in range(1_000)]

    assert len(set(ids)) == 1_000
    assert all(re.fullmatch(r"job-[0-9a-f]{32}", one) for one in ids)
    assert [one[:16] for one in ids] == sorted(one[:16] for one in ids)


def test_claim_next_takes_the_lowest_priority_number_then_the_oldest(
    make_job: MakeJob, now: datetime
) -> None:
    for job_id, priority in (("c", 5), ("d", 9), ("a", 1), ("b", 1)):
        make_job(job_id, priority=priority)

    order = [Job.objects.claim_next(worker="w", now=now) for _ in range(5)]

    assert [job and job.job_id for job in order] == ["a", "b", "c", "d", None]


def test_claim_next_marks_the_job_and_opens_an_attempt(make_job: MakeJob, now: datetime) -> None:
    make_job("j", data={"file": "cat.png"})

    job = Job.objects.claim_next(worker="w", lease=timedelta(minutes=5), now=now)

    assert job is not None
    assert (job.status, job.claimed_by, job.attempts) == ("processing", "w", 1)
    assert (job.started_at, job.lease_expires_at) == (now, now + timedelta(minutes=5))
    assert job.data == {"file": "cat.png"}
    assert len(job.claim_token) == 32
    attempt = Attempt.objects.get(job=job)
    assert (attempt.number, attempt.token, attempt.outcome) == (1, job.claim_token, "")
    assert str(attempt) == f"attempt 1 of {job.pk}"
    assert str(job) == "j"


def test_claim_without_a_lease_never_expires(make_job: MakeJob, now: datetime) -> None:
    job = claimed(make_job(), now)

    assert job.lease_expires_at is None


@pytest.mark.parametrize(
    ("job_type", "machine_type", "found"),
    [
        (None, None, "resize-any"),
        ("resize", None, "resize-any"),
        ("print", None, "print-gpu"),
        (None, "gpu", "print-gpu"),
        ("print", "gpu", "print-gpu"),
        ("resize", "gpu", None),
        ("resize", "", "resize-any"),
        ("print", "", None),
        ("Resize", None, None),
        ("res%", None, None),
    ],
)
def test_claim_next_matches_types_exactly_and_any_when_left_out(
    make_job: MakeJob,
    now: datetime,
    job_type: str | None,
    machine_type: str | None,
    found: str | None,
) -> None:
    make_job("resize-any", job_type="resize")
    make_job("print-gpu", job_type="print", machine_type="gpu")

    job = Job.objects.claim_next(worker="w", job_type=job_type, machine_type=machine_type, now=now)

    assert (job and job.job_id) == found


@pytest.mark.parametrize(
    ("seconds", "ready"), [(-1, True), (0, True), (0.000001, False), (3600, False)]
)
def test_claim_next_leaves_a_job_until_its_time(
    make_job: MakeJob, now: datetime, seconds: float, ready: bool
) -> None:
    job = make_job(run_at=now + timedelta(seconds=seconds))

    assert Job.objects.ready(now).exists() is ready
    assert (Job.objects.claim(job.job_id, worker="w", now=now) is not None) is ready


@pytest.mark.parametrize("status", [status for status in Job.Status if status != "pending"])
def test_claim_gives_none_for_a_job_that_is_not_pending(
    make_job: MakeJob, now: datetime, status: str
) -> None:
    job = make_job()
    Job.objects.filter(pk=job.pk).update(status=status)

    assert Job.objects.claim(job.job_id, worker="w", now=now) is None
    assert Job.objects.claim_next(worker="w", now=now) is None
    assert not Attempt.objects.exists()


@pytest.mark.django_db
def test_claim_gives_none_for_an_unknown_id(now: datetime) -> None:
    assert Job.objects.claim("nowhere", worker="w", now=now) is None


def test_questions_tell_live_and_claimed_jobs_apart(make_job: MakeJob, now: datetime) -> None:
    make_job("waiting")
    claimed(make_job("held"), now)
    claimed(make_job("done"), now).finish(None, None, by="w", now=now)
    Job.objects.filter(pk=make_job("loose").pk).update(status="processing")

    live = set(Job.objects.live().values_list("job_id", flat=True))
    held = set(Job.objects.claimed().values_list("job_id", flat=True))

    assert live == {"waiting", "held", "loose"}
    assert held == {"held"}


def test_finish_with_the_current_token_completes_the_job(make_job: MakeJob, now: datetime) -> None:
    job = claimed(make_job(), now)

    job.finish(job.claim_token, {"pages": 3}, by="worker-1", now=now + timedelta(seconds=2))

    row = stored(job)
    assert (row.status, row.result, row.finished_by) == ("completed", {"pages": 3}, "worker-1")
    assert (row.claim_token, row.lease_expires_at) == ("", None)
    assert row.completed_at == now + timedelta(seconds=2)
    attempt = row.attempt_set.get()
    assert (attempt.outcome, attempt.ended_at) == ("completed", row.completed_at)
    assert (job.status, job.result) == (row.status, row.result)


def test_finish_refuses_a_result_that_is_not_plain_json(make_job: MakeJob, now: datetime) -> None:
    job = claimed(make_job(), now)

    with pytest.raises(JobError, match="result: JSON has no nan"):
        job.finish(job.claim_token, float("nan"), by="w", now=now)

    assert stored(job).status == "processing"


def test_fail_keeps_the_reason_as_far_as_a_database_can_hold_it(
    make_job: MakeJob, now: datetime
) -> None:
    job = claimed(make_job(), now)

    job.fail(job.claim_token, "exit 1: \0\ud800" + "x" * 20_000, by="w", now=now)

    row = stored(job)
    assert row.status == "failed"
    assert row.error_message.startswith("exit 1: \N{REPLACEMENT CHARACTER}?xxx")
    assert len(row.error_message) == 10_000
    assert row.attempt_set.get().error == row.error_message


def test_release_gives_the_job_back_and_keeps_the_attempt_counted(
    make_job: MakeJob, now: datetime
) -> None:
    job = claimed(make_job(), now)
    later = now + timedelta(minutes=1)

    job.release(job.claim_token, "the host stops", run_at=later, now=now)

    row = stored(job)
    assert (row.status, row.attempts, row.run_at) == ("pending", 1, later)
    assert (row.claimed_by, row.claim_token, row.started_at) == ("", "", None)
    second = claimed(row, later, "worker-2")
    assert [(one.number, one.outcome) for one in second.attempt_set.order_by("number")] == [
        (1, "released"),
        (2, ""),
    ]


def test_a_token_of_an_earlier_claim_changes_nothing(make_job: MakeJob, now: datetime) -> None:
    first = claimed(make_job("j"), now)
    old_token = first.claim_token
    first.release(old_token, "lease expired", now=now)
    second = claimed(first, now, "worker-2")

    with pytest.raises(StaleClaim, match=r"job 'j'.*is processing, claimed by 'worker-2'"):
        first.finish(old_token, None, by="worker-1", now=now)

    row = stored(second)
    assert (row.status, row.claim_token) == ("processing", second.claim_token)
    assert row.attempt_set.get(number=2).ended_at is None


def test_a_token_is_stale_once_the_job_has_ended(make_job: MakeJob, now: datetime) -> None:
    job = claimed(make_job(), now)
    token = job.claim_token
    job.finish(token, None, by="w", now=now)

    with pytest.raises(StaleClaim, match=r"the job is completed$"):
        job.fail(token, "too late", by="w", now=now)


def test_without_a_token_a_job_of_anybody_can_be_ended(make_job: MakeJob, now: datetime) -> None:
    job = claimed(make_job(), now)

    job.finish(None, None, by="operator", now=now)

    assert stored(job).finished_by == "operator"
    assert job.attempt_set.get().outcome == "completed"


def test_without_a_token_a_job_that_nobody_claimed_can_be_ended(
    make_job: MakeJob, now: datetime
) -> None:
    job = make_job()
    Job.objects.filter(pk=job.pk).update(status="processing")

    job.fail(None, "no longer possible", by="operator", now=now)

    assert stored(job).status == "failed"
    assert not job.attempt_set.exists()


@pytest.mark.parametrize("status", ["pending", "completed", "failed", "cancelled"])
def test_without_a_token_only_a_processing_job_can_be_ended(
    make_job: MakeJob, now: datetime, status: str
) -> None:
    job = make_job("j")
    Job.objects.filter(pk=job.pk).update(status=status)

    with pytest.raises(JobError, match=f"job 'j' is {status}; only a processing job") as refusal:
        job.finish(None, None, by="operator", now=now)

    assert not isinstance(refusal.value, StaleClaim)
    assert stored(job).status == status


def test_a_job_that_was_removed_cannot_be_ended(make_job: MakeJob, now: datetime) -> None:
    job = claimed(make_job("j"), now)
    Job.objects.filter(pk=job.pk).delete()

    with pytest.raises(JobError, match="job 'j' does not exist any more"):
        job.release(job.claim_token, "", now=now)


def test_signals_follow_the_commit(
    make_job: MakeJob, now: datetime, heard: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        job = make_job("j", machine_type="gpu")
        before_commit = list(heard)
    with django_capture_on_commit_callbacks(execute=True):
        claim = claimed(job, now)
        claim.release(claim.claim_token, "", now=now)
    with django_capture_on_commit_callbacks(execute=True):
        claimed(job, now).finish(None, None, by="w", now=now)

    ready = {"job_id": "j", "job_type": "resize", "machine_type": "gpu"}
    assert before_commit == []
    assert heard == [ready, ready, {"job_id": "j", "status": "completed"}]


def test_the_table_refuses_a_priority_out_of_range(make_job: MakeJob) -> None:
    job = make_job()

    with pytest.raises(IntegrityError):
        Job.objects.filter(pk=job.pk).update(priority=10)


@pytest.mark.django_db(transaction=True)
def test_400_jobs_are_claimed_once_each_by_8_threads(now: datetime) -> None:
    for number in range(400):
        create_job(job_type="resize", job_id=f"j{number}", priority=1 + number % 9)
    claims: list[tuple[str, str]] = []
    faults: list[Exception] = []
    start = threading.Barrier(8)

    def work(worker: str) -> None:
        try:
            start.wait(timeout=10)
            while job := Job.objects.claim_next(worker=worker, now=now):
                claims.append((job.job_id, worker))
        except Exception as fault:  # noqa: BLE001 - a thread's fault is the test's
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert faults == []
    assert sorted(job_id for job_id, _ in claims) == sorted(f"j{number}" for number in range(400))
    assert set(Attempt.objects.values_list("job__job_id", "claimed_by")) == set(claims)
    assert Attempt.objects.count() == 400
