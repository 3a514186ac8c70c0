"""Boxes: which box of a drawing stands for each state, and how the boxes are declared.

A state has a box of its own, ``s0``, ``s1`` … in the order of the file whatever is drawn, or
shares one with its group. Nothing a person wrote is ever an identifier.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from machines.core.definition import ANY_STATE, Definition
from machines.core.labels import label

ANY_ALIAS = "any"  # stands for every state, so that a wildcard is one edge and not one per state
ANY_LABEL = "any state"
NO_GROUP_LABEL = "no group"  # where a state is that belongs to none, seen from a group
_INDENT = "    "


@dataclass(frozen=True, slots=True)
class Boxes:
    """``aliases``: the box of each state. ``own``: the states that have one for themselves.

    ``lines`` declare the boxes. ``inside``: those whose edges are drawn, each with the box at its
    other end; ``outside``: those that only such an edge leads to.
    """

    aliases: Mapping[str, str]
    own: frozenset[str]
    lines: tuple[str, ...]
    inside: frozenset[str]
    outside: tuple[str, ...] = ()

    def shared(self) -> frozenset[str]:
        """The boxes that stand for a whole group."""
        return frozenset(self.aliases.values()) - {self.aliases[name] for name in self.own}


def groups_of(definition: Definition) -> dict[str, list[str]]:
    """The states of each group, both in the order of the file; under "" those without one."""
    groups: dict[str, list[str]] = {}
    for state in definition.states.values():
        groups.setdefault(state.group, []).append(state.name)
    return groups


def all_boxes(definition: Definition) -> Boxes:
    """Every state with its own box, inside that of its group."""
    aliases = _numbered(definition)
    groups = groups_of(definition)
    lines = [_declared(name, aliases[name]) for name in groups.pop("", [])]
    for number, (group, names) in enumerate(groups.items()):
        lines.extend(_inside(group, f"g{number}", [_declared(n, aliases[n]) for n in names]))
    return _everything(definition, aliases, frozenset(aliases), lines)


def boxes_of_group(definition: Definition, group: str) -> Boxes:
    """The states of ``group`` with their own boxes, and one for each other group."""
    aliases = _numbered(definition)
    groups = groups_of(definition)
    own = groups.pop(group, [])
    lines = list(_inside(group, "g0", [_declared(name, aliases[name]) for name in own]))
    touched = _touched(definition, frozenset(own))
    outside = []
    for number, (other, names) in enumerate(groups.items()):
        aliases |= dict.fromkeys(names, f"o{number}")
        if touched & set(names):
            outside.append(f"o{number}")
            lines.append(_declared(other or NO_GROUP_LABEL, f"o{number}"))
    lines.extend(_any_state(definition))
    inside = frozenset({ANY_ALIAS, *(aliases[name] for name in own)})
    return Boxes(aliases, frozenset(own), tuple(lines), inside, tuple(outside))


def folded_boxes(definition: Definition) -> Boxes:
    """One box for each group; a state without one has its own."""
    aliases = _numbered(definition)
    groups = groups_of(definition)
    own = groups.pop("", [])
    lines = [_declared(name, aliases[name]) for name in own]
    for number, (group, names) in enumerate(groups.items()):
        aliases |= dict.fromkeys(names, f"g{number}")
        count = f"{len(names)} state{'s' if len(names) > 1 else ''}"
        lines.append(f'state "{label(group)} ({count})" as g{number}')
    return _everything(definition, aliases, frozenset(own), lines)


def _everything(
    definition: Definition, aliases: Mapping[str, str], own: frozenset[str], lines: list[str]
) -> Boxes:
    inside = frozenset({ANY_ALIAS, *aliases.values()})
    return Boxes(aliases, own, (*lines, *_any_state(definition)), inside)


def _numbered(definition: Definition) -> dict[str, str]:
    return {name: f"s{number}" for number, name in enumerate(definition.states)}


def _declared(name: str, alias: str) -> str:
    return f'state "{label(name)}" as {alias}'


def _inside(group: str, alias: str, lines: list[str]) -> Iterator[str]:
    yield f"{_declared(group, alias)} {{"
    yield from (_INDENT + line for line in lines)
    yield "}"


def _any_state(definition: Definition) -> Iterator[str]:
    if any(ANY_STATE in transition.sources for transition in definition.transitions):
        yield f'state "{ANY_LABEL}" as {ANY_ALIAS}'


def _touched(definition: Definition, own: frozenset[str]) -> set[str]:
    """The states outside of ``own`` that a drawn transition leads to or comes from."""
    touched: set[str] = set()
    for transition in definition.transitions:
        ends = {*transition.sources, transition.target} - {None, ANY_STATE}
        if ANY_STATE in transition.sources or ends & own:
            touched |= {end for end in ends - own if end is not None}
    return touched
