"""Sections 4 and 4.4 of the language: an action as it is written, and its retries."""

import pytest

from machines.core.definition import Action
from machines.core.errors import DefinitionError
from machines.core.loading import load
from machines.core.settling import Outcome
from tests.core.player import FAILS, Player, Takes


def action(written: str) -> Action:
    text = f"initial_state: a\nactions: {{a: [{{type: bash, {written}}}]}}\n"
    return load(text, origin="test.yaml").states["a"].actions[0]


@pytest.mark.parametrize(
    "written",
    [
        "command: ls, timeout: 5, success: fine, error: bad, retry: {attempts: 2}, every: 2s",
        "params: {command: ls, timeout: 5, success: fine, error: bad, retry: {attempts: 2},"
        " every: 2s}",
        "params: {command: ps, timeout: 5, success: no, error: bad, every: 9s},"
        " command: ls, success: fine, retry: {attempts: 2}, every: 2s",
    ],
)
def test_all_keys_but_type_may_stand_under_params_or_flat_and_flat_wins(written: str) -> None:
    found = action(written)

    assert found.settings == {"command": "ls", "timeout": 5, "success": "fine", "error": "bad"}
    assert found.every_seconds == 2
    assert found.retry is not None
    assert found.retry.attempts == 2


@pytest.mark.parametrize("written", ["on_crash: fail", "params: {on_crash: fail}"])
def test_on_crash_is_rerun_unless_it_says_fail(written: str) -> None:
    assert action("command: ls").rerun_on_crash
    assert not action(written).rerun_on_crash


def test_type_stands_beside_params_and_not_in_it() -> None:
    with pytest.raises(DefinitionError, match="type stands beside params, not in it"):
        action("params: {type: bash}")


def test_a_setting_that_a_type_does_not_know_does_not_keep_the_file_from_loading() -> None:
    assert action("command: ls, colour: red").settings["colour"] == "red"


def test_an_unknown_type_does_not_keep_the_file_from_loading() -> None:
    player = Player("initial_state: a\nactions: {a: [{type: never_heard_of}, {type: log}]}\n")

    assert player.done == ["never_heard_of", "log"]


# -- retry


def attempts(retry: str, seconds: float, *, event: str = "") -> list[float]:
    """The times at which an action that fails was tried."""
    times: list[float] = []

    def fails(player: Player) -> Outcome:
        times.append(player.seconds)
        return FAILS

    player = Player(
        f"initial_state: a\nactions: {{a: [{{type: tries, retry: {retry}}}]}}\n", {"tries": fails}
    )
    player.advance(seconds)
    return times


@pytest.mark.parametrize(
    ("retry", "times"),
    [
        ("{attempts: 1}", [0]),
        ("{attempts: 3}", [0, 1, 2]),
        ("{attempts: 3, delay: 2s}", [0, 2, 4]),
        ("{attempts: 4, delay: 2s, backoff: 2}", [0, 2, 6, 14]),
        ("{attempts: 5, delay: 2s, backoff: 2, max_delay: 5s}", [0, 2, 6, 11, 16]),
        ("{attempts: 3, delay: 500ms}", [0, 0.5, 1]),
        ("{attempts: 2, delay: 4s, jitter: true}", [0, 3]),  # the player's chance is a half
        ("{attempts: 3, delay: 0}", [0, 0, 0]),
    ],
)
def test_retry_tries_again_after_its_delays(retry: str, times: list[float]) -> None:
    assert attempts(retry, 60) == times


def test_a_retry_that_succeeds_gives_its_event_and_the_round_goes_on() -> None:
    tries = [FAILS, FAILS, Outcome("done")]
    player = Player(
        """\
initial_state: a
transitions: [{from: a, event: done, actions: [{type: own}]}, {from: "*", to: b, event: error}]
actions: {a: [{type: tries, retry: {attempts: 3}}, {type: log}]}
""",
        {"tries": lambda player: tries.pop(0)},
    )

    player.advance(60)

    assert player.done == ["tries"] * 3 + ["own", "log"]
    assert "last_error" not in player.context


def test_only_the_last_attempt_raises_error() -> None:
    player = Player(
        """\
initial_state: a
transitions: [{from: "*", to: b, event: error}]
actions: {a: [{type: tries, retry: {attempts: 3, delay: 1s}}, {type: skipped}]}
""",
        {"tries": Takes(1, FAILS)},
    )

    player.advance(4.9)
    before = player.state
    player.advance(0.1)

    assert (before, player.state, player.begun) == ("a", "b", 3)


def test_a_retry_is_a_wait_so_events_are_judged_meanwhile() -> None:
    player = Player(
        """\
initial_state: a
transitions:
  - {from: a, event: ask, actions: [{type: own}]}
  - {from: a, to: b, event: go}
actions: {a: [{type: tries, retry: {attempts: 3, delay: 1m}}]}
""",
        {"tries": FAILS},
    )

    player.send("ask", "go")
    player.advance(600)

    assert player.done == ["tries", "own"]  # leaving the state ends the retries
    assert player.state == "b"


def test_a_self_loop_during_a_retry_begins_no_second_one() -> None:
    player = Player(
        """\
initial_state: a
transitions: [{from: a, to: a, event: poke}]
actions: {a: [{type: tries, retry: {attempts: 2, delay: 10s}}]}
""",
        {"tries": FAILS},
    )

    player.send("poke")
    player.advance(9)
    during = player.done.copy()
    player.advance(1)  # the second attempt, then the new round of the self-loop with its first

    assert during == ["tries"]
    assert player.done == ["tries"] * 3


def test_a_new_entry_begins_with_the_first_attempt() -> None:
    player = Player(
        """\
initial_state: a
transitions: [{from: a, to: a, event: poke, reenter: true}]
actions: {a: [{type: tries, retry: {attempts: 2, delay: 10s}}, {type: log}]}
""",
        {"tries": FAILS},
    )

    player.advance(5)
    player.send("poke")
    player.advance(10)

    assert player.done == ["tries", "tries", "tries", "log"]  # at 0, 5 and 15 s


def test_a_retry_of_a_transitions_own_action_goes_on_with_what_is_behind_it() -> None:
    tries = [FAILS, Outcome()]
    player = Player(
        """\
initial_state: a
transitions:
  - {from: a, to: b, event: go, actions: [{type: tries, retry: {attempts: 2}}, {type: own}]}
actions: {b: [{type: work}]}
""",
        {"tries": lambda player: tries.pop(0)},
    )

    player.send("go")
    player.advance(1)

    assert player.done == ["tries", "tries", "own", "work"]
