"""A diagram is the running definition, drawn; nothing a person wrote can change how it is read."""

import re

import pytest

from machines.core.definition import Definition, State, Transition
from machines.core.expressions import compile_guard
from machines.core.mermaid import Edge, diagram
from tests.core.hostile_names import HOSTILE_NAMES


def defined(*transitions: Transition, states: str = "a b c", **changes: State) -> Definition:
    """A machine whose states are named in ``states``, or given whole."""
    named = {name: State(name) for name in states.split()} | changes
    return Definition("test", next(iter(named)), named, transitions)


def test_diagram_declares_start_states_transitions_and_ends_in_their_order() -> None:
    guard = compile_guard("n > 3")
    definition = defined(
        Transition(0, ("a",), "b", ("go", "run"), guard=guard),
        Transition(1, ("a", "b"), "c", delay_seconds=5.0, delay_name="timeout(5)"),
        Transition(2, ("b",), None, ("tick",)),
        Transition(3, ("b",), "a", guard=guard),
        Transition(4, ("b",), "a"),
        c=State("c", final=True),
    )

    text = diagram(definition).text

    assert text.splitlines() == [
        "stateDiagram-v2",
        '    state "a" as s0',
        '    state "b" as s1',
        '    state "c" as s2',
        "    [*] --> s0",
        "    s0 --> s1 : go, run [n #62; 3]",
        "    s0 --> s2 : after 5 s",
        "    s1 --> s2 : after 5 s",
        "    s1 --> s1 : tick (inside)",
        "    s1 --> s0 : [n #62; 3]",
        "    s1 --> s0 : always",
        "    s2 --> [*]",
    ]


def test_diagram_draws_groups_as_composite_states() -> None:
    definition = defined(b=State("b", group="work"), c=State("c", group="work"))

    lines = diagram(definition).text.splitlines()

    assert lines[2:6] == [
        '    state "work" as g0 {',
        '        state "b" as s1',
        '        state "c" as s2',
        "    }",
    ]


def test_diagram_draws_a_wildcard_once_from_any_state() -> None:
    definition = defined(
        Transition(0, ("a",), "b", ("go",)), Transition(1, ("*",), "c", ("error",))
    )

    drawn = diagram(definition)

    assert '    state "any state" as any' in drawn.text.splitlines()
    assert "    any --> s2 : error" in drawn.text.splitlines()
    assert drawn.edges[2] == Edge(1, None)


@pytest.mark.parametrize(
    ("transition", "source", "edge"),
    [
        (None, None, 0),  # the entry
        (0, "a", 1),
        (1, "a", 2),  # the same event from the same state: told apart by the transition
        (2, "a", 3),
        (2, "b", 4),
        (3, "a", 5),  # a wildcard, whatever it was taken from
        (3, "c", 5),
        (2, "c", None),
        (9, "a", None),
        (None, "a", None),  # a change of status
    ],
)
def test_edge_of_finds_the_edge_that_a_step_took(
    transition: int | None, source: str | None, edge: int | None
) -> None:
    drawn = diagram(
        defined(
            Transition(0, ("a",), "b", ("go",), guard=compile_guard("n < 3")),
            Transition(1, ("a",), "b", ("go",)),
            Transition(2, ("a", "b", "a"), "c", ("end",)),
            Transition(3, ("*",), "a", ("error",)),
        )
    )

    found = drawn.edge_of(transition, source)

    assert found == edge


def test_diagram_of_hostile_names_has_one_line_for_each_state_and_edge() -> None:
    states = {name: State(name, group=name) for name in HOSTILE_NAMES}
    transitions = tuple(Transition(i, (n,), n, (n,)) for i, n in enumerate(HOSTILE_NAMES))

    drawn = diagram(Definition("test", HOSTILE_NAMES[0], states, transitions))

    lines = drawn.text.splitlines()
    count = len(HOSTILE_NAMES)
    assert len(lines) == 1 + 3 * count + 1 + count
    assert sum(bool(re.fullmatch(r" {8}state \"[^\"]+\" as s\d+", line)) for line in lines) == count
    assert sum(bool(re.fullmatch(r" {4}s\d+ --> s\d+ : .+", line)) for line in lines) == count
    assert len(drawn.edges) == 1 + count
