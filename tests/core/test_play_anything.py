"""Whatever machine is written and whatever is sent to it, the pure core plays it."""

from datetime import timedelta
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from machines.core import engine
from machines.core.settling import Outcome
from tests.core.player import FAILS, NO_JOBS, Fake, Player, Takes

# -- anything at all

STATES, EVENTS = ("a", "b", "completed"), ("x", "y", "error", "start", "wake_up")


def claims_twice(player: Player) -> Outcome:
    return Outcome("x", job={"id": 1}) if player.done.count("claim") < 2 else NO_JOBS


FAKES: dict[str, Fake] = {
    "raise_x": Outcome("x", {"n": 1}),
    "raise_y": Outcome("y"),
    "fails": FAILS,
    "bursts": Outcome("x", {"text": "x" * engine.MAX_CONTEXT_BYTES}),
    "sleep": Outcome(delay=timedelta(seconds=3)),
    "work": Takes(2, Outcome("y")),
    "broken_work": Takes(1, FAILS),
    "look": NO_JOBS,
    "claim": claims_twice,
}
RETRY = {"attempts": 2, "delay": "1s"}


@st.composite
def actions(draw: st.DrawFn) -> list[dict[str, Any]]:
    kinds = st.sampled_from([*FAKES, "log"])
    more: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
        [{}, {}, {"every": "2s"}, {"retry": RETRY}, {"error": "y"}]
    )
    return [{"type": draw(kinds)} | draw(more) for _ in range(draw(st.integers(0, 3)))]


@st.composite
def transitions(draw: st.DrawFn) -> dict[str, Any]:
    written: dict[str, Any] = {"from": draw(st.sampled_from([*STATES, "*"]))}
    written |= draw(
        st.sampled_from([{}, {"after": "1s"}, {"after": "4s"}, *({"event": e} for e in EVENTS)])
    )
    if draw(st.booleans()):
        written["to"] = draw(st.sampled_from(STATES))
        written["reenter"] = draw(st.booleans())
        if len(written) > 3:
            written["interrupt"] = draw(st.booleans())
    if draw(st.booleans()):
        written["guard"] = draw(st.sampled_from(["n", "not n", "n == 1", "event.type == 'x'"]))
    written["actions"] = draw(actions())
    return written


@st.composite
def machines(draw: st.DrawFn) -> str:
    written = {
        "initial_state": "a",
        "states": list(STATES),
        "metadata": {"max_instant_steps": 20},
        "transitions": draw(st.lists(transitions(), max_size=6)),
        "actions": {state: draw(actions()) for state in STATES},
    }
    return orjson.dumps(written).decode()


@given(machines(), st.lists(st.sampled_from([*EVENTS, "ring"]), max_size=6), st.data())
def test_any_machine_plays_any_events_and_each_ends_once(
    text: str, sent: list[str], data: st.DataObject
) -> None:
    player = Player(text, FAKES)

    for name in sent:
        if name == "ring":
            player.ring()
        else:
            player.send(name)
        player.advance(data.draw(st.integers(0, 5)))

    outside = [name for name in sent if name != "ring"]
    ended = [name for name, _ in player.ended]
    left = [event.name for event in player.waiting.events()]
    assert sorted(ended + left) == sorted(outside)
    if player.status == "running":
        assert player.snapshot.turn.work is not None or player.snapshot.turn.resting
        assert (player.work is not None) is (player.snapshot.turn.work is not None)
