"""Playing machines on a virtual clock."""

from pathlib import Path

import pytest

from tests.machines.commands.conftest import parsed, printed, refused, talked

WORKER = """\
name: worker
initial_state: waiting
states:
  waiting: {}
  working: {actions: [{type: bash, command: work}]}
  stopped: {actions: [{type: send_event, target: boss, event: gone}]}
transitions:
  - {from: waiting, to: working, event: go}
  - {from: working, to: waiting, event: job_done}
  - {from: working, to: working, event: error}
  - {from: "*", to: stopped, event: stop}
"""
EVENTS = """\
- {after: 5s, event: go}
- {after: 10s, event: nonsense}
- {after: 1s, event: stop}
"""


@pytest.fixture
def worker(tmp_path: Path) -> Path:
    path = tmp_path / "worker.yaml"
    path.write_text(WORKER)
    return path


@pytest.fixture
def events(tmp_path: Path) -> str:
    path = tmp_path / "events.yaml"
    path.write_text(EVENTS)
    return str(path)


def test_simulate_prints_steps_as_history_does(worker: Path, events: str) -> None:
    steps = parsed("simulate", str(worker), "--events", events)

    assert [(step["event"], step["source"], step["target"], step["ms"]) for step in steps] == [
        ("start", None, "waiting", None),
        ("go", "waiting", "working", 5_000),
        ("job_done", "working", "waiting", 1_000),
        ("stop", "waiting", "stopped", 10_000),
        (None, "stopped", "stopped", 0),
    ]
    assert steps[1]["at"] == "2026-01-01T12:00:05.000Z"


def test_simulate_shows_people_how_much_time_has_passed(worker: Path, events: str) -> None:
    out = printed("simulate", str(worker), "--events", events)

    assert ["2", "+5", "s", "go", "waiting", "working", "-", "-"] in map(
        str.split, out.splitlines()
    )


def test_simulate_says_what_was_assumed_sent_and_ignored(worker: Path, events: str) -> None:
    said = talked("simulate", str(worker), "--events", events).splitlines()

    assert said == [
        "+15 s  'nonsense' ignored: no transition for 'nonsense' in state 'waiting'",
        "+16 s  sent 'gone' to boss",
        "assumed: bash in 'working' answered job_done",
        "worker is finished in 'stopped'",
    ]


def test_simulate_lets_time_pass_until_all_rest(worker: Path) -> None:
    assert talked("simulate", str(worker)) == "worker rests in 'waiting'\n"


def test_simulate_begins_when_it_is_told(worker: Path) -> None:
    (step,) = parsed("simulate", str(worker), "--start", "2030-01-31T18:00:00Z")

    assert step["at"] == "2030-01-31T18:00:00.000Z"


def test_simulate_tells_the_same_story_for_the_same_seed(worker: Path) -> None:
    stories = [parsed("simulate", str(worker), "--seed", "3") for _ in range(2)]

    assert stories[0] == stories[1]
    assert len(stories[0]) > 3


def test_simulate_plays_machines_together(worker: Path, events: str, tmp_path: Path) -> None:
    boss = tmp_path / "boss.yaml"
    boss.write_text(
        "initial_state: busy\nstates: [busy, alone]\n"
        "transitions: [{from: busy, to: alone, event: gone}]\n"
    )

    steps = parsed("simulate", str(worker), str(boss), "--events", events)

    assert ("boss", "gone", "alone") in {(s["machine"], s["event"], s["target"]) for s in steps}


@pytest.mark.parametrize(
    ("flags", "last"),
    [
        (["--duration", "5"], "5 s are over; worker is in 'a'"),
        (["--limit", "4"], "ended after 4 steps; worker is in 'a'"),
    ],
)
def test_simulate_ends_at_a_limit(worker: Path, flags: list[str], last: str) -> None:
    worker.write_text(
        "initial_state: a\nstates: {a: {actions: [{type: bash, command: work}]}}\n"
        "transitions: [{from: a, to: a, event: job_done}]\n"
    )

    assert talked("simulate", str(worker), *flags).splitlines()[-1] == last


def test_simulate_fails_if_a_machine_is_faulted(worker: Path) -> None:
    worker.write_text(
        "initial_state: a\nmetadata: {max_instant_steps: 5}\nstates: [a]\n"
        "transitions: [{from: a, to: a}]\n"
    )

    code, fault, out = refused("simulate", str(worker), "--format", "json")

    assert (code, fault.startswith("worker is faulted: 5 steps with nothing")) == (1, True)
    assert '"target": "a"' in out


@pytest.mark.parametrize(
    ("arguments", "code", "fault"),
    [
        (["wroker.yaml"], 3, "did you mean"),
        (["worker.yaml", "--events", "evnts.yaml"], 3, "no file"),
        (["worker.yaml", "--initial-context", "[]"], 2, "must be a JSON object"),
        (["worker.yaml", "worker.yaml"], 1, "two machines are called 'worker'"),
    ],
)
def test_simulate_refuses_what_it_cannot_do(
    worker: Path, arguments: list[str], code: int, fault: str
) -> None:
    paths = [str(worker.parent / one) if one.endswith("yaml") else one for one in arguments]

    found, said, _out = refused("simulate", *paths)

    assert (found, fault in said) == (code, True)


def test_simulate_shows_all_faults_of_the_events(worker: Path, tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    path.write_text("- {aftr: 5s, event: go}\n- {}\n")

    code, fault, _out = refused("simulate", str(worker), "--events", str(path))

    assert code == 1
    assert fault.splitlines() == [
        f"{path}:1:4: [0].aftr: unknown key; did you mean 'after'?",
        f"{path}:2:3: [1]: an entry has one of event, job, answers",
    ]


def test_simulate_shows_the_steps_of_machines_that_never_rest(worker: Path, tmp_path: Path) -> None:
    worker.write_text(
        "initial_state: a\nstates: {a: {actions: [{type: bash, command: work}]}}\n"
        "transitions: [{from: a, to: a, event: job_done}]\n"
    )
    path = tmp_path / "e.yaml"
    path.write_text("- answers: {bash: {takes: 0}}\n")

    code, fault, out = refused("simulate", str(worker), "--events", str(path), "--limit", "5")

    assert (code, fault.startswith("this never comes to rest")) == (1, True)
    assert len([line for line in out.splitlines() if "job_done" in line and "assumed" not in line])


def test_simulate_says_that_a_file_of_tests_is_no_machine(worker: Path) -> None:
    tests = worker.with_name("worker.tests.yaml")
    tests.write_text("tests: []\n")

    assert refused("simulate", str(tests))[0] == 3


def test_simulate_draws_payloads_from_whatever_schema_there_is(worker: Path) -> None:
    schema = "{type: object, properties: {a: true, b: {enum: [x]}}, required: [a, b]}"
    worker.write_text(WORKER + f"events: {{go: {{payload: {schema}}}, stop: {{payload: {{}}}}}}\n")

    steps = parsed("simulate", str(worker), "--seed", "1")

    assert len(steps) > 1


def test_simulate_invents_jobs_of_the_kind_that_is_looked_for(worker: Path) -> None:
    worker.write_text(
        "initial_state: a\ntransitions:\n- {from: a, to: b, event: new_job}\n"
        "- {from: a, to: a, event: no_jobs}\n"
        "actions: {a: [{type: check_database_queue, job_type: x, machine_type: gpu}]}\n"
    )

    reached = {
        parsed("simulate", str(worker), "--seed", str(seed))[-1]["target"] for seed in (1, 2)
    }

    assert reached == {"b"}


def test_simulate_says_that_a_job_is_there_twice(worker: Path) -> None:
    events = worker.with_name("twice.yaml")
    events.write_text(
        "- {after: 1s, job: {job_type: x, job_id: one}}\n"
        "- {after: 1s, job: {job_type: x, job_id: one}}\n"
    )

    code, fault, _output = refused("simulate", str(worker), "--events", str(events))

    assert (code, "'one' exists already" in fault) == (1, True)
