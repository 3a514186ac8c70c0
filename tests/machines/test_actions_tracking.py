"""wait_for_jobs: a machine waits until the jobs that it tracks have ended."""

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from jobqueue.intake import create_job
from jobqueue.models import Job

from machines.actions.settings import SettingError
from machines.actions.tracking import wait_for_jobs
from machines.core.settling import Outcome
from tests.machines.action_fakes import NOON, FakeServices, effect_call
from tests.machines.conftest import Runner

pytestmark = pytest.mark.django_db


def ask(
    tracked: Any, *, at: float = 0, context: dict[str, Any] | None = None, **settings: Any
) -> Outcome:
    """What it answers ``at`` seconds after noon."""
    services = FakeServices(now=NOON + timedelta(seconds=at))
    context = {"spawned_jobs": tracked, **(context or {})}
    return wait_for_jobs(effect_call("wait_for_jobs", settings, context=context, services=services))


def jobs(**statuses: str) -> None:
    for name, status in statuses.items():
        create_job(job_type="parcel", job_id=name)
        Job.objects.filter(job_id=name).update(status=status)


def test_it_answers_when_every_job_has_ended() -> None:
    jobs(a="completed", b="failed", c="cancelled")

    outcome = ask(["a", "b", "c", "gone"])

    assert outcome.event == "all_jobs_complete"
    assert outcome.changes == {
        "completed_jobs": ["a"],
        "failed_jobs": ["b", "c", "gone"],
        "pending_jobs": [],
    }


@pytest.mark.parametrize("tracked", [None, [], ""])
def test_it_says_that_nothing_is_tracked(tracked: Any) -> None:
    assert ask(tracked or None).event == "no_jobs_tracked"


@pytest.mark.parametrize("tracked", ["a", ["a"], [{"job_id": "a", "x": 1}], ["a", "a", None]])
def test_it_takes_ids_and_what_holds_ids(tracked: Any) -> None:
    jobs(a="completed")

    assert ask(tracked).changes["completed_jobs"] == ["a"]


def test_it_refuses_what_is_no_list() -> None:
    with pytest.raises(SettingError, match="spawned_jobs"):
        ask(7)


def test_it_waits_for_the_jobs_that_have_not_ended() -> None:
    jobs(a="completed", b="processing", c="pending")

    outcome = ask(["a", "b", "c"])

    assert outcome.event is None
    assert outcome.delay == timedelta(seconds=300)
    assert (outcome.awaits[0], *outcome.awaits[2:]) == ("finished", "b", "c")
    assert outcome.changes["pending_jobs"] == ["b", "c"]


def test_its_time_counts_from_the_first_unfinished_answer_also_across_states() -> None:
    jobs(a="pending")
    first = ask(["a"], pending="not yet", timeout="1m")

    later = ask(["a"], at=45, context=dict(first.changes), pending="not yet", timeout=60)
    over = ask(["a"], at=60, context=dict(later.changes), pending="not yet", timeout=60)

    assert (first.event, later.event) == ("not yet", "not yet")
    assert "1 of 1 jobs have not ended in 60 s" in over.error


def test_any_other_answer_resets_the_time() -> None:
    jobs(a="completed")

    outcome = ask(["a"], at=500, context={"spawned_jobs_since": NOON.isoformat()})

    assert outcome.event == "all_jobs_complete"
    assert outcome.changes["spawned_jobs_since"] is None


def test_the_end_of_its_time_can_be_named() -> None:
    jobs(a="pending")
    since = {"spawned_jobs_since": NOON.isoformat()}

    outcome = ask(["a"], at=301, context=since, timeout_event="too_late")

    assert (outcome.event, outcome.error) == ("too_late", "")
    assert outcome.changes["spawned_jobs_since"] is None


WAITS = """
initial_state: making
transitions:
  - {from: making, to: waiting, event: job_created}
  - {from: waiting, to: shutdown, event: all_jobs_complete}
  - {from: waiting, to: late, event: error}
actions:
  waiting:
    - {type: add_to_list, list_key: spawned_jobs, value: "{created_job_id}"}
    - {type: wait_for_jobs, timeout: SECONDS}
  making: [{type: create_job, job_type: parcel}]
"""


@pytest.mark.django_db(transaction=True)
async def test_the_end_of_a_job_wakes_the_machine_at_once(run: Runner) -> None:
    async with run(WAITS.replace("SECONDS", "300")) as machine:
        await machine.until(lambda row: bool(row.turn.get("waits")), "the wait")
        timers = [timer.name for timer in await machine.timers()]
        job = await Job.objects.aget()
        await sync_to_async(Job.objects.claim)(job.job_id, worker="other", now=NOON)
        await sync_to_async((await Job.objects.aget()).finish)(None, None, by="other", now=NOON)

        assert await machine.ends() == 0

    assert timers == ["wake_up"]
    row = await machine.machine()
    assert row.context["completed_jobs"] == [job.job_id]
    assert await machine.timers() == []


@pytest.mark.django_db(transaction=True)
async def test_a_machine_does_not_wait_for_ever(run: Runner) -> None:
    async with run(WAITS.replace("SECONDS", "0.05")) as machine:
        row = await machine.reaches("late")

    assert "have not ended in 0.05 s" in row.context["last_error"]


POLLS = """
initial_state: waiting
context: {spawned_jobs: [a]}
transitions:
  - {from: waiting, to: waiting, event: not_yet}
  - {from: waiting, to: shutdown, event: all_jobs_complete}
  - {from: waiting, to: late, event: error}
actions:
  waiting: [{type: wait_for_jobs, pending: not_yet, timeout: 600}]
"""


@pytest.mark.django_db(transaction=True)
async def test_a_loop_that_asks_for_pending_jobs_sleeps_until_one_ends(run: Runner) -> None:
    await Job.objects.acreate(job_type="parcel", job_id="a", status="processing")

    async with run(POLLS) as machine:
        await machine.until(lambda row: bool(row.turn.get("idle")), "idle rest")
        asleep = len(await machine.steps())
        await sync_to_async((await Job.objects.aget()).fail)(None, "no", by="x", now=NOON)
        assert await machine.ends() == 0

    assert asleep <= 3
    assert (await machine.machine()).context["failed_jobs"] == ["a"]
