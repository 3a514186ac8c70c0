"""The examples do, step by step, what their descriptions say."""

from typing import Any

import pytest

from tests.acceptance.client import NobodyListens
from tests.acceptance.system import EXAMPLES, System

SIMPLE = EXAMPLES / "simple_worker/config/worker.yaml"
CONTROLLER_SCRIPT = EXAMPLES / "controller_worker/run.sh"
MOVE = {"start", "initialized", "new_job", "job_done", "stop"}  # not what an empty queue says

pytestmark = pytest.mark.acceptance


def test_simple_worker_works_a_job_with_one_event_and_another_with_the_next(
    system: System,
) -> None:
    worker = system.run_machine("worker", name="simple_worker")
    system.wait_until(lambda: system.state("simple_worker") == "waiting")

    first = send(system, "new_job")
    system.wait_until(lambda: system.state("simple_worker") == "completed")
    second = send(system, "new_job")
    system.wait_until(lambda: len(moves(system)) == 7)
    last = send(system, "stop")

    assert (first["status"], first["state"]) == ("processed", "processing")
    assert (second["status"], second["running"]) == ("processed", True)
    assert last["status"] == "processed"
    assert worker.end() == 0
    assert moves(system) == [
        ("start", None, "initializing"),
        ("initialized", "initializing", "waiting"),
        ("new_job", "waiting", "processing"),
        ("job_done", "processing", "completed"),
        ("new_job", "completed", "waiting"),
        ("new_job", "waiting", "processing"),
        ("job_done", "processing", "completed"),
        ("stop", "completed", "completed"),
    ]
    (shown,) = system.ask("machinestate", "simple_worker")
    assert (shown["status"], shown["state"], shown["pid"]) == ("finished", "completed", None)


def test_simple_worker_works_the_jobs_of_the_queue(system: System) -> None:
    good = system.ask("createjob", "--type", "demo", "--data", '{"seconds": 0}')
    bad = system.ask("createjob", "--type", "demo", "--data", '{"seconds": 0, "exit_code": 3}')

    system.run_machine(SIMPLE, name="simple_worker")
    system.wait_until(lambda: not open_jobs(system))

    jobs = {job["job_id"]: job for job in system.ask("listjobs", "--type", "demo")}
    assert jobs[good["job_id"]]["status"] == "completed"
    assert jobs[bad["job_id"]]["status"] == "failed"
    assert "exit code 3" in jobs[bad["job_id"]]["error_message"]


def test_the_controller_hears_of_every_task_that_its_worker_finishes(system: System) -> None:
    script = system.start_program([str(CONTROLLER_SCRIPT)], "run.sh")
    system.up(script, "controller", "task_worker")

    values = (12, 7, -3)
    for value in values:
        system.ask("createjob", "--type", "task", "--data", f'{{"value": {value}}}')
    system.wait_until(lambda: system.context("controller").get("completed") == len(values))
    system.wait_until(lambda: system.state("controller") == "waiting")

    jobs = system.ask("listjobs", "--type", "task")
    assert [job["status"] for job in jobs] == ["completed"] * len(values)
    assert {job["data"]["value"]: job["result"]["result"] for job in jobs} == {
        value: value * value for value in values
    }
    events = system.ask("listevents", "--target", "controller")
    assert [event["type"] for event in events] == ["task_completed"] * len(values)
    assert {(event["source"], event["status"]) for event in events} == {
        ("task_worker", "processed")
    }
    for name in ("controller", "task_worker"):
        system.tell(name, {"type": "stop"})
    assert script.end() == 0
    with pytest.raises(NobodyListens):
        system.tell("controller", {"control": "ping"})


def send(system: System, event_type: str) -> dict[str, Any]:
    """What ``sendevent`` says of an event for the simple worker."""
    reply: dict[str, Any] = system.ask(
        "sendevent", "--target", "simple_worker", "--type", event_type
    )
    return reply


def moves(system: System) -> list[tuple[str, str | None, str]]:
    """The steps of the simple worker, as ``history`` tells them."""
    return [step for step in system.steps("simple_worker") if step[0] in MOVE]


def open_jobs(system: System) -> list[tuple[str]]:
    """Those that have not ended."""
    return system.rows("SELECT job_id FROM queue_job WHERE status IN ('pending', 'processing')")
