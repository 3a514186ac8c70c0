"""Section 2 of the language: guards, what they read and what becomes of one that raises."""

from typing import Any

import pytest

from machines.core.errors import DefinitionError
from machines.core.loading import load
from machines.core.settling import Outcome
from tests.core.player import Player

STATES = "initial_state: a\nstates: [a, b, c]\ntransitions:\n"
CONTEXT = {"count": 3, "name": "Ann", "items": [{"size": 2}, 5], "none": None, "payload": "mine"}


def guarded(guard: str) -> Player:
    return Player(STATES + f"  - {{from: a, to: b, event: go, guard: '{guard}'}}\n", given=CONTEXT)


@pytest.mark.parametrize(
    "guard",
    [
        "count > 2 and count <= 3",
        "not count == 4 or missing",
        'name in ["Ann", "Bob"]',
        '"x" not in name',
        "count * 2 + 1 == 7 and count % 2 == 1 and count // 2 == 1",
        "items[0].size == 2 and items[1] == 5",
        "len(items) == 2 and len(name) == 3",
        "none is null and none == null",
        "count",
        'payload.user.name == "Eve"',
        "payload.list[1] == 8",
        'event.type == "go" and event.payload.n == 1',
        'event_data.type == "go"',
        'machine_name == "worker" and current_state == "a"',
        "current_job == null",
        '"big" if count > 9 else payload.n',
    ],
)
def test_a_guard_is_an_expression_over_the_context_the_payload_and_the_event(guard: str) -> None:
    player = guarded(guard)

    player.send("go", payload={"user": {"name": "Eve"}, "list": [7, 8], "n": 1})

    assert player.state == "b", player.judged[-1].guards


@pytest.mark.parametrize("payload", [None, {}])
def test_the_payload_is_an_empty_mapping_where_there_is_none(payload: Any) -> None:
    player = guarded("payload == event.none_such or len(payload) == 0")
    empty = guarded("len(payload) == 0")

    for machine in (player, empty):
        machine.send("go", payload=payload)

    assert (player.state, empty.state) == ("a", "b")


@pytest.mark.parametrize(
    ("guard", "reason"),
    [
        ("missing > 1", "nothing is named 'missing' here"),
        ("payload.user.name", "payload has no key 'user'"),
        ("name > 1", "'>' does not fit a text and a number"),
        ("items[9]", "a list of 2, so it has no item 9"),
        ("1 / (count - 3)", "divides by zero"),
        ("name.upper", "only a mapping has keys"),
    ],
)
def test_a_guard_that_raises_counts_as_false_and_is_recorded_with_the_reason(
    guard: str, reason: str
) -> None:
    player = guarded(guard)

    player.send("go")

    assert player.ended == [("go", "ignored")]
    assert reason in player.judged[-1].reason


def test_a_guard_that_raises_lets_the_next_transition_be_tried() -> None:
    player = Player(
        STATES + "  - {from: a, to: b, event: go, guard: missing}\n"
        "  - {from: a, to: c, event: go}\n"
    )

    player.send("go")

    assert player.state == "c"
    [(index, why)] = player.judged[-1].guards
    assert index == 0
    assert "nothing is named 'missing'" in why


@pytest.mark.parametrize(("size", "target"), [(1, "b"), (5, "c"), (50, "a")])
def test_transitions_with_one_from_and_event_and_different_guards_are_a_branch(
    size: int, target: str
) -> None:
    player = Player(
        STATES
        + "  - {from: a, to: b, event: [go, done], guard: size < 2}\n"
        + "  - {from: a, to: c, event: [go, done], guard: size < 10}\n"
        + "actions: {a: [{type: work}]}\n",
        {"work": Outcome("done", {"size": size})},
    )

    assert player.state == target


def test_a_guard_sees_what_the_context_map_of_its_event_brings() -> None:
    player = Player(
        STATES
        + "  - {from: a, to: b, event: go, guard: user == payload.name}\n"
        + "events: {go: {context_map: {user: payload.name}}}\n",
        given={"user": "before"},
    )

    player.send("go", payload={"name": "Eve"})

    assert player.state == "b"


@pytest.mark.parametrize(
    "guard",
    [
        "__import__('os')",
        "name.__class__()",
        "(lambda: 1)()",
        "[x for x in items]",
        "open('file')",
        "name := 3",
        "{1: 2}",
        "f'{name}'",
        "items[0:1]",
        "2 ** 99999999",
        "await name",
        "count = 3",
        "count && name",
        "",
    ],
)
def test_what_is_not_on_the_allow_list_of_syntax_is_refused_when_the_file_is_loaded(
    guard: str,
) -> None:
    text = STATES + f'  - {{from: a, to: b, event: go, guard: "{guard}"}}\n'

    with pytest.raises(DefinitionError, match="guard"):
        load(text, origin="test.yaml")


@pytest.mark.parametrize("guard", ["name * 999999999", "9 ** 9", "name.format"])
def test_a_guard_costs_no_more_than_a_bounded_time_and_space(guard: str) -> None:
    text = STATES + f"  - {{from: a, to: b, event: go, guard: {guard}}}\n"

    try:
        player = Player(text, given=CONTEXT)
    except DefinitionError:
        return
    player.send("go")

    assert player.state == "a"
