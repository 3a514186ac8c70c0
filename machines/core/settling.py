"""What an action that ended, or a wait that is over, does to its machine.

The other half of ``decisions``: that says which action is next, this what came of it.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from machines.core.decisions import Perform, action_at
from machines.core.definition import Action, Definition
from machines.core.engine import changed, context_fault, names
from machines.core.interpolation import as_text, interpolate
from machines.core.snapshot import Deadline, Event, Kind, Snapshot
from machines.core.turn import OF_STATE, ActionRef, Stretch, Subscription, Turn, Wait

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    from machines.core.values import dataclass

ERROR = "error"
LONGEST_DELAY_SECONDS = 86_400.0 * 365  # of a retry whose back-off has no limit of its own


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an action.

    ``event``: the name it returned. ``changes``: keys of the context. ``error``: why it failed,
    in which case ``event`` is what the failure is called. ``delay``: it is not over yet, and
    ``event`` is raised when that time has passed. ``nothing``: what it looked for and did not
    find. ``took``: it took something, so there may be more. ``job``: the layer of the job it
    claimed, None for no change. ``finish``: the machine is to be finished. ``awaits``: it is not
    over yet, and is asked again when that is there or ``delay`` has passed, if one is given.
    ``wanted``: one of the waiting events with these names is to be judged next. ``expected``: the
    file names this error, so trying again would only bring it again.
    """

    event: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    delay: timedelta | None = None
    nothing: Subscription | None = None
    took: bool = False
    job: Mapping[str, Any] | None = None
    finish: bool = False
    awaits: Subscription = ()
    wanted: tuple[str, ...] = ()
    expected: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """A machine after an action: what it is, the event to judge at once, a deadline to set.

    ``refused``: why its changes of the context were not applied, which is a failure.
    """

    snapshot: Snapshot
    event: Event | None = None
    deadline: Deadline | None = None
    refused: str = ""


def settle(
    definition: Definition,
    snapshot: Snapshot,
    performed: Perform,
    outcome: Outcome,
    *,
    now: datetime,
    chance: float,
    worked: bool = False,
) -> Settled:
    """What an action that ended does to its machine.

    ``chance`` is a random number from 0 to 1, for the jitter of a retry. ``worked``: it ran
    outside, so the machine is not idling.
    """
    snapshot = replace(
        snapshot,
        turn=_seen(snapshot.turn, performed.ref, outcome, worked=worked or bool(performed.resumed)),
        job=snapshot.job if outcome.job is None else outcome.job,
        instant_steps=0 if worked or outcome.job else snapshot.instant_steps,
    )
    if outcome.error:
        retry_after = None if outcome.expected else _retry_after(performed, chance)
        if retry_after is not None:
            return _begin_wait(snapshot, performed, retry_after, now, retry=True)
        outcome = _failure(snapshot, performed.action, outcome)
    snapshot, applied = _apply_changes(snapshot, performed.action, outcome)
    if applied.awaits or applied.delay is not None:
        return _begin_wait(snapshot, performed, applied.delay, now, awaits=applied.awaits)
    event = _result(applied.event, performed) if applied.event else None
    refused = applied.error if applied is not outcome else ""
    return Settled(snapshot, event, _repetition(performed, now), refused)


def wake(definition: Definition, snapshot: Snapshot, event: Event, now: datetime) -> Settled:
    """The deadline of an action passed: its wait is over, or it is to be done again."""
    if event.action is None:
        raise ValueError(f"not a deadline of an action: {event!r}")
    listed, position = event.action
    again: Stretch = (listed, position, position + 1)
    turn = snapshot.turn
    wait = next((wait for wait in turn.waits if wait.action == event.action), None)
    snapshot = replace(snapshot, instant_steps=0)
    if wait is None:  # a repetition
        return Settled(replace(snapshot, turn=replace(turn, todo=(again, *turn.todo))))
    snapshot = replace(snapshot, turn=_after_wait(turn, wait))
    if wait.retry or wait.awaits:
        return Settled(snapshot)
    action = action_at(definition, snapshot.states[0], event.action)
    name = _named(action, snapshot, "success") or event.name
    performed = Perform(event.action, action, wait.attempt)
    return Settled(snapshot, _result(name, performed), _repetition(performed, now))


def _seen(turn: Turn, ref: ActionRef, outcome: Outcome, *, worked: bool) -> Turn:
    """The turn after an action. What a transition's own actions see says nothing of a round."""
    checked = turn.checked
    if ref[0] == OF_STATE:
        worked = worked or outcome.took or bool(outcome.job)
        if outcome.nothing is not None and outcome.nothing not in checked:
            checked = (*checked, outcome.nothing)
    else:
        worked = False
    return replace(
        turn,
        work=None,
        worked=turn.worked or worked,
        checked=checked,
        wanted=outcome.wanted,
    )


def _result(name: str, performed: Perform) -> Event:
    # An action that repeats keeps its own time: a self-loop need not hurry it.
    return Event(name, Kind.RESULT, loops=not _repeats(performed))


def _after_wait(turn: Turn, wait: Wait) -> Turn:
    listed, position = wait.action
    again: Stretch = (listed, position, position + 1)
    asked_again = wait.retry or bool(wait.awaits)
    return replace(
        turn,
        waits=tuple(other for other in turn.waits if other is not wait),
        todo=(*((again,) if asked_again else ()), *turn.todo, *wait.behind),
        attempt=wait.attempt + wait.retry if asked_again else 1,
        resumed=wait.awaits,
    )


def _begin_wait(
    snapshot: Snapshot,
    performed: Perform,
    delay: timedelta | None,
    now: datetime,
    *,
    retry: bool = False,
    awaits: Subscription = (),
) -> Settled:
    turn = snapshot.turn
    # An action waits once: taken up again meanwhile, its wait begins anew.
    before = [wait for wait in turn.waits if wait.action == performed.ref]
    others = tuple(wait for wait in turn.waits if wait.action != performed.ref)
    behind = (*turn.todo, *(stretch for wait in before for stretch in wait.behind))
    wait = Wait(performed.ref, performed.attempt, retry, behind, awaits)
    snapshot = replace(snapshot, turn=replace(turn, todo=(), waits=(*others, wait)))
    if delay is None:
        return Settled(snapshot)
    name = "retry" if retry else "wake_up"
    return Settled(snapshot, deadline=Deadline(name, now + delay, action=performed.ref))


def _retry_after(performed: Perform, chance: float) -> timedelta | None:
    retry = performed.action.retry
    if retry is None or performed.attempt >= retry.attempts:
        return None
    longest = retry.max_delay_seconds or LONGEST_DELAY_SECONDS
    try:
        seconds = min(retry.delay_seconds * retry.backoff ** (performed.attempt - 1), longest)
    except OverflowError:
        seconds = longest
    if retry.jitter:
        seconds *= 0.5 + chance / 2  # "equal jitter": half fixed, half random
    return timedelta(seconds=seconds)


def _named(action: Action, snapshot: Snapshot, key: str) -> str:
    """What the file calls the event that ``key`` names, placeholders filled in; "" if nothing."""
    written = action.settings.get(key)
    return "" if written is None else as_text(interpolate(written, names(snapshot)))


def _failure(snapshot: Snapshot, action: Action, outcome: Outcome) -> Outcome:
    changes = {
        **outcome.changes,
        "last_error": outcome.error,
        "last_error_action": action.type,
    }
    name = outcome.event or _named(action, snapshot, "error") or _named(action, snapshot, "failure")
    return replace(outcome, event=name or ERROR, changes=changes)


def _apply_changes(
    snapshot: Snapshot, action: Action, outcome: Outcome
) -> tuple[Snapshot, Outcome]:
    if not outcome.changes:
        return snapshot, outcome
    context = {**snapshot.context, **outcome.changes}
    fault = context_fault(context)
    if not fault:
        return changed(snapshot, context, outcome.changes), outcome
    failed = _failure(snapshot, action, Outcome(error=fault))
    context = {**snapshot.context, **failed.changes}
    if context_fault(context):  # not even room for the error's own words
        return snapshot, failed
    return changed(snapshot, context, failed.changes), failed


def _repeats(performed: Perform) -> bool:
    return performed.action.every_seconds is not None and performed.ref[0] == OF_STATE


def _repetition(performed: Perform, now: datetime) -> Deadline | None:
    every = performed.action.every_seconds
    if every is None or not _repeats(performed):
        return None
    return Deadline("repeat", now + timedelta(seconds=every), action=performed.ref)
