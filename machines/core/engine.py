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

from machines.core.definition import Definition, EventDeclaration, Transition
from machines.core.errors import ExpressionError
from machines.core.expressions import Guard
from machines.core.interpolation import lookup_path
from machines.core.schemas import payload_fault
from machines.core.snapshot import EMPTY, Deadline, Event, Kind, Snapshot, Step
from machines.core.storable import holds_nul
from machines.core.tables import UNHEARD
from machines.core.turn import Stretch
from machines.core.values import builder

MAX_CONTEXT_BYTES = 256 << 10  # as JSON; the same as a payload's
START = Event("start", Kind.START)
_OUTSIDE, _TIMER = Kind.OUTSIDE, Kind.TIMER  # an Enum looks its members up slowly
_snapshot, _step = builder(Snapshot), builder(Step)
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
            turn=definition.entry(state),
        ),
        left=True,
        deadlines=deadlines(definition, state, now),
        changes=snapshot.context or None,
    )


def step(definition: Definition, snapshot: Snapshot, event: Event, now: datetime) -> Step:
    """What ``event`` does to a machine that judges it ``now``.

    The first transition in file order whose guard holds is taken. Never raises for what stands
    in an event: one that cannot be taken is answered with the reason.
    """
    state, error = snapshot.states[0], ""
    received: Event | None
    if event.kind is _OUTSIDE:
        received, instant = event, 1
        demand, arrows = definition.entries[state].get(event.name, UNHEARD)
        if demand is not None:
            if fault := _payload_fault(demand, event):
                return Step(event, snapshot, fault=fault)
            snapshot, error = _mapped(snapshot, demand, event)
    else:
        received, instant = snapshot.received, _instant(snapshot, event)
        _demand, arrows = definition.entries[state].get(_key(event), UNHEARD)
    guards: tuple[tuple[int, Any], ...] = ()
    for taken, guard, leaves, states, turn, timed in arrows:
        if guard is not None:
            value = _ask(guard, snapshot, event)
            guards += ((taken.index, value),)
            if not value:
                continue
        if not leaves:
            return _stay(snapshot, event, taken, guards, error, now)
        after = _snapshot(
            snapshot.machine, states, snapshot.context, turn, received, snapshot.job, now, instant
        )
        timers = tuple([_deadline(timer, now) for timer in timed]) if timed else ()
        changes = _changes(snapshot) if snapshot.turn.changed else None
        return _step(event, after, taken, state, guards, True, timers, changes, "", error)
    return _ignored(snapshot, event, guards, error)


def deadlines(definition: Definition, state: str, entered_at: datetime) -> tuple[Deadline, ...]:
    """The deadlines of a state entered at that time."""
    return tuple(_deadline(timer, entered_at) for timer in definition.timers(state))


def first_match(definition: Definition, snapshot: Snapshot, event: Event) -> Transition | None:
    """The transition that ``event`` would take in the present state, or None."""
    demand, arrows = definition.entries[snapshot.states[0]].get(_key(event), UNHEARD)
    if not arrows or arrows[0][1] is None:
        return arrows[0][0] if arrows else None
    if demand is not None and event.kind is _OUTSIDE:
        snapshot, _error = _mapped(snapshot, demand, event)
    for transition, guard, *_what_follows in arrows:
        if guard is None or _ask(guard, snapshot, event):
            return transition
    return None


def _key(event: Event) -> str | int:
    """What stands in a table for it: its name; of what no event takes, the transition's index."""
    return event.name if event.transition is None else event.transition


def guard_fault(definition: Definition, snapshot: Snapshot, transition: Transition) -> str:
    """Why the guard of an automatic transition has no value now; an empty text if it has one."""
    if transition.guard is None:
        return ""
    event = Event("", Kind.AUTOMATIC, transition=transition.index)
    value = _ask(transition.guard, snapshot, event)
    return str(value) if isinstance(value, Raised) else ""


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


def _stay(
    snapshot: Snapshot,
    event: Event,
    taken: Transition,
    guards: tuple[tuple[int, Any], ...],
    error: str,
    now: datetime,
) -> Step:
    source = snapshot.states[0]
    outside = event.kind is _OUTSIDE
    # Its own actions come first, in no round; what was left of the round follows.
    own: tuple[Stretch, ...] = ((taken.index, 0, len(taken.actions)),) if taken.actions else ()
    loops = event.loops and event.name != "error"
    turn = snapshot.turn
    restarted = event.kind is _TIMER and taken.target is not None
    return Step(
        event,
        replace(
            snapshot,
            turn=replace(
                turn,
                todo=own + turn.todo,
                again=turn.again or (loops and taken.stays_by_name(source)),
                changed=(),
                wanted=() if outside else turn.wanted,
            ),
            received=event if outside else snapshot.received,
            instant_steps=_instant(snapshot, event),
        ),
        taken,
        source,
        guards,
        deadlines=(_deadline(taken, now, event.transition),) if restarted else (),
        changes=_changes(snapshot) if turn.changed else None,
        error=error,
    )


def _changes(snapshot: Snapshot) -> dict[str, Any]:
    return {key: snapshot.context.get(key) for key in snapshot.turn.changed}


def _instant(snapshot: Snapshot, event: Event) -> int:
    """How many steps there were with nothing from outside between them, with this one."""
    if event.kind is _TIMER:
        return 0
    return 1 if event.kind is _OUTSIDE else snapshot.instant_steps + 1


def _ignored(
    snapshot: Snapshot, event: Event, guards: tuple[tuple[int, Any], ...], error: str
) -> Step:
    if event.kind is _OUTSIDE:
        turn = snapshot.turn
        snapshot = _snapshot(
            snapshot.machine,
            snapshot.states,
            snapshot.context,
            replace(turn, wanted=()) if turn.wanted else turn,
            event,
            snapshot.job,
            snapshot.entered_at,
            0,
        )
    return _step(event, snapshot, None, None, guards, False, (), None, "", error)


def _payload_fault(declaration: EventDeclaration, event: Event) -> str:
    schema = declaration.payload_schema
    return "" if schema is None else payload_fault(schema, event.payload)


def _mapped(
    snapshot: Snapshot, declaration: EventDeclaration, event: Event
) -> tuple[Snapshot, str]:
    """The snapshot with what the event's map copies, and why that was not applied."""
    snapshot = replace(snapshot, received=event)
    if not declaration.context_map:
        return snapshot, ""
    return _map_context(snapshot, declaration.context_map)


def _deadline(transition: Transition, start: datetime, index: int | None = None) -> Deadline:
    due_at = start + timedelta(seconds=transition.delay_seconds or 0)
    index = transition.index if index is None else index
    return Deadline(transition.delay_name, due_at, transition=index)


class Raised(str):
    """Why a guard has no value: a text that counts as false."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False


def _ask(guard: Guard, snapshot: Snapshot, event: Event) -> Any:
    """The value of a guard."""
    if guard.plain:
        try:
            return guard.evaluate(snapshot.context)
        except ExpressionError:
            pass  # it may read the job
    try:
        return guard.evaluate(_guard_names(snapshot, event))
    except ExpressionError as error:
        return Raised(f"error: {error}")


def _guard_names(snapshot: Snapshot, event: Event) -> Mapping[str, Any]:
    if event.kind is _OUTSIDE:
        snapshot = replace(snapshot, received=event)
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
