"""Section 3.3 of the language: the round of actions of a state."""

from datetime import timedelta

import pytest

from machines.core.settling import Outcome
from tests.core.player import FAILS, Player, Takes

A_WAIT = Outcome(delay=timedelta(seconds=5))


def test_on_entry_the_transitions_own_actions_come_first_and_then_the_states() -> None:
    player = Player(
        """\
initial_state: a
transitions:
  - {from: a, to: b, event: go, actions: [{type: own1}, {type: own2}]}
actions: {b: [{type: first}, {type: second}]}
"""
    )

    player.send("go")

    assert player.done == ["own1", "own2", "first", "second"]


def test_the_result_of_an_own_action_of_an_entry_is_judged_in_the_state_entered() -> None:
    player = Player(
        """\
initial_state: a
transitions:
  - {from: a, to: b, event: go, actions: [{type: own}, {type: skipped}]}
  - {from: b, to: c, event: decided}
actions: {b: [{type: skipped}], c: [{type: arrived}]}
""",
        {"own": Outcome("decided")},
    )

    player.send("go")

    assert player.done == ["own", "arrived"]
    assert player.steps[1:] == ["a --go--> b", "b --decided--> c"]


def test_a_result_is_judged_at_once_and_before_any_event_from_outside() -> None:
    player = Player(
        """\
initial_state: a
transitions:
  - {from: a, to: b, event: done}
  - {from: a, to: c, event: go}
actions: {a: [{type: work}, {type: skipped}]}
""",
        {"work": Takes(1, Outcome("done"))},
    )

    player.send("go")
    player.advance(1)

    assert (player.state, player.done) == ("b", ["work"])
    assert player.ended == [("go", "ignored")]


def test_a_result_that_nothing_matches_is_ignored_and_the_next_action_runs() -> None:
    player = Player(
        "initial_state: a\nactions: {a: [{type: work}, {type: log}]}\n",
        {"work": Outcome("unheard_of")},
    )

    assert (player.done, player.ended) == (["work", "log"], [])


def test_a_result_whose_guard_is_false_lets_the_next_action_run() -> None:
    player = Player(
        "initial_state: a\ntransitions: [{from: a, to: b, event: done, guard: n > 1}]\n"
        "actions: {a: [{type: work}, {type: log}]}\n",
        {"work": Outcome("done", {"n": 1})},
    )

    assert (player.state, player.done) == ("a", ["work", "log"])


def test_a_self_loop_lets_the_round_go_on_and_asks_for_one_new_round_at_its_end() -> None:
    results = [Outcome("again"), Outcome("again"), Outcome()]
    player = Player(
        """\
initial_state: a
transitions: [{from: a, to: a, event: again, actions: [{type: own}]}]
actions: {a: [{type: first}, {type: work}, {type: last}]}
""",
        {"work": lambda player: results.pop(0)},
    )

    once = ["first", "work", "own", "last"]
    assert player.done == [*once, *once, "first", "work", "last"]


def test_own_actions_that_raise_events_are_judged_before_the_rest_of_the_round() -> None:
    player = Player(
        """\
initial_state: a
transitions:
  - {from: a, event: one, actions: [{type: own1}, {type: tail}]}
  - {from: a, event: two, actions: [{type: own2}]}
  - {from: a, to: b, event: three}
actions: {a: [{type: work}, {type: skipped}]}
""",
        {"work": Outcome("one"), "own1": Outcome("two"), "own2": Outcome("three")},
    )

    assert player.done == ["work", "own1", "own2"]  # leaving skips tail and the rest
    assert player.state == "b"


def test_what_follows_an_own_action_is_done_after_the_actions_its_event_asked_for() -> None:
    player = Player(
        """\
initial_state: a
transitions:
  - {from: a, event: one, actions: [{type: own1}, {type: tail}]}
  - {from: a, event: two, actions: [{type: own2}]}
actions: {a: [{type: work}, {type: rest}]}
""",
        {"work": Outcome("one"), "own1": Outcome("two")},
    )

    assert player.done == ["work", "own1", "own2", "tail", "rest"]


def test_reenter_leaves_and_enters_the_state_from_the_top() -> None:
    player = Player(
        """\
initial_state: a
transitions: [{from: a, to: a, event: again, reenter: true, guard: n < 2, actions: [{type: own}]}]
actions: {a: [{type: first}, {type: work}, {type: last}]}
""",
        {"work": lambda player: Outcome("again", {"n": player.context["n"] + 1})},
        given={"n": 0},
    )

    assert player.done == ["first", "work", "own", "first", "work", "last"]


@pytest.mark.parametrize("reenter", ["", ", reenter: false"])
def test_a_self_loop_on_error_asks_for_no_new_round(reenter: str) -> None:
    player = Player(
        "initial_state: a\n"
        f'transitions: [{{from: "*", to: a, event: error{reenter}, actions: [{{type: note}}]}}]\n'
        "actions: {a: [{type: fails}, {type: log}, {type: fails}]}\n",
        {"fails": FAILS},
    )

    assert player.done == ["fails", "note", "log", "fails", "note"]


def test_an_internal_transition_asks_for_no_new_round() -> None:
    player = Player(
        "initial_state: a\ntransitions: [{from: a, event: done}]\n"
        "actions: {a: [{type: work}, {type: log}]}\n",
        {"work": Outcome("done")},
    )

    assert player.done == ["work", "log"]


def test_a_self_loop_of_an_event_from_outside_asks_for_a_new_round_at_rest() -> None:
    player = Player(
        "initial_state: a\ntransitions: [{from: a, to: a, event: poke}]\n"
        "actions: {a: [{type: work}, {type: log}]}\n",
        {"work": Takes(5)},
    )

    player.send("poke")
    player.advance(20)

    assert player.done == ["work", "log"] * 2


def test_several_self_loops_taken_in_one_wait_ask_for_one_new_round() -> None:
    player = Player(
        "initial_state: a\ntransitions: [{from: a, to: a, event: poke}]\n"
        "actions: {a: [{type: sleep}]}\n",
        {"sleep": A_WAIT},
    )

    player.send("poke", "poke", "poke")
    player.advance(5)
    player.advance(60)

    assert player.done == ["sleep", "sleep"]


def test_own_actions_run_once_for_each_taking_while_the_states_action_waits() -> None:
    player = Player(
        "initial_state: a\ntransitions: [{from: a, event: poke, actions: [{type: own}]}]\n"
        "actions: {a: [{type: sleep}, {type: log}]}\n",
        {"sleep": A_WAIT},
    )

    player.send("poke", "poke")
    player.advance(5)

    assert player.done == ["sleep", "own", "own", "log"]


def test_leaving_drops_what_was_waiting_and_what_was_behind_it() -> None:
    player = Player(
        "initial_state: a\ntransitions: [{from: a, to: b, event: go}, {from: b, to: a, event: go}]"
        "\nactions: {a: [{type: sleep}, {type: log}]}\n",
        {"sleep": A_WAIT},
    )

    player.advance(4)
    player.send("go", "go")
    player.advance(4)
    before = player.done.copy()
    player.advance(1)

    assert before == ["sleep", "sleep"]
    assert player.done == ["sleep", "sleep", "log"]


def test_a_result_that_comes_after_its_state_was_left_is_dropped() -> None:
    player = Player(
        """\
initial_state: a
transitions:
  - {from: "*", to: b, event: stop}
  - {from: "*", to: c, event: done}
actions: {a: [{type: work}]}
""",
        {"work": Takes(10, Outcome("done"))},
    )

    player.send("stop")
    player.advance(60)

    assert (player.state, player.done) == ("b", [])


def test_a_loop_that_claims_works_until_the_queue_is_empty() -> None:
    jobs = [1, 2, 3]

    def claim(player: Player) -> Outcome:
        if jobs:
            return Outcome("new_job", job={"id": jobs.pop(0)})
        return Outcome("no_jobs", nothing=("jobs", "*", "*"), job={})

    player = Player(
        """\
initial_state: a
transitions:
  - {from: a, to: a, event: new_job, actions: [{type: spawn}]}
  - {from: a, to: b, event: no_jobs}
actions: {a: [{type: claim}]}
""",
        {"claim": claim},
    )

    assert player.done == ["claim", "spawn"] * 3 + ["claim"]
    assert player.state == "b"
