"""How a machine goes on where it was: deadlines that passed, work that was cut off, a new file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from machines.core import decisions, engine
from machines.core.decisions import Perform
from machines.core.errors import DefinitionError
from machines.core.settling import Outcome
from machines.core.snapshot import Deadline, Event, Kind
from machines.core.turn import OF_STATE
from machines.models import Machine
from machines.runtime import background, definitions, turns
from machines.runtime.live import DeadlineKey, key_of

if TYPE_CHECKING:
    from machines.runtime.group import Group
    from machines.runtime.live import Live

_CUT_OFF = "its host ended while it ran"


def resume(group: Group, live: Live, *, moved: bool) -> None:
    """Let a machine go on; ``moved``: in another version of its definition."""
    live.draining = False
    if moved:
        _move(group, live)
    elif live.status != Machine.Status.RUNNING:
        group.change_status(live, Machine.Status.RUNNING)
    for deadline, _timer_id in live.deadlines.values():
        group.after.arm.append((live.name, deadline))
    let_passed_wait(live, group.now)
    _recover_work(group, live)
    # What an idle machine looked for may have come while nobody listened.
    live.snapshot = decisions.rung(live.snapshot)


def let_passed_wait(live: Live, now: datetime) -> None:
    """Let the deadlines that have passed wait to be judged, in their order."""
    passed = [deadline for deadline, _timer_id in live.deadlines.values() if deadline.due_at <= now]
    for deadline in sorted(passed, key=_order):
        let_wait(live, deadline)


def let_wait(live: Live, deadline: Deadline) -> None:
    """Let a deadline that has passed wait to be judged; nothing happens if it does already."""
    key = key_of(deadline)
    if any((due.transition, due.action) == key for due in live.waiting.due()):
        return
    kind = Kind.TIMER if deadline.transition is not None else Kind.WAKE
    live.waiting.add_due(
        Event(
            deadline.name,
            kind,
            deadline.due_at,
            transition=deadline.transition,
            action=deadline.action,
        )
    )


def lose_work(group: Group, live: Live) -> None:
    """Say on record that work was cut off, if it was."""
    work = live.snapshot.turn.work
    if work is not None:
        group.rows.cut_run(work.token, "lost", "its host ended", group.now)


def _order(deadline: Deadline) -> tuple[datetime, tuple[int, ...]]:
    """By time; of one moment transitions come first, as they stand in the file, then actions."""
    if deadline.transition is not None:
        return deadline.due_at, (0, deadline.transition)
    return deadline.due_at, (1, *(deadline.action or ()))


def _recover_work(group: Group, live: Live) -> None:
    """Work that was cut off runs again, or fails, as its action says."""
    turn = live.snapshot.turn
    work = turn.work
    if work is None:
        return
    lose_work(group, live)
    action = decisions.action_at(live.definition, live.snapshot.state, work.action)
    if action.rerun_on_crash:
        listed, position = work.action
        todo = ((listed, position, position + 1), *turn.todo)
        turn = replace(turn, work=None, todo=todo, attempt=work.attempt)
        live.snapshot = replace(live.snapshot, turn=turn)
        return
    perform = Perform(work.action, action, work.attempt)
    turns.go_on(group, live, turns.settled_work(group, live, perform, Outcome(error=_CUT_OFF)))


# -- another version of the definition


def _move(group: Group, live: Live) -> None:
    """Timers count from the entry, and a round under way begins anew; one that ended does not.

    Work that was cut off and is not to run again fails: its round goes on behind it.
    """
    failed = _work_that_fails(live)
    lose_work(group, live)
    background.leave(group, live)
    before = {key: deadline.due_at for key, (deadline, _timer_id) in live.deadlines.items()}
    group.clear_deadlines(live)
    if not live.snapshot.turn.over:
        live.snapshot = decisions.new_round(live.definition, live.snapshot)
    if failed is not None and failed.ref[0] == OF_STATE:
        _pass_over(live, failed.ref[1])
    group.change_status(live, Machine.Status.RUNNING)
    entered_at = live.snapshot.entered_at or group.now
    for deadline in engine.deadlines(live.definition, live.snapshot.state, entered_at):
        group.set_deadline(live, deadline)
    for deadline in _repetitions(live, before, group.now):
        group.set_deadline(live, deadline)
    if failed is not None:
        turns.go_on(group, live, turns.settled_work(group, live, failed, Outcome(error=_CUT_OFF)))


def _work_that_fails(live: Live) -> Perform | None:
    """Work that was cut off, if the version it began in lets it fail; None if it is done again.

    A retry that is left needs no wait: the round that begins anew is the next attempt.
    """
    work = live.snapshot.turn.work
    if work is None:
        return None
    row = Machine.objects.select_related("definition").get(pk=live.id)
    try:
        before = definitions.compiled(row.definition)
    except DefinitionError:  # it was loaded by an engine that allowed more
        return None
    action = decisions.action_at(before, live.snapshot.state, work.action)
    retried = action.retry is not None and work.attempt < action.retry.attempts
    if action.rerun_on_crash or retried:
        return None
    return Perform(work.action, replace(action, retry=None, every_seconds=None), work.attempt)


def _pass_over(live: Live, position: int) -> None:
    """Let the round begin behind an action of the state."""
    count = len(live.definition.states[live.snapshot.state].actions)
    todo = ((OF_STATE, position + 1, count),) if position + 1 < count else ()
    live.snapshot = replace(live.snapshot, turn=replace(live.snapshot.turn, todo=todo))


def _repetitions(
    live: Live, before: Mapping[DeadlineKey, datetime], now: datetime
) -> Iterator[Deadline]:
    """The repetitions of actions that the round does not come to; none is later than it was."""
    actions = live.definition.states[live.snapshot.state].actions
    todo = live.snapshot.turn.todo
    for position, action in enumerate(actions[: todo[0][1] if todo else None]):
        if action.every_seconds is None:
            continue
        ref = (OF_STATE, position)
        due_at = now + timedelta(seconds=action.every_seconds)
        yield Deadline("repeat", min(due_at, before.get((None, ref), due_at)), action=ref)
