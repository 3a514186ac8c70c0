"""The tables of a definition: what may happen in a state, in file order."""

import pytest

from machines.core.definition import Definition, State, Transition
from machines.core.loading import load

MACHINE = """\
initial_state: waiting
states: [waiting, processing, failed]
actions:
  processing: [{type: log}, {type: sleep}]
transitions:
  - {from: waiting, to: processing, event: [new_job, retry]}
  - {from: "*", to: failed, event: error, actions: [{type: bash, command: "true"}]}
  - {from: [waiting, failed], to: waiting, event: retry}
  - {from: "*", to: waiting, event: retry}
  - {from: failed, to: waiting, after: 5s}
  - {from: [failed, "*"], to: failed, event: [ping, timeout(9)]}
  - {from: processing, to: waiting, guard: done}
  - {from: processing, to: failed, event: cancel, interrupt: true}
  - {from: processing, event: ping}
"""


@pytest.fixture(scope="module")
def machine() -> Definition:
    return load(MACHINE, origin="test.yaml")


def indexes(transitions: tuple[Transition, ...]) -> list[int]:
    return [transition.index for transition in transitions]


@pytest.mark.parametrize(
    ("state", "event", "found"),
    [
        ("waiting", "new_job", [0]),
        ("waiting", "retry", [0, 2, 3]),
        ("failed", "retry", [2, 3]),
        ("processing", "retry", [3]),
        ("processing", "ping", [5, 8]),
        ("processing", "error", [1]),
        ("waiting", "cancel", []),
        ("unheard_of", "error", []),
    ],
)
def test_candidates_stand_in_file_order_with_wildcards_among_them(
    machine: Definition, state: str, event: str, found: list[int]
) -> None:
    assert indexes(machine.candidates(state, event)) == found


@pytest.mark.parametrize(
    ("state", "automatic", "timed"),
    [
        ("waiting", [], [5]),
        ("processing", [6], [5]),
        ("failed", [], [4, 5]),
        ("unheard_of", [], []),
    ],
)
def test_automatic_and_timed_transitions_have_tables_of_their_own(
    machine: Definition, state: str, automatic: list[int], timed: list[int]
) -> None:
    assert indexes(machine.automatic(state)) == automatic
    assert indexes(machine.timed(state)) == timed


@pytest.mark.parametrize(
    ("state", "names"),
    [
        ("waiting", {"error", "ping"}),  # retry of "*" would not leave it
        ("processing", {"error", "retry", "ping", "cancel"}),
        ("failed", set()),  # the retry that is named there comes first
        ("unheard_of", set()),
    ],
)
def test_interrupting_names_only_events_that_could_leave_the_state(
    machine: Definition, state: str, names: set[str]
) -> None:
    assert machine.interrupting(state) == names


def test_handled_events_stand_in_file_order(machine: Definition) -> None:
    assert machine.handled_events("processing") == ("error", "retry", "ping", "cancel")
    assert machine.handled_events("unheard_of") == ()


def test_actions_are_those_of_states_and_then_those_of_transitions(machine: Definition) -> None:
    assert [action.type for action in machine.actions()] == ["log", "sleep", "bash"]


def test_a_source_named_twice_is_one_candidate() -> None:
    twice = Transition(0, ("a", "a"), "b", events=("go",))

    definition = Definition("m", "a", {"a": State("a"), "b": State("b")}, (twice,))

    assert definition.candidates("a", "go") == (twice,)


@pytest.mark.parametrize(
    ("target", "reenter", "leaves", "stays_by_name"),
    [
        ("b", False, True, False),
        ("a", False, False, True),
        ("a", True, True, False),
        (None, False, False, False),
    ],
)
def test_a_transition_leaves_a_state_stays_in_it_by_name_or_is_internal(
    target: str | None, reenter: bool, leaves: bool, stays_by_name: bool
) -> None:
    transition = Transition(0, ("a",), target, events=("go",), reenter=reenter)

    assert (transition.leaves("a"), transition.stays_by_name("a")) == (leaves, stays_by_name)


@pytest.mark.parametrize(
    ("first", "names"),
    [
        ("{from: a, event: go}", set()),  # it always wins
        ("{from: a, event: go, guard: ready}", {"go"}),
        ("{from: a, event: other}", {"go"}),
    ],
)
def test_interrupting_names_no_event_that_an_earlier_transition_always_takes(
    first: str, names: set[str]
) -> None:
    lines = f"[{first}, {{from: '*', to: b, event: go}}]"
    definition = load(f"initial_state: a\ntransitions: {lines}\n", origin="test.yaml")

    assert definition.interrupting("a") == names


@pytest.mark.parametrize(
    ("line", "interrupts"),
    [
        ("{from: a, to: b, event: go}", False),
        ("{from: a, to: b, event: go, interrupt: true}", True),
        ("{from: '*', to: b, event: go}", True),
        ("{from: '*', to: b, event: go, interrupt: false}", False),
        ("{from: a, to: b, after: 5s}", True),
        ("{from: a, to: b, event: timeout(5)}", True),
        ("{from: a, to: b, after: 5s, interrupt: false}", False),
        ("{from: a, to: b}", False),
        ("{from: '*', event: go}", False),
        ("{from: a, after: 5s}", False),
    ],
)
def test_interrupt_is_the_default_for_timers_and_for_any_state(line: str, interrupts: bool) -> None:
    definition = load(
        f"initial_state: a\nstates: [a, b]\ntransitions: [{line}]\n", origin="test.yaml"
    )

    assert definition.transitions[0].interrupts is interrupts


@pytest.mark.parametrize(
    ("text", "final"),
    [
        ("states: {a: {final: true}, b: {}}", True),
        ("states: [a, b]", False),
        ("states: {a: {final: false}, b: {}}", False),
    ],
)
def test_is_final_is_what_the_file_says(text: str, final: bool) -> None:
    definition = load(f"initial_state: a\n{text}\n", origin="test.yaml")

    assert definition.is_final("a") is final


@pytest.mark.parametrize(
    ("line", "final"),
    [
        ("{from: a, to: completed, event: go}", True),
        ("{from: '*', to: a, event: go}", True),
        ("{from: completed, to: completed, event: go}", True),
        ("{from: completed, event: go}", True),
        ("{from: completed, to: a, event: go}", False),
    ],
)
def test_a_state_named_completed_is_final_unless_a_transition_leads_on(
    line: str, final: bool
) -> None:
    definition = load(
        f"initial_state: a\nstates: [a, completed]\ntransitions: [{line}]\n", origin="test.yaml"
    )

    assert definition.is_final("completed") is final
