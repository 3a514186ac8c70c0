"""Nodes: a checked YAML file as a tree, every part with its place, aliases and merges resolved."""

from collections.abc import Mapping
from dataclasses import dataclass

from machines.core.definition import Place
from machines.core.loading.scalars import resolve


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """One value; ``plain`` if it stood without quotes, so that YAML reads more than text in it."""

    text: str
    plain: bool
    place: Place

    @property
    def value(self) -> str | int | float | bool | None:
        """What YAML reads: quoted is always text."""
        return resolve(self.text) if self.plain else self.text


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list, in the order of the file."""

    items: tuple["Node", ...]
    place: Place


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping, in the order of the file; each key occurs once."""

    pairs: tuple[tuple[ScalarNode, "Node"], ...]
    place: Place


Node = ScalarNode | ListNode | MapNode


@dataclass(frozen=True, slots=True)
class Document:
    """A whole file: its top level, and its comment lines ``# === GROUP ===`` by line number."""

    root: MapNode
    headings: Mapping[int, str]
