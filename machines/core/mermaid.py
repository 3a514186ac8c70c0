"""Diagrams: a definition as Mermaid text, drawn from the very value that runs.

States are called ``s0``, ``s1`` … in their order and groups ``g0`` …, so that nothing a person
wrote is ever an identifier; names and guards appear only as escaped labels. Edges count from 0 in
the order of their declaration, the way Mermaid numbers them (``edge<i>``).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from machines.core.definition import ANY_STATE, Definition, Transition

ANY_ALIAS = "any"  # stands for every state, so that a wildcard is one edge and not one per state
ANY_LABEL = "any state"
MAX_LABEL_LENGTH = 60  # characters; a longer name would push everything else off the page
_INDENT = "    "
# What Mermaid reads as nothing but text, inside quotes and after a colon.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _,()[]=/")
# Of what is left: the word that Mermaid obeys on any line, and Markdown's emphasis.
_MEANINGFUL = re.compile(r"(?i:d(?=irection))|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


@dataclass(frozen=True, slots=True)
class Edge:
    """One drawn edge. ``transition`` is None for those from the start and to the end.

    ``source`` is None where the edge starts at no single state: at the start, or at any state.
    """

    transition: int | None
    source: str | None


@dataclass(frozen=True, slots=True)
class Diagram:
    """The Mermaid text and what is needed to find a state or a step on the drawing."""

    text: str
    aliases: Mapping[str, str]
    edges: tuple[Edge, ...]

    def edge_of(self, transition: int | None, source: str | None) -> int | None:
        """Which edge a step took, or None if none is drawn for it.

        A step without source is the entry; one that a wildcard took lights the wildcard's edge.
        """
        if transition is None:
            return self._index(Edge(None, None)) if source is None else None
        exact = self._index(Edge(transition, source))
        return self._index(Edge(transition, None)) if exact is None else exact

    def _index(self, edge: Edge) -> int | None:
        return self.edges.index(edge) if edge in self.edges else None


def diagram(definition: Definition) -> Diagram:
    """Draw ``definition``: start, states in their groups, every transition, final states."""
    aliases = {name: f"s{number}" for number, name in enumerate(definition.states)}
    arrows = [
        (Edge(None, None), f"[*] --> {aliases[definition.initial_state]}"),
        *(arrow for t in definition.transitions for arrow in _arrows(t, aliases)),
        *(
            (Edge(None, state.name), f"{aliases[state.name]} --> [*]")
            for state in definition.states.values()
            if state.final
        ),
    ]
    lines = [
        *_declarations(definition, aliases),
        *(line for _, line in arrows),
    ]
    text = "stateDiagram-v2\n" + "".join(f"{_INDENT}{line}\n" for line in lines)
    return Diagram(text, aliases, tuple(edge for edge, _ in arrows))


def label(text: str) -> str:
    """``text`` as Mermaid shows it and never reads it: shortened, one line, all else as codes."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split()) or "?"
    if len(line) > MAX_LABEL_LENGTH:
        line = line[: MAX_LABEL_LENGTH - 1] + "…"
    escaped = "".join(c if c in _PLAIN or ord(c) > 127 else f"#{ord(c)};" for c in line)
    return _MEANINGFUL.sub(lambda found: f"#{ord(found[0])};", escaped)


def duration(seconds: float) -> str:
    """A delay for people: ``500 ms``, ``5 s``, ``10 min``, ``1 h``, ``2 d``."""
    if 0 < seconds < 1:
        return f"{seconds * 1000:g} ms"
    for size, unit in _UNITS:
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _declarations(definition: Definition, aliases: Mapping[str, str]) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for state in definition.states.values():
        line = f'state "{label(state.name)}" as {aliases[state.name]}'
        groups.setdefault(state.group, []).append(line)
    yield from groups.pop("", ())
    for number, (name, lines) in enumerate(groups.items()):
        yield f'state "{label(name)}" as g{number} {{'
        yield from (_INDENT + line for line in lines)
        yield "}"
    if any(ANY_STATE in t.sources for t in definition.transitions):
        yield f'state "{ANY_LABEL}" as {ANY_ALIAS}'


def _arrows(transition: Transition, aliases: Mapping[str, str]) -> Iterator[tuple[Edge, str]]:
    words = label(_words(transition))
    for source in _drawn_sources(transition):
        start = ANY_ALIAS if source is None else aliases[source]
        end = start if transition.target is None else aliases[transition.target]
        yield Edge(transition.index, source), f"{start} --> {end} : {words}"


def _drawn_sources(transition: Transition) -> tuple[str | None, ...]:
    if ANY_STATE in transition.sources:
        return (None,)
    return tuple(dict.fromkeys(transition.sources))


def _words(transition: Transition) -> str:
    parts = list(transition.events)
    if transition.delay_seconds is not None:
        parts.append(f"after {duration(transition.delay_seconds)}")
    words = ", ".join(parts) or "always"
    if transition.guard is not None:
        words = f"{'' if transition.automatic else words + ' '}[{transition.guard.source}]"
    return f"{words} (inside)" if transition.target is None else words
