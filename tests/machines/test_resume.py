"""How a machine goes on: what passed while it was down, and what a new version makes of it."""

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from machines.models import Machine, MachineDefinition
from tests.machines.conftest import Driver, Runner
from tests.machines.language.absence import ages, comes, is_cut_off

CHANGED = "# changed\n"


def rests(row: Machine) -> bool:
    """True if nothing is left of its round."""
    return row.status == "running" and not {"todo", "work", "waits"}.intersection(row.turn)


async def messages(machine: Driver) -> list[str]:
    """What it logged."""
    return [found.message for found in await machine.runs() if found.type == "log"]


# -- deadlines that passed


SLEEPS = """
initial_state: a
transitions:
  - {from: a, to: woken, event: wake_up}
  - {from: a, to: paid, event: pay}
actions: {a: [{type: sleep, duration: 1h}]}
"""


@pytest.mark.parametrize(("came", "state"), [(1_800, "woken"), (7_000, "paid")])
async def test_of_an_event_and_a_wait_of_the_time_down_the_older_comes_first(
    run: Runner, came: float, state: str
) -> None:
    async with run(SLEEPS) as machine:
        await machine.until(lambda row: "waits" in row.turn, "the wait")
    await ages(7_200)
    await comes("pay", seconds_ago=came)

    async with run(SLEEPS) as machine:
        row = await machine.until(lambda row: row.state != "a", "a move")

    assert row.state == state


@pytest.mark.parametrize("interrupt", ["true", "false"])
async def test_deadlines_that_passed_are_judged_in_their_order_and_once(
    run: Runner, interrupt: str
) -> None:
    text = f"""
initial_state: a
transitions:
  - {{from: a, after: 3h}}
  - {{from: a, after: 1h}}
  - {{from: a, event: pay}}
  - {{from: a, after: 2h}}
  - {{from: a, to: b, after: 4h, interrupt: {interrupt}}}
"""
    async with run(text):
        pass
    await ages(86_400)
    await comes("pay", seconds_ago=86_400 - 9_000)

    async with run(text) as machine:
        await machine.reaches("b")
        steps = [event for event, _source, _target in await machine.steps() if event]

    assert steps[1:] == [
        "timeout(3600)", "timeout(7200)", "pay", "timeout(10800)", "timeout(14400)",
    ]  # fmt: skip


# -- another version


REPEATS = """
initial_state: a
actions: {a: [{type: log, message: %s, every: %s}]}
"""


@pytest.mark.parametrize(("before", "after", "seconds"), [("1h", "2h", 3_600), ("2h", "1h", 3_600)])
async def test_a_repetition_goes_on_in_the_new_version(
    run: Runner, before: str, after: str, seconds: float
) -> None:
    async with run(REPEATS % ("old", before)) as machine:
        await machine.until(rests, "rest")

    async with run(REPEATS % ("new", after)) as machine:
        [timer] = await machine.timers()
        assert await messages(machine) == ["old"]

    left = timer.due_at - timezone.now()
    assert timedelta(seconds=seconds - 60) < left < timedelta(seconds=seconds)


async def test_a_repetition_that_is_new_is_set(run: Runner) -> None:
    async with run("initial_state: a\n"):
        pass

    async with run(REPEATS % ("new", "10ms")) as machine:
        await machine.until(lambda row: True, "a row")
        while await messages(machine) == []:
            await machine.send({"control": "status"})


WORKS = """
initial_state: a
actions:
  a:
    - {type: log, message: before}
    - {type: bash, command: "true", every: 1h, on_crash: fail%s}
    - {type: log, message: after}
"""


async def cut_off(run: Runner, text: str) -> None:
    """Let it be as a host leaves it that is killed during the work."""
    async with run(text) as machine:
        await machine.until(rests, "rest")
        runs = await machine.runs()
        row = await machine.machine()
    for line in runs:
        if line.message == "after":
            await line.adelete()
    row.turn = {"todo": [[-1, 2, 3]]}
    await row.asave(update_fields=["turn"])
    await is_cut_off()


async def test_work_that_fails_unhandled_is_passed_over_in_the_new_version(run: Runner) -> None:
    await cut_off(run, WORKS % "")

    async with run(WORKS % "" + CHANGED) as machine:
        row = await machine.until(rests, "rest")
        runs = [(found.type, found.outcome, found.message) for found in await machine.runs()]
        [timer] = await machine.timers()

    assert row.context["last_error"] == "its host ended while it ran"
    assert runs == [
        ("log", "done", "before"),
        ("bash", "lost", "its host ended"),
        ("log", "done", "after"),
    ]
    assert timer.action == [-1, 1]


async def test_a_retry_that_is_left_is_the_new_round(run: Runner) -> None:
    text = WORKS % ", retry: {attempts: 2, delay: 1h}"
    await cut_off(run, text)

    async with run(text + CHANGED) as machine:
        row = await machine.until(rests, "rest")
        runs = [(found.type, found.outcome) for found in await machine.runs()]

    assert "last_error" not in row.context
    assert runs == [
        ("log", "done"), ("bash", "lost"), ("log", "done"), ("bash", "done"), ("log", "done"),
    ]  # fmt: skip


async def test_work_of_a_version_that_can_no_longer_be_read_runs_again(run: Runner) -> None:
    await cut_off(run, WORKS % "")
    unreadable = MachineDefinition.objects.filter(version=1)
    await sync_to_async(unreadable.update)(source="states: 5\n")

    async with run(WORKS % "" + CHANGED) as machine:
        row = await machine.until(rests, "rest")

        assert "last_error" not in row.context
        assert await messages(machine) == ["before", "before", "after"]


async def test_work_of_a_transition_that_fails_is_followed_by_the_new_round(run: Runner) -> None:
    text = """
initial_state: a
transitions:
  - {from: a, to: b, event: go, actions: [{type: bash, command: "true", on_crash: fail}]}
actions: {b: [{type: log, message: in b}]}
"""
    async with run(text) as machine:
        await machine.send("go")
        await machine.until(lambda row: row.state == "b" and rests(row), "rest")
        [work, line] = await machine.runs()
        row = await machine.machine()
    await line.adelete()
    await is_cut_off()
    row.turn = {"work": [[0, 0], "cut-off", 1], "todo": [[-1, 0, 1]]}
    await row.asave(update_fields=["turn"])

    async with run(text + CHANGED) as machine:
        row = await machine.until(rests, "rest")
        await work.arefresh_from_db()

        assert row.context["last_error_action"] == "bash"
        assert work.outcome == "lost"
        assert await messages(machine) == ["in b"]


# -- a new version, taken in


CLERK = """
initial_state: idle
states:
  idle:
  late:
  busy:
    actions: [{{type: set_context, key: said, value: {said}}}, {{type: sleep, duration: 1h}}]
transitions:
  - {{from: idle, to: busy, event: go}}
  - {{from: busy, to: late, after: {after}}}
"""


async def test_a_round_under_way_begins_anew_in_another_version_with_new_timers(
    run: Runner,
) -> None:
    async with run(CLERK.format(said="first", after="1h")) as clerk:
        await clerk.send("go")
        await clerk.until(lambda machine: machine.context.get("said") == "first", "first round")
        old = await clerk.machine()

    async with run(CLERK.format(said="second", after="2h")) as clerk:
        new = await clerk.until(lambda m: m.context.get("said") == "second", "a new round")
        [timer] = [found for found in await clerk.timers() if found.transition is not None]

    assert old.entered_at is not None
    assert (new.state, new.entered_at) == ("busy", old.entered_at)
    assert new.definition_id != old.definition_id
    assert timer.due_at == old.entered_at + timedelta(hours=2)
