"""Section 3.4 of the language: an action that fails never ends its machine."""

import pytest

from machines.core.settling import Outcome
from tests.core.player import FAILS, Player, Takes

BROKEN = {"last_error": "broken", "last_error_action": "fails"}


@pytest.mark.parametrize("found", [FAILS, Takes(1, FAILS)])
def test_an_action_that_fails_gives_error_and_says_why_in_the_context(
    found: Outcome | Takes,
) -> None:
    player = Player(
        'initial_state: a\ntransitions: [{from: "*", to: failed, event: error}]\n'
        "actions: {a: [{type: fails}, {type: skipped}]}\n",
        {"fails": found},
    )

    player.advance(1)

    assert (player.state, player.context, player.done) == ("failed", BROKEN, ["fails"])


@pytest.mark.parametrize(
    ("written", "event"),
    [
        ("error: bad_luck", "bad_luck"),
        ("failure: bad_luck", "bad_luck"),
        ("error: bad_luck, failure: other", "bad_luck"),
        ("params: {error: other}, error: bad_luck", "bad_luck"),
        ("params: {error: bad_luck}", "bad_luck"),
        ('error: "{name}_luck"', "bad_luck"),
        ("success: fine", "error"),
    ],
)
def test_a_failure_is_called_what_error_or_failure_names(written: str, event: str) -> None:
    player = Player(
        f"initial_state: a\ntransitions: [{{from: a, to: b, event: {event}}}]\n"
        f"actions: {{a: [{{type: fails, {written}}}]}}\n",
        {"fails": FAILS},
        given={"name": "bad"},
    )

    assert player.state == "b"


def test_an_error_that_nothing_handles_lets_the_next_action_run_and_the_machine_live() -> None:
    player = Player(
        "initial_state: a\ntransitions: [{from: a, to: b, event: go}]\n"
        "actions: {a: [{type: fails}, {type: log}]}\n",
        {"fails": FAILS},
    )

    player.send("go")

    assert (player.done, player.state, player.context) == (["fails", "log"], "b", BROKEN)


def test_an_error_whose_guard_is_false_counts_as_unhandled() -> None:
    player = Player(
        "initial_state: a\ntransitions: [{from: a, to: b, event: error, guard: 'n > 1'}]\n"
        "actions: {a: [{type: fails}, {type: log}]}\n",
        {"fails": FAILS},
    )

    assert (player.done, player.state) == (["fails", "log"], "a")


def test_a_guard_of_an_error_reads_what_went_wrong() -> None:
    player = Player(
        "initial_state: a\ntransitions:\n"
        "  - {from: a, to: b, event: error, guard: '\"disk\" in last_error'}\n"
        "  - {from: a, to: c, event: error, guard: 'last_error_action == \"fails\"'}\n"
        "actions: {a: [{type: fails}]}\n",
        {"fails": FAILS},
    )

    assert player.state == "c"


def test_an_action_of_an_error_transition_that_fails_itself_gives_another_error() -> None:
    player = Player(
        """\
initial_state: a
transitions:
  - {from: a, to: b, event: error, actions: [{type: reports}, {type: skipped}]}
  - {from: b, to: c, event: error}
actions: {a: [{type: fails}], b: [{type: skipped}]}
""",
        {"fails": FAILS, "reports": Outcome(error="no mail")},
    )

    assert player.steps[1:] == ["a --error--> b", "b --error--> c"]
    assert player.context["last_error"] == "no mail"


def test_a_failing_action_of_an_error_self_loop_ends_as_a_fault_and_not_as_a_hang() -> None:
    player = Player(
        """\
initial_state: a
metadata: {max_instant_steps: 20}
transitions: [{from: "*", to: a, event: error, actions: [{type: fails}]}]
actions: {a: [{type: fails}]}
""",
        {"fails": FAILS},
    )

    assert player.status == "faulted"


def test_an_error_in_a_failed_state_is_a_self_loop_of_the_usual_pattern_and_rests() -> None:
    player = Player(
        """\
initial_state: a
transitions: [{from: "*", to: failed, event: error}]
actions: {a: [{type: fails}], failed: [{type: fails}, {type: log}]}
""",
        {"fails": FAILS},
    )

    assert player.done == ["fails", "fails", "log"]
    assert (player.state, player.status) == ("failed", "running")
