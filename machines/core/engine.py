"""The step function: given a definition, a snapshot and an event, what happens next.

Nothing happens here. The runtime asks ``decide`` (``decisions.py``) what a machine does next; if
that is to judge an event, ``step`` says what comes of it. The state, context and turn of the
answer become true when the journal has committed them.
"""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import orjson

from machines.core.definition import Definition, Transition
from machines.core.errors import ExpressionError
from machines.core.interpolation import lookup_path
from machines.core.schemas import payload_fault
from machines.core.snapshot import (
    EMPTY,
    OF_STATE,
    Deadline,
    Event,
    Kind,
    Snapshot,
    Step,
    Stretch,
    Turn,
)
from machines.core.storable import holds_nul

MAX_CONTEXT_BYTES = 256 << 10  # as JSON; the same as a payload's
START = Event("start", Kind.START)
_NO_JOB: Mapping[str, Any] = {"current_job": None}  # so that a guard may ask for it


def begin(
    definition: Definition,
    machine: str,
    context: Mapping[str, Any],
    now: datetime,
    *,
    job: Mapping[str, Any] = EMPTY,
) -> Step:
    """The entry into the initial state: a step without source. ``START`` is judged after it.

    ``job``: the layer of the job that it is handed.
    """
    snapshot = Snapshot(machine, context={**definition.context, **context}, job=job)
    state = definition.initial_state
    return Step(
        event=START,
        snapshot=replace(
            snapshot,
            states=(state,),
            entered_at=now,
            turn=Turn(todo=_entry(definition, state, None)),
        ),
        source=None,
        target=state,
        left=True,
        deadlines=deadlines(definition, state, now),
        changes=snapshot.context or None,
    )


def step(definition: Definition, snapshot: Snapshot, event: Event, now: datetime) -> Step:
    """What ``event`` does to a machine that judges it ``now``.

    The first transition in file order whose guard holds is taken. Never raises for what stands
    in an event: one that cannot be taken is answered with the reason.
    """
    state = snapshot.states[0]
    error = ""
    if event.kind is Kind.OUTSIDE:
        if snapshot.turn.wanted:
            snapshot = replace(snapshot, turn=replace(snapshot.turn, wanted=()))
        declaration = definition.events.get(event.name)
        if declaration is not None and declaration.payload_schema is not None:
            fault = payload_fault(declaration.payload_schema, event.payload)
            if fault:
                return Step(event, snapshot, target=state, reason=fault, invalid=True)
        snapshot, error = _with_event(definition, snapshot, event)
    candidates = _candidates(definition, state, event)
    taken, guards = _first_match(candidates, snapshot, event)
    if taken is None:
        reason = _why_ignored(state, event, guards, snapshot)
        return Step(event, snapshot, target=state, guards=guards, reason=reason, error=error)
    return _take(definition, snapshot, event, taken, guards, error, now)


def deadlines(definition: Definition, state: str, entered_at: datetime) -> tuple[Deadline, ...]:
    """The deadlines of a state entered at that time."""
    return tuple(_deadline(transition, entered_at) for transition in definition.timed(state))


def first_match(definition: Definition, snapshot: Snapshot, event: Event) -> Transition | None:
    """The transition that ``event`` would take in the present state, or None."""
    candidates = _candidates(definition, snapshot.states[0], event)
    if not candidates or candidates[0].guard is None:
        return candidates[0] if candidates else None
    if event.kind is Kind.OUTSIDE:  # its guards see what it brings
        snapshot, _error = _with_event(definition, snapshot, event)
    return _first_match(candidates, snapshot, event)[0]


def names(snapshot: Snapshot, secrets: Mapping[str, Any] = EMPTY) -> Mapping[str, Any]:
    """What placeholders and guards see: the engine's names, the context, the current job."""
    engine: dict[str, Any] = {
        "machine_name": snapshot.machine,
        "current_state": snapshot.states[0] if snapshot.states else None,
        "event_data": snapshot.event_data,
        "secret": secrets,
    }
    return _layers(engine, snapshot.context, snapshot.job, _NO_JOB)


def context_fault(context: Mapping[str, Any]) -> str:
    """Why ``context`` cannot be kept, or an empty text."""
    try:
        encoded = orjson.dumps(context)
    except TypeError as error:
        return f"the context holds what JSON cannot: {error}"
    if holds_nul(encoded):
        return "the context would hold a NUL character, which no database keeps"
    size = len(encoded)
    if size > MAX_CONTEXT_BYTES:
        return f"the context would be {size} bytes; at most {MAX_CONTEXT_BYTES} are kept"
    return ""


def _take(
    definition: Definition,
    snapshot: Snapshot,
    event: Event,
    taken: Transition,
    guards: tuple[tuple[int, Any], ...],
    error: str,
    now: datetime,
) -> Step:
    source = snapshot.states[0]
    turn = snapshot.turn
    changes = {key: snapshot.context.get(key) for key in turn.changed} if turn.changed else None
    instant = snapshot.instant_steps + 1 if event.kind is not Kind.TIMER else 0
    if taken.target is not None and taken.leaves(source):
        target = taken.target
        after = Snapshot(
            snapshot.machine,
            (target,),
            snapshot.context,
            Turn(todo=_entry(definition, target, taken)),
            snapshot.event_data,
            snapshot.job,
            now,
            instant,
        )
        return Step(
            event,
            after,
            taken,
            source,
            target,
            guards,
            left=True,
            deadlines=deadlines(definition, target, now),
            changes=changes,
            error=error,
        )
    # Its own actions come first, in no round; what was left of the round follows.
    own: tuple[Stretch, ...] = ((taken.index, 0, len(taken.actions)),) if taken.actions else ()
    loops = event.loops and event.name != "error"
    again = turn.again or (loops and taken.stays_by_name(source))
    restarted = event.kind is Kind.TIMER and taken.target is not None
    return Step(
        event,
        replace(
            snapshot,
            turn=replace(turn, todo=own + turn.todo, again=again, changed=()),
            instant_steps=instant,
        ),
        taken,
        source,
        source,
        guards,
        deadlines=(_deadline(taken, now),) if restarted else (),
        changes=changes,
        error=error,
    )


def _with_event(definition: Definition, snapshot: Snapshot, event: Event) -> tuple[Snapshot, str]:
    """The snapshot that an event from outside is judged in, and why its map was not applied."""
    snapshot = _with_event_data(snapshot, event)
    declaration = definition.events.get(event.name)
    if declaration is None or not declaration.context_map:
        return snapshot, ""
    return _map_context(snapshot, declaration.context_map)


def _with_event_data(snapshot: Snapshot, event: Event) -> Snapshot:
    # Spelled out: ``replace`` would be the dearest part of a step.
    return Snapshot(
        snapshot.machine,
        snapshot.states,
        snapshot.context,
        snapshot.turn,
        event.as_data(),
        snapshot.job,
        snapshot.entered_at,
        0,
    )


def _entry(definition: Definition, state: str, taken: Transition | None) -> tuple[Stretch, ...]:
    own = len(taken.actions) if taken else 0
    listed = len(definition.states[state].actions)
    first: tuple[Stretch, ...] = ((taken.index, 0, own),) if taken and own else ()
    return (*first, (OF_STATE, 0, listed)) if listed else first


def _deadline(transition: Transition, start: datetime) -> Deadline:
    delay = timedelta(seconds=transition.delay_seconds or 0)
    return Deadline(transition.delay_name, start + delay, transition=transition.index)


def _candidates(definition: Definition, state: str, event: Event) -> tuple[Transition, ...]:
    if event.kind is Kind.TIMER:
        return tuple(t for t in definition.timed(state) if t.index == event.transition)
    if event.kind is Kind.AUTOMATIC:
        return tuple(t for t in definition.automatic(state) if t.index == event.transition)
    return definition.candidates(state, event.name)


def _first_match(
    candidates: tuple[Transition, ...], snapshot: Snapshot, event: Event
) -> tuple[Transition | None, tuple[tuple[int, Any], ...]]:
    guards: list[tuple[int, Any]] = []
    seen: Mapping[str, Any] | None = None
    for transition in candidates:
        if transition.guard is None:
            return transition, tuple(guards)
        if seen is None:
            seen = _guard_names(snapshot, event)
        try:
            value = transition.guard.evaluate(seen)
        except ExpressionError as error:
            # A guard that raises counts as false; the reason is kept.
            guards.append((transition.index, f"error: {error}"))
            continue
        guards.append((transition.index, value))
        if value:
            return transition, tuple(guards)
    return None, tuple(guards)


def _guard_names(snapshot: Snapshot, event: Event) -> Mapping[str, Any]:
    payload = {} if event.payload is None else event.payload
    judged = {"payload": payload, "event": event.as_data()}
    return _layers(judged, names(snapshot))


def _layers(*layers: Mapping[str, Any]) -> Mapping[str, Any]:
    # ChainMap writes to its first map only, and nobody writes to this one.
    return ChainMap(*cast("list[dict[str, Any]]", layers))


def _map_context(snapshot: Snapshot, paths: Mapping[str, str]) -> tuple[Snapshot, str]:
    found = {key: lookup_path(path, snapshot.event_data) for key, path in paths.items()}
    copied = {key: value for key, value in found.items() if value is not None}
    if not copied:
        return snapshot, ""
    context = {**snapshot.context, **copied}
    fault = context_fault(context)
    if fault:
        return snapshot, fault
    return changed(snapshot, context, copied), ""


def changed(snapshot: Snapshot, context: Mapping[str, Any], keys: Mapping[str, Any]) -> Snapshot:
    """``snapshot`` with another context; the next step on record shows what ``keys`` became."""
    noted = tuple(dict.fromkeys((*snapshot.turn.changed, *keys)))
    return replace(snapshot, context=context, turn=replace(snapshot.turn, changed=noted))


def _why_ignored(
    state: str, event: Event, guards: tuple[tuple[int, Any], ...], snapshot: Snapshot
) -> str:
    if not guards:
        return f"no transition for {event.name!r} in state {state!r}"
    values = ", ".join(f"transitions[{index}]: {value!r}" for index, value in guards)
    return f"no guard holds for {event.name!r} in state {state!r}: {values}"[:2000]
