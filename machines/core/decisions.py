"""What a machine does next: the order of things of one machine, decided without doing them.

``decide`` is asked again after every answer has been carried out. An action is taken up with
``take_up``; what came of it is settled by ``settling``.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from machines.core.definition import Action, Definition, Transition
from machines.core.engine import first_match
from machines.core.snapshot import Event, Kind, Snapshot
from machines.core.turn import OF_STATE, ActionRef, Stretch, Subscription, Turn
from machines.core.waiting import Waiting, age

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    from machines.core.values import dataclass


@dataclass(frozen=True, slots=True)
class Judge:
    """Judge this event now; ``interrupts`` if it does not wait for rest."""

    event: Event
    interrupts: bool = False


@dataclass(frozen=True, slots=True)
class Perform:
    """Take up the next action. ``resumed``: what it has waited for, if it is asked again."""

    ref: ActionRef
    action: Action
    attempt: int
    resumed: Subscription = ()


@dataclass(frozen=True, slots=True)
class Simply:
    """A decision that says it all by itself."""

    name: str


NEW_ROUND: Final = Simply("new round")
IDLE: Final = Simply("idle")  # the round found nothing: sleep until a ring
REST: Final = Simply("rest")  # nothing to do until something arrives or ends
FINISH: Final = Simply("finish")

Decision = Judge | Perform | Simply


def decide(definition: Definition, snapshot: Snapshot, waiting: Waiting) -> Decision:
    """What the machine does next; the rules are sections 2 and 3.3 of the language."""
    turn = snapshot.turn
    state = snapshot.states[0]
    if turn.over and definition.is_final(state):
        return _automatic(definition, snapshot) or FINISH
    ahead = _ahead(definition, snapshot, waiting) if waiting else None
    if ahead is not None:
        return ahead
    if not turn.resting:
        return REST if turn.work is not None else _perform(definition, snapshot)
    automatic = _automatic(definition, snapshot)
    if automatic is not None:
        return automatic
    oldest = waiting.oldest()
    return _round_end(turn) if oldest is None else Judge(oldest)


def _automatic(definition: Definition, snapshot: Snapshot) -> Judge | None:
    """The first automatic transition whose guard holds."""
    for transition in definition.automatic(snapshot.states[0]):
        event = Event("", Kind.AUTOMATIC, transition=transition.index)
        if transition.guard is None or first_match(definition, snapshot, event) is not None:
            return Judge(event)
    return None


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
    return replace(snapshot, turn=replace(snapshot.turn, again=True), instant_steps=0)


def take_up(snapshot: Snapshot) -> Snapshot:
    """The snapshot while the action that is next is being performed."""
    (listed, position, end), *rest = snapshot.turn.todo
    left: tuple[Stretch, ...] = ((listed, position + 1, end),) if position + 1 < end else ()
    turn = replace(snapshot.turn, todo=(*left, *rest), attempt=1, resumed=(), wanted=())
    return replace(snapshot, turn=turn)


def action_at(definition: Definition, state: str, ref: ActionRef) -> Action:
    """The action that ``ref`` names while ``state`` is active."""
    listed, position = ref
    if listed == OF_STATE:
        return definition.states[state].actions[position]
    return definition.transitions[listed].actions[position]


def _perform(definition: Definition, snapshot: Snapshot) -> Perform:
    listed, position, _end = snapshot.turn.todo[0]
    ref = (listed, position)
    turn = snapshot.turn
    action = action_at(definition, snapshot.states[0], ref)
    return Perform(ref, action, turn.attempt, turn.resumed)


def _round_end(turn: Turn) -> Simply:
    if not turn.over:
        return REST
    if not turn.idle and turn.checked and not turn.worked:
        return IDLE
    return NEW_ROUND if turn.again else REST


def _ahead(definition: Definition, snapshot: Snapshot, waiting: Waiting) -> Judge | None:
    """What does not wait for rest: an interrupt, or the event that an action asked for."""
    turn = snapshot.turn
    event = _interrupting(definition, snapshot, waiting)
    # At rest a deadline has nothing to interrupt: what is older goes first.
    if event is not None and not (turn.resting and _is_later_timer(event, waiting)):
        return Judge(event, interrupts=True)
    if not turn.wanted or turn.work is not None:
        return None
    wanted = next(waiting.named(turn.wanted), None)
    return None if wanted is None else Judge(wanted)


def _is_later_timer(event: Event, waiting: Waiting) -> bool:
    oldest = waiting.oldest()
    return event.kind is Kind.TIMER and oldest is not None and age(oldest) < age(event)


def _interrupting(definition: Definition, snapshot: Snapshot, waiting: Waiting) -> Event | None:
    watched = definition.interrupting(snapshot.states[0])
    if not watched and not waiting.has_due:
        return None
    found: Event | None = None
    for event in waiting.due():
        if event.kind is Kind.TIMER and _interrupts(definition, snapshot, event):
            found = event
            break
    # Those that did not interrupt do not do so later while nothing changed that a guard reads.
    where = (snapshot.states[0], snapshot.context, snapshot.job)
    for event in waiting.unseen(watched, *where):
        if found is not None and age(found) <= age(event):
            return found
        if _interrupts(definition, snapshot, event):
            return event
    waiting.seen_all(*where)
    return found


def _interrupts(definition: Definition, snapshot: Snapshot, event: Event) -> bool:
    state = snapshot.states[0]
    match: Transition | None = first_match(definition, snapshot, event)
    if event.kind is not Kind.TIMER:
        return match is not None and match.interrupts and match.leaves(state)
    if match is not None:
        return match.interrupts_when_due and match.leaves(state)
    # Due now or never: where no guard holds, it is spent.
    return definition.timer_interrupts(state, event.transition)
