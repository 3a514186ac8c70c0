"""Reading the tests of machines: what they mean, and what is said of those that are wrong."""

import contextlib
import random

import pytest

from machines.core.errors import DefinitionError
from machines.rehearsal.answers import Answer
from machines.rehearsal.files import Shelf
from machines.rehearsal.scenario import AddJobs, Check, Expect, OneEvent, Pass, Scenario, Send
from machines.rehearsal.script import Target
from tests.machines.rehearsal.conftest import Write

EVERYTHING = """
tests:
  - name: everything
    context: {a: 1}
    jobs: [{job_type: demo, job_id: j1, data: {n: 2}, priority: 1, after: 5s}]
    answers:
      bash: [error, job_done]
      processing.bash: {event: job_done, set: {x: 1}, takes: 5s, output: hello}
      "processing[0]": {exit_code: 3}
      worker/bash: {event: null}
    steps:
      - send: [stop, {event: go, payload: {b: 2}, job_id: j, to: worker}]
      - wait: 500ms
      - job: {job_type: demo}
      - expect: finished
      - expect:
          state: waiting
          steps: [..., waiting   --new_job-->   processing, --start--> waiting]
          sent: [gone, {event: gone, to: boss}]
"""


def scenario_of(write: Write, text: str) -> Scenario:
    return Shelf().scenarios(write(text)).scenarios[0]


def faults_of(write: Write, text: str) -> list[str]:
    path = write(text)
    with pytest.raises(DefinitionError) as refused:
        Shelf().scenarios(path)
    return [
        f"{fault.line}:{fault.column}: {fault.message}".replace(str(path.parent), "")
        for fault in refused.value.faults
    ]


def test_test_of_the_machine_beside_it_is_read_whole(write: Write) -> None:
    found = scenario_of(write, EVERYTHING)

    assert (found.name, found.context) == ("everything", {"a": 1})
    assert [member.name for member in found.cast] == ["worker"]
    assert found.jobs == (
        {"job_type": "demo", "job_id": "j1", "data": {"n": 2}, "priority": 1, "after": 5},
    )


def test_answers_are_read_with_what_they_are_for(write: Write) -> None:
    lines = scenario_of(write, EVERYTHING).lines

    assert [(line.target, line.answers, line.always) for line in lines] == [
        (Target(type="bash"), (Answer("error"), Answer("job_done")), False),
        (
            Target(state="processing", type="bash"),
            (Answer("job_done", changes={"x": 1}, takes_seconds=5, output="hello"),),
            True,
        ),
        (Target(state="processing", index=0), (Answer(exit_code=3),), True),
        (Target("worker", type="bash"), (Answer(nothing=True),), True),
    ]


def test_steps_are_read_in_order(write: Write) -> None:
    send, wait, job, finished, expect = scenario_of(write, EVERYTHING).steps

    assert isinstance(send, Send)
    assert send.events == (OneEvent("stop"), OneEvent("go", {"b": 2}, "j", "worker"))
    assert isinstance(wait, Pass)
    assert wait.seconds == 0.5
    assert isinstance(job, AddJobs)
    assert job.jobs == ({"job_type": "demo"},)
    assert isinstance(finished, Expect)
    assert [(check.what, check.wanted) for check in finished.checks] == [("status", "finished")]
    assert isinstance(expect, Expect)
    assert [_plain(check) for check in expect.checks] == [
        ("state", "waiting"),
        ("steps", ["...", "waiting --new_job--> processing", "--start--> waiting"]),
        ("sent", [{"event": "gone"}, {"event": "gone", "to": "boss"}]),
    ]


def _plain(check: Check) -> tuple[str, object]:
    return check.what, check.wanted


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", ["1:1: the file is empty; write tests: and below it a list, each - name: …"]),
        (
            "- name: a",
            [
                "1:1: the top level must be a mapping; write tests: and below it a list,"
                " each - name: …"
            ],
        ),
        ("test: []", [
            "1:1: test: unknown key; did you mean 'tests'?",
            "1:1: tests is missing; write tests: and below it a list, each - name: …",
        ]),
        ("tests: 5", ["1:8: tests: 5 stands here, where a list of tests is needed"]),
        (
            "tests: [{name: a}]",
            ["1:9: tests[0]: steps is missing; say what happens,"
             " such as [{expect: {state: waiting}}]"],
        ),
        (
            "tests: [{steps: []}]",
            ["1:9: tests[0]: name is missing; say what the machine does,"
             " such as name: a job is done"],
        ),
        (
            "tests: [{name: a, steps: []}, {name: a, steps: []}]",
            ["1:38: tests[1].name: the test in line 1 has this name too; tell them apart"],
        ),
        (
            "tests: [{name: a, stepps: [], steps: []}]",
            ["1:19: tests[0].stepps: unknown key; did you mean 'steps'?"],
        ),
        (
            "tests: [{name: a, machine: other.yaml, steps: []}]",
            ["1:28: tests[0].machine: no file 'other.yaml'; it is sought beside this one"],
        ),
        (
            "tests: [{name: a, machines: [worker.yaml, worker.yaml], steps: []}]",
            ["1:29: tests[0].machines: two machines have one name: worker, worker"],
        ),
        (
            "tests: [{name: a, jobs: [{data: 5}], steps: []}]",
            [
                "1:26: tests[0].jobs[0]: job_type is missing; it says what kind of job it is",
                "1:33: tests[0].jobs[0].data: 5 stands here, where a mapping is needed",
            ],
        ),
        (
            "tests: [{name: a, answers: {bahs: error}, steps: []}]",
            ["1:35: tests[0].answers.bahs: no action is meant by 'bahs'; did you mean 'bash'?"],
        ),
        (
            "tests: [{name: a, answers: {bash: job_dne}, steps: []}]",
            ["1:35: tests[0].answers.bash: this action never answers 'job_dne';"
             " did you mean 'job_done'?"],
        ),
        (
            "tests: [{name: a, answers: {wroker/bash: error}, steps: []}]",
            ["1:42: tests[0].answers.wroker/bash: no machine 'wroker' takes part;"
             " did you mean 'worker'?"],
        ),
        (
            "tests: [{name: a, answers: {bash: {takes: soon, evnt: x}}, steps: []}]",
            [
                "1:43: tests[0].answers.bash.takes: 'soon' stands here, where a time such as"
                " 500ms, 5s, 10m, 1h, 1d or a number of seconds, at most ten years, is needed",
                "1:49: tests[0].answers.bash.evnt: unknown key; did you mean 'event'?",
            ],
        ),
        (
            "tests: [{name: a, steps: [send]}]",
            ["1:27: tests[0].steps[0]: 'send' stands here, where a step,"
             " such as {send: new_job}, is needed"],
        ),
        (
            "tests: [{name: a, steps: [{send: a, wait: 1s}, {}, {sned: a}]}]",
            [
                "1:27: tests[0].steps[0]: a step is one of send, wait, job, expect",
                "1:48: tests[0].steps[1]: a step is one of send, wait, job, expect",
                "1:53: tests[0].steps[2].sned: unknown key; did you mean 'send'?",
            ],
        ),
        (
            "tests: [{name: a, steps: [{send: {to: boss}}, {send: off}]}]",
            [
                "1:34: tests[0].steps[0].send: event is missing; name what is sent",
                "1:39: tests[0].steps[0].send.to: no machine 'boss' takes part;"
                " the machines are: worker",
                '1:54: tests[0].steps[1].send: off is read as false; quote it: "off"',
            ],
        ),
        (
            "tests: [{name: a, steps: [{expect: {state: procesing}}, {expect: {}}]}]",
            [
                "1:44: tests[0].steps[0].expect.state: no state 'procesing' in worker;"
                " did you mean 'processing'?",
                "1:66: tests[0].steps[1].expect: nothing is expected; it may be state, status,"
                " context, steps, states, actions, sent, ignored, log, jobs",
            ],
        ),
        (
            "tests: [{name: a, steps: [{expect: waiting}]}]",
            ["1:36: tests[0].steps[0].expect: 'waiting' is no status; it may be: running,"
             " finished, faulted, stopped; a state is expected by {state: waiting}"],
        ),
        (
            "tests: [{name: a, steps: [{expect: {steps: [waiting -> failed, 'a --b--> failed']}}]}]",  # noqa: E501
            [
                "1:45: tests[0].steps[0].expect.steps[0]: 'waiting -> failed' is no step; write it"
                " like 'waiting --new_job--> processing', or ... for any number of others",
                "1:64: tests[0].steps[0].expect.steps[1]: no state 'a' in worker;"
                " the states are: waiting, processing, failed, stopped",
            ],
        ),
    ],
)  # fmt: skip
def test_wrong_file_is_refused_with_all_its_faults(
    write: Write, text: str, faults: list[str]
) -> None:
    assert faults_of(write, text) == faults


def test_machine_that_does_not_load_is_said_where_it_is_named(write: Write) -> None:
    path = write("tests: [{name: a, machine: broken.yaml, steps: []}]")
    path.with_name("broken.yaml").write_text("states: [a]\n")

    with pytest.raises(DefinitionError) as refused:
        Shelf().scenarios(path)

    assert "'broken.yaml' does not load" in str(refused.value)
    assert "initial_state is missing" in str(refused.value)


def test_test_without_a_machine_beside_it_names_one(write: Write) -> None:
    path = write("tests: [{name: a, steps: []}]", name="other.tests.yaml")

    with pytest.raises(DefinitionError, match="machine is missing; name the file to test"):
        Shelf().scenarios(path)


@pytest.mark.parametrize("seed", range(150))
def test_whatever_is_written_is_read_or_refused(write: Write, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    words = [
        "null",
        "[]",
        "{}",
        "5",
        "yes",
        "x",
        "[1, {a: b}]",
        "{event: {}}",
        '""',
        "-1",
        "...",
        "'a/b[9]'",
    ]
    text = EVERYTHING
    for _ in range(draw.randint(1, 4)):
        lines = text.splitlines()
        at = draw.randrange(2, len(lines))
        line = lines[at]
        key, colon, _rest = line.partition(": ")
        lines[at] = f"{key}{colon}{draw.choice(words)}" if colon else line + draw.choice(words)
        text = "\n".join(lines)

    with contextlib.suppress(DefinitionError):
        assert Shelf().scenarios(write(text)).scenarios is not None
