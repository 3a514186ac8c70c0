"""Reading the answers of a test: which actions are meant, and what they come to.

A key is a type (``bash``), a type in a state (``processing.bash``) or a place in a state
(``processing[0]``, from 0); before any of them may stand ``worker/``, the name of a machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from machines.core.definition import Action
from machines.core.loading.nodes import ListNode, MapNode
from machines.core.loading.values import Value
from machines.core.signatures import Kind, Signature
from machines.core.turn import OF_STATE
from machines.rehearsal.answers import ERROR, SUCCESS, Answer, possible_answers
from machines.rehearsal.scenario import Cast
from machines.rehearsal.script import Line, Target

_KEYS = ("event", "set", "error", "takes", "exit_code", "output")
_WANTED = "an event such as job_done, or a mapping such as {event: job_done, takes: 5s},"
_PLACE = re.compile(r"(?P<state>.+)\[(?P<index>[0-9]{1,4})\]")


def read_answers(value: Value, cast: Sequence[Cast]) -> tuple[Line, ...]:
    """The lines of a script; an action or event that there is not is a fault."""
    entries = value.json_fields("a mapping of actions to their answers")
    found = (_line(key, item, cast) for key, item in entries.items())
    return tuple(line for line in found if line is not None)


def _line(key: str, value: Value, cast: Sequence[Cast]) -> Line | None:
    target = _target(key, value, cast)
    if target is None:
        return None
    possible = _possible(target, cast)
    if isinstance(value.node, ListNode):
        answers = tuple(_answer(item, possible) for item in value.items())
        return Line(target, answers, place=value.place)
    return Line(target, (_answer(value, possible),), always=True, place=value.place)


def _target(key: str, value: Value, cast: Sequence[Cast]) -> Target | None:
    """What a key means; None after a fault."""
    machine, slash, rest = key.partition("/")
    names = [member.name for member in cast]
    if not slash:
        machine, rest = "", key
    elif machine not in names:
        hint = value.faults.hint(machine, names, "the machines are")
        value.fault(f"no machine {machine!r} takes part{hint}")
        return None
    known = [member for member in cast if machine in ("", member.name)]
    for target in _readings(machine or None, rest, known):
        if any(True for _action in _meant(target, known)):
            return target
    types = sorted({action.type for member in known for action in member.definition.actions()})
    hint = value.faults.hint(rest, types, "the actions are")
    value.fault(f"no action is meant by {rest!r}{hint}")
    return None


def _readings(machine: str | None, rest: str, cast: Iterable[Cast]) -> Iterable[Target]:
    yield Target(machine, type=rest)
    for state in (state for member in cast for state in member.definition.states):
        if rest.startswith(f"{state}."):
            yield Target(machine, state, rest.removeprefix(f"{state}."))
    if found := _PLACE.fullmatch(rest):
        yield Target(machine, found["state"], index=int(found["index"]))


def _meant(target: Target, cast: Iterable[Cast]) -> Iterable[Action]:
    """The actions that a target names. Those of transitions are done in the state they lead to."""
    for member in cast:
        if target.machine in (None, member.name):
            yield from _meant_of_states(target, member)
            if target.index is None:
                transitions = member.definition.transitions
                listed = (action for each in transitions for action in each.actions)
                yield from (action for action in listed if target.type in (None, action.type))


def _meant_of_states(target: Target, member: Cast) -> Iterable[Action]:
    for state in member.definition.states.values():
        for index, action in enumerate(state.actions):
            if target.matches(member.name, state.name, action.type, (OF_STATE, index)):
                yield action


def _possible(target: Target, cast: Sequence[Cast]) -> frozenset[str] | None:
    """The events that may be answered; None if any may be."""
    found: set[str] = set()
    for member in cast:
        for action in _meant(target, [member]):
            signature = member.signatures.get(action.type) or Signature(
                action.type, Kind.WORK, open=True
            )
            events = possible_answers(signature, action)
            if signature.open or any("{" in name for name in events):
                return None
            found |= events.keys()
    return frozenset(found | {SUCCESS, ERROR})


def _answer(value: Value, possible: frozenset[str] | None) -> Answer:
    if isinstance(value.node, MapNode):
        return _described(value, possible)
    event = _event(value, possible)
    return Answer(event=event)


def _described(value: Value, possible: frozenset[str] | None) -> Answer:
    fields = value.fields(_KEYS, _WANTED)
    given = fields.get("event")
    code = fields["exit_code"].number(0, whole=True) if "exit_code" in fields else None
    return Answer(
        event=None if given is None or given.empty else _event(given, possible),
        nothing=given is not None and given.empty,
        error=fields["error"].text("why it fails") or "" if "error" in fields else "",
        changes=_changes(fields),
        takes_seconds=fields["takes"].seconds() if "takes" in fields else None,
        exit_code=None if code is None else int(code),
        output=fields["output"].json() if "output" in fields else None,
    )


def _event(value: Value, possible: frozenset[str] | None) -> str | None:
    name = value.name("an event")
    if name is not None and possible is not None and name not in possible:
        hint = value.faults.hint(name, sorted(possible), "it may answer")
        value.fault(f"this action never answers {name!r}{hint}")
    return name


def _changes(fields: Mapping[str, Value]) -> dict[str, Any]:
    return fields["set"].json_mapping("keys of the context") if "set" in fields else {}
