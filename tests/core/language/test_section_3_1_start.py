"""Section 3.1 of the language: how a machine begins."""

import pytest

from machines.core.errors import DefinitionError
from machines.core.loading import load
from machines.core.settling import Outcome
from tests.core.player import Player


def test_the_entry_into_the_initial_state_is_a_step_without_source() -> None:
    player = Player("initial_state: a\nstates: [a]\n")

    assert player.steps == ["None --start--> a"]


def test_the_event_start_is_judged_before_the_first_action() -> None:
    player = Player(
        "initial_state: a\ntransitions: [{from: a, to: b, event: start}]\n"
        "actions: {a: [{type: skipped}], b: [{type: work}]}\n"
    )

    assert player.steps == ["None --start--> a", "a --start--> b"]
    assert player.done == ["work"]


def test_start_is_judged_with_the_context_the_machine_begins_with() -> None:
    text = (
        "initial_state: a\ncontext: {kind: small, n: 1}\n"
        "transitions: [{from: a, to: b, event: start, guard: kind == 'big' and n == 1}]\n"
    )

    player = Player(text, given={"kind": "big"})

    assert player.state == "b"


def test_start_without_transition_is_nothing_and_has_no_event_data() -> None:
    player = Player("initial_state: a\nactions: {a: [{type: work}]}\n")

    assert player.done == ["work"]
    assert player.snapshot.event_data == {}


def test_start_may_be_an_internal_transition_whose_actions_come_first() -> None:
    player = Player(
        "initial_state: a\ntransitions: [{from: a, event: start, actions: [{type: prepare}]}]\n"
        "actions: {a: [{type: work}]}\n"
    )

    assert player.done == ["prepare", "work"]


def test_the_timers_of_the_initial_state_count_from_the_entry() -> None:
    player = Player("initial_state: a\ntransitions: [{from: a, to: b, after: 5s}]\n")

    player.advance(5)

    assert player.state == "b"


def test_an_event_named_start_that_somebody_sends_is_an_event_as_any_other() -> None:
    player = Player(
        "initial_state: a\ntransitions: [{from: b, to: a, event: start}, "
        "{from: a, to: b, event: go}]\n"
    )

    player.send("go", "start")

    assert player.steps[1:] == ["a --go--> b", "b --start--> a"]
    assert player.snapshot.event_data["type"] == "start"


def test_initial_state_is_required_unless_a_state_waiting_exists() -> None:
    waits = load("transitions: [{from: waiting, to: b, event: go}]\n", origin="test.yaml")

    with pytest.raises(DefinitionError, match="initial_state is missing"):
        load("transitions: [{from: a, to: b, event: go}]\n", origin="test.yaml")
    assert waits.initial_state == "waiting"


def test_an_initial_state_may_be_left_by_its_own_first_action() -> None:
    player = Player(
        "initial_state: a\ntransitions: [{from: a, to: b, event: done}]\n"
        "actions: {a: [{type: work}, {type: skipped}]}\n",
        {"work": Outcome("done")},
    )

    assert (player.state, player.done) == ("b", ["work"])
