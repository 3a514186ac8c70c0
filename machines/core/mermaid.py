"""Diagrams: a definition as Mermaid text, drawn from the very value that runs.

Names and guards appear only as escaped labels. Edges count from 0 in the order of their
declaration, the way Mermaid numbers them (``edge<i>``).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from machines.core.boxes import ANY_ALIAS, Boxes, all_boxes, boxes_of_group, folded_boxes
from machines.core.definition import ANY_STATE, Definition, Transition
from machines.core.labels import MAX_LABEL_LENGTH, duration, label

INTERRUPTS = "⚡"  # before the label of a transition that does not wait for rest
_INDENT = "    "
_HEAD = "stateDiagram-v2\n"
Key = TypeVar("Key")
_OUTSIDE = ("classDef outside stroke-dasharray:4 3", "class {} outside")


@dataclass(frozen=True, slots=True)
class Edge:
    """One drawn edge. ``transition`` is None for those from the start and to the end.

    ``source`` is None where the edge starts at no single state: at the start, or at any state.
    Where one line stands for several transitions, it is the edge of the first.
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


@dataclass(frozen=True, slots=True)
class Paint:
    """How what is painted looks: the fill and text of a state, the line of both.

    ``dashed`` tells it apart where colours do not.
    """

    fill: str
    line: str
    text: str
    dashed: bool = False


PAINTS: Mapping[str, Paint] = {
    "tested": Paint("#d7f0db", "#1a7f37", "#0b3d17"),
    "untested": Paint("#fde7d9", "#b04a00", "#5c2600", dashed=True),
}


@dataclass(frozen=True, slots=True)
class _Arrow:
    edge: Edge
    start: str
    end: str
    words: str = ""

    def line(self) -> str:
        return f"{self.start} --> {self.end}" + (f" : {self.words}" if self.words else "")


def diagram(
    definition: Definition,
    *,
    group: str | None = None,
    folded: bool = False,
    interrupts: bool = False,
) -> Diagram:
    """Draw ``definition``: start, states in their groups, every transition, final states.

    ``group``: only the states of that group; what leads out of it ends in a box that names the
    other group. ``folded``: each group as one box, transitions between the same two as one edge.
    ``interrupts``: mark the edges of transitions that do not wait for rest.
    """
    if group is not None:
        boxes = boxes_of_group(definition, group)
    else:
        boxes = folded_boxes(definition) if folded else all_boxes(definition)
    arrows = list(_arrows(definition, boxes, interrupts=interrupts))
    if folded and group is None:
        arrows = list(_bundled(arrows, boxes.shared()))
    arrows = [*_start(definition, boxes, group), *arrows, *_ends(definition, boxes, group)]
    lines = [*boxes.lines, *(arrow.line() for arrow in arrows)]
    if boxes.outside:
        lines += [line.format(",".join(boxes.outside)) for line in _OUTSIDE]
    text = _HEAD + "".join(f"{_INDENT}{line}\n" for line in lines)
    return Diagram(text, boxes.aliases, tuple(arrow.edge for arrow in arrows))


def painted(
    drawn: Diagram,
    states: Mapping[str, str],
    edges: Mapping[int, str],
    paints: Mapping[str, Paint] = PAINTS,
) -> str:
    """The text of a drawing with paint on it: names of ``paints`` by state and by index of edge.

    Mermaid paints no edges of state diagrams by itself (``linkStyle`` would become a state), so
    theirs is a style sheet in a directive; where a page forbids it, only the edges stay plain.
    """
    rules = [
        ",".join(f"path[data-id=edge{edge}]" for edge in sorted(found)) + _edge_style(paints[name])
        for name, found in _by_paint(edges).items()
    ]
    lines = []
    for name, found in _by_paint(states).items():
        lines.append(f"classDef {name} {_state_style(paints[name])}")
        lines.append(f"class {','.join(dict.fromkeys(drawn.aliases[s] for s in found))} {name}")
    directive = [f"%%{{init: {json.dumps({'themeCSS': ' '.join(rules)})}}}%%"] if rules else []
    body = drawn.text.removeprefix(_HEAD)
    before, after = ("".join(f"{_INDENT}{line}\n" for line in some) for some in (directive, lines))
    return _HEAD + before + body + after


def trigger(transition: Transition) -> str:
    """What it waits for: ``go, run``, ``after 5 s``, or ``always``."""
    parts = list(transition.events)
    if transition.delay_seconds is not None:
        parts.append(f"after {duration(transition.delay_seconds)}")
    return ", ".join(parts) or "always"


def _arrows(definition: Definition, boxes: Boxes, *, interrupts: bool) -> Iterator[_Arrow]:
    """Every transition from each of its sources; between two that are not drawn, none."""
    seen: set[tuple[int, str, str]] = set()
    for transition in definition.transitions:
        words = _words(transition, interrupts=interrupts)
        for source in _drawn_sources(transition):
            start = ANY_ALIAS if source is None else boxes.aliases[source]
            end = start if transition.target is None else boxes.aliases[transition.target]
            line = (transition.index, start, end)
            if line not in seen and {start, end} & boxes.inside:
                seen.add(line)
                yield _Arrow(Edge(transition.index, source), start, end, words)


def _bundled(arrows: Iterable[_Arrow], groups: frozenset[str]) -> Iterator[_Arrow]:
    """One arrow for all that join a group to the same box; none for what stays inside a group."""
    bundles: dict[tuple[object, ...], list[_Arrow]] = {}
    for arrow in arrows:
        if arrow.start in groups or arrow.end in groups:
            if arrow.start != arrow.end:
                bundles.setdefault((arrow.start, arrow.end), []).append(arrow)
        else:
            bundles[arrow.start, arrow.end, arrow.edge] = [arrow]
    for first, *others in bundles.values():
        words = f"{1 + len(others)} transitions" if others else first.words
        yield replace(first, words=words)


def _start(definition: Definition, boxes: Boxes, group: str | None) -> Iterator[_Arrow]:
    if group is None or definition.initial_state in boxes.own:
        yield _Arrow(Edge(None, None), "[*]", boxes.aliases[definition.initial_state])


def _ends(definition: Definition, boxes: Boxes, group: str | None) -> Iterator[_Arrow]:
    ended = set()
    for state in definition.states.values():
        alias = boxes.aliases[state.name]
        if state.final and alias not in ended and (group is None or state.name in boxes.own):
            ended.add(alias)
            yield _Arrow(Edge(None, state.name), alias, "[*]")


def _drawn_sources(transition: Transition) -> tuple[str | None, ...]:
    if ANY_STATE in transition.sources:
        return (None,)
    return tuple(dict.fromkeys(transition.sources))


def _words(transition: Transition, *, interrupts: bool) -> str:
    """Its label, of which the guard is cut first: how it moves is always to be read."""
    words = trigger(transition)
    if transition.guard is not None:
        words = f"{'' if transition.automatic else words + ' '}[{transition.guard.source}]"
    marked = interrupts and (transition.interrupts or transition.interrupts_when_due)
    before = f"{INTERRUPTS} " if marked else ""
    after = " (inside)" if transition.target is None else ""
    if transition.reenter:
        after = " (reenter)"
    return before + label(words, MAX_LABEL_LENGTH - len(before) - len(after)) + after


def _by_paint(painting: Mapping[Key, str]) -> dict[str, list[Key]]:
    found: dict[str, list[Key]] = {}
    for key, name in painting.items():
        found.setdefault(name, []).append(key)
    return found


def _state_style(paint: Paint) -> str:
    dashes = ",stroke-dasharray:5 4" if paint.dashed else ""
    return f"fill:{paint.fill},stroke:{paint.line},color:{paint.text}{dashes}"


def _edge_style(paint: Paint) -> str:
    dashes = ";stroke-dasharray:5 4" if paint.dashed else ""
    return f"{{stroke:{paint.line};stroke-width:2px{dashes}}}"
