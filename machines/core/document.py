"""Documents: a machine as Markdown for people, its diagram and a table of each kind of thing."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from machines.core.definition import (
    ANY_STATE,
    Action,
    Definition,
    EventDeclaration,
    State,
    Transition,
)
from machines.core.labels import duration
from machines.core.markdown import block, code, codes, paragraphs, plain, table
from machines.core.mermaid import INTERRUPTS, Diagram, trigger
from machines.core.raising import Placed, raised_by, set_by
from machines.core.signatures import Signature

MAX_VALUE_LENGTH = 80  # characters of a first value; a longer one is better read in the file
_LEGEND = (
    (INTERRUPTS, "does not wait for rest; it interrupts running work"),
    ("(inside)", "its actions run, the state is not left"),
    ("(reenter)", "the state is left and entered again"),
    ("any state", "holds in every state of the machine"),
)


@dataclass(frozen=True, slots=True)
class _Part:
    """What of a machine is told: all of it, or the states of one group and what touches them."""

    definition: Definition
    states: tuple[State, ...]
    transitions: tuple[Transition, ...]
    raised: Mapping[str, Sequence[Placed]]
    set: Mapping[str, Sequence[Placed]]

    def events(self) -> Iterator[str]:
        """Declared ones, then those that transitions name, then what only actions raise."""
        if len(self.states) == len(self.definition.states):
            yield from self.definition.events
        yield from (event for transition in self.transitions for event in transition.events)
        yield from (event for event, found in self.raised.items() if any(map(self.holds, found)))

    def holds(self, placed: Placed) -> bool:
        """True if the action stands in one of its states or transitions."""
        if placed.state is not None:
            return any(state.name == placed.state for state in self.states)
        return any(transition.index == placed.transition for transition in self.transitions)


def document(
    definition: Definition,
    signatures: Mapping[str, Signature],
    drawn: Diagram,
    *,
    group: str | None = None,
) -> str:
    """The document of a machine, or of one group of it; ``drawn`` is the diagram to show.

    ``signatures`` say which actions raise which events and set which keys.
    """
    part = _part(definition, signatures, group)
    sections = (
        ("States", ("State", "Group", "Description", "Actions", ""), _states(part)),
        ("Transitions",
         ("#", "From", "On", "Guard", "To", "Interrupts", "Actions", "Description"),
         _transitions(part)),
        ("Events",
         ("Event", "Description", "Payload", "Into the context", "Handled in", "Raised by"),
         _events(part)),
        ("Timers", ("State", "After", "To", "Guard", "Interrupts"), _timers(part)),
        ("Context", ("Key", "First value", "Set by"), _context(part)),
    )  # fmt: skip
    parts = [f"# {plain(definition.name)}" + (f": {plain(group)}" if group else "")]
    parts += [paragraphs(definition.description)] if definition.description.strip() else []
    parts += [block("mermaid", drawn.text), *_legend(drawn)]
    for title, columns, found in sections:
        if rows := list(found):
            parts += [f"## {title}", table(columns, rows)]
    return "\n\n".join(parts) + "\n"


def _part(definition: Definition, signatures: Mapping[str, Signature], group: str | None) -> _Part:
    inside = [s for s in definition.states.values() if group is None or s.group == group]
    names = {state.name for state in inside} | {ANY_STATE}
    return _Part(
        definition,
        states=tuple(inside),
        transitions=tuple(
            t for t in definition.transitions if names & {*t.sources, t.target} or group is None
        ),
        raised=raised_by(definition, signatures),
        set=set_by(definition, signatures),
    )


def _legend(drawn: Diagram) -> list[str]:
    words = [f"{sign}: {meaning}" for sign, meaning in _LEGEND if sign in drawn.text]
    return [f"{'; '.join(words)}."] if words else []


def _states(part: _Part) -> Iterator[tuple[str, ...]]:
    for state in part.states:
        begins = "begins here" if state.name == part.definition.initial_state else ""
        ends = "final" if state.final else ""
        yield (
            code(state.name),
            plain(state.group),
            plain(state.description),
            _actions(state.actions),
            ", ".join(filter(None, (begins, ends))),
        )


def _transitions(part: _Part) -> Iterator[tuple[str, ...]]:
    for transition in part.transitions:
        yield (
            str(transition.index + 1),
            _sources(transition),
            _trigger(transition),
            _guard(transition),
            _target(transition),
            "yes" if transition.interrupts or transition.interrupts_when_due else "",
            _actions(transition.actions),
            plain(transition.description),
        )


def _events(part: _Part) -> Iterator[tuple[str, ...]]:
    for name in dict.fromkeys(part.events()):
        declared = part.definition.events.get(name, EventDeclaration(name))
        takers = (t for t in part.transitions if name in t.events)
        states = dict.fromkeys(_sources(transition) for transition in takers)
        raisers = part.raised.get(name, ())
        yield (
            code(name),
            plain(declared.description),
            _payload(declared.payload_schema or {}),
            "; ".join(f"{code(key)} from {code(p)}" for key, p in declared.context_map.items()),
            ", ".join(states) or "no state",
            _places(raisers) or "from outside",
        )


def _timers(part: _Part) -> Iterator[tuple[str, ...]]:
    for transition in part.transitions:
        if transition.delay_seconds is not None:
            yield (
                _sources(transition),
                duration(transition.delay_seconds),
                _target(transition),
                _guard(transition),
                "yes" if transition.interrupts_when_due else "no",
            )


def _context(part: _Part) -> Iterator[tuple[str, ...]]:
    context, events = part.definition.context, part.definition.events.values()
    copied: dict[str, list[str]] = {}
    for event in events:
        for key in event.context_map:
            copied.setdefault(key, []).append(f"event {code(event.name)}")
    for key in dict.fromkeys((*context, *copied, *part.set)):
        first = code(_value(context[key])) if key in context else ""
        actions = _places(part.set.get(key, ()))
        yield code(key), first, ", ".join(filter(None, (*copied.get(key, ()), actions)))


def _sources(transition: Transition) -> str:
    return "any state" if ANY_STATE in transition.sources else codes(transition.sources)


def _trigger(transition: Transition) -> str:
    time = [trigger(replace(transition, events=()))] if transition.delay_seconds is not None else []
    return ", ".join([*map(code, transition.events), *time]) or "always"


def _target(transition: Transition) -> str:
    if transition.target is None:
        return "(inside)"
    return code(transition.target) + (" (reenter)" if transition.reenter else "")


def _guard(transition: Transition) -> str:
    return "" if transition.guard is None else code(transition.guard.source)


def _actions(actions: Iterable[Action]) -> str:
    return ", ".join(map(_action, actions))


def _action(action: Action) -> str:
    notes = [plain(action.description)] if action.description.strip() else []
    if action.every_seconds is not None:
        notes.append(f"every {duration(action.every_seconds)}")
    if action.retry is not None:
        notes.append(f"up to {action.retry.attempts} attempts")
    if not action.rerun_on_crash:
        notes.append("not again after a crash")
    return code(action.type) + (f" ({'; '.join(notes)})" if notes else "")


def _places(found: Iterable[Placed]) -> str:
    """``bash in a, b; log in transitions 2, 3``: each type once, with all its places."""
    states: dict[str, list[str]] = {}
    transitions: dict[str, list[str]] = {}
    for placed in found:
        if placed.state is not None:
            states.setdefault(placed.action.type, []).append(code(placed.state))
        else:
            number = (placed.transition or 0) + 1
            transitions.setdefault(placed.action.type, []).append(str(number))
    return "; ".join(
        f"{code(kind)} in {_listed(states.get(kind), transitions.get(kind))}"
        for kind in dict.fromkeys((*states, *transitions))
    )


def _listed(states: Iterable[str] | None, numbers: Iterable[str] | None) -> str:
    each = list(dict.fromkeys(numbers or ()))
    noun = "transitions" if len(each) > 1 else "transition"
    return ", ".join(
        [*dict.fromkeys(states or ()), *([f"{noun} {', '.join(each)}"] if each else [])]
    )


def _payload(schema: Mapping[str, Any]) -> str:
    """The fields that a schema names, each with its type; else what it says of the whole."""
    fields, required = schema.get("properties"), schema.get("required")
    if not isinstance(fields, Mapping) or not fields:
        return plain(_type(schema))
    needed = required if isinstance(required, list) else []
    return "; ".join(
        f"{code(name)}{_of_type(field)}{' (required)' if name in needed else ''}"
        for name, field in fields.items()
    )


def _of_type(field: Any) -> str:
    words = plain(_type(field)) if isinstance(field, Mapping) else ""
    return f" {words}" if words else ""


def _type(schema: Mapping[str, Any]) -> str:
    if "enum" in schema and isinstance(schema["enum"], list):
        return "one of " + ", ".join(map(_value, schema["enum"]))
    kinds = schema.get("type", "")
    return " or ".join(map(str, kinds)) if isinstance(kinds, list) else str(kinds)


def _value(value: Any) -> str:
    written = json.dumps(value, ensure_ascii=False, default=str)
    return written if len(written) <= MAX_VALUE_LENGTH else written[: MAX_VALUE_LENGTH - 1] + "…"
