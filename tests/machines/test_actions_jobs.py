"""Actions on the job queue: jobs are claimed, ended and made, and ended only by right."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from jobqueue.errors import JobError
from jobqueue.intake import create_job as make_job
from jobqueue.models import Job

from machines.actions.jobs import (
    NoSuchJob,
    check_database_queue,
    complete_job,
    create_job,
    fail_job,
    job_names,
)
from machines.actions.settings import SettingError
from machines.core.settling import Outcome
from tests.machines.action_fakes import NOON, FakeServices, effect_call
from tests.machines.conftest import Runner


def check(services: FakeServices, **settings: Any) -> Outcome:
    return check_database_queue(effect_call("check_database_queue", settings, services=services))


def held(services: FakeServices, **fields: Any) -> Job:
    """A job that the machine has claimed."""
    make_job(**{"job_type": "parcel", "job_id": "j", **fields})
    check(services)
    assert services.job is not None
    return services.job


# -- check_database_queue


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("settings", "claimed"),
    [
        ({}, "first"),
        ({"job_type": "letter"}, "second"),
        ({"machine_type": "van"}, "second"),
        ({"machine_type": ""}, "first"),
        ({"job_type": "letter", "machine_type": "van"}, "second"),
        ({"job_type": "letter", "machine_type": "bike"}, None),
        ({"job_type": "later"}, None),
    ],
)
def test_the_next_job_of_the_kind_is_claimed(settings: dict[str, Any], claimed: str | None) -> None:
    make_job(job_type="parcel", job_id="first")
    make_job(job_type="letter", machine_type="van", job_id="second")
    make_job(job_type="later", job_id="third", run_at=NOON + timedelta(hours=1))
    services = FakeServices()

    outcome = check(services, **settings)

    if claimed is None:
        assert (outcome.event, outcome.job, services.job) == ("no_jobs", {}, None)
        return
    job = Job.objects.get(job_id=claimed)
    assert (outcome.event, outcome.nothing) == ("new_job", None)
    assert (job.status, job.claimed_by, job.started_at) == ("processing", "worker", NOON)
    assert services.job == job
    assert services.token == job.claim_token != ""


@pytest.mark.django_db
def test_the_events_of_the_queue_are_called_as_the_file_says() -> None:
    make_job(job_type="parcel")
    services = FakeServices()

    found = check(services, success="got", empty="none")
    empty = check(services, success="got", empty="none")

    assert (found.event, empty.event) == ("got", "none")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("settings", "looked_for"),
    [
        ({}, ("jobs", "*", "*")),
        ({"job_type": "parcel"}, ("jobs", "parcel", "*")),
        ({"job_type": "parcel", "machine_type": "van"}, ("jobs", "parcel", "van")),
        ({"machine_type": ""}, ("jobs", "*", "")),
        ({"job_type": "", "machine_type": None}, ("jobs", "", "*")),
    ],
)
def test_a_queue_without_a_job_says_what_was_looked_for(
    settings: dict[str, Any], looked_for: tuple[str, ...]
) -> None:
    assert check(FakeServices(), **settings).nothing == looked_for


@pytest.mark.django_db
def test_a_current_job_is_let_go_when_the_next_claim_finds_none() -> None:
    services = FakeServices()
    held(services)

    check(services)

    assert (services.job, services.token) == (None, "")


def test_the_fields_of_a_job_stand_above_the_keys_of_its_data() -> None:
    job = Job(job_id="j", job_type="parcel", data={"to": "here", "id": "x", "job_type": "y"})

    names = job_names(job)

    assert names["current_job"]["data"] == {"to": "here", "id": "x", "job_type": "y"}
    assert {key: names[key] for key in names if key != "current_job"} == {
        "to": "here",
        "id": "j",
        "job_id": "j",
        "job_type": "parcel",
        "source_job_id": None,
    }


def test_a_job_whose_data_is_no_object_has_its_fields_only() -> None:
    names = job_names(Job(job_id="j", job_type="parcel", data=[1], source_job_id="s"))

    assert names["current_job"]["data"] == [1]
    assert set(names) == {"id", "job_id", "job_type", "source_job_id", "current_job"}
    assert names["source_job_id"] == "s"


# -- complete_job and fail_job


@pytest.mark.django_db
@pytest.mark.parametrize(("perform", "status"), [(complete_job, "completed"), (fail_job, "failed")])
@pytest.mark.parametrize("named", [None, "job_id", "number"])
def test_the_current_job_is_ended_however_it_is_named(
    perform: Callable[[Any], Outcome], status: str, named: str | None
) -> None:
    services = FakeServices()
    job = held(services)
    settings = {} if named is None else {"job_id": "j" if named == "job_id" else job.pk}

    outcome = perform(effect_call(perform.__name__, settings, services=services))

    job.refresh_from_db()
    assert (job.status, job.finished_by, job.completed_at) == (status, "worker", NOON)
    assert outcome.event == "success"
    assert services.job is not None
    assert services.token == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("settings", "context", "reason"),
    [
        ({"reason": "broken"}, {"last_error": "exit code 1"}, "broken"),
        ({}, {"last_error": "exit code 1"}, "exit code 1"),
        ({}, {}, "failed"),
    ],
)
def test_a_failed_job_says_why(
    settings: dict[str, Any], context: dict[str, Any], reason: str
) -> None:
    services = FakeServices()
    job = held(services)

    fail_job(effect_call("fail_job", settings, context=context, services=services))

    job.refresh_from_db()
    assert job.error_message == reason


@pytest.mark.django_db
@pytest.mark.parametrize("result", [None, {"ok": True}, [1, "a"], "text", 5])
def test_a_completed_job_keeps_its_result(result: Any) -> None:
    services = FakeServices()
    job = held(services)

    outcome = complete_job(
        effect_call("complete_job", {"result": result, "success": "shipped"}, services=services)
    )

    job.refresh_from_db()
    assert job.result == result
    assert outcome.event == "shipped"


@pytest.mark.django_db
@pytest.mark.parametrize("perform", [complete_job, fail_job])
def test_a_job_of_another_is_ended_without_its_token(perform: Callable[[Any], Outcome]) -> None:
    services = FakeServices()
    mine = held(services)
    make_job(job_type="letter", job_id="theirs")
    Job.objects.claim_next(worker="another", now=NOON)

    perform(effect_call(perform.__name__, {"job_id": "theirs"}, services=services))

    theirs = Job.objects.get(job_id="theirs")
    assert (theirs.claimed_by, theirs.finished_by) == ("another", "worker")
    assert theirs.completed_at == NOON
    assert services.token == mine.claim_token


@pytest.mark.django_db
@pytest.mark.parametrize("perform", [complete_job, fail_job])
@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({}, "there is no current job; name one with 'job_id'"),
        ({"job_id": "unknown"}, "there is no job 'unknown'"),
    ],
)
def test_a_job_that_is_not_there_cannot_be_ended(
    perform: Callable[[Any], Outcome], settings: dict[str, Any], wrong: str
) -> None:
    name = perform.__name__

    with pytest.raises(NoSuchJob) as raised:
        perform(effect_call(name, settings))

    assert str(raised.value) == f"{name}: {wrong}"


@pytest.mark.django_db
def test_a_job_is_ended_once() -> None:
    services = FakeServices()
    held(services)
    complete_job(effect_call("complete_job", {}, services=services))

    with pytest.raises(JobError, match="job 'j' is completed; only a processing job can be ended"):
        fail_job(effect_call("fail_job", {}, services=services))


@pytest.mark.django_db
def test_a_claim_that_is_no_longer_current_ends_nothing() -> None:
    services = FakeServices()
    job = held(services)
    job.release(None, "taken away", now=NOON)
    Job.objects.claim_next(worker="another", now=NOON)

    with pytest.raises(JobError, match="this claim is no longer current"):
        complete_job(effect_call("complete_job", {}, services=services))

    assert Job.objects.get(job_id="j").status == "processing"


# -- create_job


@pytest.mark.django_db
def test_a_job_is_made_with_all_that_the_file_says() -> None:
    settings = {
        "job_type": "parcel",
        "data": {"to": "here"},
        "job_id": "j",
        "machine_type": "van",
        "priority": "2",
        "run_at": "2030-01-31T18:00:00Z",
        "unique_key": "u",
        "source_job_id": "s",
        "success": "made",
    }

    outcome = create_job(effect_call("create_job", settings))

    job = Job.objects.get()
    assert (outcome.event, outcome.changes) == ("made", {"created_job_id": "j"})
    assert (job.job_id, job.job_type, job.data, job.machine_type) == (
        "j", "parcel", {"to": "here"}, "van",
    )  # fmt: skip
    assert (job.priority, job.unique_key, job.source_job_id) == (2, "u", "s")
    assert job.run_at == datetime(2030, 1, 31, 18, tzinfo=UTC)
    assert (job.status, job.created_by) == ("pending", "worker")


@pytest.mark.django_db
def test_a_job_needs_no_more_than_its_type() -> None:
    outcome = create_job(effect_call("create_job", {"job_type": "parcel", "data": None}))

    job = Job.objects.get()
    assert (outcome.event, outcome.changes) == ("job_created", {"created_job_id": job.job_id})
    assert (job.data, job.priority, job.run_at, job.machine_type) == ({}, 5, None, "")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("settings", "error", "wrong"),
    [
        ({}, SettingError, "create_job: the setting 'job_type' is missing"),
        (
            {"job_type": "a", "data": [1]},
            SettingError,
            "create_job: the setting 'data' is [1]; it must be a mapping",
        ),
        (
            {"job_type": "a", "priority": "high"},
            SettingError,
            "create_job: the setting 'priority' is 'high'; it must be a number",
        ),
        ({"job_type": "a", "priority": 10}, JobError, "priority: 10; it may be a whole number"),
        ({"job_type": "a", "run_at": "soon"}, JobError, "run_at: 'soon' is no time; write it like"),
        ({"job_type": "a", "job_id": "taken"}, JobError, "a job 'taken' exists already"),
        (
            {"job_type": "a", "unique_key": "u"},
            JobError,
            "job 'taken' with the unique_key 'u' is still pending",
        ),
    ],
)
def test_a_job_that_cannot_be_made_says_why(
    settings: dict[str, Any], error: type[Exception], wrong: str
) -> None:
    make_job(job_type="parcel", job_id="taken", unique_key="u")

    with pytest.raises(error) as raised:
        create_job(effect_call("create_job", settings))

    assert str(raised.value).startswith(wrong)
    assert Job.objects.count() == 1


# -- in a machine


WORK = """
initial_state: waiting
states:
  waiting:
    actions: [{type: check_database_queue, job_type: parcel}]
  packing:
    actions:
      - {type: complete_job, job_id: "%s", result: {to: "{to}"}}
      - {type: set_context, key: after, value: "{current_job.job_id} to {to}"}
      - {type: create_job, job_type: letter, data: {about: "{job_id}", x: "{no_such}"}}
      - {type: set_context, key: done, value: true}
  ended:
    actions:
      - {type: check_database_queue, job_type: parcel}
      - {type: set_context, key: later, value: "{job_id} to {to}"}
transitions:
  - {from: waiting, to: packing, event: new_job}
  - {from: packing, to: ended, event: go}
"""


@pytest.mark.parametrize("written", ["{job_id}", "{id}", "{current_job.id}", "j"])
async def test_a_job_stays_visible_after_its_end_until_the_next_claim(
    run: Runner, written: str
) -> None:
    await sync_to_async(make_job)(job_type="parcel", job_id="j", data={"to": "here"})

    async with run(WORK % written) as machine:
        worked = await machine.until(lambda row: "done" in row.context, "the end of the work")
        await machine.send("go")
        ended = await machine.until(lambda row: "later" in row.context, "the next claim")

        assert worked.context["after"] == "j to here"
        assert ended.context["later"] == "{job_id} to {to}"
        job = await Job.objects.aget(job_id="j")
        assert (job.status, job.result) == ("completed", {"to": "here"})
        letter = await Job.objects.aget(job_type="letter")
        assert (letter.data, letter.created_by) == ({"about": "j", "x": None}, "machine")


REFUSED = """
initial_state: a
states:
  a: {}
  b: {actions: [{type: complete_job}]}
  c: {actions: [{type: create_job, job_type: parcel, unique_key: u}]}
  d: {}
transitions:
  - {from: a, to: b, event: go}
  - {from: b, to: c, event: error}
  - {from: c, to: d, event: error}
"""


@pytest.mark.parametrize("taken", [True, False])
async def test_what_the_queue_refuses_is_an_error_of_the_machine(run: Runner, taken: bool) -> None:
    if taken:
        await sync_to_async(make_job)(job_type="parcel", job_id="first", unique_key="u")

    async with run(REFUSED) as machine:
        await machine.send("go")

        row = await machine.reaches("d" if taken else "c")
        expected = (
            ("create_job", "job 'first' with the unique_key 'u' is still pending")
            if taken
            else ("complete_job", "complete_job: there is no current job; name one with 'job_id'")
        )
        assert (row.context["last_error_action"], row.context["last_error"]) == expected
        assert await Job.objects.acount() == 1
