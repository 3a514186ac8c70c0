"""Section 2 of the language: what does not wait until the work of a state has ended."""

import pytest

from machines.core.settling import Outcome
from tests.core.player import Player, Takes

STATES = "initial_state: a\nstates: [a, b, c]\ntransitions:\n"
WORKS = "actions: {a: [{type: work}, {type: log}]}\n"


def at_work(*transitions: str, more: str = "") -> Player:
    """A machine whose work takes a minute, five seconds after it began."""
    lines = "".join(f"  - {line}\n" for line in transitions)
    player = Player(STATES + lines + WORKS + more, {"work": Takes(60)}, given={"n": 1})
    player.advance(5)
    return player


@pytest.mark.parametrize(
    ("transition", "interrupts"),
    [
        ("{from: a, to: b, event: go}", False),
        ("{from: a, to: b, event: go, interrupt: true}", True),
        ('{from: "*", to: b, event: go}', True),
        ('{from: [c, "*"], to: b, event: [x, go]}', True),
        ('{from: "*", to: b, event: go, interrupt: false}', False),
        ('{from: "*", to: a, event: go}', False),  # a self-loop
        ('{from: "*", to: a, event: go, reenter: true}', True),
        ("{from: a, to: a, event: go, interrupt: true}", False),
        ("{from: a, to: a, event: go, interrupt: true, reenter: true}", True),
        ("{from: a, event: go}", False),
        ('{from: "*", event: go}', False),
        ("{from: a, to: b, event: go, interrupt: true, guard: n}", True),
        ("{from: a, to: b, event: go, interrupt: true, guard: not n}", False),
        ("{from: a, to: b, event: go, interrupt: true, guard: nothing.here}", False),
    ],
)
def test_an_interrupt_is_what_leaves_the_state_and_says_so_or_comes_from_any_state(
    transition: str, interrupts: bool
) -> None:
    player = at_work(transition)

    player.send("go")

    assert (player.work is None or player.begun == 2) is interrupts
    assert bool(player.ended) is interrupts


def test_an_event_beside_a_timer_in_one_transition_has_the_default_of_an_event() -> None:
    player = at_work("{from: a, to: b, event: [go, timeout(30)]}")

    player.send("go")
    after_event = player.state
    player.advance(25)

    assert after_event == "a"
    assert player.steps[-1] == "a --timeout(30)--> b"


def test_only_the_first_match_in_the_present_state_counts() -> None:
    player = at_work("{from: a, to: b, event: go}", '{from: "*", to: c, event: go}')

    player.send("go")
    held = player.state
    player.advance(60)

    assert (held, player.state) == ("a", "b")


def test_an_interrupt_overtakes_older_events_and_those_keep_their_order() -> None:
    player = at_work(
        "{from: a, to: c, event: go}", '{from: "*", to: b, event: stop}', "{from: b, event: go}"
    )

    player.send("go", "go", "stop")

    assert [name for name, _status in player.ended] == ["stop", "go", "go"]
    assert player.done == []


def test_the_oldest_of_two_interrupts_is_taken_and_the_other_judged_where_it_leads() -> None:
    player = at_work(
        "{from: a, to: b, event: one, interrupt: true}",
        "{from: a, to: c, event: two, interrupt: true}",
    )

    player.send("two", "one")

    assert player.state == "c"
    assert player.ended == [("two", "processed"), ("one", "ignored")]


def test_an_interrupt_is_taken_between_two_actions_of_a_round() -> None:
    text = STATES + '  - {from: "*", to: b, event: stop}\n'
    text += "actions: {a: [{type: asks}, {type: skipped}]}\n"

    def asks(player: Player) -> Outcome:
        player.send_quietly("stop")
        return Outcome()

    player = Player(text, {"asks": asks})

    assert (player.state, player.done) == ("b", ["asks"])


def test_an_interrupt_ends_a_wait_and_what_is_behind_it() -> None:
    text = STATES + "  - {from: a, to: b, event: go, interrupt: true}\n"
    text += "actions: {a: [{type: work, retry: {attempts: 9, delay: 9s}}, {type: log}]}\n"
    player = Player(text, {"work": Outcome(error="broken")})

    player.send("go")
    player.advance(60)

    assert (player.state, player.done) == ("b", ["work"])


def test_an_interrupt_is_judged_with_what_it_brings_into_the_context() -> None:
    player = at_work(
        "{from: a, to: b, event: stop, interrupt: true, guard: force}",
        more="events: {stop: {context_map: {force: payload.force}}}\n",
    )

    player.send("stop", payload={"force": False})
    held = player.state
    player.send("stop", payload={"force": True})

    assert (held, player.state) == ("a", "b")


def test_an_automatic_transition_waits_for_rest() -> None:
    player = at_work("{from: a, to: b, guard: n}")

    held = player.state
    player.advance(60)

    assert (held, player.state, player.done) == ("a", "b", ["work", "log"])


def test_interrupts_are_looked_for_again_after_every_step() -> None:
    text = STATES + (
        "  - {from: a, to: b, event: go}\n  - {from: b, to: c, event: stop, interrupt: true}\n"
        "actions: {a: [{type: work}], b: [{type: work}]}\n"
    )
    player = Player(text, {"work": Takes(60)})

    player.send("go", "stop")
    player.advance(60)

    assert player.begun == 1  # in b the waiting stop is taken before its work begins
    assert player.state == "c"
