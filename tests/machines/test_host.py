"""Machines that really run: events, work, deadlines, jobs, the end."""

import asyncio
from typing import Any

import orjson
import pytest

from machines.models import Machine, Run
from tests.machines.conftest import Runner

DOOR = """
initial_state: shut
transitions:
  - {from: shut, to: open, event: push}
  - {from: open, to: shut, event: pull}
"""


async def test_an_event_that_can_be_judged_at_once_is_answered_with_its_step(run: Runner) -> None:
    async with run(DOOR) as door:
        answer = await door.send("push", payload={"by": "me"}, source="test")

        assert answer["status"] == "processed"
        assert answer["state"] == "open"
        assert await door.steps() == [("start", None, "shut"), ("push", "shut", "open")]


async def test_an_event_without_transition_is_ignored_and_says_why(run: Runner) -> None:
    async with run(DOOR) as door:
        answer = await door.send("pull")

        assert answer["status"] == "ignored"
        assert answer["reason"] == "no transition for 'pull' in state 'shut'"


async def test_the_same_key_is_the_same_event_with_the_same_answer(run: Runner) -> None:
    async with run(DOOR) as door:
        first = await door.send("push", key="k")

        again = await door.send("push", key="k")

        assert (again["event"], again["status"]) == (first["event"], "processed")
        assert len(await door.events()) == 1


async def test_a_machine_goes_on_where_it_was_when_it_runs_again(run: Runner) -> None:
    async with run(DOOR) as door:
        await door.send("push")

    async with run(DOOR) as door:
        answer = await door.send("pull")

        assert answer["state"] == "shut"
        assert (await door.machine()).status == Machine.Status.RUNNING


async def test_a_machine_that_is_to_begin_anew_keeps_its_numbers(run: Runner) -> None:
    async with run(DOOR) as door:
        await door.send("push")

    async with run(DOOR, restart=True, context={"tries": 2}) as door:
        machine = await door.machine()

        assert (machine.state, machine.context) == ("shut", {"tries": 2})
        assert machine.seq > 2


WORK = """
initial_state: idle
states:
  idle:
  busy:
    actions:
      - {type: bash, command: "echo got {what}; sleep {seconds|default:'0'}", store_as: said}
  done: {final: true}
events:
  work: {context_map: {what: payload.what, seconds: payload.seconds}}
transitions:
  - {from: idle, to: busy, event: work}
  - {from: busy, to: done, event: job_done}
  - {from: "*", to: idle, event: stop}
"""


async def test_work_is_on_record_and_its_end_moves_the_machine(run: Runner) -> None:
    async with run(WORK) as worker:
        await worker.send("work", payload={"what": "it's $(hostname)"})

        assert await worker.ends() == 0
        machine = await worker.machine()
        assert machine.status == Machine.Status.FINISHED
        assert machine.context["said"] == "got it's $(hostname)"
        [done] = await worker.runs()
        assert (done.outcome, done.exit_code) == ("done", 0)
        assert done.output == "got it's $(hostname)\n"


async def test_an_interrupt_stops_the_work_of_the_state(run: Runner) -> None:
    async with run(WORK) as worker:
        await worker.send("work", payload={"what": "x", "seconds": 60})
        await worker.reaches("busy")

        answer = await worker.send("stop")

        assert answer["state"] == "idle"
        give_up_at = asyncio.get_running_loop().time() + 10
        while (await worker.runs())[0].outcome == "running":
            assert asyncio.get_running_loop().time() < give_up_at
            await asyncio.sleep(0.01)
        assert (await worker.runs())[0].outcome == "stopped"


async def test_events_wait_while_work_runs(run: Runner) -> None:
    async with run(WORK) as worker:
        await worker.send("work", payload={"what": "x", "seconds": 0.3})

        answer = await worker.send("unheard_of")

        assert answer["status"] == "accepted"
        assert await worker.ends() == 0
        assert ("unheard_of", "ignored") in await worker.events()


async def test_who_waits_for_the_end_of_an_event_hears_of_it(run: Runner) -> None:
    async with run(WORK) as worker:
        await worker.send("work", payload={"what": "x", "seconds": 0.3})

        answer = await worker.send("unheard_of", wait=15, key="patient")

        assert (answer["status"], answer["key"]) == ("ignored", "patient")


async def test_a_wait_that_is_over_says_how_far_the_event_came(run: Runner) -> None:
    async with run(WORK) as worker:
        await worker.send("work", payload={"what": "x", "seconds": 3})

        answer = await worker.send("unheard_of", wait=0.05)

        assert (answer["status"], answer["timed_out"]) == ("accepted", True)


TIMER = """
initial_state: waiting
transitions:
  - {from: waiting, to: late, after: 200ms}
  - {from: late, to: later, event: timeout(0.1)}
"""


async def test_deadlines_fire_and_stand_on_record_as_written(run: Runner) -> None:
    async with run(TIMER) as machine:
        await machine.reaches("later")

        assert [event for event, _s, _t in await machine.steps()] == [
            "start",
            "timeout(0.2)",
            "timeout(0.1)",
        ]
        assert await machine.timers() == []


async def test_a_deadline_outlives_its_host(run: Runner) -> None:
    slow = "initial_state: a\ntransitions:\n  - {from: a, to: b, after: 700ms}\n"
    async with run(slow) as machine:
        [timer] = await machine.timers()
    due_at = timer.due_at

    async with run(slow) as machine:
        await machine.reaches("b")

        [step] = [s for s in await machine.steps() if s[2] == "b" and s[1] == "a"]
        assert step[0] == "timeout(0.7)"
        entered_at = (await machine.machine()).entered_at
        assert entered_at is not None
        assert entered_at >= due_at


async def test_work_that_was_cut_off_is_lost_when_its_machine_begins_anew(run: Runner) -> None:
    async with run(WORK) as worker:
        await worker.send("work", payload={"what": "x"})
        await worker.ends()
    # As a host leaves it that was killed in the middle of work.
    machine = await Machine.objects.aget(name="machine")
    machine.status, machine.states = Machine.Status.RUNNING, ["busy"]
    machine.turn = {"work": [[-1, 0], "cut-off", 1]}
    await machine.asave()
    await Run.objects.filter(machine=machine).aupdate(
        token="cut-off",  # noqa: S106 - of a run
        outcome=Run.Outcome.RUNNING,
        ended_at=None,
    )

    async with run(WORK, restart=True) as worker:
        await worker.reaches("idle")

        assert [found.outcome for found in await worker.runs()] == ["lost"]


async def test_a_final_state_ends_the_machine_and_its_host(run: Runner) -> None:
    async with run(
        "initial_state: a\ntransitions:\n  - {from: a, to: completed, event: go}\n"
    ) as m:
        answer = await m.send("go")

        assert answer["state"] == "completed"
        assert await m.ends() == 0
        assert (await m.machine()).status == Machine.Status.FINISHED


async def test_a_cycle_without_anything_from_outside_faults_the_machine(run: Runner) -> None:
    spin = """
initial_state: a
metadata: {max_instant_steps: 50}
transitions:
  - {from: a, to: b, event: go}
  - {from: b, to: c}
  - {from: c, to: b}
"""
    async with run(spin) as machine:
        await machine.send("go")

        assert await machine.ends() == 1
        row = await machine.machine()
        assert row.status == Machine.Status.FAULTED
        assert "c --automatic--> b" in row.fault


PAIR_A = """
initial_state: idle
states:
  idle: {actions: []}
  counting:
    actions:
      - type: send_event
        target_machine: other1
        event_type: ball
        payload: "{event_data.payload}"
transitions:
  - {from: idle, to: counting, event: serve}
  - {from: counting, to: counting, event: ball, reenter: true}
"""
PAIR_B = """
initial_state: ready
events:
  ball: {context_map: {last: payload.n}}
transitions:
  - from: ready
    to: ready
    event: ball
    actions: [{type: send_event, target: machine, event_type: done, payload: {n: "{last}"}}]
"""


async def test_machines_of_one_host_talk_through_their_inboxes(run: Runner) -> None:
    async with run(PAIR_A, PAIR_B) as machine:
        await machine.send("serve", payload={"n": 7})

        await machine.until(lambda m: m.last_event_id is not None, "an answer")
        await machine.pending(0)
        assert await machine.events() == [("serve", "processed"), ("done", "ignored")]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"nonsense", "not JSON"),
        (b"[1]", "a list is no frame"),
        (b"{}", 'a frame needs "type"'),
        (b'{"type": "x", "tpye": 1}', "unknown keys 'tpye'"),
        (b'{"type": 7}', "type: 7 is not a text"),
        (b'{"type": "timeout(5)"}', "is a timer's name"),
        (b'{"type": "x", "wait": "long"}', "wait: 'long' is no number of seconds"),
        (b'{"control": "explode"}', "control: 'explode'; it may be"),
        (b'{"type": "x", "payload": "' + b"y" * 300_000 + b'"}', "payload: "),
    ],
)
async def test_a_bad_frame_gets_an_error_line_and_nothing_else_happens(
    run: Runner, line: bytes, error: str
) -> None:
    async with run(DOOR) as door:
        door.writer.write(line + b"\n")

        answer = await door.answer()

        assert answer["ok"] is False
        assert error in answer["error"]
        assert await door.events() == []
        assert (await door.send("push"))["status"] == "processed"


async def test_pause_holds_events_back_and_resume_lets_them_go(run: Runner) -> None:
    async with run(DOOR) as door:
        paused = await door.send({"control": "pause"})
        held = await door.send("push")

        resumed = await door.send({"control": "resume"})

        assert (paused["status"], held["status"], resumed["status"]) == (
            "paused",
            "accepted",
            "running",
        )
        await door.reaches("open")


async def test_answers_come_in_the_order_of_the_frames(run: Runner) -> None:
    async with run(DOOR) as door:
        frames: list[dict[str, Any]] = [
            {"type": "push", "key": "1"},
            {"control": "ping"},
            {"type": "pull", "key": "2"},
            {"nonsense": 1},
            {"type": "push", "key": "3"},
        ]
        door.writer.write(b"".join(orjson.dumps(frame) + b"\n" for frame in frames))

        answers = [await door.answer() for _ in frames]

        assert [answer.get("state", answer["ok"]) for answer in answers] == [
            "open",
            True,
            "shut",
            False,
            "open",
        ]
