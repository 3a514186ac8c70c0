"""Section 3.3 of the language: rounds, idle rest and repetitions of machines that run."""

import asyncio
from datetime import timedelta
from pathlib import Path

from asgiref.sync import sync_to_async
from django.utils import timezone
from jobqueue.intake import create_job

from machines.models import Machine, Run
from machines.runtime.requests import Play
from tests.machines.conftest import PATIENCE_SECONDS, Driver, Runner
from tests.machines.language.absence import ages


async def outcomes(machine: Driver, *, until: str = "") -> list[str]:
    """How its runs ended, once one ended as ``until`` says."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = [run.outcome for run in await machine.runs()]
            if not until or until in found:
                return found
            await machine.send({"control": "status"})


async def test_a_result_that_comes_after_its_state_was_left_is_recorded_and_moves_nothing(
    run: Runner,
) -> None:
    text = """
initial_state: a
transitions:
  - {from: "*", to: b, event: stop}
  - {from: "*", to: c, event: job_done}
actions: {a: [{type: bash, command: "trap 'exit 0' TERM; sleep 30 & wait"}]}
"""
    async with run(text) as machine:
        await machine.until(lambda row: "work" in row.turn, "work")
        await machine.send("stop")

        found = await outcomes(machine, until="stopped")
        assert (await machine.machine()).state == "b"
        assert found == ["stopped"]


async def test_after_an_interrupt_the_next_work_begins_when_the_stopped_work_has_ended(
    run: Runner, tmp_path: Path
) -> None:
    up = tmp_path / "up"
    text = """
initial_state: a
transitions: [{from: "*", to: b, event: stop}, {from: b, to: c, event: job_done}]
actions:
  a: [{type: bash, command: "trap 'sleep 0.2; exit' TERM; touch {up}; sleep 30 & wait"}]
  b: [{type: bash, command: "true"}]
"""
    async with run(text, context={"up": str(up)}) as machine:
        await machine.until(lambda _row: up.exists(), "work")
        answer = await machine.send("stop")
        stood = answer["state"]
        await machine.reaches("c")

        first, second = await machine.runs()
        assert stood == "b"  # the step is committed at once
        assert second.ended_at is not None
        assert second.ended_at - second.started_at >= timedelta(seconds=0.15)
        assert (first.outcome, second.outcome) == ("stopped", "done")


async def test_an_idle_machine_wakes_for_the_kind_of_job_it_looked_for_only(run: Runner) -> None:
    text = """
initial_state: waiting
transitions:
  - {from: waiting, to: waiting, event: nothing_to_do}
  - {from: waiting, to: got, event: new_job}
actions:
  waiting: [{type: check_database_queue, job_type: parcel, machine_type: van, empty: nothing_to_do}]
"""
    async with run(text) as machine:
        await machine.until(lambda row: row.turn.get("idle", False), "idle rest")
        seq = (await machine.machine()).seq
        await sync_to_async(create_job)(job_type="letter", machine_type="van")
        await sync_to_async(create_job)(job_type="parcel", machine_type="boat")
        await machine.send({"control": "status"})
        slept = (await machine.machine()).seq
        await sync_to_async(create_job)(job_type="parcel", machine_type="van")

        await machine.reaches("got")
        assert slept == seq


async def test_what_came_while_an_idle_machine_was_down_is_found_when_it_goes_on(
    run: Runner,
) -> None:
    text = """
initial_state: waiting
transitions: [{from: waiting, to: waiting, event: no_jobs}, {from: waiting, to: b, event: new_job}]
actions: {waiting: [{type: check_database_queue}]}
"""
    async with run(text) as machine:
        await machine.until(lambda row: row.turn.get("idle", False), "idle rest")
    await sync_to_async(create_job)(job_type="any")

    async with run(text) as machine:
        await machine.reaches("b")


async def test_a_repetition_outlives_a_restart(run: Runner) -> None:
    text = "initial_state: a\nactions: {a: [{type: log, message: beat, every: 1h}]}\n"
    async with run(text):
        pass
    await ages(7_200)
    async with run(text) as machine:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(await machine.runs()) < 2:
                await machine.send({"control": "status"})
        [timer] = await machine.timers()

    assert await Run.objects.acount() == 2
    assert timer.due_at > timezone.now()


REPEATED = """
initial_state: waiting
transitions: [{from: waiting, to: waiting, event: no_jobs}]
actions: {waiting: [{type: check_database_queue, every: 150ms}]}
"""


async def test_a_repetition_of_an_idle_machine_outlives_a_ring_for_nothing(run: Runner) -> None:
    async with run(REPEATED) as machine:
        await machine.until(lambda row: row.turn.get("idle", False), "idle rest")
        machine.journal.put(Play(machine.name, rung=True))
        await machine.send({"control": "status"})
        seq = (await machine.machine()).seq

        await machine.until(lambda row: row.seq > seq, "a repetition")


async def test_a_repetition_of_an_idle_machine_outlives_a_restart(run: Runner) -> None:
    async with run(REPEATED) as machine:
        await machine.until(lambda row: row.turn.get("idle", False), "idle rest")
    async with run(REPEATED) as machine:
        await machine.send({"control": "status"})
        seq = (await machine.machine()).seq

        await machine.until(lambda row: row.seq > seq, "a repetition")


async def test_a_fault_names_the_cycle(run: Runner) -> None:
    text = """
initial_state: a
metadata: {max_instant_steps: 30}
transitions:
  - {from: a, to: b, event: go}
  - {from: b, to: c}
  - {from: c, to: b}
"""
    async with run(text) as machine:
        await machine.send("go")
        assert await machine.ends() == 1

    row = await Machine.objects.aget()
    assert row.status == "faulted"
    assert "b --automatic--> c; c --automatic--> b" in row.fault


async def test_a_job_loop_claims_and_completes_all_and_then_sleeps(run: Runner) -> None:
    text = """
initial_state: waiting
transitions:
  - {from: waiting, to: waiting, event: no_jobs}
  - {from: waiting, to: waiting, event: new_job, actions: [{type: complete_job}]}
actions: {waiting: [{type: check_database_queue}]}
"""
    jobs = [await sync_to_async(create_job)(job_type="any") for _ in range(3)]
    async with run(text) as machine:
        await machine.until(lambda row: row.turn.get("idle", False), "idle rest")

    for job in jobs:
        await sync_to_async(job.refresh_from_db)()
    assert [job.status for job in jobs] == ["completed"] * 3
