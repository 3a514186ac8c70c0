"""Machines that look for work, find none, and sleep until they are rung."""

import asyncio
import contextlib
import sqlite3

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from jobqueue.intake import create_job
from jobqueue.models import Job

from machines.models import Machine
from machines.runtime.group import Group
from machines.runtime.live import Live
from machines.runtime.requests import Play
from tests.machines.conftest import Runner
from tests.machines.test_host import DOOR

POLL = """
initial_state: waiting
states:
  waiting:
    actions:
      - {type: log, message: looking}
      - {type: check_database_queue, job_type: parcel}
  packing:
    actions:
      - {type: bash, command: "test {fragile|default:'no'} = no"}
events: [new_job, no_jobs, job_done, error]
transitions:
  - {from: waiting, to: waiting, event: no_jobs}
  - {from: waiting, to: packing, event: new_job}
  - from: packing
    to: waiting
    event: job_done
    actions: [{type: complete_job, result: {ok: true}}]
  - from: packing
    to: waiting
    event: error
    actions: [{type: fail_job, reason: "{last_error}"}]
"""


async def test_a_new_job_wakes_an_idle_machine_and_ends_completed(run: Runner) -> None:
    async with run(POLL) as packer:
        await packer.until(lambda machine: machine.turn.get("idle", False), "idle rest")
        seq = (await packer.machine()).seq

        job = await sync_to_async(create_job)(job_type="parcel", data={"to": "here"})

        await packer.until(lambda machine: machine.seq > seq and machine.turn.get("idle"), "rest")
        await sync_to_async(job.refresh_from_db)()
        assert (job.status, job.result, job.attempts) == ("completed", {"ok": True}, 1)
        assert job.claimed_by == "machine"


async def test_a_job_whose_work_fails_ends_failed(run: Runner) -> None:
    await sync_to_async(create_job)(job_type="parcel", data={"fragile": "yes"}, job_id="j")

    async with run(POLL) as packer:
        await packer.until(lambda machine: machine.turn.get("idle", False), "idle rest")

        job = await Job.objects.aget(job_id="j")
        assert (job.status, job.error_message) == ("failed", "exit code 1")


async def test_repeated_idle_rounds_write_nothing(run: Runner) -> None:
    async with run(POLL) as packer:
        machine = await packer.until(lambda machine: machine.turn.get("idle", False), "idle rest")
        runs = len(await packer.runs())

        for _ in range(3):  # rings for nothing: the job is another's before the machine looks
            packer.journal.put(Play("machine", rung=True))
            await packer.send({"control": "status"})

        # Answered after what came before it.
        assert (await packer.machine()).seq == machine.seq
        assert len(await packer.runs()) == runs


async def test_a_quiet_round_that_moves_the_machine_is_on_record(run: Runner) -> None:
    looks = """
initial_state: a
states:
  a:
    actions:
      - {type: check_machine_state, target_machine: other1, expected_states: [open]}
      - {type: check_database_queue, job_type: parcel}
  b: {actions: [{type: check_database_queue, job_type: parcel}]}
transitions:
  - {from: a, to: b, event: in_expected_state}
  - {from: a, to: a, event: no_jobs}
  - {from: b, to: b, event: no_jobs}
"""
    async with run(looks, DOOR) as machine:
        await machine.until(lambda row: row.turn.get("idle", False), "idle rest")
        before = (await machine.machine()).seq
        await machine.send({"type": "push", "target": "other1"})

        machine.journal.put(Play(machine.name, rung=True))

        row = await machine.reaches("b")
        assert row.seq > before
        assert ("in_expected_state", "a", "b") in await machine.steps()


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="asks SQLite who has written")
async def test_an_idle_machine_that_is_rung_for_nothing_writes_no_byte(run: Runner) -> None:
    async with run(POLL) as packer:
        await packer.until(lambda machine: machine.turn.get("idle", False), "idle rest")
        with contextlib.closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
            before = other.execute("PRAGMA data_version").fetchone()

            packer.journal.put(Play(packer.name, rung=True))
            await packer.send({"control": "status"})

            assert other.execute("PRAGMA data_version").fetchone() == before


async def test_many_idle_machines_that_are_rung_do_not_write_each_other(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 20
    saved: list[str] = []
    save = Group.save

    def counted(group: Group, live: Live) -> None:
        saved.append(live.name)
        save(group, live)

    async with run(POLL, *[POLL] * (count - 1)) as packer:
        idle = Machine.objects.filter(turn__idle=True)
        async with asyncio.timeout(20):
            while await idle.acount() < count:  # noqa: ASYNC110 - nothing tells us
                await asyncio.sleep(0.01)
        seq = (await packer.machine()).seq
        monkeypatch.setattr(Group, "save", counted)

        await sync_to_async(create_job)(job_type="parcel")
        async with asyncio.timeout(20):
            while await Job.objects.filter(status="completed").acount() < 1:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    assert seq > 0
    # Before and after its round, and the steps of the one that found the job.
    assert len(saved) <= 8 * count
