"""Section 2 of the language: time in a state, and which of its timers counts."""

import pytest

from machines.core.settling import Outcome
from tests.core.player import Player, Takes

STATES = "initial_state: a\nstates: [a, b, c]\ntransitions:\n"


def played(*transitions: str, actions: str = "", **fakes: Outcome | Takes) -> Player:
    lines = "".join(f"  - {line}\n" for line in transitions)
    return Player(STATES + lines + (f"actions: {actions}\n" if actions else ""), {**fakes})


@pytest.mark.parametrize(
    ("written", "seconds", "name"),
    [
        ("event: timeout(5)", 5, "timeout(5)"),
        ("after: 5s", 5, "timeout(5)"),
        ("after: 500ms", 0.5, "timeout(0.5)"),
        ("after: 10m", 600, "timeout(600)"),
        ("after: 1h", 3_600, "timeout(3600)"),
        ("after: 1d", 86_400, "timeout(86400)"),
        ("after: 7", 7, "timeout(7)"),
        ("event: timeout(10m)", 600, "timeout(10m)"),
        ("event: [never, timeout(5)]", 5, "timeout(5)"),
    ],
)
def test_timeout_and_after_are_the_same_time_since_the_state_was_entered(
    written: str, seconds: float, name: str
) -> None:
    player = played(f"{{from: a, to: b, {written}}}")

    player.advance(seconds - 0.1)
    before = player.state
    player.advance(0.1)

    assert (before, player.state) == ("a", "b")
    assert player.steps[-1] == f"a --{name}--> b"  # on record as it is written


def test_the_shortest_fires_first_and_leaving_the_state_cancels_all() -> None:
    player = played(
        "{from: a, to: c, after: 10s}",
        "{from: a, to: b, after: 5s}",
        '{from: "*", to: c, after: 30s}',
    )

    player.advance(34)
    there = player.state
    player.advance(1)

    assert (there, player.state) == ("b", "c")
    assert player.steps[1:] == ["a --timeout(5)--> b", "b --timeout(30)--> c"]


def test_an_ignored_event_touches_no_timer() -> None:
    player = played("{from: a, to: b, after: 5s}")

    player.advance(4)
    player.send("unheard_of")
    player.advance(1)

    assert player.state == "b"


def test_a_self_loop_of_an_event_restarts_no_timer() -> None:
    player = played("{from: a, to: b, after: 5s}", "{from: a, to: a, event: poke}")

    player.advance(4)
    player.send("poke")
    player.advance(1)

    assert player.state == "b"


def test_a_self_loop_restarts_only_the_timer_that_caused_it() -> None:
    player = played(
        "{from: a, to: a, after: 2s, actions: [{type: beat}]}", "{from: a, to: b, after: 5s}"
    )

    player.advance(10)

    assert player.done == ["beat", "beat"]
    assert player.steps[-1] == "a --timeout(5)--> b"


def test_an_internal_timer_fires_once_in_a_stay() -> None:
    player = played("{from: a, after: 2s, actions: [{type: remind}]}")

    player.advance(60)

    assert player.done == ["remind"]


def test_reenter_starts_every_timer_anew() -> None:
    player = played("{from: a, to: b, after: 5s}", "{from: a, to: a, event: poke, reenter: true}")

    player.advance(4)
    player.send("poke")
    player.advance(4.5)
    before = player.state
    player.advance(0.5)

    assert (before, player.state) == ("a", "b")


def test_a_guard_that_is_false_at_the_deadline_spends_it() -> None:
    text = STATES + (
        "  - {from: a, to: b, after: 5s, guard: ready}\n"
        "events: {tell: {context_map: {ready: payload}}}\ncontext: {ready: false}\n"
    )
    player = Player(text)

    player.advance(6)
    player.send("tell", payload=True)
    player.advance(60)

    assert player.state == "a"
    assert player.judged[1].guards == ((0, False),)


def test_timers_of_one_time_with_different_guards_are_a_branch_in_file_order() -> None:
    player = Player(
        STATES + "  - {from: a, to: b, after: 5s, guard: big}\n  - {from: a, to: c, after: 5s}\n",
        given={"big": False},
    )

    player.advance(5)

    assert player.steps[1:] == ["a --timeout(5)--> c"]


def test_of_timers_of_one_time_only_the_first_match_is_taken_also_if_it_stays() -> None:
    player = Player(
        STATES
        + '  - {from: a, to: a, event: timeout(5), guard: "tries < 2", actions: [{type: retry}]}\n'
        + "  - {from: a, to: b, event: timeout(5)}\n",
        {"retry": lambda player: Outcome(changes={"tries": player.context["tries"] + 1})},
        given={"tries": 0},
    )

    player.advance(14)
    tried = (player.state, player.done)
    player.advance(1)

    assert tried == ("a", ["retry", "retry"])
    assert player.state == "b"


def test_a_timer_that_leaves_interrupts_work_and_one_that_does_not_waits_for_rest() -> None:
    player = played(
        "{from: a, after: 1s, actions: [{type: note}]}",
        "{from: a, to: b, after: 5s}",
        actions="{a: [{type: work}, {type: skipped}]}",
        work=Takes(60),
    )

    player.advance(60)

    assert player.done == []
    assert player.steps[1:] == ["a --timeout(5)--> b"]


def test_a_timer_with_interrupt_false_waits_for_rest() -> None:
    player = played(
        "{from: a, to: b, after: 5s, interrupt: false}",
        actions="{a: [{type: work}, {type: log}]}",
        work=Takes(60),
    )

    player.advance(59)
    before = player.state
    player.advance(1)

    assert (before, player.state, player.done) == ("a", "b", ["work", "log"])


def test_two_timers_due_while_work_runs_are_judged_in_the_order_of_their_due_times() -> None:
    player = played(
        "{from: a, after: 3s, actions: [{type: second}]}",
        "{from: a, after: 2s, actions: [{type: first}]}",
        actions="{a: [{type: work}]}",
        work=Takes(10),
    )

    player.advance(10)

    assert player.done == ["work", "first", "second"]


def test_a_time_of_zero_fires_on_entry_after_nothing_else() -> None:
    player = played("{from: a, to: b, after: 0}", actions="{a: [{type: skipped}]}")

    player.advance(0)

    assert player.state == "b"
