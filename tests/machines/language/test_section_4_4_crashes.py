"""Section 4.4 of the language: what becomes of a machine whose host was killed, and of retries."""

import pytest

from machines.models import Machine
from tests.machines.conftest import Runner
from tests.machines.language.absence import comes, is_cut_off

WORK = """
initial_state: a
transitions: [{from: a, to: b, event: job_done}, {from: a, to: failed, event: error}]
actions:
  a:
    - {type: log, message: first}
    - {type: bash, command: "echo $SM_ATTEMPT; exit {code|default:'0'}"%s}
"""


async def cut_off(run: Runner, text: str) -> None:
    """Run it until its work has ended, and then let it be as if it had not."""
    async with run(text) as machine:
        await machine.until(lambda row: row.state != "a", "an end")
    machine_row = await Machine.objects.aget(name="machine")
    machine_row.states, machine_row.turn = ["a"], {}
    await machine_row.asave()
    await is_cut_off()


async def test_a_run_that_was_cut_off_is_known_and_runs_again(run: Runner) -> None:
    await cut_off(run, WORK % "")

    async with run(WORK % "") as machine:
        await machine.reaches("b")

        runs = [(found.type, found.outcome) for found in await machine.runs()]
    assert runs == [("log", "done"), ("bash", "lost"), ("bash", "done")]  # the log not again


async def test_on_crash_fail_raises_error(run: Runner) -> None:
    text = WORK % ", on_crash: fail"
    await cut_off(run, text)

    async with run(text) as machine:
        row = await machine.reaches("failed")

        assert [found.outcome for found in await machine.runs()] == ["done", "lost"]
    assert row.context["last_error"] == "its host ended while it ran"
    assert row.context["last_error_action"] == "bash"


async def test_on_crash_fail_is_an_attempt_that_a_retry_follows(run: Runner) -> None:
    text = WORK % ", on_crash: fail, retry: {attempts: 2, delay: 10ms}"
    await cut_off(run, text)

    async with run(text) as machine:
        await machine.reaches("b")

        attempts = [(found.outcome, found.attempt) for found in await machine.runs()]
    assert attempts[1:] == [("lost", 1), ("done", 2)]


async def test_restart_begins_anew_and_the_run_that_was_cut_off_is_lost(run: Runner) -> None:
    await cut_off(run, WORK % "")

    async with run(WORK % "", restart=True) as machine:
        await machine.reaches("b")

        runs = [(found.type, found.outcome) for found in await machine.runs()]
    assert runs == [("log", "done"), ("bash", "lost"), ("log", "done"), ("bash", "done")]


async def test_an_interrupt_that_came_meanwhile_is_taken_before_the_work_runs_again(
    run: Runner,
) -> None:
    text = (WORK % "").replace("transitions: [", 'transitions: [{from: "*", to: c, event: stop}, ')
    await cut_off(run, text)
    await comes("stop")

    async with run(text) as machine:
        await machine.reaches("c")

        assert [found.outcome for found in await machine.runs()] == ["done", "lost"]


@pytest.mark.parametrize(("attempts", "made"), [(1, [1]), (3, [1, 2, 3])])
async def test_each_attempt_of_a_retry_is_on_record(
    run: Runner, attempts: int, made: list[int]
) -> None:
    retry = f", retry: {{attempts: {attempts}, delay: 10ms, backoff: 2, jitter: true}}"
    async with run(WORK % retry, context={"code": 4}) as machine:
        await machine.reaches("failed")

        runs = [found for found in await machine.runs() if found.type == "bash"]
    assert [(found.attempt, found.outcome, found.exit_code) for found in runs] == [
        (number, "failed", 4) for number in made
    ]
    assert [found.output for found in runs] == [f"{number}\n" for number in made]


async def test_each_attempt_of_an_effect_is_on_record_too(run: Runner) -> None:
    text = """
initial_state: a
transitions: [{from: a, to: failed, event: error}]
actions: {a: [{type: complete_job, job_id: nobody, retry: {attempts: 3, delay: 10ms}}]}
"""
    async with run(text) as machine:
        await machine.reaches("failed")

        runs = [(found.type, found.attempt, found.outcome) for found in await machine.runs()]
    assert runs == [("complete_job", number, "failed") for number in (1, 2, 3)]


async def test_on_crash_fail_holds_also_if_the_file_has_changed_meanwhile(run: Runner) -> None:
    text = WORK % ", on_crash: fail"
    await cut_off(run, text)

    async with run(text + "# changed\n") as machine:
        row = await machine.until(lambda row: row.state != "a", "an end")

    assert row.state == "failed"


async def test_an_exit_code_that_the_file_names_is_an_answer_and_not_tried_again(
    run: Runner,
) -> None:
    text = """
initial_state: a
transitions: [{from: a, to: declined, event: declined}]
actions:
  a:
    - type: bash
      command: exit 2
      error_mappings: {2: declined}
      retry: {attempts: 4, delay: 0}
"""
    async with run(text) as machine:
        await machine.reaches("declined")
        runs = await machine.runs()

    assert [(found.outcome, found.attempt) for found in runs] == [("failed", 1)]
