from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from jobqueue.models import Job

from machines.models import Event, Machine, Run, Step, Timer
from monitor import changes as module
from monitor.changes import Changes, Cursor
from monitor.messages import Message
from tests.monitor.conftest import LiveHost, TakeStep

LATER = timedelta(seconds=2)


@pytest.fixture
def changes(kitchen: Machine) -> Changes:
    changes = Changes()
    changes.begin()
    return changes


def of_type(found: list[Message], kind: str) -> list[Message]:
    return [message for message in found if message["type"] == kind]


def make_run(machine: Machine, **fields: object) -> Run:
    given = {"outcome": Run.Outcome.RUNNING, "type": "bash", "index": 0, "seq": 1} | fields
    return Run.objects.create(machine=machine, started_at=timezone.now(), **given)


def test_read_tells_each_step_once_and_where_its_machine_stands(
    changes: Changes, kitchen: Machine, take_step: TakeStep
) -> None:
    take_step(kitchen, "cooking")

    first = changes.read((), timezone.now())
    second = changes.read((), timezone.now())

    assert [m["target"] for m in of_type(first, "state_change")] == ["cooking"]
    assert [m["state"] for m in of_type(first, "machine")] == ["cooking"]
    assert second == []


def test_read_tells_nothing_that_was_there_at_the_beginning(
    kitchen: Machine, take_step: TakeStep
) -> None:
    take_step(kitchen, "cooking")
    changes = Changes()
    changes.begin()

    found = changes.read((), timezone.now())

    assert of_type(found, "state_change") == []


def test_read_fills_a_gap_in_the_steps_of_a_machine(
    changes: Changes, kitchen: Machine, take_step: TakeStep
) -> None:
    take_step(kitchen, "cooking")
    changes.read((), timezone.now())
    late, last = take_step(kitchen, "waiting"), take_step(kitchen, "cooking")
    # As on a server where a lower id becomes visible after a higher one.
    Step.objects.filter(pk=late.pk).update(id=1_000_000)
    Step.objects.filter(pk=last.pk).update(id=999_999)

    found = changes.read((), timezone.now())

    assert [m["seq"] for m in of_type(found, "state_change")] == [2, 3]


def test_read_tells_context_and_timers_of_a_watched_machine(
    changes: Changes, kitchen: Machine, take_step: TakeStep
) -> None:
    Machine.objects.filter(pk=kitchen.pk).update(context={"eggs": 2})
    Timer.objects.create(machine=kitchen, seq=1, name="timeout(5)", due_at=timezone.now())
    take_step(kitchen, "cooking")

    found = of_type(changes.read({"kitchen"}, timezone.now()), "machine")

    assert found[0]["context"] == {"eggs": 2}
    assert [timer["name"] for timer in found[0]["timers"]] == ["timeout(5)"]
    assert "context" not in found[1]


def test_read_owes_a_machine_that_moved_again_at_once(
    changes: Changes, kitchen: Machine, take_step: TakeStep
) -> None:
    now = timezone.now()
    take_step(kitchen, "cooking")
    changes.read((), now)
    take_step(kitchen, "waiting")

    at_once = changes.read((), now)
    owing = changes.owing
    later = changes.read((), now + LATER)

    assert of_type(at_once, "machine") == []
    assert owing == module.MACHINES_EVERY
    assert [m["state"] for m in of_type(later, "machine")] == ["waiting"]
    assert changes.owing is None


def test_read_tells_the_output_of_running_work_and_its_end(
    changes: Changes, kitchen: Machine
) -> None:
    now = timezone.now()
    run = make_run(kitchen)
    started = changes.read((), now)
    Run.objects.filter(pk=run.pk).update(output="half\n")
    half = changes.read((), now + LATER)
    Run.objects.filter(pk=run.pk).update(output="half\ndone\n", outcome=Run.Outcome.DONE)
    ended = changes.read((), now + LATER)
    after = changes.read((), now + LATER + LATER)

    told = [of_type(found, "activity_log") for found in (started, half, ended, after)]
    outputs = [[message["run"]["output"] for message in found] for found in told]
    assert outputs == [[""], ["half\n"], ["half\ndone\n"], []]


def test_begin_remembers_work_that_runs_already(kitchen: Machine) -> None:
    run = make_run(kitchen)
    changes = Changes()
    changes.begin()
    Run.objects.filter(pk=run.pk).update(outcome=Run.Outcome.FAILED)

    found = of_type(changes.read((), timezone.now()), "activity_log")

    assert [message["run"]["outcome"] for message in found] == ["failed"]


def test_read_tells_why_an_event_was_not_taken(changes: Changes, kitchen: Machine) -> None:
    now = timezone.now()
    for key, status in (("1", "ignored"), ("2", "pending"), ("3", "processed")):
        Event.objects.create(key=key, target="kitchen", type="dance", status=status)
    at_once = changes.read((), now)
    Event.objects.filter(key="2").update(status="failed", reason="no such dance")
    later = changes.read((), now + LATER)

    assert [m["message"] for m in of_type(at_once, "activity_log")] == ["event dance ignored"]
    assert [(m["level"], m["message"]) for m in of_type(later, "activity_log")] == [
        ("error", "event dance failed: no such dance")
    ]


def test_read_counts_jobs_when_their_number_changes(changes: Changes) -> None:
    now = timezone.now()
    changes.read((), now)
    Job.objects.create(job_type="bake")

    found = [changes.read((), now + LATER * times) for times in (1, 2)]

    assert of_type(found[0], "job")[0]["counts"]["pending"] == 1
    assert found[1] == []


def test_cursor_goes_back_where_ids_become_visible_out_of_order(
    kitchen: Machine, take_step: TakeStep
) -> None:
    steps = [take_step(kitchen, "cooking") for _ in range(3)]
    hidden = steps[1].pk
    cursor = Cursor(Step.objects.exclude(pk=hidden))
    cursor._overlap = 10
    cursor.begin()
    cursor._rows = Step.objects.order_by("id")

    assert [step.pk for step in cursor.new()] == [hidden]
    assert cursor.new() == []


def test_cursor_says_when_there_is_more(
    kitchen: Machine, take_step: TakeStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_ROWS", 2)
    cursor = Cursor(Step.objects.all())
    for _ in range(3):
        take_step(kitchen, "cooking")

    found = [(len(cursor.new()), cursor.more) for _ in range(2)]

    assert found == [(2, True), (1, False)]


def test_read_tells_when_a_host_has_died(
    changes: Changes, make_machine: Callable[..., Machine], live_host: LiveHost
) -> None:
    now = timezone.now()
    make_machine("cellar", status=Machine.Status.RUNNING, process=live_host.process)
    changes.read((), now)
    live_host.die()

    found = of_type(changes.read((), now + LATER), "machine")

    assert [(m["machine"], m["up"]) for m in found] == [("cellar", False)]
