"""The journal when things go wrong: locked databases, other owners, rows that changed."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection
from django.db.models import F

from machines.models import Event, Machine
from machines.runtime import journal, lifecycle
from machines.runtime.group import Group
from machines.runtime.host import Host
from machines.runtime.live import Ended
from machines.runtime.requests import Control, Look
from machines.runtime.rows import Contested
from tests.machines.conftest import Driver, Runner
from tests.machines.test_host import DOOR, WORK

only_sqlite = pytest.mark.skipif(
    "connection.vendor != 'sqlite'", reason="PostgreSQL locks rows, not the whole database"
)


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Hold SQLite's write lock, as a long transaction of another program does."""
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@only_sqlite
async def test_a_locked_database_delays_the_answer_and_loses_nothing(run: Runner) -> None:
    async with run(DOOR) as door:
        with locked():
            asking = asyncio.create_task(door.send("push"))
            await asyncio.wait({asking}, timeout=0.3)
            assert not asking.done()

        answer = await asking

        assert (answer["status"], answer["state"]) == ("processed", "open")


@only_sqlite
async def test_senders_hear_busy_when_the_database_stays_locked(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "GIVE_UP_SECONDS", 0)
    monkeypatch.setattr(journal, "BUSY_TIMEOUT_MS", 50)
    async with run(DOOR) as door:
        with locked():
            answer = await door.send("push")

        assert answer["code"] == "busy"
        assert (await door.send("push"))["status"] == "processed"
        assert await door.events() == [("push", "processed")]


async def test_a_host_that_was_fenced_writes_nothing_more_and_ends(run: Runner) -> None:
    async with run(DOOR) as door:
        await Machine.objects.filter(name=door.name).aupdate(epoch=F("epoch") + 1)

        answer = await door.send("push")

        assert answer["ok"] is False
        assert await door.ends() == 0
        assert await door.steps() == [("start", None, "shut")]
        assert await door.events() == []


async def test_a_machine_that_was_taken_over_before_it_came_in_is_let_go(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = Host._begin

    async def taken_over(host: Host) -> None:
        await Machine.objects.filter(name="machine").aupdate(epoch=F("epoch") + 1)
        await begin(host)

    monkeypatch.setattr(Host, "_begin", taken_over)

    with contextlib.suppress(OSError):  # the host may have ended before anybody can call
        async with run(DOOR) as door:
            assert await door.ends() == 0

    assert (await Machine.objects.aget()).status == Machine.Status.NEW


async def test_who_waits_for_the_end_of_an_event_hears_when_its_machine_stops(
    run: Runner,
) -> None:
    async with run(WORK) as worker:
        await worker.send("work", payload={"what": "x", "seconds": 5})
        frame = {"type": "stop_later", "key": "k", "wait": 60}
        worker.writer.write(orjson.dumps(frame) + b"\n")
        await worker.pending(1)
        worker.writer.write(orjson.dumps({"control": "stop"}) + b"\n")

        answers = [await worker.answer(), await worker.answer()]

    assert {answer.get("status") for answer in answers} == {"accepted", "stopped"}


async def test_an_event_that_somebody_else_ended_is_not_judged(run: Runner) -> None:
    async with run(WORK) as worker:
        await worker.send("work", payload={"what": "x", "seconds": 0.4})
        await worker.send("stop_later")
        await Event.objects.filter(type="stop_later").aupdate(status="processed", reason="by hand")

        assert await worker.ends() == 0

        assert (await worker.machine()).status == Machine.Status.FINISHED
        assert ("stop_later", "processed") in await worker.events()


async def test_a_request_that_cannot_be_carried_out_harms_no_other(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with run(DOOR) as door:
        with monkeypatch.context() as patch:
            patch.setitem(journal._CARRY_OUT, Control, _burst)
            broken = await door.send({"control": "pause"})

        assert broken["code"] == "failed"
        assert (await door.send("push"))["status"] == "processed"


async def test_pending_events_in_the_table_are_found_by_the_sweep(run: Runner) -> None:
    async with run(DOOR) as door:
        await _insert(door, "push")

        await door.reaches("open")


async def test_a_wish_of_others_is_obeyed_at_the_next_look(run: Runner) -> None:
    async with run(DOOR) as door:
        await Machine.objects.filter(name=door.name).aupdate(wanted="stopped")
        door.journal.put(Look())

        assert await door.ends() == 0
        machine = await door.machine()
        assert (machine.status, machine.wanted) == ("stopped", "")


async def test_the_inbox_of_a_machine_has_an_end(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("machines.runtime.intake.MAX_PENDING_EVENTS", 3)
    async with run(DOOR) as door:
        await door.send({"control": "pause"})
        answers = [await door.send("push") for _ in range(4)]

        assert [answer.get("code", answer.get("status")) for answer in answers] == [
            "accepted",
            "accepted",
            "accepted",
            "full",
        ]


async def test_a_deadline_that_passed_is_not_overtaken_when_a_transaction_fails(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
initial_state: a
transitions:
  - {from: a, to: late, after: 50ms, interrupt: false}
  - {from: a, to: early, event: pay}
actions: {a: [{type: bash, command: "while [ ! -e go ]; do sleep 0.02; done", cwd: "{folder}"}]}
"""
    monkeypatch.setitem(journal._CARRY_OUT, Ended, _fails_once(lifecycle.ended))
    async with run(text, context={"folder": str(tmp_path)}) as machine:
        live = machine.journal._machines["machine"]
        await machine.until(lambda _row: live.waiting.has_due, "the deadline")
        await machine.send("pay")
        (tmp_path / "go").touch()

        row = await machine.until(lambda row: row.state != "a", "a move")

    assert row.state == "late"


async def test_an_event_longer_than_any_name_is_recorded_in_part_and_moves_nothing(
    run: Runner,
) -> None:
    text = """
initial_state: a
actions: {a: [{type: bash, command: "true", success: "{long}"}, {type: log, message: next}]}
"""
    async with run(text, context={"long": "x" * 300}) as machine:
        await machine.until(lambda row: row.turn == {"worked": True}, "rest")

        [work, line] = await machine.runs()
        assert (work.outcome, work.event, line.message) == ("done", "x" * 200, "next")


def _fails_once(
    carry_out: Callable[[Group, Ended], None],
) -> Callable[[Group, Ended], None]:
    failures = [OperationalError("the database is locked")]

    def carried_out(group: Group, request: Ended) -> None:
        carry_out(group, request)
        if failures:
            raise failures.pop()

    return carried_out


def _burst(_group: object, _request: object) -> None:
    raise RuntimeError("this request is at fault")


async def _insert(door: Driver, event: str) -> None:
    await sync_to_async(Event.objects.create)(key="by-hand", target=door.name, type=event)


async def test_a_result_that_was_held_back_outlives_a_resume_that_fails(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush, failures = Group.flush, [Contested()]

    def fails_once(group: Group) -> None:
        flush(group)
        if failures:
            raise failures.pop()

    async with run(WORK) as worker:
        await worker.send("work", payload={"what": "x", "seconds": 0.1})
        await worker.send({"control": "pause"})
        live = worker.journal._machines[worker.name]
        async with asyncio.timeout(20):
            while not live.held:  # noqa: ASYNC110 - nothing tells us
                await asyncio.sleep(0.01)
        monkeypatch.setattr(Group, "flush", fails_once)
        await worker.send({"control": "resume"})
        await worker.until(lambda row: "work" not in row.turn, "the end of the work")

    assert failures == []
