"""Actions that look at the queue, or take one job that is named."""

from typing import Any

import pytest
from jobqueue.intake import create_job
from jobqueue.models import Job

from machines.actions.claims import claim_job, get_pending_jobs
from machines.actions.jobs import complete_job
from machines.actions.settings import SettingError
from tests.machines.action_fakes import FakeServices, effect_call
from tests.machines.conftest import Runner

pytestmark = pytest.mark.django_db


def ids(found: Any) -> list[str]:
    return [item["job_id"] for item in found]


def test_get_pending_jobs_keeps_the_ready_jobs_the_most_urgent_first() -> None:
    create_job(job_type="parcel", job_id="late", priority=7)
    create_job(job_type="parcel", job_id="soon", priority=2, data={"city": "Oulu"})
    create_job(job_type="letter", job_id="other")

    outcome = get_pending_jobs(effect_call("get_pending_jobs", {"job_type": "parcel"}))

    assert outcome.event == "jobs_found"
    found = outcome.changes["pending_jobs"]
    assert ids(found) == ["soon", "late"]
    assert found[0]["city"] == found[0]["data"]["city"] == "Oulu"
    assert found[0]["id"] == "soon"


def test_get_pending_jobs_claims_nothing() -> None:
    create_job(job_type="parcel")

    get_pending_jobs(effect_call("get_pending_jobs", {}))

    assert Job.objects.get().status == "pending"


@pytest.mark.parametrize(
    ("settings", "count"),
    [({}, 3), ({"limit": 2}, 2), ({"limit": "1"}, 1), ({"machine_type": "packer"}, 1)],
)
def test_get_pending_jobs_keeps_as_many_as_are_asked_for(
    settings: dict[str, Any], count: int
) -> None:
    for machine_type in ("", "packer", "painter"):
        create_job(job_type="parcel", machine_type=machine_type)

    outcome = get_pending_jobs(effect_call("get_pending_jobs", {**settings, "store_as": "found"}))

    assert len(outcome.changes["found"]) == count


def test_get_pending_jobs_that_finds_none_looks_out_for_them() -> None:
    outcome = get_pending_jobs(effect_call("get_pending_jobs", {"job_type": "parcel"}))

    assert outcome.event == "no_jobs"
    assert outcome.nothing == ("jobs", "parcel", "*")
    assert outcome.changes == {"pending_jobs": []}


@pytest.mark.parametrize("key", ["job_type", "machine_type"])
def test_get_pending_jobs_looks_out_for_an_empty_kind_if_one_is_given(key: str) -> None:
    outcome = get_pending_jobs(effect_call("get_pending_jobs", {key: ""}))

    assert outcome.nothing == (("jobs", "", "*") if key == "job_type" else ("jobs", "*", ""))


def test_get_pending_jobs_refuses_a_limit_that_finds_nothing() -> None:
    with pytest.raises(SettingError, match="limit"):
        get_pending_jobs(effect_call("get_pending_jobs", {"limit": 0}))


def test_claim_job_makes_the_job_the_current_one() -> None:
    create_job(job_type="parcel", job_id="p1", data={"city": "Oulu"})
    services = FakeServices()

    outcome = claim_job(effect_call("claim_job", {"job_id": "p1"}, services=services))

    assert (outcome.event, outcome.job and outcome.job["city"]) == ("claimed", "Oulu")
    assert services.token == Job.objects.get().claim_token != ""


@pytest.mark.parametrize("state", ["unknown", "taken", "own", "ended"])
def test_claim_job_says_that_a_job_cannot_be_claimed(state: str) -> None:
    if state != "unknown":
        create_job(job_type="parcel", job_id="p1")
        owner = "worker" if state == "own" else "other"
        job = Job.objects.claim("p1", worker=owner, now=FakeServices().now)
        if job is not None and state == "ended":
            job.finish(job.claim_token, None, by=owner, now=FakeServices().now)

    outcome = claim_job(effect_call("claim_job", {"job_id": "p1", "already_claimed": "gone"}))

    assert outcome.event == "gone"


def test_claim_job_in_vain_leaves_the_current_job_as_it_is() -> None:
    services = FakeServices()
    for name in ("mine", "theirs"):
        create_job(job_type="parcel", job_id=name)
    Job.objects.claim("theirs", worker="other", now=services.now)
    claim_job(effect_call("claim_job", {"job_id": "mine"}, services=services))

    outcome = claim_job(effect_call("claim_job", {"job_id": "theirs"}, services=services))

    assert outcome.job is None
    assert services.job is not None
    assert services.job.job_id == "mine"


def test_a_job_claimed_before_the_current_one_is_finished_with_its_token() -> None:
    services = FakeServices()
    for name in ("first", "second"):
        create_job(job_type="parcel", job_id=name)
        claim_job(effect_call("claim_job", {"job_id": name}, services=services))
    current = services.token

    complete_job(effect_call("complete_job", {"job_id": "first"}, services=services))

    assert Job.objects.get(job_id="first").status == "completed"
    assert services.token == current != ""


BATCH = """
initial_state: ready
transitions:
  - {from: ready, to: looking, event: go}
  - {from: looking, to: taking, event: jobs_found}
  - {from: taking, to: claiming, event: item_popped}
  - {from: taking, to: completed, event: list_empty}
  - {from: claiming, to: working, event: claimed}
  - {from: claiming, to: taking, event: already_claimed}
  - {from: working, to: taking, event: success}
actions:
  looking: [{type: get_pending_jobs, job_type: parcel}]
  taking: [{type: pop_from_list, list_key: pending_jobs, store_as: item}]
  claiming: [{type: claim_job, job_id: "{item.job_id}"}]
  working: [{type: complete_job, result: "{city}"}]
"""


@pytest.mark.django_db(transaction=True)
async def test_a_batch_is_looked_at_popped_claimed_and_done(run: Runner) -> None:
    cities = ("Oulu", "Kemi", "Vaasa")
    for city in cities:
        await Job.objects.acreate(job_type="parcel", job_id=city.lower(), data={"city": city})

    async with run(BATCH) as machine:
        await machine.send("go")
        assert await machine.ends() == 0

    done = [job async for job in Job.objects.order_by("id")]
    assert [(job.status, job.result) for job in done] == [("completed", city) for city in cities]
