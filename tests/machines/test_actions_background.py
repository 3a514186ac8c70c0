"""run_task: the background workers perform a function, its outcome comes back as an event."""

import os
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django_q.models import OrmQ

from machines import tasks
from machines.models import Run
from tests.machines.conftest import Driver, Runner

pytestmark = pytest.mark.django_db(transaction=True)

MACHINE = """
initial_state: ready
transitions:
  - {from: ready, to: working, event: go}
  - {from: working, to: done, event: success}
  - {from: working, to: failed, event: error}
  - {from: working, to: away, event: leave, interrupt: true}
actions:
  working:
    - type: run_task
      function: FUNCTION
      args: ["{event_data.payload}"]
      kwargs: {base: 10}
      store_as: answer
      SETTINGS
"""


def machine_of(function: str, settings: str = "timeout: 60") -> str:
    return MACHINE.replace("FUNCTION", function).replace("SETTINGS", settings)


def add(number: int, base: int = 0) -> dict[str, int]:
    return {"sum": number + base}


def fail(_number: int, base: int = 0) -> None:
    raise ValueError(f"not {base}")


def too_much(_number: int, base: int = 0) -> str:
    return "x" * (300 << base)


HERE = "tests.machines.test_actions_background"


async def work() -> list[Any]:
    """Do what a worker does with everything in its queue; the arguments of each task."""
    queued = [entry.task async for entry in OrmQ.objects.order_by("id")]
    await OrmQ.objects.all().adelete()
    for task in queued:
        assert task["func"] == "machines.tasks.run_task"
        await sync_to_async(tasks.run_task)(*task["args"])
    return [task["args"] for task in queued]


async def waits(machine: Driver) -> None:
    await machine.until(lambda row: bool(row.turn.get("waits")), "the wait")


async def test_what_the_function_returns_comes_back_as_an_event(run: Runner) -> None:
    async with run(machine_of(f"{HERE}.add")) as machine:
        await machine.send("go", payload=7)
        await waits(machine)
        began = (await machine.runs())[-1].outcome
        done = await work()
        row = await machine.reaches("done")

    assert (began, list(done[0][1:])) == ("running", [f"{HERE}.add", [7], {"base": 10}])
    assert row.context["answer"] == {"sum": 17}
    assert [(run.type, run.outcome) for run in await machine.runs()] == [("run_task", "done")]


async def test_what_the_function_raises_is_an_error_with_its_traceback_on_record(
    run: Runner,
) -> None:
    async with run(machine_of(f"{HERE}.fail")) as machine:
        await machine.send("go", payload=7)
        await waits(machine)
        await work()
        row = await machine.reaches("failed")

    assert row.context["last_error"] == f"{HERE}.fail: ValueError: not 10"
    assert 'raise ValueError(f"not {base}")' in (await machine.runs())[-2].output


async def test_a_result_outlives_the_host_that_asked_for_it(run: Runner) -> None:
    text = machine_of(f"{HERE}.add")
    async with run(text) as machine:
        await machine.send("go", payload=7)
        await waits(machine)

    await work()

    async with run(text) as machine:
        row = await machine.reaches("done")

    assert row.context["answer"] == {"sum": 17}
    assert len(await machine.runs()) == 1


async def test_a_task_that_takes_too_long_is_given_up_and_its_result_dropped(run: Runner) -> None:
    async with run(machine_of(f"{HERE}.add", "timeout: 0.05")) as machine:
        await machine.send("go", payload=7)
        row = await machine.reaches("failed")
        await work()

    assert row.context["last_error"] == f"{HERE}.add: timed out after 0.05 s"
    run_row = await Run.objects.aget(type="run_task", token__gt="")
    assert (run_row.outcome, run_row.message) == ("failed", "timed out after 0.05 s")


async def test_a_task_whose_state_was_left_is_not_performed(run: Runner) -> None:
    async with run(machine_of(f"{HERE}.fail")) as machine:
        await machine.send("go", payload=7)
        await waits(machine)
        await machine.send("leave")
        await machine.reaches("away")
        await work()

    assert (await Run.objects.aget(type="run_task")).outcome == "stopped"


async def test_each_attempt_of_a_task_is_on_record(run: Runner) -> None:
    text = machine_of(f"{HERE}.fail", "retry: {attempts: 2, delay: 0}")
    async with run(text) as machine:
        await machine.send("go", payload=7)
        await waits(machine)
        await work()
        await machine.until(
            lambda row: bool(row.turn.get("waits")) and row.turn["waits"][0][1] == 2, "the retry"
        )
        await work()
        await machine.reaches("failed")

    attempts = [run.attempt for run in await machine.runs() if run.token]
    assert attempts == [1, 2]


@pytest.mark.parametrize(
    ("function", "why"),
    [
        ('"{event_data.payload}"', "must be a dotted path"),
        ("print", "must be a dotted path"),
        ("tests.no_such.thing", "No module named 'tests.no_such'"),
        (f"{HERE}.too_much", "returned 307202 bytes"),
    ],
)
async def test_a_function_that_cannot_be_called_is_an_error(
    run: Runner, function: str, why: str
) -> None:
    async with run(machine_of(function)) as machine:
        await machine.send("go", payload=7)
        await machine.until(
            lambda row: bool(row.turn.get("waits")) or row.state == "failed", "the wait"
        )
        await work()
        row = await machine.reaches("failed")

    assert why in row.context["last_error"]


@pytest.mark.parametrize(("taken_by", "performed"), [("", 1), ("worker 1 on elsewhere", 1)])
def test_a_task_is_taken_by_one_worker(taken_by: str, performed: int) -> None:
    calls.clear()
    make_run("t1", taken_by)

    tasks.run_task("t1", f"{HERE}.count", [], {})
    tasks.run_task("t1", f"{HERE}.count", [], {})

    assert len(calls) == performed


def test_a_task_that_a_living_worker_is_at_is_left_to_it() -> None:
    calls.clear()
    name = tasks._this_worker().replace(str(os.getpid()), str(os.getppid()))
    make_run("t1", name)

    tasks.run_task("t1", f"{HERE}.count", [], {})

    assert calls == []


calls: list[int] = []


def count() -> None:
    calls.append(1)


def make_run(token: str, message: str) -> None:
    from django.utils import timezone

    from machines.models import Machine, MachineDefinition

    definition = MachineDefinition.objects.create(name="m", version=1, sha256="0", source="")
    machine = Machine.objects.create(name="m", definition=definition)
    Run.objects.create(
        machine=machine, seq=1, index=0, type="run_task", token=token, outcome="running",
        message=message, started_at=timezone.now(),
    )  # fmt: skip
