"""The tree: from the parser's events to nodes, with every bound checked before memory is spent."""

from dataclasses import dataclass, field
from typing import Protocol

import yaml

from machines.core.definition import Place
from machines.core.loading.faults import Faults, shown
from machines.core.loading.nodes import ListNode, MapNode, Node, ScalarNode

MAX_DEPTH = 32  # lists and mappings inside each other
MAX_EXPANDED = 512 << 10  # characters and values, aliases written out; twice the largest file

START = Place(1, 1)

_MERGE = "<<"
_YAML_TAGS = "tag:yaml.org,2002:"  # what the parser makes of !!


class _Mark(Protocol):
    """Where the parser stands, whichever of its two it is."""

    line: int
    column: int


def place_of(mark: _Mark | None) -> Place:
    """A mark of the parser, which counts from 0 and is there in all that a file can hold."""
    return Place(mark.line + 1, mark.column + 1) if mark else START


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end is still to come; keys and values alternate in a mapping."""

    place: Place
    is_map: bool
    anchor: str | None
    size_before: int
    items: list[Node] = field(default_factory=list)
    height: int = 0


@dataclass(frozen=True, slots=True)
class _Anchored:
    node: Node
    size: int
    height: int


class TreeBuilder:
    """Takes the events of one file in order; then ``root`` is its tree, or None if it is empty.

    ``long_scalars`` are the first and last lines of texts that go over several lines.
    """

    def __init__(self, faults: Faults) -> None:
        self.root: Node | None = None
        self.long_scalars: list[tuple[int, int]] = []
        self._faults = faults
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored] = {}
        self._size = 0

    def take(self, event: yaml.Event) -> None:
        """Take the next event; raise DefinitionError where reading on would be unsafe."""
        place = place_of(event.start_mark)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, place)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event, place)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor or "", place)
        elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise self._faults.fatal(
                place, "a second document begins here; a file holds one machine, so one document"
            )

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> None:
        self._check_tag(event.tag, place)
        if "\0" in event.value:
            self._faults.add(place, "a text may not hold the character U+0000; remove it")
        last = place_of(event.end_mark).line
        if last > place.line:
            self.long_scalars.append((place.line, last))
        self._grow(1 + len(event.value), place)
        plain = bool(event.implicit[0])
        node = ScalarNode(event.value, plain, place)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(node, 1 + len(event.value), 0)
        self._put(node, 0)

    def _begin(self, event: yaml.CollectionStartEvent, place: Place) -> None:
        self._check_tag(event.tag, place)
        self._check_depth(len(self._open) + 1, place)
        is_map = isinstance(event, yaml.MappingStartEvent)
        self._open.append(_Open(place, is_map, event.anchor, self._size))
        self._grow(1, place)

    def _end(self) -> None:
        done = self._open.pop()
        node: Node = (
            MapNode(self._pairs(done.items), done.place)
            if done.is_map
            else ListNode(tuple(done.items), done.place)
        )
        if done.anchor:
            size = self._size - done.size_before
            self._anchors[done.anchor] = _Anchored(node, size, done.height + 1)
        self._put(node, done.height + 1)

    def _alias(self, name: str, place: Place) -> None:
        anchored = self._anchors.get(name)
        if anchored is None:
            raise self._faults.fatal(
                place,
                f'alias *{name}: no anchor &{name} ends before it; a text is quoted: "*{name}"',
            )
        self._check_depth(len(self._open) + anchored.height, place)
        self._grow(anchored.size, place)
        self._put(anchored.node, anchored.height)

    def _put(self, node: Node, height: int) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        parent.items.append(node)
        parent.height = max(parent.height, height)

    def _grow(self, size: int, place: Place) -> None:
        self._size += size
        if self._size > MAX_EXPANDED:
            raise self._faults.fatal(
                place,
                f"with its aliases written out the file holds more than {MAX_EXPANDED:,} characters"
                " and values; use fewer aliases",
            )

    def _check_depth(self, depth: int, place: Place) -> None:
        if depth > MAX_DEPTH:
            raise self._faults.fatal(
                place, f"nested deeper than {MAX_DEPTH} levels; use fewer lists inside lists"
            )

    def _check_tag(self, tag: str | None, place: Place) -> None:
        if tag is not None:
            word = tag.replace(_YAML_TAGS, "!!", 1)
            self._faults.add(
                place, f"tag {shown(word)}: YAML tags are not read; write the value plainly"
            )

    def _pairs(self, items: list[Node]) -> tuple[tuple[ScalarNode, Node], ...]:
        """The pairs of a mapping; what it merges in stands first, its own keys win."""
        own: dict[str, tuple[ScalarNode, Node]] = {}
        merged: dict[str, tuple[ScalarNode, Node]] = {}
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, ScalarNode):
                self._faults.add(key.place, "a key must be a text, not a list or mapping")
            elif key.text == _MERGE and key.plain:
                for pair in self._merged(value):
                    merged.setdefault(pair[0].text, pair)
            elif key.text in own:
                first = own[key.text][0].place.line
                self._faults.add(
                    key.place, f"duplicate key {shown(key.text)}; it first stands in line {first}"
                )
            else:
                own[key.text] = (key, value)
        return tuple((merged | own).values())

    def _merged(self, value: Node) -> list[tuple[ScalarNode, Node]]:
        sources = value.items if isinstance(value, ListNode) else (value,)
        pairs: list[tuple[ScalarNode, Node]] = []
        for source in sources:
            if isinstance(source, MapNode):
                pairs.extend(source.pairs)
            else:
                self._faults.add(source.place, "<<: needs a mapping to merge, such as *defaults")
        return pairs
