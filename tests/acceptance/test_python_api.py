"""The example of the Python API as a program of its own, and what the shell sees of it."""

import os
import signal
from pathlib import Path

import pytest

from tests.acceptance.system import EXAMPLES, PROJECT, PYTHON, Running, System

pytestmark = pytest.mark.acceptance

PROGRAM = """
import asyncio
from machines.engine import StateMachineEngine

async def main():
    engine = StateMachineEngine(machine_name='kitchen')
    await engine.load_config({file!r})
    await engine.execute_state_machine()

asyncio.run(main())
"""


def started(system: System) -> Running:
    """A program that executes the kitchen, when it answers."""
    system.env["PYTHONPATH"] = str(PROJECT)
    text = PROGRAM.format(file=str(EXAMPLES / "python_api/kitchen.yaml"))
    return system.up(system.start_program([str(PYTHON), "-c", text], "program"), "kitchen")


def test_the_example_cooks_and_serves(system: System) -> None:
    system.env["PYTHONPATH"] = str(PROJECT)
    argv = [str(PYTHON), "-m", "examples.python_api.restaurant", "soup", "salad"]

    program = system.start_program(argv, "restaurant")

    assert program.end(within=60) == 0, program.said
    readme = (EXAMPLES / "python_api/README.md").read_text()
    for line in readme.split("```text\n")[1].split("```")[0].splitlines():
        assert line in program.said
    [kitchen, waiter] = sorted(system.ask("machinestate"), key=lambda row: str(row["name"]))
    assert (kitchen["status"], kitchen["state"]) == ("stopped", "waiting")
    assert (waiter["status"], waiter["context"]["served"]) == ("finished", ["soup", "salad"])
    assert_nothing_is_left(system.run_dir)


def test_the_shell_reaches_a_machine_of_a_program_which_ctrl_c_stops(system: System) -> None:
    program = started(system)

    order = ("--target", "kitchen", "--type", "order", "--payload", '{"dish": "cake"}')
    reply = system.ask("sendevent", *order, "--wait")
    second = system.command("runmachine", "kitchen")
    os.kill(program.pid, signal.SIGINT)

    assert (reply["status"], reply["state"]) == ("processed", "cooking")
    assert second.code == 75
    assert str(program.pid) in second.err
    program.end()
    assert "kitchen: stopped" in program.said
    assert_nothing_is_left(system.run_dir)


def test_a_program_that_is_killed_loses_nothing(system: System) -> None:
    program = started(system)
    order = ("--target", "kitchen", "--type", "order", "--payload")
    accepted = [system.ask("sendevent", *order, f'{{"dish": "{n}"}}') for n in range(3)]
    program.kill()

    started(system)

    assert {reply["status"] for reply in accepted} <= {"accepted", "processed"}
    system.wait_until(
        lambda: system.value("SELECT count(*) FROM machines_event WHERE target = 'waiter'") == 3
    )


def assert_nothing_is_left(run_dir: Path) -> None:
    assert [path.name for path in run_dir.iterdir() if not path.name.startswith("web-")] == []
