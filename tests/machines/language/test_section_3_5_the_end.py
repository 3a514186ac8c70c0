"""Section 3.5 of the language: the end of machines and of their process."""

import pytest

from machines.models import Machine
from tests.machines.conftest import Runner


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("initial_state: completed\n", 0),
        ("initial_state: a\nactions: {a: [{type: stop_machine}]}\n", 0),
        (
            "initial_state: a\nmetadata: {max_instant_steps: 5}\n"
            "transitions: [{from: a, to: b}, {from: b, to: a}]\n",
            1,
        ),
    ],
)
async def test_the_process_ends_with_its_last_machine_and_says_if_one_is_faulted(
    run: Runner, text: str, code: int
) -> None:
    other = "initial_state: completed\nactions: {completed: [{type: bash, command: sleep 0.2}]}\n"
    async with run(other, text) as machine:
        assert await machine.ends() == code

    assert {row.status async for row in Machine.objects.all()} <= {"finished", "faulted"}


async def test_stop_machine_finishes_in_any_state_and_skips_the_rest_of_the_round(
    run: Runner,
) -> None:
    text = """
initial_state: a
transitions: [{from: a, event: go, actions: [{type: stop_machine}, {type: log, message: never}]}]
actions: {a: [{type: sleep, duration: 60}, {type: log, message: never}]}
"""
    async with run(text) as machine:
        await machine.send("go")
        assert await machine.ends() == 0

        row = await machine.machine()
        assert (row.state, row.status) == ("a", "finished")
        assert await machine.runs() == []
        assert await machine.timers() == []
