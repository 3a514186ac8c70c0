"""States: those that the file declares, with their groups, as drafts that ``build`` completes."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from machines.core.definition import Action, Place
from machines.core.loading.actions import read_actions
from machines.core.loading.faults import shown
from machines.core.loading.nodes import ListNode, MapNode
from machines.core.loading.values import Value, optional_text

_KEYS = ("description", "actions", "final", "group")
_WANTED = "a list of names or a mapping"


@dataclass(frozen=True, slots=True)
class StateDraft:
    """A state as written; ``actions`` and ``final`` are None where the file does not say."""

    name: str
    place: Place
    description: str = ""
    actions: tuple[Action, ...] | None = None
    final: bool | None = None
    group: str = ""


def read_states(
    value: Value, headings: Mapping[int, str], after_line: int
) -> dict[str, StateDraft] | None:
    """The declared states in order; None if the file leaves them out or they cannot be read.

    ``after_line`` is the line of the key: headings before it belong to something else.
    """
    found = _drafts(value)
    if not found:
        return None
    lines = [line for line in headings if line > after_line]
    states: dict[str, StateDraft] = {}
    for written, draft in found:
        if draft is None:
            continue
        if draft.name in states:
            written.fault(f"state {shown(draft.name)} is listed twice; name it once")
            continue
        group = draft.group or _group_of(draft.place.line, headings, lines)
        states[draft.name] = replace(draft, group=group)
    return states


def _drafts(value: Value) -> list[tuple[Value, StateDraft | None]]:
    if not isinstance(value.node, ListNode):
        return [(key, _described(key, item)) for key, item in value.entries(_WANTED)]
    items = value.items()
    mappings = [item for item in items if isinstance(item.node, MapNode)]
    for item in mappings:
        item.fault("a mapping stands in the list of states; leave out the '- ' before each state")
    return [] if mappings else [(item, _listed(item)) for item in items]


def _listed(item: Value) -> StateDraft | None:
    name = item.name("a state")
    return None if name is None else StateDraft(name, item.place)


def _described(key: Value, value: Value) -> StateDraft | None:
    name = key.name("a state")
    fields = value.fields(_KEYS, "a mapping of description, actions, final, group")
    actions = read_actions(fields["actions"]) if "actions" in fields else None
    final = fields["final"].boolean() if "final" in fields else None
    description = optional_text(fields, "description")
    group = optional_text(fields, "group")
    if name is None:
        return None
    return StateDraft(name, key.place, description, actions, final, group)


def _group_of(line: int, headings: Mapping[int, str], lines: Sequence[int]) -> str:
    """The name of the last heading above a line; ``lines`` are those of headings, ascending."""
    above = bisect_left(lines, line)
    return headings[lines[above - 1]] if above else ""
