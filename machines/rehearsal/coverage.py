"""Coverage: which states were entered and which transitions taken while tests ran.

A transition counts once for each source that it names, and once if that is ``*``: as it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from machines.core.definition import ANY_STATE, Definition, Transition
from machines.core.mermaid import diagram, painted, trigger
from machines.rehearsal.scenarios import Verdict
from machines.rehearsal.story import steps_of

TESTED, UNTESTED = "tested", "untested"  # paints of the diagram

Way = tuple[int, str | None]  # a transition and the source that it is drawn from; None: any


@dataclass(frozen=True, slots=True)
class Untested:
    """A state or transition that no test came by, and the line where it stands."""

    line: int
    what: str


@dataclass(frozen=True)
class Coverage:
    """How much of one file its tests came by."""

    file: str
    definition: Definition
    entered: frozenset[str]
    taken: frozenset[Way]

    @cached_property
    def ways(self) -> tuple[Way, ...]:
        """Everything that may be taken, in the order of the file."""
        return tuple(
            (transition.index, source)
            for transition in self.definition.transitions
            for source in _sources(transition)
        )

    @property
    def states(self) -> tuple[int, int]:
        """How many states were entered, of how many."""
        return len(self.entered), len(self.definition.states)

    @property
    def transitions(self) -> tuple[int, int]:
        """How many transitions were taken, of how many."""
        return len(self.taken), len(self.ways)

    @property
    def percent(self) -> float:
        """Of both together; rounded down, so that 100 is all."""
        tested = len(self.entered) + len(self.taken)
        return percent_of(tested, len(self.definition.states) + len(self.ways))

    @property
    def untested(self) -> tuple[Untested, ...]:
        """What no test came by, in the order of the file."""
        states = (
            Untested(state.place.line, f"state {state.name!r}")
            for state in self.definition.states.values()
            if state.name not in self.entered
        )
        transitions = (
            Untested(self.definition.transitions[index].place.line, self._words(index, source))
            for index, source in self.ways
            if (index, source) not in self.taken
        )
        return tuple(sorted((*states, *transitions), key=lambda found: found.line))

    def drawing(self) -> str:
        """The Mermaid text of the machine: what was tested is green, the rest red and dashed."""
        drawn = diagram(self.definition)
        states = {
            name: TESTED if name in self.entered else UNTESTED for name in self.definition.states
        }
        edges = {
            edge: TESTED if way in self.taken else UNTESTED
            for way in self.ways
            if (edge := drawn.edge_of(*way)) is not None
        }
        return painted(drawn, states, edges)

    def _words(self, index: int, source: str | None) -> str:
        transition = self.definition.transitions[index]
        target = "(inside)" if transition.target is None else transition.target
        return f"{source or ANY_STATE} --{trigger(transition)}--> {target}"


def percent_of(some: int, of: int) -> float:
    """A share in percent with one digit, rounded down; all of nothing is 100."""
    return 100.0 if of == 0 else some * 1_000 // of / 10


def coverage_of(verdicts: Iterable[Verdict], machines: Mapping[str, Definition]) -> list[Coverage]:
    """The coverage of ``machines``, by their files, and of each other that took part."""
    definitions = dict(machines)
    entered: dict[str, set[str]] = {}
    taken: dict[str, set[Way]] = {}
    for verdict in verdicts:
        files: dict[str, str] = {}
        for member in verdict.scenario.cast:
            files[member.name] = member.file
            definitions[member.file] = member.definition
        _add_story(verdict, files, definitions, entered, taken)
    return [
        Coverage(file, found, frozenset(entered.get(file, ())), frozenset(taken.get(file, ())))
        for file, found in definitions.items()
    ]


def _add_story(
    verdict: Verdict,
    files: Mapping[str, str],
    definitions: Mapping[str, Definition],
    entered: dict[str, set[str]],
    taken: dict[str, set[Way]],
) -> None:
    for step in steps_of(verdict.story):
        file = files[step.machine]
        entered.setdefault(file, set()).add(step.target)
        if step.transition is not None:
            transition = definitions[file].transitions[step.transition]
            source = None if ANY_STATE in transition.sources else step.source
            taken.setdefault(file, set()).add((step.transition, source))


def _sources(transition: Transition) -> tuple[str | None, ...]:
    if ANY_STATE in transition.sources:
        return (None,)
    return tuple(dict.fromkeys(transition.sources))


def as_markdown(coverages: Iterable[Coverage]) -> str:
    """The painted diagrams with what is untested, as a Markdown document."""
    parts = ["# What the tests came by\n"]
    for found in coverages:
        parts.append(f"\n## {found.file}: {found.percent:g} %\n")
        parts.append(f"\n```mermaid\n{found.drawing()}```\n")
        if found.untested:
            parts.append("\nUntested:\n\n")
            parts.extend(f"* line {one.line}: `{one.what}`\n" for one in found.untested)
    return "".join(parts)
