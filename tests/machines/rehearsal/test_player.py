"""A machine of a rehearsal: what it does that a host does elsewhere, and time that is not real."""

from __future__ import annotations

import textwrap
from datetime import timedelta
from typing import Any

import pytest

from machines.actions.registry import Registry
from machines.core.errors import MachineError
from machines.core.loading import load
from machines.rehearsal.answers import Answer
from machines.rehearsal.player import Player
from machines.rehearsal.rehearsal import Rehearsal, Restless, name_of
from machines.rehearsal.script import Line, Script, Target
from machines.rehearsal.stage import NOON, Stage
from machines.rehearsal.story import (
    ActionDone,
    EventSent,
    How,
    LineLogged,
    NotTaken,
    StepTaken,
    assumptions,
    steps_of,
)

WORKING = """
initial_state: working
states:
  working: {actions: [{type: bash, command: work}, {type: log, message: behind}]}
  done: {}
transitions:
  - {from: working, to: done, event: job_done}
  - {from: working, to: done, event: halt, interrupt: true}
  - {from: working, to: done, event: wait}
"""


NAMED = "metadata: {machine_name: worker}\n"


def rehearsal(*texts: str, answers: dict[str, Answer] | None = None, **stage: Any) -> Rehearsal:
    lines = (Line(Target(type=kind), (one,), True) for kind, one in (answers or {}).items())
    found = Rehearsal(Stage(Registry(), script=Script(tuple(lines)), **stage))
    for number, text in enumerate(texts):
        definition = load(textwrap.dedent(text), origin=f"m{number}.yaml")
        found.add(definition, name_of(definition, f"m{number}.yaml"))
    found.begin()
    return found


def first(found: Rehearsal) -> Player:
    return next(iter(found.players.values()))


def moves(found: Rehearsal) -> list[str]:
    return [str(step) for step in steps_of(found.stage.story)]


def test_work_takes_the_time_that_its_answer_says() -> None:
    found = rehearsal(WORKING, answers={"bash": Answer(takes_seconds=5)})

    found.advance(4.9)
    before = first(found).state
    found.advance(0.1)

    assert (before, first(found).state, found.seconds) == ("working", "done", 5)


def test_work_takes_as_long_as_all_work_if_nobody_says() -> None:
    found = rehearsal(WORKING, work_takes=timedelta(seconds=2))

    found.advance(1.9)

    assert first(found).state == "working"
    assert found.next_at() == NOON + timedelta(seconds=2)


def test_interrupt_stops_work_and_its_answer_is_never_heard() -> None:
    found = rehearsal(WORKING, answers={"bash": Answer(takes_seconds=5)})

    first(found).accept("halt")
    found.play()
    found.advance(10)

    assert moves(found) == ["--start--> working", "working --halt--> done"]
    assert [e.stopped for e in found.stage.story if isinstance(e, ActionDone)] == [True]


def test_event_that_does_not_interrupt_waits_for_the_end_of_work() -> None:
    found = rehearsal(WORKING, answers={"bash": Answer(nothing=True, takes_seconds=5)})

    first(found).accept("wait")
    found.advance(10)

    assert moves(found)[1:] == ["working --wait--> done"]
    assert [e.text for e in found.stage.story if isinstance(e, LineLogged)] == ["behind"]


def test_wait_whose_answer_takes_time_lets_events_be_judged_meanwhile() -> None:
    found = rehearsal(
        """
        initial_state: a
        states: {a: {actions: [{type: run_task, function: shop.send}]}, b: {}}
        transitions:
          - {from: a, to: a, event: note}
          - {from: a, to: b, event: success}
        """,
        answers={"run_task": Answer(takes_seconds=5)},
    )

    first(found).accept("note")
    found.play()
    found.advance(5)

    assert moves(found)[1:] == ["a --note--> a", "a --success--> b"]


def test_answers_that_nobody_wrote_down_are_told_as_assumed() -> None:
    found = rehearsal(WORKING)

    assert assumptions(found.stage.story) == {("m0", "working", "bash", "job_done"): 1}


@pytest.mark.parametrize(
    ("answers", "how"),
    [({}, How.PERFORMED), ({"set_context": Answer("error")}, How.SCRIPT)],
)
def test_effects_are_performed_unless_the_script_answers(
    answers: dict[str, Answer], how: How
) -> None:
    found = rehearsal(
        """
        initial_state: a
        states: {a: {actions: [{type: set_context, key: k, value: 1}]}}
        transitions: []
        """,
        answers=answers,
    )

    (done,) = (e for e in found.stage.story if isinstance(e, ActionDone))
    assert done.how is how
    assert first(found).snapshot.context.get("k") == (1 if how is How.PERFORMED else None)


def test_type_that_there_is_not_fails_as_in_a_host() -> None:
    found = rehearsal(
        """
        initial_state: a
        states: {a: {actions: [{type: bahs}]}, b: {}}
        transitions: [{from: a, to: b, event: error}]
        """
    )

    assert first(found).state == "b"
    assert first(found).snapshot.context["last_error"].startswith("unknown action type 'bahs'")


def test_job_is_found_when_its_time_has_come() -> None:
    found = rehearsal(
        """
        initial_state: a
        states: {a: {actions: [{type: check_database_queue}]}, b: {}}
        transitions: [{from: a, to: a, event: no_jobs}, {from: a, to: b, event: new_job}]
        """
    )

    found.add_job({"job_type": "x", "after": 60})
    found.play()
    before = first(found).state
    found.advance(60)

    assert (before, first(found).state) == ("a", "b")


def test_check_that_is_said_to_find_nothing_lets_its_machine_rest() -> None:
    found = rehearsal(
        """
        initial_state: a
        states: {a: {actions: [{type: check_database_queue}]}}
        transitions: [{from: a, to: a, event: no_jobs}]
        """,
        answers={"check_database_queue": Answer("no_jobs")},
    )

    assert moves(found) == ["--start--> a", "a --no_jobs--> a"]


def test_event_to_a_machine_elsewhere_is_told() -> None:
    found = rehearsal(
        """
        initial_state: a
        states: {a: {actions: [
          {type: send_event, target: boss, event: hi, payload: '{"n": 1}', job_id: j}]}}
        transitions: []
        """
    )

    (sent,) = (e for e in found.stage.story if isinstance(e, EventSent))
    assert (sent.target, sent.event, sent.payload, sent.job_id) == ("boss", "hi", {"n": 1}, "j")


def test_machine_clears_and_stops_another() -> None:
    found = rehearsal(
        """
        metadata: {machine_name: one}
        initial_state: a
        states: {a: {}, b: {actions: [
          {type: clear_events, target_machine: two, event_types: [x]},
          {type: stop_machine, target_machine: two},
          {type: stop_machine, target_machine: two, error: gone}]}, c: {}}
        transitions: [{from: a, to: b, event: go}, {from: b, to: c, event: gone}]
        """,
        """
        metadata: {machine_name: two}
        initial_state: busy
        states: {busy: {actions: [{type: bash, command: work}]}}
        transitions: []
        """,
        answers={"bash": Answer(takes_seconds=60)},
    )
    two = found.players["two"]

    two.accept("x")
    two.accept("y")
    first(found).accept("go")
    found.play()

    assert [event.name for event in two.waiting.events()] == ["y"]
    assert (two.status, first(found).state) == ("stopped", "c")


def test_two_machines_of_one_name_are_refused() -> None:
    with pytest.raises(MachineError, match="two machines are called 'worker'"):
        rehearsal(NAMED + WORKING, NAMED + WORKING)


def test_machine_that_never_rests_is_told_with_its_steps() -> None:
    with pytest.raises(Restless, match="m0: a --job_done--> a"):
        rehearsal(
            """
            initial_state: a
            states: {a: {actions: [{type: bash, command: work}]}}
            transitions: [{from: a, to: a, event: job_done}]
            """
        )


def test_event_for_a_finished_machine_is_ignored_at_once() -> None:
    found = rehearsal("initial_state: completed\nstates: [completed]\n")

    first(found).accept("more")

    assert [e.reason for e in found.stage.story if isinstance(e, NotTaken)] == [
        "machine 'm0' is finished"
    ]


def test_step_is_told_as_history_shows_it() -> None:
    found = rehearsal(WORKING, answers={"bash": Answer(takes_seconds=1.5)})

    found.advance(2)

    last = [e for e in found.stage.story if isinstance(e, StepTaken)][-1]
    assert last.as_json() == {
        "machine": "m0",
        "seq": 2,
        "event": "job_done",
        "source": "working",
        "target": "done",
        "at": "2026-01-01T12:00:01.500Z",
        "guard": None,
        "ms": 1500.0,
    }
