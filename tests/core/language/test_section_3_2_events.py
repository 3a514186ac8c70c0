"""Section 3.2 of the language: what becomes of an event when it is judged."""

from typing import Any

import pytest

from machines.core import engine
from machines.core.definition import Definition
from machines.core.engine import MAX_CONTEXT_BYTES
from machines.core.interpolation import interpolate
from machines.core.settling import Outcome
from tests.core.player import Player, Takes

MAPPED = """\
initial_state: a
events:
  go: {context_map: {user: payload.user.name, first: payload.list.0, kind: type, by: source}}
transitions: [{from: a, to: b, event: go, guard: allowed}]
context: {allowed: false, user: before, first: before}
"""


def test_events_are_judged_one_at_a_time_and_each_at_rest() -> None:
    text = """\
initial_state: a
transitions: [{from: a, to: b, event: go}, {from: b, to: a, event: go}]
actions: {a: [{type: work}], b: [{type: work}]}
"""
    player = Player(text, {"work": Takes(10)})

    player.send("go", "go", "go")
    counts = []
    for _ in range(4):
        counts.append(len(player.ended))
        player.advance(10)

    assert counts == [0, 1, 2, 3]  # a backlog never kills the work it asks for
    assert player.begun == 4


def test_event_data_becomes_type_payload_job_id_and_source() -> None:
    player = Player("initial_state: a\n")

    player.send("go", payload={"n": 1})

    data = player.snapshot.event_data
    assert data == {"type": "go", "payload": {"n": 1}, "job_id": None, "source": None}


def test_event_data_is_seen_by_placeholders_and_stays_that_of_the_last_event_from_outside() -> None:
    text = """\
initial_state: a
transitions:
  - {from: a, to: b, event: go}
  - {from: b, to: c, event: done}
  - {from: c, to: d, after: 5s}
actions: {b: [{type: work}]}
"""
    player = Player(text, {"work": Outcome("done")})

    player.send("go", payload={"user": {"name": "Ann"}})
    player.advance(5)

    names = engine.names(player.snapshot)
    assert player.state == "d"
    assert interpolate("{event_data.type}: {event_data.payload.user.name}", names) == "go: Ann"


def test_a_context_map_copies_what_it_names_also_if_the_event_is_then_ignored() -> None:
    player = Player(MAPPED)

    player.send("go", payload={"user": {"name": "Eve"}, "list": [7, 8]})

    assert player.ended == [("go", "ignored")]
    assert player.context == {"allowed": False, "user": "Eve", "first": 7, "kind": "go"}


@pytest.mark.parametrize(
    "payload", [None, {}, {"user": None}, {"user": {"name": None}}, {"user": "Eve", "list": []}, 5]
)
def test_what_a_context_map_finds_missing_or_null_is_skipped(payload: Any) -> None:
    player = Player(MAPPED)

    player.send("go", payload=payload)

    assert player.context == {"allowed": False, "user": "before", "first": "before", "kind": "go"}


@pytest.mark.parametrize("payload", [False, 0, "", [], {}])
def test_a_context_map_copies_what_is_false_or_empty(payload: Any) -> None:
    player = Player("initial_state: a\nevents: {go: {context_map: {value: payload}}}\n")

    player.send("go", payload=payload)

    assert player.context == {"value": payload}


def test_a_context_map_that_would_burst_the_context_is_not_applied_and_raises_error() -> None:
    text = """\
initial_state: a
events: {go: {context_map: {text: payload}}}
transitions: [{from: a, to: b, event: go}, {from: "*", to: failed, event: error}]
actions: {b: [{type: skipped}]}
"""
    player = Player(text, given={"kept": "x" * 1_000})

    player.send("go", payload="x" * (MAX_CONTEXT_BYTES - 500))

    assert player.steps[1:] == ["a --go--> b", "b --error--> failed"]
    assert "text" not in player.context
    assert player.context["last_error_action"] == "context_map"


@pytest.mark.parametrize(
    ("payload", "status", "target"),
    [({"n": 1}, "processed", "b"), ({"n": "x"}, "failed", "a"), (None, "failed", "a")],
)
def test_a_payload_that_breaks_its_schema_fails_the_event(
    payload: Any, status: str, target: str
) -> None:
    text = """\
initial_state: a
events:
  go:
    payload: {type: object, required: [n], properties: {n: {type: integer}}}
    context_map: {n: payload.n}
transitions: [{from: a, to: b, event: go}]
"""
    player = Player(text)

    player.send("go", payload=payload)

    assert (player.ended, player.state) == ([("go", status)], target)
    assert player.context == ({"n": 1} if status == "processed" else {})


def test_an_event_that_no_guard_lets_through_is_ignored_with_the_values_of_the_guards() -> None:
    player = Player(
        "initial_state: a\ntransitions:\n  - {from: a, to: b, event: go, guard: n}\n"
        "  - {from: a, to: c, event: go, guard: n > 3}\n",
        given={"n": 0},
    )

    player.send("go")

    assert player.judged[-1].reason == (
        "no guard holds for 'go' in state 'a': transitions[0]: 0, transitions[1]: False"
    )


def test_an_undeclared_event_works() -> None:
    player = Player(
        "initial_state: a\nevents: [other]\ntransitions: [{from: a, to: b, event: go}]\n"
    )

    player.send("go")

    assert isinstance(player.definition, Definition)
    assert player.state == "b"
