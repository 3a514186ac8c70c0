"""Section 3.5 of the language: where a machine ends."""

from datetime import timedelta

import pytest

from machines.core.settling import Outcome
from tests.core.player import FAILS, Player, Takes


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("states: {a: {}, b: {final: true}}", "finished"),
        ("states: [a, b]", "running"),  # any other dead end stays alive and listens
        ("states: {a: {}, b: {final: false}}", "running"),
    ],
)
def test_final_is_a_state_that_is_marked_so(text: str, status: str) -> None:
    player = Player(f"initial_state: a\n{text}\ntransitions: [{{from: a, to: b, event: go}}]\n")

    player.send("go")

    assert player.status == status


@pytest.mark.parametrize("name", ["completed", "stopped", "shutdown"])
@pytest.mark.parametrize(
    ("more", "status"),
    [
        ("", "finished"),
        ("  - {from: NAME, to: a, event: again}\n", "running"),
        ("  - {from: [b, NAME], to: a, after: 5s}\n", "running"),
        ("  - {from: NAME, to: NAME, event: again}\n", "finished"),
        ("  - {from: NAME, event: again}\n", "finished"),
        ('  - {from: "*", to: a, event: again}\n', "finished"),  # not by name
    ],
)
def test_completed_stopped_and_shutdown_are_final_if_nothing_leads_from_them_by_name(
    name: str, more: str, status: str
) -> None:
    text = f"initial_state: a\ntransitions:\n  - {{from: [a, b], to: {name}, event: go}}\n"

    player = Player(text + more.replace("NAME", name))
    player.send("go")

    assert (player.state, player.status) == (name, status)


def test_final_false_keeps_a_state_named_completed_alive() -> None:
    player = Player("initial_state: completed\nstates: {completed: {final: false}}\n")

    assert player.status == "running"


def test_the_actions_of_a_final_state_run_once_and_their_events_are_judged() -> None:
    player = Player(
        """\
initial_state: completed
transitions: [{from: completed, to: completed, event: again, actions: [{type: own}]}]
actions: {completed: [{type: work}, {type: loops}, {type: sleep}, {type: log}]}
""",
        {"work": Takes(5), "loops": Outcome("again"), "sleep": Outcome(delay=timedelta(seconds=5))},
    )

    player.advance(9)
    before = player.status
    player.advance(1)

    assert (before, player.status) == ("running", "finished")
    assert player.done == ["work", "loops", "own", "sleep", "log"]


def test_an_event_of_a_final_states_action_may_move_it_on() -> None:
    player = Player(
        'initial_state: completed\ntransitions: [{from: "*", to: failed, event: error}]\n'
        "actions: {completed: [{type: fails}]}\n",
        {"fails": FAILS},
    )

    assert (player.state, player.status) == ("failed", "running")


def test_an_automatic_transition_may_move_a_final_state_on() -> None:
    player = Player(
        "initial_state: a\nstates: {a: {final: true}, b: {}}\n"
        "transitions: [{from: a, to: b, guard: n}]\n",
        given={"n": 1},
    )

    assert (player.state, player.status) == ("b", "running")


def test_events_that_wait_do_not_move_a_final_state_on() -> None:
    player = Player(
        """\
initial_state: a
transitions: [{from: a, to: done, event: go}, {from: done, to: a, event: back}]
states: {a: {actions: [{type: work}]}, done: {final: true}}
""",
        {"work": Takes(5)},
    )

    player.send("go", "back")
    player.advance(5)

    assert (player.state, player.status) == ("done", "finished")
    assert player.ended == [("go", "processed")]  # the runtime ignores what is pending then


def test_a_final_state_does_not_wait_for_its_timers() -> None:
    player = Player(
        "initial_state: a\nstates: {a: {final: true}, b: {}}\n"
        "transitions: [{from: a, to: b, after: 5s}]\n"
    )

    assert player.status == "finished"


def test_a_repetition_of_a_final_states_action_does_not_keep_the_machine() -> None:
    player = Player("initial_state: completed\nactions: {completed: [{type: beat, every: 1s}]}\n")

    assert (player.done, player.status) == (["beat"], "finished")


def test_a_retry_of_a_final_states_action_is_waited_for() -> None:
    tries = [FAILS, Outcome()]
    player = Player(
        "initial_state: completed\n"
        "actions: {completed: [{type: tries, retry: {attempts: 2, delay: 5s}}, {type: log}]}\n",
        {"tries": lambda player: tries.pop(0)},
    )

    player.advance(5)

    assert (player.done, player.status) == (["tries", "tries", "log"], "finished")
