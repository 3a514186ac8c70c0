"""The whole file: its sections read in turn, then checked against each other and put together."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from machines.core.definition import (
    ALWAYS_FINAL_NAMES,
    ANY_STATE,
    MAX_INSTANT_STEPS,
    Definition,
    EventDeclaration,
    State,
    Transition,
)
from machines.core.loading.actions import read_actions
from machines.core.loading.events import read_events
from machines.core.loading.faults import Faults, shown
from machines.core.loading.metadata import read_metadata
from machines.core.loading.nodes import Document
from machines.core.loading.scan import scan
from machines.core.loading.states import StateDraft, read_states
from machines.core.loading.transitions import TransitionList, read_transitions
from machines.core.loading.values import Value, optional_text

DEFAULT_INITIAL_STATE = "waiting"
MAX_PAIRS = 50_000  # of a state and an event; compiling them takes up to a fifth of a second

_KEYS = (
    "name", "description", "initial_state", "states", "events", "transitions", "actions",
    "metadata", "template", "context", "actions_dir",
)  # fmt: skip


def load(text: str | bytes, *, origin: str) -> Definition:
    """The machine that a YAML file means; raise one DefinitionError with all faults it has.

    ``origin`` is the path of the file: it stands before each fault, and its stem is the name of
    a machine whose file gives none.
    """
    faults = Faults(origin)
    document = scan(text, faults)
    root = Value(document.root, "", faults)
    fields = root.fields(_KEYS, "a mapping")
    found = _transitions(fields)
    initial = _initial_state(fields)
    drafts = _states(fields, document, found, initial)
    _check_initial_state(root, fields, initial, drafts)
    metadata = read_metadata(fields["metadata"]) if "metadata" in fields else {}
    events = read_events(fields["events"]) if "events" in fields else {}
    context = _context(fields)
    template = fields["template"].boolean() if "template" in fields else False
    _check_size(root, drafts, found.transitions, events)
    texts = {key: optional_text(fields, key) for key in ("name", "description", "actions_dir")}
    faults.raise_any()
    return Definition(
        name=texts["name"] or metadata.get("machine_name") or _stem(origin),
        initial_state=initial or DEFAULT_INITIAL_STATE,
        states={name: _state(draft, found.transitions) for name, draft in drafts.items()},
        transitions=found.transitions,
        events=events,
        description=texts["description"],
        metadata=metadata,
        template=bool(template),
        context=context,
        actions_dir=texts["actions_dir"] or None,
        max_instant_steps=metadata.get("max_instant_steps", MAX_INSTANT_STEPS),
    )


def _transitions(fields: Mapping[str, Value]) -> TransitionList:
    if "transitions" not in fields:
        return TransitionList((), ())
    return read_transitions(fields["transitions"])


def _context(fields: Mapping[str, Value]) -> dict[str, Any]:
    if "context" not in fields:
        return {}
    return fields["context"].json_mapping("a mapping with the first values of the context")


def _initial_state(fields: Mapping[str, Value]) -> str | None:
    return fields["initial_state"].name("a state") if "initial_state" in fields else None


def _states(
    fields: Mapping[str, Value], document: Document, found: TransitionList, initial: str | None
) -> dict[str, StateDraft]:
    """The states with all their actions; every mention of a state that is none is a fault."""
    drafts = None
    if "states" in fields:
        line = next(key.place.line for key, _ in document.root.pairs if key.text == "states")
        drafts = read_states(fields["states"], document.headings, line)
    if drafts is None:
        drafts = _mentioned_states(fields, found, initial)
    for name, value in found.mentions:
        _check_state(name, value, drafts)
    if "actions" in fields:
        _add_actions(fields["actions"], drafts)
    return drafts


def _mentioned_states(
    fields: Mapping[str, Value], found: TransitionList, initial: str | None
) -> dict[str, StateDraft]:
    """The states of a file that declares none: those that transitions or initial_state name."""
    places = found.mentioned()
    if initial is not None:
        places.setdefault(initial, fields["initial_state"].place)
    return {name: StateDraft(name, place) for name, place in places.items()}


def _check_state(name: str, value: Value, drafts: Mapping[str, StateDraft]) -> None:
    if name not in drafts:
        value.fault(f"no state {shown(name)}{value.faults.hint(name, drafts, 'the states are')}")


def _check_initial_state(
    root: Value,
    fields: Mapping[str, Value],
    initial: str | None,
    drafts: Mapping[str, StateDraft],
) -> None:
    if initial is not None:
        _check_state(initial, fields["initial_state"], drafts)
    elif "initial_state" not in fields and DEFAULT_INITIAL_STATE not in drafts:
        root.fault(
            f"initial_state is missing and there is no state {DEFAULT_INITIAL_STATE!r};"
            " name the state to begin in"
        )


def _check_size(
    root: Value,
    states: Collection[str],
    transitions: Iterable[Transition],
    events: Mapping[str, EventDeclaration],
) -> None:
    """Lists and wildcards multiply: a short file may mean more than anybody can look up."""
    looked_at = sum(event.demanding for event in events.values())
    pairs = len(states) * looked_at + sum(
        (len(states) if ANY_STATE in t.sources else len(t.sources)) * max(1, len(t.events))
        for t in transitions
    )
    if pairs > MAX_PAIRS:
        root.fault(
            f"its transitions stand for {pairs} pairs of a state and an event; at most"
            f" {MAX_PAIRS} are taken: make the lists of states and events shorter"
        )


def _add_actions(value: Value, drafts: dict[str, StateDraft]) -> None:
    """Give the states the actions that stand for them at the top level."""
    for key, item in value.entries("a mapping of states to lists of actions"):
        name = key.name("a state")
        actions = read_actions(item)
        if name is None:
            continue
        _check_state(name, key, drafts)
        draft = drafts.get(name)
        if draft is None:
            continue
        if draft.actions is not None:
            key.fault(f"state {shown(name)} has actions under states too; keep one of the two")
        drafts[name] = replace(draft, actions=actions)


def _state(draft: StateDraft, transitions: tuple[Transition, ...]) -> State:
    final = _ends_by_name(draft.name, transitions) if draft.final is None else draft.final
    return State(
        draft.name, draft.description, draft.actions or (), final, draft.group, draft.place
    )


def _ends_by_name(name: str, transitions: tuple[Transition, ...]) -> bool:
    """True for ``completed`` and the like, if no transition leads from it by name elsewhere."""
    return name in ALWAYS_FINAL_NAMES and not any(
        name in transition.sources and transition.target not in (None, name)
        for transition in transitions
    )


def _stem(origin: str) -> str:
    """``worker`` of ``examples/worker.yaml``."""
    return origin.rpartition("/")[2].partition(".")[0] or origin
