"""Transitions: an ordered list in the file; the first match wins, so the order is kept."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from machines.core.definition import ANY_STATE, Place, Transition
from machines.core.errors import ExpressionError
from machines.core.expressions import Guard, compile_guard
from machines.core.loading.actions import read_actions
from machines.core.loading.faults import shown
from machines.core.loading.nodes import MapNode, ScalarNode
from machines.core.loading.scalars import parse_duration
from machines.core.loading.values import TIMES, Value, optional_text

_KEYS = (
    "from", "to", "event", "guard", "after", "actions", "interrupt", "reenter", "description",
)  # fmt: skip
_WANTED = "a list of transitions, each '- from: …',"
_TIMEOUT = re.compile(r"timeout\s*\((.*)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Trigger:
    """What a transition waits for; with neither events nor delay it is automatic."""

    events: tuple[str, ...] = ()
    delay_seconds: float | None = None
    delay_name: str = ""


@dataclass(frozen=True, slots=True)
class TransitionList:
    """The transitions, and every mention of a state in them with its place, in file order."""

    transitions: tuple[Transition, ...]
    mentions: tuple[tuple[str, Value], ...]

    def mentioned(self) -> dict[str, Place]:
        """The states that they name, each with the place of its first mention."""
        first: dict[str, Place] = {}
        for name, value in self.mentions:
            first.setdefault(name, value.place)
        return first


def read_transitions(value: Value) -> TransitionList:
    """All transitions; those with faults are there as far as they can be read."""
    mentions: list[tuple[str, Value]] = []
    transitions = [
        _transition(index, item, mentions) for index, item in enumerate(value.items(_WANTED))
    ]
    return TransitionList(tuple(transitions), tuple(mentions))


def _transition(index: int, value: Value, mentions: list[tuple[str, Value]]) -> Transition:
    if not isinstance(value.node, MapNode):
        value.wrong("a transition, such as {from: waiting, to: processing, event: new_job},")
        return Transition(index, (), None)
    fields = value.fields(_KEYS, "a transition")
    sources = _sources(value, fields, mentions)
    target = _target(fields["to"], mentions) if "to" in fields else None
    trigger = _trigger(fields)
    interrupts = _interrupts(fields, trigger, sources)
    return Transition(
        index=index,
        sources=sources,
        target=target,
        events=trigger.events,
        guard=_guard(fields["guard"]) if "guard" in fields else None,
        delay_seconds=trigger.delay_seconds,
        delay_name=trigger.delay_name,
        actions=read_actions(fields["actions"]) if "actions" in fields else (),
        interrupts=interrupts.of_events if trigger.events else interrupts.of_timer,
        interrupts_when_due=interrupts.of_timer,
        reenter=_reenter(fields),
        description=optional_text(fields, "description"),
        place=value.place,
    )


def _sources(
    value: Value, fields: dict[str, Value], mentions: list[tuple[str, Value]]
) -> tuple[str, ...]:
    if "from" not in fields:
        value.fault('from is missing; name a state, a list of states, or "*" for any')
        return ()
    sources = []
    for item in fields["from"].one_or_more("at least one state"):
        if item.written == ANY_STATE:
            sources.append(ANY_STATE)
        elif (name := item.name("a state")) is not None:
            sources.append(name)
            mentions.append((name, item))
    return tuple(dict.fromkeys(sources))


def _target(value: Value, mentions: list[tuple[str, Value]]) -> str | None:
    if value.empty:
        value.fault("nothing stands here; name a state, or leave the key out to stay in the state")
        return None
    name = value.name("a state")
    if name is not None:
        mentions.append((name, value))
    return name


def _trigger(fields: dict[str, Value]) -> _Trigger:
    if "event" not in fields:
        return _after(fields["after"]) if "after" in fields else _Trigger()
    if "after" in fields:
        fields["after"].fault(
            "event and after stand in one transition; write two, or event: [name, timeout(5)]"
        )
        _after(fields["after"])
    events: list[str] = []
    timeouts: list[tuple[str, float]] = []
    for item in fields["event"].one_or_more("at least one event"):
        name = item.name("an event")
        if name is None:
            continue
        if found := _TIMEOUT.fullmatch(name.strip()):
            _add_timeout(item, found[0], found[1], timeouts)
        else:
            events.append(name)
    delay_name, seconds = timeouts[0] if timeouts else ("", None)
    return _Trigger(tuple(dict.fromkeys(events)), seconds, delay_name)


def _add_timeout(item: Value, name: str, delay: str, timeouts: list[tuple[str, float]]) -> None:
    seconds = parse_duration(delay)
    if seconds is None:
        item.fault(f"{shown(delay)} stands in the brackets of timeout, where {TIMES} is needed")
        return
    if timeouts:
        item.fault(f"a second timeout beside {timeouts[0][0]}; write a transition for each")
        return
    timeouts.append((name, seconds))


def _after(value: Value) -> _Trigger:
    seconds = value.seconds()
    return _Trigger(
        delay_seconds=seconds or 0.0,
        delay_name=f"timeout({seconds or 0.0:.12g})",  # as %g, but a month is not 2.6784e+06
    )


def _guard(value: Value) -> Guard | None:
    source = value.text("a condition such as 'count > 3'")
    if source is None:
        return None
    if isinstance(value.node, ScalarNode) and isinstance(value.node.value, bool):
        source = "true" if value.node.value else "false"
    try:
        return compile_guard(source)
    except ExpressionError as error:
        value.fault(str(error))
        return None


@dataclass(frozen=True, slots=True)
class _Interrupts:
    """What is not held until rest: its events, its timer."""

    of_events: bool
    of_timer: bool


def _interrupts(
    fields: dict[str, Value], trigger: _Trigger, sources: Collection[str]
) -> _Interrupts:
    """Whether it is not held until rest; for a timer and for any state that is the default."""
    can = "to" in fields and ("event" in fields or "after" in fields)
    timed = trigger.delay_seconds is not None
    if "interrupt" not in fields:
        return _Interrupts(can and ANY_STATE in sources, can and timed)
    wanted = fields["interrupt"].boolean()
    if wanted and not can:
        kind = "no event" if "to" in fields else "no to"
        fields["interrupt"].fault(
            f"a transition with {kind} always waits for rest; leave interrupt out"
        )
    return _Interrupts(bool(wanted and can), bool(wanted and can and timed))


def _reenter(fields: dict[str, Value]) -> bool:
    if "reenter" not in fields:
        return False
    wanted = bool(fields["reenter"].boolean())
    if wanted and "to" not in fields:
        fields["reenter"].fault("reenter without to enters nothing; add to: with the state")
    return wanted
