"""What of a context can change what a machine does; the rest is left out of an exploration."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from machines.actions.registry import Registry
from machines.core.definition import Action, Definition
from machines.core.interpolation import placeholders
from machines.core.signatures import ERROR_KEYS, Setting, Signature, ValueKind

COPIES = frozenset({"set_context", "add_to_list"})  # their value goes into one key, unseen
SPOKEN = frozenset({"message", "payload"})  # told to others, never looked at
_NOT_OF_CONTEXT = frozenset(
    {"payload", "event", "machine_name", "current_state", "event_data", "secret", "current_job"}
)


@dataclass(frozen=True, slots=True)
class Relevant:
    """``keys``: of the context. ``event_data``, ``job``: whether these are looked at.

    ``given``: keys that somebody reads and nothing in the file sets: they come from outside,
    when a machine begins.
    """

    keys: frozenset[str]
    given: frozenset[str]
    event_data: bool
    job: bool


def relevant(definition: Definition, registry: Registry) -> Relevant:
    """What guards, names of events and lists read, and what these are made of."""
    signatures = registry.signatures()
    actions = tuple(definition.actions())
    read = {name for t in definition.transitions if t.guard for name in t.guard.names}
    for action in actions:
        found = registry.get(action.type)
        signature = signatures.get(action.type)
        if found is not None and signature is not None:
            read.update(_looked_at(action, signature, rehearses=found.rehearses))
    copies = [action for action in actions if action.type in COPIES]
    before = -1
    while before != len(read):  # what a key is made of matters if the key does
        before = len(read)
        for action in copies:
            if any(key in read or "{" in key for key in signatures[action.type].writes(action)):
                read.update(_roots(action.settings.get("value")))
    keys = frozenset(read - _NOT_OF_CONTEXT)
    given = keys - set(_set_by_file(definition, actions, signatures))
    return Relevant(keys, given, "event_data" in read, bool(keys) or "current_job" in read)


def lists(action: Action, signature: Signature) -> Iterator[str]:
    """The keys of the context that ``action`` looks into by name."""
    if action.type == "set_context":
        return
    for setting in signature.settings:
        if setting.kind is ValueKind.KEY and "list" in setting.name:
            yield _key(action, setting)


def _key(action: Action, setting: Setting) -> str:
    given = (action.settings.get(name) for name in (setting.name, *setting.aliases))
    return str(next((key for key in given if key is not None), setting.default) or "")


def _looked_at(action: Action, signature: Signature, *, rehearses: bool) -> Iterator[str]:
    if rehearses and action.type not in COPIES:
        yield from lists(action, signature)
    names_events = {raises.key for raises in signature.all_raises()} | {"failure"}
    for key, value in action.settings.items():
        performed = rehearses and key not in SPOKEN
        copied = action.type in COPIES and key == "value"
        if (performed and not copied) or key in names_events:
            yield from _roots(value)


def _roots(value: Any) -> Iterable[str]:
    return (root for placeholder in placeholders(value) for root in placeholder.roots)


def _set_by_file(
    definition: Definition, actions: Iterable[Action], signatures: Mapping[str, Signature]
) -> Iterator[str]:
    yield from definition.context
    yield from ERROR_KEYS
    for declaration in definition.events.values():
        yield from declaration.context_map
    for action in actions:
        signature = signatures.get(action.type)
        if signature is not None:
            yield from signature.writes(action)
