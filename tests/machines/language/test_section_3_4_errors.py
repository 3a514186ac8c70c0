"""Section 3.4 of the language: errors on record."""

import orjson

from machines.core.engine import MAX_CONTEXT_BYTES
from tests.machines.conftest import Runner


async def test_an_unhandled_error_is_recorded_and_the_next_action_runs(run: Runner) -> None:
    text = """
initial_state: a
actions:
  a:
    - {type: never_heard_of}
    - {type: set_context}
    - {type: complete_job}
    - {type: bash, command: exit 3}
    - {type: set_context, key: reached, value: true}
"""
    async with run(text) as machine:
        row = await machine.until(lambda row: row.context.get("reached") is True, "the last action")

        failures = [(found.type, found.outcome) for found in await machine.runs()]
    assert failures == [
        (name, "failed") for name in ("never_heard_of", "set_context", "complete_job", "bash")
    ]
    assert row.context["last_error_action"] == "bash"
    assert row.context["last_error_exit_code"] == 3
    assert row.context["last_error_command"] == "exit 3"
    assert row.status == "running"


async def test_a_change_over_the_limit_that_nothing_handles_is_recorded(run: Runner) -> None:
    text = """
initial_state: a
actions:
  a:
    - {type: set_context, key: large, value: "{small}{small}{small}"}
    - {type: set_context, key: reached, value: true}
"""
    async with run(text, context={"small": "x" * 100_000}) as machine:
        row = await machine.until(lambda row: "reached" in row.context, "the last action")

        failures = [(found.type, found.outcome) for found in await machine.runs()]
    assert "large" not in row.context
    assert failures == [("set_context", "failed")]


async def test_work_whose_change_is_over_the_limit_is_recorded_as_failed(run: Runner) -> None:
    text = """
initial_state: a
transitions: [{from: a, to: b, event: error}, {from: a, to: c, event: job_done}]
actions: {a: [{type: bash, command: echo hello, store_as: said}]}
"""
    size = MAX_CONTEXT_BYTES - len(orjson.dumps({"large": ""})) - 4
    async with run(text, context={"large": "x" * size}) as machine:
        await machine.reaches("b")

        [found] = await machine.runs()
    assert found.outcome == "failed"
    assert "at most 262144" in found.message


async def test_a_command_refused_at_run_time_leaves_no_exit_code_of_an_older_failure(
    run: Runner,
) -> None:
    text = """
initial_state: a
actions:
  a:
    - {type: bash, command: exit 3}
    - {type: bash, command: "echo {word}"}
    - {type: set_context, key: reached, value: true}
"""
    async with run(text, context={"word": "-n"}) as machine:
        row = await machine.until(lambda row: "reached" in row.context, "the last action")

    assert "begins with '-'" in row.context["last_error"]
    assert row.context["last_error_exit_code"] is None
    assert row.context["last_error_command"] != "exit 3"
