"""Section 2 of the language: which transition an event takes, and what staying means."""

from datetime import timedelta

import pytest

from machines.core.settling import Outcome
from tests.core.player import Player

STATES = "initial_state: a\nstates: [a, b, c, go]\ntransitions:\n"


def played(*transitions: str, actions: str = "", **fakes: Outcome) -> Player:
    lines = "".join(f"  - {line}\n" for line in transitions)
    return Player(STATES + lines + (f"actions: {actions}\n" if actions else ""), {**fakes})


# -- first match in file order wins


@pytest.mark.parametrize(
    ("transitions", "target"),
    [
        (("{from: a, to: b, event: go}", '{from: "*", to: c, event: go}'), "b"),
        (('{from: "*", to: c, event: go}', "{from: a, to: b, event: go}"), "c"),
        (("{from: [b, a], to: b, event: go}", "{from: a, to: c, event: go}"), "b"),
        (("{from: a, to: b, event: [stop, go]}", "{from: a, to: c, event: go}"), "b"),
        (('{from: [c, "*"], to: b, event: [x, go]}', "{from: a, to: c, event: go}"), "b"),
        (("{from: b, to: c, event: go}", '{from: "*", to: b, event: go}'), "b"),
        (("{from: a, to: b, event: go, guard: n}", '{from: "*", to: c, event: go}'), "c"),
        (('{from: "*", to: b, event: go, guard: not n}', "{from: a, to: c, event: go}"), "b"),
        (("{from: a, event: go}", "{from: a, to: c, event: go}"), "a"),
    ],
)
def test_the_first_match_in_file_order_wins_whether_it_names_the_state_or_any(
    transitions: tuple[str, ...], target: str
) -> None:
    player = Player(STATES + "".join(f"  - {t}\n" for t in transitions), given={"n": 0})

    player.send("go")

    assert player.state == target


def test_a_list_of_states_and_a_list_of_events_stand_for_each_of_their_pairs() -> None:
    player = played("{from: [a, b], to: b, event: [go, again]}", "{from: b, to: a, event: back}")

    player.send("again", "back", "go", "again")

    assert player.steps[1:] == ["a --again--> b", "b --back--> a", "a --go--> b", "b --again--> b"]


def test_a_state_named_like_an_event_is_only_a_state() -> None:
    player = played("{from: a, to: go, event: go}", "{from: go, to: b, event: a}")

    player.send("go", "a")

    assert player.steps[1:] == ["a --go--> go", "go --a--> b"]


def test_an_event_without_transition_in_the_present_state_is_ignored_with_the_reason() -> None:
    player = played("{from: b, to: c, event: go}")

    player.send("go")

    assert player.ended == [("go", "ignored")]
    assert player.judged[-1].reason == "no transition for 'go' in state 'a'"


# -- internal transitions and self-loops


def test_to_left_out_runs_its_actions_and_the_state_stays_and_its_work_goes_on() -> None:
    player = played(
        "{from: a, event: note, actions: [{type: own}]}",
        actions="{a: [{type: first}, {type: second}]}",
        first=Outcome("note"),
    )

    player.send("note")

    assert player.done == ["first", "own", "second", "own"]
    assert player.steps[1:] == ["a --note--> a"] * 2


def test_an_internal_transition_of_any_state_stays_where_it_is() -> None:
    player = played('{from: "*", event: note}', "{from: a, to: b, event: go}")

    player.send("note", "go", "note")

    assert player.steps[1:] == ["a --note--> a", "a --go--> b", "b --note--> b"]


def test_one_transition_of_any_state_is_a_self_loop_in_its_own_target() -> None:
    player = played('{from: "*", to: b, event: go}', actions="{b: [{type: enter}]}")

    player.send("go")
    entered_at = player.snapshot.entered_at
    player.advance(5)
    player.send("go")

    assert player.snapshot.entered_at == entered_at
    assert player.done == ["enter", "enter"]  # the second round is the self-loop's


# -- automatic transitions


def test_no_event_and_no_after_is_taken_at_rest_as_soon_as_the_guard_holds() -> None:
    player = played(
        '{from: a, to: b, guard: "n > 1"}',
        "{from: a, event: count}",
        actions="{a: [{type: sets}, {type: last}]}",
        sets=Outcome(changes={"n": 2}),
    )

    assert player.done == ["sets", "last"]
    assert player.steps[1:] == ["a ----> b"]


def test_of_automatic_transitions_the_first_whose_guard_holds_is_taken() -> None:
    player = Player(
        STATES + "  - {from: a, to: b, guard: n}\n  - {from: '*', to: c, guard: not n}\n",
        given={"n": 1},
    )

    assert player.steps[1:3] == ["a ----> b"]


def test_an_automatic_transition_whose_guard_raises_waits_until_it_holds() -> None:
    player = Player(
        STATES + "  - {from: a, to: b, guard: n > 1}\nevents: {n: {context_map: {n: payload}}}\n"
    )
    before = player.state

    player.send("n", payload=2)  # ignored, but mapped

    assert (before, player.state) == ("a", "b")


def test_an_automatic_transition_is_tried_while_an_action_waits() -> None:
    text = """\
initial_state: a
events: {tell: {context_map: {ready: payload.ready}}}
transitions:
  - {from: a, event: tell}
  - {from: a, to: b, guard: ready}
actions: {a: [{type: sleep}]}
"""
    player = Player(text, {"sleep": Outcome(delay=timedelta(hours=1))})

    player.send("tell", payload={"ready": True})

    assert player.state == "b"
