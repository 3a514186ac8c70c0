"""What an action is said to come to where it does not run."""

from typing import Any

import pytest

from machines.actions.registry import Registry
from machines.core.definition import Action
from machines.core.settling import Outcome
from machines.core.signatures import Kind, Signature
from machines.core.snapshot import Snapshot
from machines.rehearsal.answers import FAILED, Answer, outcome_of, possible_answers, usual_event

SIGNATURES = Registry().signatures()
CUSTOM = Signature("paint", Kind.WORK, open=True)
SNAPSHOT = Snapshot("m", ("a",), {"word": "blue"})


def signature_of(action: Action) -> Signature:
    return SIGNATURES.get(action.type, CUSTOM)


def outcome(answer: Answer, kind: str, **settings: Any) -> Outcome:
    action = Action(kind, settings)
    return outcome_of(answer, action, signature_of(action), SNAPSHOT)


@pytest.mark.parametrize(
    ("kind", "settings", "event"),
    [
        ("bash", {}, "job_done"),
        ("bash", {"success": "told"}, "told"),
        ("check_database_queue", {}, "new_job"),
        ("log", {}, None),
        ("paint", {}, "success"),
        ("paint", {"success": "painted"}, "painted"),
    ],
)
def test_usual_event_is_what_mostly_happens(
    kind: str, settings: dict[str, Any], event: str | None
) -> None:
    action = Action(kind, settings)

    assert usual_event(signature_of(action), action) == event


def test_possible_answers_say_which_are_failures() -> None:
    action = Action("bash", {"error_mappings": {2: "bad_input"}, "error": "broken"})

    found = possible_answers(signature_of(action), action)

    assert found["job_done"] is False
    assert found["broken"] is True


@pytest.mark.parametrize(
    ("answer", "settings", "event"),
    [
        (Answer(), {}, "job_done"),
        (Answer("job_done"), {}, "job_done"),
        (Answer("success"), {"success": "told"}, "told"),
        (Answer("{word}"), {}, "blue"),
        (Answer(), {"success": "is_{word}"}, "is_blue"),
        (Answer(nothing=True), {}, None),
        (Answer(exit_code=0), {}, "job_done"),
    ],
)
def test_answer_that_is_no_failure_raises_its_event(
    answer: Answer, settings: dict[str, Any], event: str | None
) -> None:
    assert outcome(answer, "bash", **settings) == Outcome(event=event)


@pytest.mark.parametrize(
    ("answer", "event", "error", "code"),
    [
        (Answer("error"), None, "exit code 1", 1),
        (Answer(error="full"), None, "full", 1),
        (Answer(exit_code=2), "bad_input", "exit code 2", 2),
        (Answer(exit_code=9), None, "exit code 9", 9),
        (Answer("bad_input"), "bad_input", "exit code 1", 1),
    ],
)
def test_command_that_is_said_to_fail_fails_as_one_does(
    answer: Answer, event: str | None, error: str, code: int
) -> None:
    found = outcome(answer, "bash", command="cp {word} x", error_mappings={2: "bad_input"})

    assert (found.event, found.error) == (event, error)
    assert found.changes["last_error_exit_code"] == code
    assert found.changes["last_error_command"].startswith("cp ")


def test_failure_under_the_name_of_the_file_is_a_failure() -> None:
    assert outcome(Answer("broken"), "paint", error="broken") == Outcome(error=FAILED)
    assert outcome(Answer("broken", error="dry"), "paint") == Outcome(event="broken", error="dry")


@pytest.mark.parametrize(
    ("kind", "settings", "output", "stored"),
    [
        ("bash", {"store_as": "said"}, "hello\n", {"said": "hello"}),
        ("bash", {"store_as": "said", "parse": "json"}, "[1]", {"said": [1]}),
        ("bash", {}, "hello", {}),
        ("http", {"store_as": "said"}, {"a": 1}, {"said": {"a": 1}}),
    ],
)
def test_output_is_kept_where_the_file_wants_it(
    kind: str, settings: dict[str, Any], output: Any, stored: dict[str, Any]
) -> None:
    found = outcome(Answer(output=output, changes={"x": 1}), kind, **settings)

    assert found.changes == {**stored, "x": 1}


def test_output_that_is_no_json_is_an_error() -> None:
    found = outcome(Answer(output="no"), "bash", store_as="said", parse="json")

    assert found.error.startswith("its output is not JSON")
