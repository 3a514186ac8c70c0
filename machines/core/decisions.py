"""What a machine does next: the order of things of one machine, decided without doing them.

``decide`` is asked again after every answer has been carried out. An action is taken up with
``take_up``, and what came of it is settled with ``settle``.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from machines.core.definition import Action, Definition, Transition
from machines.core.engine import changed, context_fault, first_match
from machines.core.snapshot import (
    OF_STATE,
    ActionRef,
    Deadline,
    Event,
    Kind,
    Snapshot,
    Stretch,
    Subscription,
    Turn,
    Wait,
)
from machines.core.waiting import Waiting, age

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    from machines.core.values import dataclass

ERROR = "error"
LONGEST_DELAY_SECONDS = 86_400.0 * 365  # of a retry whose back-off has no limit of its own


@dataclass(frozen=True, slots=True)
class Judge:
    """Judge this event now; ``interrupts`` if it does not wait for rest."""

    event: Event
    interrupts: bool = False


@dataclass(frozen=True, slots=True)
class Perform:
    """Take up the next action."""

    ref: ActionRef
    action: Action
    attempt: int


@dataclass(frozen=True, slots=True)
class Simply:
    """A decision that says it all by itself."""

    name: str


NEW_ROUND: Final = Simply("new round")
IDLE: Final = Simply("idle")  # the round found nothing: sleep until a ring
REST: Final = Simply("rest")  # nothing to do until something arrives or ends
FINISH: Final = Simply("finish")

Decision = Judge | Perform | Simply


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an action.

    ``event``: the name it returned. ``changes``: keys of the context. ``error``: why it failed,
    in which case ``event`` is what the failure is called. ``delay``: it is not over yet, and
    ``event`` is raised when that time has passed. ``nothing``: what it looked for and did not
    find. ``took``: it took something, so there may be more. ``job``: the layer of the job it
    claimed, None for no change. ``finish``: the machine is to be finished.
    """

    event: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    delay: timedelta | None = None
    nothing: Subscription | None = None
    took: bool = False
    job: Mapping[str, Any] | None = None
    finish: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """A machine after an action: what it is, the event to judge at once, a deadline to set."""

    snapshot: Snapshot
    event: Event | None = None
    deadline: Deadline | None = None


def decide(definition: Definition, snapshot: Snapshot, waiting: Waiting) -> Decision:
    """What the machine does next; the rules are sections 2 and 3.3 of the language."""
    turn = snapshot.turn
    state = snapshot.states[0]
    if waiting:
        event = _interrupting(definition, snapshot, waiting)
        if event is not None:
            return Judge(event, interrupts=True)
    if not turn.resting:
        return REST if turn.work is not None else _perform(definition, snapshot)
    for transition in definition.automatic(state):
        event = Event("", Kind.AUTOMATIC, transition=transition.index)
        if transition.guard is None or first_match(definition, snapshot, event) is not None:
            return Judge(event)
    if turn.over and definition.is_final(state):
        return FINISH
    oldest = waiting.oldest()
    if oldest is not None:
        return Judge(oldest)
    return _round_end(turn)


def new_round(definition: Definition, snapshot: Snapshot) -> Snapshot:
    """The state's actions are due again, from the top."""
    count = len(definition.states[snapshot.states[0]].actions)
    turn = Turn(
        todo=((OF_STATE, 0, count),) if count else (),
        quiet=snapshot.turn.quiet,
        changed=snapshot.turn.changed,
    )
    return replace(snapshot, turn=turn)


def idle(snapshot: Snapshot) -> Snapshot:
    """The round found nothing; it is replayed when a ring says so."""
    turn = replace(snapshot.turn, idle=True, quiet=True, again=False)
    return replace(snapshot, turn=turn)


def rung(snapshot: Snapshot) -> Snapshot:
    """What an idle machine looked for may be there: another round is due."""
    if not snapshot.turn.idle:
        return snapshot
    return replace(snapshot, turn=replace(snapshot.turn, again=True))


def take_up(snapshot: Snapshot) -> Snapshot:
    """The snapshot while the action that is next is being performed."""
    (listed, position, end), *rest = snapshot.turn.todo
    left: tuple[Stretch, ...] = ((listed, position + 1, end),) if position + 1 < end else ()
    return replace(snapshot, turn=replace(snapshot.turn, todo=(*left, *rest), attempt=1))


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
        turn=_seen(snapshot.turn, performed.ref, outcome, worked=worked),
        job=snapshot.job if outcome.job is None else outcome.job,
        instant_steps=0 if worked or outcome.job else snapshot.instant_steps,
    )
    if outcome.delay is not None:
        return _begin_wait(snapshot, performed, outcome.delay, now)
    if outcome.error:
        retry_after = _retry_after(performed, chance)
        if retry_after is not None:
            return _begin_wait(snapshot, performed, retry_after, now, retry=True)
        outcome = _failure(performed.action, outcome)
    snapshot, outcome = _apply_changes(snapshot, performed.action, outcome)
    event = Event(outcome.event, Kind.RESULT) if outcome.event else None
    return Settled(snapshot, event, _repetition(performed, now))


def _seen(turn: Turn, ref: ActionRef, outcome: Outcome, *, worked: bool) -> Turn:
    """The turn after an action. What a transition's own actions see says nothing of a round."""
    checked = turn.checked
    if ref[0] == OF_STATE:
        worked = worked or outcome.took or bool(outcome.job)
        if outcome.nothing is not None and outcome.nothing not in checked:
            checked = (*checked, outcome.nothing)
    else:
        worked = False
    return replace(turn, work=None, worked=turn.worked or worked, checked=checked)


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
    turn = replace(
        turn,
        waits=tuple(other for other in turn.waits if other is not wait),
        todo=(*((again,) if wait.retry else ()), *turn.todo, *wait.behind),
        attempt=wait.attempt + 1 if wait.retry else 1,
    )
    snapshot = replace(snapshot, turn=turn)
    if wait.retry:
        return Settled(snapshot)
    action = action_at(definition, snapshot.states[0], event.action)
    name = action.settings.get("success") or event.name
    performed = Perform(event.action, action, wait.attempt)
    return Settled(snapshot, Event(str(name), Kind.RESULT), _repetition(performed, now))


def action_at(definition: Definition, state: str, ref: ActionRef) -> Action:
    """The action that ``ref`` names while ``state`` is active."""
    listed, position = ref
    if listed == OF_STATE:
        return definition.states[state].actions[position]
    return definition.transitions[listed].actions[position]


def _perform(definition: Definition, snapshot: Snapshot) -> Perform:
    listed, position, _end = snapshot.turn.todo[0]
    ref = (listed, position)
    return Perform(ref, action_at(definition, snapshot.states[0], ref), snapshot.turn.attempt)


def _round_end(turn: Turn) -> Simply:
    if not turn.over:
        return REST
    if not turn.idle and turn.checked and not turn.worked:
        return IDLE
    return NEW_ROUND if turn.again else REST


def _interrupting(definition: Definition, snapshot: Snapshot, waiting: Waiting) -> Event | None:
    names = definition.interrupting(snapshot.states[0])
    if not names and not waiting.has_due:
        return None
    found: Event | None = None
    for event in waiting.due():
        if event.kind is Kind.TIMER and _interrupts(definition, snapshot, event):
            found = event
            break
    # Those that did not interrupt do not do so later while nothing changed that a guard reads.
    where = (snapshot.states[0], snapshot.context, snapshot.job)
    for event in waiting.unseen(names, *where):
        if found is not None and age(found) <= age(event):
            return found
        if _interrupts(definition, snapshot, event):
            return event
    waiting.seen_all(*where)
    return found


def _interrupts(definition: Definition, snapshot: Snapshot, event: Event) -> bool:
    match: Transition | None = first_match(definition, snapshot, event)
    return match is not None and match.interrupts and match.leaves(snapshot.states[0])


def _begin_wait(
    snapshot: Snapshot,
    performed: Perform,
    delay: timedelta,
    now: datetime,
    *,
    retry: bool = False,
) -> Settled:
    turn = snapshot.turn
    # An action waits once: taken up again meanwhile, its wait begins anew.
    before = [wait for wait in turn.waits if wait.action == performed.ref]
    others = tuple(wait for wait in turn.waits if wait.action != performed.ref)
    behind = (*turn.todo, *(stretch for wait in before for stretch in wait.behind))
    wait = Wait(performed.ref, performed.attempt, retry, behind)
    name = "retry" if retry else "wake_up"
    return Settled(
        replace(snapshot, turn=replace(turn, todo=(), waits=(*others, wait))),
        deadline=Deadline(name, now + delay, action=performed.ref),
    )


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


def _failure(action: Action, outcome: Outcome) -> Outcome:
    changes = {
        **outcome.changes,
        "last_error": outcome.error,
        "last_error_action": action.type,
    }
    settings = action.settings
    name = outcome.event or settings.get("error") or settings.get("failure") or ERROR
    return replace(outcome, event=str(name), changes=changes)


def _apply_changes(
    snapshot: Snapshot, action: Action, outcome: Outcome
) -> tuple[Snapshot, Outcome]:
    if not outcome.changes:
        return snapshot, outcome
    context = {**snapshot.context, **outcome.changes}
    fault = context_fault(context)
    if not fault:
        return changed(snapshot, context, outcome.changes), outcome
    failed = _failure(action, Outcome(error=fault))
    context = {**snapshot.context, **failed.changes}
    if context_fault(context):  # not even room for the error's own words
        return snapshot, failed
    return changed(snapshot, context, failed.changes), failed


def _repetition(performed: Perform, now: datetime) -> Deadline | None:
    every = performed.action.every_seconds
    if every is None or performed.ref[0] != OF_STATE:
        return None
    return Deadline("repeat", now + timedelta(seconds=every), action=performed.ref)
