"""Simulations: what happens from outside, time that passes, and how they end."""

from typing import Any

import pytest

from machines.actions.registry import Registry
from machines.core.errors import DefinitionError
from machines.core.loading import load
from machines.rehearsal.chance import Chance
from machines.rehearsal.happenings import Happening, Happenings, read_happenings
from machines.rehearsal.rehearsal import Rehearsal
from machines.rehearsal.scenario import Cast, OneEvent
from machines.rehearsal.script import Script
from machines.rehearsal.simulation import Limits, tell
from machines.rehearsal.stage import Stage
from machines.rehearsal.story import StepTaken, steps_of
from tests.machines.rehearsal.conftest import WORKER

POLLER = """
initial_state: a
states: {a: {actions: [{type: sleep, duration: 10}]}}
transitions: [{from: a, to: a, event: wake_up}]
"""


def cast() -> list[Cast]:
    definition = load(WORKER, origin="worker.yaml")
    return [Cast(definition, "worker.yaml", "worker", Registry().signatures())]


def read(text: str) -> Happenings:
    return read_happenings(text, origin="e.yaml", cast=cast())


def told(
    text: str = WORKER,
    *happenings: Happening,
    limits: Limits | None = None,
    seed: int | None = None,
    **stage: Any,
) -> tuple[Rehearsal, str]:
    chance = None if seed is None else Chance(seed)
    if chance is not None:
        stage["guesses"] = chance
    rehearsal = Rehearsal(Stage(Registry(), **stage))
    rehearsal.add(load(text, origin="worker.yaml"), "worker")
    rehearsal.begin()
    return rehearsal, tell(rehearsal, happenings, limits or Limits(), chance)


def moves(rehearsal: Rehearsal) -> list[tuple[float, str]]:
    return [
        ((step.at - rehearsal.began_at).total_seconds(), str(step))
        for step in steps_of(rehearsal.stage.story)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "- {after: 5s, event: stop, payload: {a: 1}}\n- {after: 1, job: {job_type: demo}}\n",
        "# a story\nevents:\n  - {at: 5, event: stop, payload: {a: 1}}\n"
        "  - {at: 6, job: {job_type: demo}}\n",
        '{"at": 5, "event": "stop", "payload": {"a": 1}}\n\n'
        '{"after": 1, "job": {"job_type": "demo"}}\n',
        "[{at: 6, job: {job_type: demo}}, {at: 5, event: stop, payload: {a: 1}}]",
    ],
)
def test_events_are_read_from_yaml_and_from_lines_of_json(text: str) -> None:
    assert read(text) == Happenings(
        (
            Happening(5, OneEvent("stop", {"a": 1})),
            Happening(6, jobs=({"job_type": "demo"},)),
        )
    )


def test_answers_may_stand_among_the_events() -> None:
    (line,) = read("- answers: {bash: error}\n").lines

    assert (line.target.type, line.answers[0].event) == ("bash", "error")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("- {aftr: 5s, event: go}", "e.yaml:1:4: [0].aftr: unknown key; did you mean 'after'?"),
        ('\n{"at": "x", "event": "go"}', "e.yaml:2:8: [0].at: 'x' stands here, where a time"),
        ("- {after: 5s}", "e.yaml:1:3: [0]: an entry has one of event, job, answers"),
        ("- {event: go, machine: x}", "e.yaml:1:24: [0].machine: no machine 'x' takes part"),
        ("- {at: 1, after: 1, event: go}", "e.yaml:1:18: [0].after: at stands here too"),
        ("evnts: []", "e.yaml:1:1: events is missing; a file of events is a list"),
        ("- {after: [", "e.yaml:2:1: not valid YAML"),
        ("5", "e.yaml:1:1: the top level must be a"),
    ],
)
def test_wrong_events_are_refused_where_they_stand(text: str, fault: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        read(text)

    assert str(refused.value).startswith(fault)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(DefinitionError, match="not UTF-8"):
        read_happenings(b"- \xff", origin="e.yaml", cast=cast())


def test_simulation_ends_when_everybody_rests_for_good() -> None:
    rehearsal, ending = told()

    assert ending == "worker rests in 'waiting'"
    assert rehearsal.seconds == 0


def test_what_happens_happens_at_its_time() -> None:
    rehearsal, ending = told(
        WORKER,
        Happening(2, jobs=({"job_type": "demo"},)),
        Happening(5, OneEvent("stop")),
    )

    assert ending == "worker is finished in 'stopped'"
    assert moves(rehearsal)[2:] == [
        (2, "waiting --new_job--> processing"),
        (2, "processing --job_done--> waiting"),
        (2, "waiting --no_jobs--> waiting"),
        (5, "waiting --stop--> stopped"),
    ]


def test_script_answers_for_work() -> None:
    happenings = read("- answers: {bash: {exit_code: 2, takes: 3s}}\n- {job: {job_type: demo}}\n")

    rehearsal, _ending = told(WORKER, *happenings.events, script=Script(happenings.lines))

    assert moves(rehearsal)[2:5] == [
        (0, "waiting --new_job--> processing"),
        (3, "processing --error--> failed"),
        (8, "failed --timeout(5)--> waiting"),
    ]


@pytest.mark.parametrize(
    ("limits", "ending", "steps"),
    [
        (Limits(seconds=35), "35 s are over; worker is in 'a'", 4),
        (Limits(steps=3), "ended after 3 steps; worker is in 'a'", 3),
    ],
)
def test_simulation_without_an_end_ends_at_a_limit(limits: Limits, ending: str, steps: int) -> None:
    rehearsal, said = told(POLLER, limits=limits)

    assert (said, rehearsal.steps) == (ending, steps)


def test_same_seed_tells_the_same_story() -> None:
    stories = [told(seed=7)[0].stage.story for _ in range(2)]

    assert stories[0] == stories[1]
    assert len([e for e in stories[0] if isinstance(e, StepTaken)]) > 2


def test_other_seeds_tell_other_stories() -> None:
    stories = {tuple(map(str, told(seed=seed)[0].stage.story)) for seed in range(12)}

    assert len(stories) > 6


def test_seed_makes_payloads_that_fit_their_schema() -> None:
    text = """
    initial_state: a
    events: {go: {payload: {type: object, required: [n, s, l], properties:
      {n: {type: integer}, s: {enum: [x, y]}, l: {type: array}}}}}
    transitions: [{from: a, to: a, event: go}]
    """

    rehearsal, _ending = told(text, seed=1)

    assert len(moves(rehearsal)) == 21
