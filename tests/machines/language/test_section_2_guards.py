"""Section 2 of the language: guards on record."""

import pytest

from machines.models import Step
from tests.machines.conftest import Driver, Runner


async def recorded(machine: Driver) -> str:
    """All that is on record of a machine, as one text."""
    steps = Step.objects.filter(machine__name=machine.name)
    guards = [str(guard) async for guard in steps.values_list("guard", flat=True)]
    lines = [f"{run.type} {run.message} {run.output}" for run in await machine.runs()]
    return "\n".join(guards + lines)


async def test_a_step_tells_the_guards_that_were_tried_and_why_one_raised(run: Runner) -> None:
    text = """
initial_state: a
transitions:
  - {from: a, to: b, event: go, guard: missing > 1}
  - {from: a, to: c, event: go, guard: payload.n > 1}
"""
    async with run(text) as machine:
        await machine.send("go", payload={"n": 2})

        step = await Step.objects.aget(event="go")
        [raised, held] = step.guard or []
        assert held == [1, True]
        assert raised[0] == 0
        assert "nothing is named 'missing'" in raised[1]


async def test_a_guard_that_raises_for_an_event_from_outside_is_its_reason(run: Runner) -> None:
    text = "initial_state: a\ntransitions: [{from: a, to: b, event: go, guard: missing > 1}]\n"
    async with run(text) as machine:
        answer = await machine.send("go")

    assert answer["status"] == "ignored"
    assert "nothing is named 'missing'" in answer["reason"]


async def test_a_guard_that_raises_for_the_result_of_an_action_is_recorded(run: Runner) -> None:
    text = """
initial_state: a
transitions: [{from: a, to: b, event: done, guard: missing > 1}]
actions: {a: [{type: log, message: hello, success: done}]}
"""
    async with run(text) as machine:
        await machine.send({"control": "status"})

        assert "nothing is named 'missing'" in await recorded(machine)


async def test_a_guard_that_raises_at_a_deadline_is_recorded(run: Runner) -> None:
    text = "initial_state: a\ntransitions: [{from: a, to: b, after: 50ms, guard: missing > 1}]\n"
    async with run(text) as machine:
        while await machine.timers():
            await machine.send({"control": "status"})

        assert "nothing is named 'missing'" in await recorded(machine)


@pytest.mark.parametrize(
    "guard", ["n * n", "[n * n]", "deep", "[[[[[[deep]]]]]]", "n * 1e300 * 1e300"]
)
async def test_whatever_value_a_guard_has_its_step_is_taken(run: Runner, guard: str) -> None:
    text = f"initial_state: a\ntransitions: [{{from: a, to: b, event: go, guard: '{guard}'}}]\n"
    deep: list[object] = []
    for _ in range(248):
        deep = [deep]
    async with run(text, context={"n": 2**60, "deep": deep}) as machine:
        answer = await machine.send("go")

    assert (answer.get("status"), answer.get("state")) == ("processed", "b")


async def test_a_guard_keeps_no_large_value_on_record(run: Runner) -> None:
    text = "initial_state: a\ntransitions: [{from: a, to: b, event: go, guard: payload.t}]\n"
    async with run(text) as machine:
        await machine.send("go", payload={"t": "x" * 100_000})

        step = await Step.objects.aget(event="go")
    assert len(str(step.guard)) < 3_000  # as the reason of an event that is ignored
