"""Running the tests of machines: what passes, and what is said of what fails."""

import pytest

from machines.rehearsal.files import Shelf
from machines.rehearsal.scenarios import Failure, Verdict, run
from tests.machines.rehearsal.conftest import Write


def verdicts(write: Write, text: str) -> list[Verdict]:
    shelf = Shelf()
    path = write(text)
    types = shelf.types(path.with_name("worker.yaml"))
    return [run(scenario, "t.yaml", types) for scenario in shelf.scenarios(path).scenarios]


def failure(write: Write, *steps: str, more: str = "") -> Failure | None:
    """The failure of a test with these steps, of which the first stands in line 5."""
    listed = "\n".join(f"      - {step}" for step in steps)
    (verdict,) = verdicts(write, f"tests:\n  - name: t\n    {more}\n    steps:\n{listed}\n")
    return verdict.failure


@pytest.mark.parametrize(
    "steps",
    [
        ["expect: {state: waiting, status: running, actions: [check_database_queue]}"],
        [
            "job: {job_type: demo, data: {n: 4}}",
            "expect: {states: [processing, waiting], jobs: {job-1: completed}}",
        ],
        [
            "job: [{job_type: demo}, {job_type: demo, after: 10s}]",
            "wait: 9s",
            "expect: {steps: [], jobs: {job-2: pending}}",
            "wait: 1s",
            "expect: {jobs: {job-2: completed}, steps: [waiting --new_job--> processing, ...]}",
        ],
        ["send: nonsense", "expect: {ignored: nonsense, steps: [], sent: []}"],
        [
            "send: {event: stop, payload: {a: 1}}",
            "expect: {sent: [{event: gone, to: boss, payload: {done: 0}}]}",
            "expect: finished",
        ],
        ["send: [stop, stop]", "expect: {ignored: [stop], context: {done: 0, missing: null}}"],
    ],
)
def test_test_whose_expectations_hold_passes(write: Write, steps: list[str]) -> None:
    assert failure(write, *steps) is None


def test_answers_and_time_are_as_the_test_says(write: Write) -> None:
    found = failure(
        write,
        "job: [{job_type: demo}, {job_type: demo}]",
        "expect: {state: processing}",
        "wait: 2s",
        "expect: {state: failed, context: {last_error_exit_code: 3}, log: 'failed: exit code 3'}",
        "wait: 5s",
        "expect: {context: {said: hi}, states: [waiting, processing, waiting]}",
        more="answers: {bash: [{exit_code: 3, takes: 2s}, {output: hi}]}",
    )

    assert found is None


@pytest.mark.parametrize(
    ("step", "expected", "happened"),
    [
        ("expect: {state: failed}", "the state 'failed'", "it is 'waiting'"),
        ("expect: finished", "it to be finished", "it is running in 'waiting'"),
        ("expect: {context: {done: 1}}", "done to be 1", "it is 0"),
        ("expect: {context: {done: false}}", "done to be false", "it is 0"),
        (
            "expect: {steps: [waiting --x--> failed]}",
            "the steps [waiting --x--> failed]",
            "there were [--start--> waiting, waiting --no_jobs--> waiting]",
        ),
        ("expect: {states: []}", "the states none", "there were [waiting]"),
        (
            "expect: {actions: [bash, ...]}",
            "the actions [bash, ...]",
            "there were [check_database_queue]",
        ),
        ("expect: {sent: [gone]}", 'it to send [{"event":"gone"}]', "it sent []"),
        ("expect: {ignored: stop}", "'stop' to be ignored", "ignored were no events"),
        ("expect: {log: hello}", "a line of the log with 'hello'", "the lines are []"),
        (
            "expect: {jobs: {job-1: completed}}",
            "job job-1 to be completed",
            "there is no such job; there are none",
        ),
    ],
)
def test_expectation_that_does_not_hold_says_what_happened(
    write: Write, step: str, expected: str, happened: str
) -> None:
    found = failure(write, step)

    assert found is not None
    assert (found.line, found.expected, found.happened) == (5, expected, happened)


def test_failure_names_its_place_and_the_last_steps(write: Write) -> None:
    found = failure(write, "send: nonsense", "wait: 2s", "expect:\n          state: failed")

    assert found is not None
    assert found.located("t.yaml").splitlines() == [
        "t.yaml:8: expected the state 'failed', but it is 'waiting'",
        "  the last steps:",
        "    +0 s  --start--> waiting",
        "    +0 s  waiting --no_jobs--> waiting",
    ]


def test_ignored_event_is_named_where_a_state_was_not_reached(write: Write) -> None:
    found = failure(write, "send: nonsense", "expect: {state: failed}")

    assert found is not None
    assert found.happened == (
        "it is 'waiting'; 'nonsense' ignored: no transition for 'nonsense' in state 'waiting'"
    )


def test_machine_that_never_rests_fails_its_test(write: Write) -> None:
    looping = """
    initial_state: a
    states: {a: {actions: [{type: bash, command: "true"}]}}
    transitions: [{from: a, to: a, event: job_done}]
    """
    path = write("tests: [{name: t, steps: []}]", machine=looping)
    shelf = Shelf()
    (scenario,) = shelf.scenarios(path).scenarios

    found = run(scenario, "t.yaml", shelf.types(path.with_name("worker.yaml"))).failure

    assert found is not None
    assert found.happened.startswith("this never comes to rest, and no time passes in it: ")


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        ("[--start--> waiting, waiting --no_jobs--> waiting]", True),
        ("[...]", True),
        ("[..., waiting --no_jobs--> waiting]", True),
        ("[--start--> waiting, ...]", True),
        ("[..., --start--> waiting, ..., waiting --no_jobs--> waiting, ...]", True),
        ("[--start--> waiting]", False),
        ("[..., --start--> waiting]", False),
    ],
)
def test_three_dots_stand_for_any_number_of_steps(write: Write, wanted: str, matches: bool) -> None:
    assert (failure(write, f"expect: {{steps: {wanted}}}") is None) is matches


def test_machines_play_together_and_are_asked_by_name(write: Write) -> None:
    path = write(
        """
        tests:
          - name: both
            machines: [worker.yaml, boss.yaml]
            steps:
              - send: {event: stop, to: worker}
              - expect: {machine: boss, state: alone, sent: [thanks]}
              - expect: {machine: worker, status: finished, ignored: thanks}
        """
    )
    path.with_name("boss.yaml").write_text(
        "name: boss\ninitial_state: busy\nstates:\n  busy: {}\n  alone:\n    actions:\n"
        "      - {type: send_event, target: worker, event: thanks}\n"
        "transitions: [{from: busy, to: alone, event: gone}]\n"
    )
    shelf = Shelf()
    (scenario,) = shelf.scenarios(path).scenarios

    found = run(scenario, "t.yaml", shelf.types(path.with_name("worker.yaml")))

    assert found.failure is None
