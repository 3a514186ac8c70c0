"""Values: a node with the path that leads to it, asked for what it should be.

Every question notes a fault where the node is something else, and then answers None or nothing,
so that the reading goes on and all faults of a file are told at once.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from machines.core.definition import Place
from machines.core.loading.faults import Faults
from machines.core.loading.nodes import ListNode, MapNode, Node, ScalarNode
from machines.core.loading.scalars import parse_duration
from machines.core.loading.wording import describe, key_fault, name_fault

TIMES = "a time such as 500ms, 5s, 10m, 1h, 1d or a number of seconds, at most ten years,"


@dataclass(frozen=True, slots=True)
class Value:
    """One node of the file; ``path`` is written as in ``transitions[2].to``."""

    node: Node
    path: str
    faults: Faults

    @property
    def place(self) -> Place:
        """Where it begins."""
        return self.node.place

    @property
    def empty(self) -> bool:
        """True for a key with nothing after it, or null."""
        return isinstance(self.node, ScalarNode) and self.node.value is None

    @property
    def written(self) -> str | None:
        """A single value as it is written; None for nothing, a list or a mapping."""
        return self.node.text if isinstance(self.node, ScalarNode) and not self.empty else None

    def fault(self, message: str) -> None:
        """Note a fault of this value."""
        self.faults.add(self.place, f"{self.path}: {message}" if self.path else message)

    def wrong(self, wanted: str) -> None:
        """Note that it is not what is ``wanted``."""
        self.fault(f"{describe(self.node)} stands here, where {wanted} is needed")

    def text(self, wanted: str = "a text") -> str | None:
        """Its text as written, also of a number or boolean; None after a fault."""
        if self.written is None:
            self.wrong(wanted)
        return self.written

    def boolean(self) -> bool | None:
        """True or false; None after a fault."""
        if isinstance(self.node, ScalarNode) and isinstance(self.node.value, bool):
            return self.node.value
        self.wrong("true or false")
        return None

    def number(self, least: float, *, whole: bool = False) -> float | None:
        """A number that is at least ``least``; None after a fault."""
        value = self.node.value if isinstance(self.node, ScalarNode) else None
        kinds = int if whole else (int, float)
        if isinstance(value, kinds) and not isinstance(value, bool) and least <= value < math.inf:
            return value
        self.wrong(f"a {'whole ' if whole else ''}number of at least {least:g}")
        return None

    def seconds(self) -> float | None:
        """The length of a time, in seconds; None after a fault."""
        seconds = None if self.written is None else parse_duration(self.written)
        if seconds is None:
            self.wrong(TIMES)
        return seconds

    def name(self, kind: str) -> str | None:
        """The name of ``kind``, such as "a state"; None after a fault."""
        if fault := name_fault(self.node, kind):
            self.fault(fault)
            return None
        return self.written

    def items(self, wanted: str = "a list") -> list["Value"]:
        """The items of a list; none if nothing stands there or after a fault."""
        if isinstance(self.node, ListNode):
            return [
                Value(item, f"{self.path}[{index}]", self.faults)
                for index, item in enumerate(self.node.items)
            ]
        if not self.empty:
            self.wrong(wanted)
        return []

    def one_or_more(self, wanted: str) -> list["Value"]:
        """The items of a list that is not empty, or a single value as its own only item."""
        if not isinstance(self.node, ListNode):
            return [self]
        if not self.node.items:
            self.fault(f"an empty list stands here, where {wanted} is needed")
        return self.items()

    def entries(self, wanted: str = "a mapping") -> list[tuple["Value", "Value"]]:
        """The keys and values of a mapping; none if nothing stands there or after a fault."""
        if isinstance(self.node, MapNode):
            return [self._entry(key, value) for key, value in self.node.pairs]
        if not self.empty:
            self.wrong(wanted)
        return []

    def _entry(self, key: ScalarNode, value: Node) -> tuple["Value", "Value"]:
        path = f"{self.path}.{key.text}" if self.path else key.text
        return Value(key, path, self.faults), Value(value, path, self.faults)

    def fields(self, known: Collection[str], wanted: str) -> dict[str, "Value"]:
        """The values of a mapping by key; a key that is not ``known`` is a fault."""
        fields = {}
        for key, value in self.entries(wanted):
            word = key.written or ""
            if word in known:
                fields[word] = value
            else:
                hint = self.faults.hint(word, known, "the keys here are")
                key.fault(f"unknown key{hint}")
        return fields

    def json_fields(self, wanted: str) -> dict[str, "Value"]:
        """The values of a free mapping by key, numbers as written; true, no or null is a fault."""
        fields = {}
        for key, value in self.entries(wanted):
            if fault := key_fault(key.node):
                key.fault(fault)
            else:
                fields[key.written or ""] = value
        return fields

    def json(self) -> Any:
        """The value as JSON has it; a value that JSON does not have is a fault, and None."""
        if isinstance(self.node, ListNode):
            return [item.json() for item in self.items()]
        if isinstance(self.node, MapNode):
            return {key: value.json() for key, value in self.json_fields("a mapping").items()}
        value = self.node.value
        if isinstance(value, float) and not math.isfinite(value):
            self.fault(f"JSON has no number {self.node.text}; quote it to make it a text")
            return None
        return value

    def json_mapping(self, wanted: str) -> dict[str, Any]:
        """A mapping with JSON values; empty if nothing stands there or after a fault."""
        return {key: value.json() for key, value in self.json_fields(wanted).items()}


def optional_text(fields: Mapping[str, Value], key: str) -> str:
    """The text of a field; empty if it is left out, has nothing after it, or after a fault."""
    value = fields.get(key)
    return "" if value is None or value.empty else value.text() or ""
