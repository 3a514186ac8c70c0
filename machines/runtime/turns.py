"""The turn of a machine, played inside a transaction until it works, rests or has used its share.

Decisions are the core's; here they are carried out and put on record.
"""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import transaction

from machines.actions.base import ActionType, Call
from machines.actions.settings import Settings
from machines.core import decisions, engine, settling
from machines.core.decisions import Decision, Judge, Perform
from machines.core.engine import Raised
from machines.core.settling import Outcome, Settled
from machines.core.snapshot import Event, Kind, Step
from machines.core.storable import storable
from machines.core.turn import Turn, Work
from machines.runtime import background
from machines.runtime.quiet import QuietRound
from machines.runtime.requests import Play, StartWork
from machines.runtime.services import EffectServices

if TYPE_CHECKING:
    from machines.runtime.group import Group
    from machines.runtime.live import Live

logger = logging.getLogger("machines.runtime")

MAX_ACTIONS = 64  # of one machine in one transaction
MAX_SECONDS = 0.010  # likewise, of the processor's time: a busy computer changes nothing


def play_all(group: Group) -> None:
    """Play every machine that has something to do, and those they send events to."""
    while group.to_play:
        name = next(iter(group.to_play))
        live = group.to_play.pop(name)
        if live.runs:
            _Turn(group, live).play()


class _Turn:
    def __init__(self, group: Group, live: Live) -> None:
        self._group = group
        self._live = live
        self._actions = 0
        self._decisions = 0
        self._until = time.thread_time() + MAX_SECONDS
        self._quiet_round: QuietRound | None = None

    def play(self) -> None:
        """Carry out decision after decision."""
        live = self._live
        self._group.mark(live)
        while live.runs:
            if self._share_is_used():
                self._group.after.requests.append(Play(live.name))
                break
            decision = decisions.decide(live.definition, live.snapshot, live.waiting)
            if not self._carry_out(decision):
                break
        self._group.mark(live)  # it may have been written in the midst of its turn
        if self._quiet_round is not None:
            self._quiet_round.keep()

    def _carry_out(self, decision: Decision) -> bool:
        """Do it; False if the machine rests or works now."""
        group, live = self._group, self._live
        if isinstance(decision, Judge):
            self._judge(decision.event)
        elif isinstance(decision, Perform):
            return self._perform(decision)
        elif decision is decisions.NEW_ROUND:
            if live.snapshot.turn.idle and live.snapshot.turn.quiet:
                self._quiet_round = QuietRound(group, live)
            live.snapshot = decisions.new_round(live.definition, live.snapshot)
        elif decision is decisions.IDLE:
            if self._quiet_round is not None and self._quiet_round.forget():
                self._quiet_round = None
                return False
            live.snapshot = decisions.idle(live.snapshot)
        elif decision is decisions.FINISH:
            finish(group, live)
        else:
            self._tell_guards()
            return False
        return True

    def _tell_guards(self) -> None:
        """Put on record that the guard of an automatic transition raised, once per entry."""
        live = self._live
        for transition in live.definition.automatic(live.snapshot.state):
            if transition.index in live.guards_told:
                continue
            if why := engine.guard_fault(live.definition, live.snapshot, transition):
                live.guards_told.add(transition.index)
                self._group.fail(live, "guard", f"transitions[{transition.index}]: {why}")

    def _share_is_used(self) -> bool:
        self._decisions += 1
        return self._actions >= MAX_ACTIONS or (
            self._decisions % 16 == 0 and time.thread_time() > self._until
        )

    # -- events

    def _judge(self, event: Event) -> None:
        group, live = self._group, self._live
        if event.kind is Kind.WAKE:
            self._wake(event)
            return
        if event.kind is Kind.TIMER:
            live.waiting.discard(event)
            group.spend_deadline(live, (event.transition, None))
        try:
            step = engine.step(live.definition, live.snapshot, event, group.now)
        except Exception as error:
            logger.exception("%s: the step for %r could not be computed", live.name, event.name)
            reason = f"its step could not be computed: {type(error).__name__}: {error}"
            group.end_event(live, event, "failed", reason)
            if event.kind is not Kind.OUTSIDE:
                fault(group, live, f"{event.name!r}: {reason}")
            return
        if event.kind is Kind.OUTSIDE and not step.fault:
            live.last_event_id = event.id
        if step.taken is None:
            live.snapshot = step.snapshot
            group.end_event(live, event, "failed" if step.fault else "ignored", step.reason)
            if event.id is None and any(isinstance(value, Raised) for _i, value in step.guards):
                group.fail(live, "guard", step.reason)  # it has no row that could say so
        else:
            group.record(live, step)
            group.end_event(live, event, "processed")
        self._after_step(step)

    def _after_step(self, step: Step) -> None:
        live = self._live
        if step.error:
            last = {"last_error": step.error, "last_error_action": "context_map"}
            context = {**live.snapshot.context, **last}
            if not engine.context_fault(context):  # there may not even be room for its words
                live.snapshot = engine.changed(live.snapshot, context, last)
            self._judge(Event(settling.ERROR, Kind.RESULT))
        if live.snapshot.instant_steps > live.definition.max_instant_steps:
            fault(
                self._group,
                live,
                f"{live.definition.max_instant_steps} steps with nothing from outside: "
                + "; ".join(f"{a} --{name or 'automatic'}--> {b}" for a, name, b in live.trail),
            )

    def _wake(self, event: Event) -> None:
        live = self._live
        live.waiting.discard(event)
        self._group.spend_deadline(live, (None, event.action))
        self._settled(settling.wake(live.definition, live.snapshot, event, self._group.now))

    def _settled(self, settled: Settled) -> None:
        live = self._live
        live.snapshot = settled.snapshot
        if settled.deadline is not None:
            self._group.set_deadline(live, settled.deadline)
        if settled.event is not None:
            self._judge(settled.event)

    # -- actions

    def _perform(self, decision: Perform) -> bool:
        """Perform an effect, or put work on its way; False if the machine works now."""
        group, live = self._group, self._live
        self._actions += 1
        action = decision.action
        found = live.registry.get(action.type)
        names = group.names_of(live)
        if found is not None and found.is_work(action, names):
            if live.draining:
                return False
            live.snapshot = decisions.take_up(live.snapshot)
            self._begin_work(decision, found)
            return False
        live.snapshot = decisions.take_up(live.snapshot)
        if found is None:
            outcome = Outcome(error=live.registry.suggestion(action.type))
        else:
            outcome = self._effect(found, decision, names)
        if outcome.finish:
            finish(group, live)
            return True
        settled = settling.settle(
            live.definition,
            live.snapshot,
            decision,
            outcome,
            now=group.now,
            chance=random.random(),  # noqa: S311 - jitter
        )
        if error := outcome.error or settled.refused:
            position, attempt = decision.ref[1], decision.attempt
            group.fail(live, action.type, error, position=position, attempt=attempt)
        self._settled(settled)
        return True

    def _effect(self, found: ActionType, decision: Perform, names: Mapping[str, object]) -> Outcome:
        group, live, action = self._group, self._live, decision.action
        if found.perform is None:
            raise RuntimeError(f"{found.name} is neither an effect nor work")
        call = Call(
            action,
            Settings(action.type, found.filled(action, names)),
            live.snapshot.context,
            EffectServices(group, live, decision),
            decision.resumed,
            names,
        )
        group.left_traces = group.left_traces or not found.only_looks
        if found.reads_record:
            group.mark(live)
            group.flush()  # what it raises is the transaction's affair
        try:
            if not found.writes_tables:
                return found.perform(call)
            with transaction.atomic():
                return found.perform(call)
        except Exception as error:
            logger.debug("%s: %s failed", live.name, action.type, exc_info=True)
            return Outcome(error=storable(str(error)) or type(error).__name__)

    def _begin_work(self, decision: Perform, found: ActionType) -> None:
        group, live = self._group, self._live
        action = decision.action
        work = Work(decision.ref, uuid.uuid4().hex, decision.attempt)
        live.snapshot = replace(live.snapshot, turn=replace(live.snapshot.turn, work=work))
        group.begin_run(live, decision, work.token)
        names = group.names_of(live, for_work=True)
        group.after.start_work.append(
            StartWork(
                live.name,
                work,
                found,
                action,
                found.filled(action, names),
                names,
                live.snapshot.context,
                live.snapshot.job,
            )
        )


def judge(group: Group, live: Live, event: Event) -> None:
    """Judge an event that no decision asked for."""
    _Turn(group, live)._judge(event)


def settled_work(group: Group, live: Live, perform: Perform, outcome: Outcome) -> Settled:
    """What work that ended does to its machine; ``go_on`` makes it true."""
    return settling.settle(
        live.definition,
        live.snapshot,
        perform,
        outcome,
        now=group.now,
        chance=random.random(),  # noqa: S311 - jitter
        worked=True,
    )


def go_on(group: Group, live: Live, settled: Settled) -> None:
    """Go on from what an action has come to; the caller has put its run on record."""
    _Turn(group, live)._settled(settled)


def finish(group: Group, live: Live) -> None:
    """The machine has reached its end: what waits for it is ignored."""
    _end(group, live, "finished", "")


def fault(group: Group, live: Live, why: str) -> None:
    """The machine cannot go on."""
    logger.error("%s is faulted: %s", live.name, why)
    _end(group, live, "faulted", why)


def _end(group: Group, live: Live, status: str, why: str) -> None:
    group.stop_work(live)
    background.leave(group, live)
    group.clear_deadlines(live)
    live.snapshot = replace(live.snapshot, turn=Turn(changed=live.snapshot.turn.changed))
    group.change_status(live, status, fault=why)
    if status == "finished":
        for event in live.waiting.events():
            group.end_event(live, event, "ignored", f"machine {live.name!r} is finished")
    group.after.gone.append((live.name, status))
