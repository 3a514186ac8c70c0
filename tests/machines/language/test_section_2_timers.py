"""Section 2 of the language: deadlines that outlive a restart, or pass while a machine is down."""

from datetime import timedelta

import pytest

from tests.machines.conftest import Runner
from tests.machines.language.absence import ages, comes

STATES = "initial_state: a\nstates: [a, b, c]\ntransitions:\n"


async def test_a_deadline_is_a_row_counted_from_the_entry(run: Runner) -> None:
    async with run(STATES + "  - {from: a, to: b, after: 1h}\n") as machine:
        [timer] = await machine.timers()
        entered_at = (await machine.machine()).entered_at

    assert entered_at is not None
    assert (timer.name, timer.due_at - entered_at) == ("timeout(3600)", timedelta(hours=1))


async def test_a_deadline_that_passed_while_the_machine_was_down_fires_once(run: Runner) -> None:
    text = STATES + "  - {from: a, event: timeout(1h), actions: [{type: log, message: late}]}\n"
    async with run(text):
        pass
    await ages(7_200)

    async with run(text) as machine:
        await machine.until(lambda row: row.seq > 3, "the deadline")
    async with run(text) as machine:
        lines = [line.message for line in await machine.runs()]
        steps = [event for event, _source, _target in await machine.steps()]

    assert lines == ["late"]
    assert steps.count("timeout(1h)") == 1


@pytest.mark.parametrize(("came", "state"), [(1_800, "b"), (7_000, "c")])
async def test_of_an_event_and_a_deadline_of_the_time_down_the_older_is_judged_first(
    run: Runner, came: float, state: str
) -> None:
    text = STATES + "  - {from: a, to: b, after: 1h}\n  - {from: a, to: c, event: pay}\n"
    async with run(text):
        pass
    await ages(7_200)  # so the deadline passed an hour ago
    await comes("pay", seconds_ago=came)

    async with run(text) as machine:
        await machine.pending(0)
        row = await machine.until(lambda row: row.state != "a", "a move")

    assert row.state == state


async def test_of_two_deadlines_of_the_time_down_the_shorter_fires_first(run: Runner) -> None:
    text = STATES + "  - {from: a, to: b, after: 2h}\n  - {from: a, to: c, after: 1h}\n"
    async with run(text):
        pass
    await ages(86_400)

    async with run(text) as machine:
        row = await machine.until(lambda row: row.state != "a", "a move")

    assert row.state == "c"


async def test_of_two_deadlines_of_the_same_moment_the_first_in_the_file_fires(
    run: Runner,
) -> None:
    text = STATES + "  - {from: a, to: c, after: 1h}\n  - {from: a, to: b, event: timeout(60m)}\n"
    async with run(text):
        pass
    await ages(86_400)

    async with run(text) as machine:
        row = await machine.until(lambda row: row.state != "a", "a move")

    assert row.state == "c"
    assert await machine.timers() == []


async def test_a_deadline_that_passed_while_down_interrupts_work_that_runs_again(
    run: Runner,
) -> None:
    text = STATES + (
        "  - {from: a, to: b, after: 1h}\nactions: {a: [{type: bash, command: sleep 60}]}\n"
    )
    async with run(text) as machine:
        await machine.until(lambda row: "work" in row.turn, "work")
        await machine.send({"control": "stop"})
    await ages(7_200)

    async with run(text) as machine:
        await machine.reaches("b")


async def test_a_deadline_that_was_spent_stays_spent_after_a_restart(run: Runner) -> None:
    text = STATES + "  - {from: a, to: b, after: 100ms, guard: ready}\ncontext: {ready: false}\n"
    async with run(text) as machine:
        await machine.until(lambda row: True, "a row")
        while await machine.timers():
            await machine.send({"control": "status"})

    async with run(text) as machine:
        assert await machine.timers() == []
        assert (await machine.machine()).state == "a"


@pytest.mark.parametrize("name", ["timeout(5)", "timeout(1h)", "timeout()"])
async def test_outside_events_named_timeout_are_refused_at_the_door(run: Runner, name: str) -> None:
    async with run(STATES + f"  - {{from: a, to: b, event: {name.replace('()', '(9)')}}}\n") as m:
        answer = await m.send(name)

        assert (answer["ok"], answer["code"]) == (False, "refused")
        assert await m.events() == []


async def test_a_send_event_of_a_timeout_is_refused_too(run: Runner) -> None:
    text = """
initial_state: a
transitions: [{from: a, to: b, event: error}]
actions: {a: [{type: send_event, target: machine, event: timeout(5)}]}
"""
    async with run(text) as machine:
        row = await machine.reaches("b")

    assert "is a timer's name" in row.context["last_error"]


async def test_timers_of_one_time_are_a_branch_of_which_the_first_that_holds_is_taken(
    run: Runner,
) -> None:
    text = STATES + (
        "  - {from: a, to: b, event: timeout(0.05), guard: big}\n"
        "  - {from: a, to: c, event: timeout(0.05)}\n"
    )
    async with run(text, context={"big": True}) as machine:
        row = await machine.until(lambda row: row.state != "a", "a move")

    assert row.state == "b"
