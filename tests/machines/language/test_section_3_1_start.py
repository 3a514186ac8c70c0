"""Section 3.1 of the language: how a machine begins, goes on, or is refused."""

from asgiref.sync import sync_to_async

from machines.models import Event, Machine
from tests.machines.conftest import Runner
from tests.machines.language.absence import ages, comes
from tests.machines.language.conftest import Refusal

NOTES = """
initial_state: a
context: {n: 0}
states:
  a:
  b: {actions: [{type: log, message: entered}]}
  done: {final: true}
transitions:
  - {from: a, to: b, event: go}
  - {from: b, to: b, event: poke}
  - {from: b, to: done, event: end}
  - {from: b, after: 1h}
"""


async def lines(name: str = "machine") -> list[str]:
    machine = await Machine.objects.aget(name=name)
    return [line.message async for line in machine.runs.order_by("id")]


async def test_the_entry_is_a_step_with_source_null_and_then_start_is_judged(run: Runner) -> None:
    text = "initial_state: a\ntransitions: [{from: a, to: b, event: start}]\n"
    async with run(text + "actions: {a: [{type: log, message: never}]}\n") as machine:
        assert await machine.steps() == [("start", None, "a"), ("start", "a", "b")]
        assert await machine.runs() == []
        assert await machine.events() == []  # internal: no row


async def test_a_finished_machine_begins_anew_with_a_new_context_and_its_numbers_go_on(
    run: Runner,
) -> None:
    async with run(NOTES, context={"n": 5}) as machine:
        await machine.send("go")
        await machine.send("end")
        assert await machine.ends() == 0
    seq = (await machine.machine()).seq

    async with run(NOTES) as machine:
        row = await machine.machine()

    assert (row.state, row.context) == ("a", {"n": 0})
    assert row.seq > seq


async def test_a_stopped_machine_goes_on_with_its_context_timers_and_pending_events(
    run: Runner,
) -> None:
    async with run(NOTES, context={"n": 5}) as machine:
        await machine.send("go")
        [timer] = await machine.timers()
    await comes("poke")

    async with run(NOTES, context={"n": 9}) as machine:  # that counts only when it begins
        await machine.pending(0)
        [same] = await machine.timers()
        row = await machine.machine()

    assert (row.state, row.context) == ("b", {"n": 5})
    assert same.due_at == timer.due_at
    assert (await machine.events())[-1] == ("poke", "processed")


async def test_actions_that_had_finished_do_not_run_again_when_it_goes_on(run: Runner) -> None:
    async with run(NOTES) as machine:
        await machine.send("go")
    async with run(NOTES) as machine:
        await machine.send({"control": "status"})

    assert await lines() == ["entered"]


SPIN = """
initial_state: a
metadata: {max_instant_steps: 5}
transitions: [{from: a, to: b, event: go}, {from: b, to: b}]
"""


async def test_a_faulted_machine_is_refused_naming_restart_and_begins_anew_with_it(
    run: Runner, refusal: Refusal
) -> None:
    async with run(SPIN) as machine:
        await machine.send("go")
        assert await machine.ends() == 1

    assert "--restart" in await refusal(SPIN)
    async with run(SPIN, restart=True) as machine:
        assert (await machine.machine()).state == "a"


async def test_restart_keeps_seq_and_pending_events_and_drops_timers_and_context(
    run: Runner,
) -> None:
    async with run(NOTES, context={"n": 5}) as machine:
        await machine.send("go")
        before = await machine.machine()
    await comes("go")

    async with run(NOTES, restart=True, context={"m": 1}) as machine:
        row = await machine.reaches("b")
        [timer] = await machine.timers()

    assert row.context == {"n": 0, "m": 1}
    assert row.seq > before.seq
    assert timer.due_at > before.entered_at  # type: ignore[operator]
    assert await machine.events() == [("go", "processed")] * 2


async def test_pending_events_can_be_discarded_and_are_then_expired(run: Runner) -> None:
    async with run(NOTES):
        pass
    await comes("go")

    async with run(NOTES, discard_pending=True) as machine:
        row = await machine.machine()
        event = await Event.objects.aget()

    assert row.state == "a"
    assert (event.status, event.reason) == ("expired", "discarded on request")


async def test_a_context_of_file_and_command_line_over_the_limit_is_refused(
    refusal: Refusal,
) -> None:
    text = f"initial_state: a\ncontext: {{large: {'x' * 200_000}}}\n"

    said = await refusal(text, context={"more": "y" * 200_000})

    assert "at most 262144" in said


# -- a file that changed meanwhile


async def test_a_changed_file_moves_the_machine_to_its_new_version_and_that_is_a_step(
    run: Runner,
) -> None:
    async with run(NOTES) as machine:
        await machine.send("go")
        before = await machine.machine()

    async with run(NOTES + "# changed\n") as machine:
        row = await machine.machine()
        last = await sync_to_async(lambda: row.steps.order_by("-seq").first())()

    assert row.definition_id != before.definition_id
    assert last is not None
    assert (last.source, last.target) == ("b", "b")


async def test_a_round_that_had_ended_does_not_begin_anew_in_the_new_version(run: Runner) -> None:
    async with run(NOTES) as machine:
        await machine.send("go")
    async with run(NOTES + "# changed\n") as machine:
        await machine.send({"control": "status"})

    assert await lines() == ["entered"]


async def test_a_round_under_way_begins_anew_in_the_new_version(run: Runner) -> None:
    text = """
initial_state: a
states: {a: {actions: [{type: log, message: %s}, {type: sleep, duration: 60}]}}
"""
    async with run(text % "first") as machine:
        await machine.until(lambda row: "waits" in row.turn, "the wait")
    async with run(text % "second") as machine:
        await machine.until(lambda row: "waits" in row.turn, "the wait")
        [timer] = await machine.timers()
        row = await machine.machine()

    assert await lines() == ["first", "second"]
    assert row.entered_at is not None
    assert timer.due_at > row.entered_at


async def test_timers_are_recomputed_from_the_time_of_entry(run: Runner) -> None:
    text = "initial_state: a\ntransitions: [{from: a, to: b, after: %s}]\n"
    async with run(text % "4h"):
        pass
    await ages(3_600)

    async with run(text % "30m") as machine:
        row = await machine.reaches("b")

    assert row.state == "b"


async def test_pending_events_are_judged_by_the_new_version(run: Runner) -> None:
    async with run("initial_state: a\n"):
        pass
    await comes("go")

    async with run("initial_state: a\ntransitions: [{from: a, to: b, event: go}]\n") as machine:
        await machine.reaches("b")


async def test_a_version_without_the_state_is_refused_naming_restart(
    run: Runner, refusal: Refusal
) -> None:
    async with run(NOTES) as machine:
        await machine.send("go")
    changed = "initial_state: a\nstates: [a]\n"

    said = await refusal(changed)

    assert "'b'" in said
    assert "--restart" in said
    async with run(changed, restart=True) as machine:
        assert (await machine.machine()).state == "a"
