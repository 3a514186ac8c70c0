"""What tests came by, in numbers, by line, and painted."""

from pathlib import Path

import pytest

from machines.core.loading import load
from machines.rehearsal.coverage import Coverage, as_markdown, coverage_of, percent_of
from machines.rehearsal.files import Shelf
from machines.rehearsal.scenarios import run
from tests.machines.rehearsal.conftest import Write

MACHINE = """\
initial_state: a
states:
  a: {}
  b: {}
  c: {}
transitions:
  - {from: [a, b], to: b, event: go}
  - {from: "*", to: c, event: stop}
  - {from: b, event: note}
"""
TESTS = """
tests:
  - name: it goes
    steps: [{send: go}, {send: nonsense}]
"""


def covered(write: Write, tests: str = TESTS) -> list[Coverage]:
    path = write(tests, machine=MACHINE)
    shelf = Shelf()
    machine = path.with_name("worker.yaml")
    found = [run(one, "t", shelf.types(machine)) for one in shelf.scenarios(path).scenarios]
    return coverage_of(found, {str(machine): shelf.definition(machine)})


def test_coverage_counts_states_and_transitions_as_they_are_drawn(write: Write) -> None:
    (found,) = covered(write)

    assert (found.states, found.transitions) == ((2, 3), (1, 4))
    assert found.percent == 42.8


def test_untested_parts_are_named_with_their_lines(write: Write) -> None:
    (found,) = covered(write)

    assert [(one.line, one.what) for one in found.untested] == [
        (5, "state 'c'"),
        (7, "b --go--> b"),
        (8, "* --stop--> c"),
        (9, "b --note--> (inside)"),
    ]


def test_machine_without_tests_is_not_covered_at_all(write: Write) -> None:
    (found,) = covered(write, "tests: []\n")

    assert (found.percent, len(found.untested)) == (0, 7)


def test_everything_that_is_tested_leaves_nothing(write: Write) -> None:
    (found,) = covered(write, "tests: [{name: a, steps: [{send: [go, go, note]}, {send: stop}]}]")

    assert (found.percent, found.untested) == (100, ())


def test_drawing_paints_what_was_tested_and_what_was_not(write: Write) -> None:
    (found,) = covered(write)

    text = found.drawing()

    assert text.startswith("stateDiagram-v2\n")
    assert "class s0,s1 tested" in text
    assert "class s2 untested" in text


def test_markdown_holds_the_drawing_and_the_untested(write: Write) -> None:
    (found,) = covered(write)

    text = as_markdown([found])

    assert f"## {found.file}: 42.8 %" in text
    assert f"```mermaid\n{found.drawing()}```" in text
    assert "* line 8: `* --stop--> c`" in text


@pytest.mark.parametrize(
    ("some", "of", "percent"),
    [(0, 0, 100), (0, 3, 0), (2, 3, 66.6), (999, 1000, 99.9), (3, 3, 100)],
)
def test_percent_is_rounded_down(some: int, of: int, percent: float) -> None:
    assert percent_of(some, of) == percent


def test_machine_with_no_transitions_is_covered_by_its_entry() -> None:
    definition = load("initial_state: a\nstates: [a]\n", origin="a.yaml")

    assert Coverage(str(Path("a.yaml")), definition, frozenset({"a"}), frozenset()).percent == 100
