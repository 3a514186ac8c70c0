"""A machine played at random on a clock of its own: what it does, not what it might do."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

from machines.actions.registry import Registry
from machines.core import decisions, engine, settling
from machines.core.decisions import FINISH, IDLE, NEW_ROUND, Judge, Perform
from machines.core.definition import Definition, Place
from machines.core.settling import Outcome, Settled
from machines.core.signatures import Kind as ActionKind
from machines.core.snapshot import Deadline, Event, Kind
from machines.core.turn import Work
from machines.core.waiting import Waiting
from machines.rehearsal.effects import RehearsalServices, perform
from tests.machines.rehearsal.replaying import A_JOB, NOON

PAYLOADS: tuple[Any, ...] = ({}, {"n": 0}, {"n": 1}, {"n": 2}, None)
MAX_STEPS = 15  # below every limit on instant steps: no machine of a walk is faulted


class Wanderer:
    """Walks through one definition; what was ever entered, taken and performed is kept."""

    def __init__(self, definition: Definition, registry: Registry, chance: random.Random) -> None:
        self.entered: set[str] = set()
        self.taken: set[int] = set()
        self.performed: set[Place] = set()
        self.finished = False
        self._definition = definition
        self._registry = registry
        self._signatures = registry.signatures()
        self._chance = chance

    def walk(self, moves: int) -> None:
        """Begin anew and go so many moves, or to the end."""
        self._now = NOON
        self._waiting = Waiting()
        self._deadlines: dict[tuple[Any, Any], Deadline] = {}
        self._ids = 0
        self._ended = False
        begun = engine.begin(self._definition, "machine", {}, NOON)
        self.snapshot = begun.snapshot
        self.entered.add(self.snapshot.states[0])
        self._set(begun.deadlines)
        self._judge(engine.START)
        for _move in range(moves):
            if self._ended or self.snapshot.instant_steps > MAX_STEPS:
                return
            self._move()

    def _move(self) -> None:
        if self._chance.random() < 0.1:
            self._send()
        decision = decisions.decide(self._definition, self.snapshot, self._waiting)
        if isinstance(decision, Judge):
            self._judge(decision.event)
        elif isinstance(decision, Perform):
            self._perform(decision)
        elif decision is NEW_ROUND:
            self.snapshot = decisions.new_round(self._definition, self.snapshot)
        elif decision is IDLE:
            self.snapshot = decisions.idle(self.snapshot)
        elif decision is FINISH:
            self.finished = self._ended = True
        else:
            self._chance.choice((self._send, self._end_work, self._let_time_pass, self._ring))()

    def _send(self) -> None:
        names = [
            name
            for state in self._definition.states
            for name in self._definition.handled_events(state)
        ]
        if names:
            self._ids += 1
            payload = self._chance.choice(PAYLOADS)
            name = self._chance.choice(names)
            self._waiting.add(Event(name, at=self._now, id=self._ids, payload=payload))

    def _let_time_pass(self) -> None:
        """To the next deadline, or not quite so far."""
        due = {(event.transition, event.action) for event in self._waiting.due()}
        left = [each for key, each in self._deadlines.items() if key not in due]
        soonest = min((each.due_at for each in left), default=self._now + timedelta(hours=1))
        if self._chance.random() < 0.3:
            self._now += max(timedelta(), (soonest - self._now) / 2)
            return
        self._now = max(self._now, soonest)
        for each in left:
            if each.due_at <= self._now:
                self._waiting.add_due(_event(each))

    def _ring(self) -> None:
        self.snapshot = decisions.rung(self.snapshot)
        for wait in self.snapshot.turn.waits:
            key = (None, wait.action)
            heard = {event.action for event in self._waiting.due()}
            if wait.awaits and wait.action not in heard:
                deadline = self._deadlines.get(key)
                at = self._now if deadline is None else deadline.due_at
                self._waiting.add_due(_event(Deadline("wake_up", at, action=wait.action)))

    def _end_work(self) -> None:
        work = self.snapshot.turn.work
        if work is not None:
            action = decisions.action_at(self._definition, self.snapshot.states[0], work.action)
            performed = Perform(work.action, action, work.attempt)
            self._end(performed, self._answer(performed), worked=True)

    def _perform(self, performed: Perform) -> None:
        found = self._registry.get(performed.action.type)
        if found is not None and found.work is not None:
            snapshot = decisions.take_up(self.snapshot)
            work = Work(performed.ref, "token", performed.attempt)
            self.snapshot = replace(snapshot, turn=replace(snapshot.turn, work=work))
            return
        outcome: Outcome | None = Outcome(error="no such type")
        if found is not None:
            services = RehearsalServices("machine", self._now, self._waiting, self._clear)
            outcome = perform(found, performed, self.snapshot, services)
        self._end(performed, outcome or self._answer(performed), worked=False)

    def _answer(self, performed: Perform) -> Outcome:
        signature = self._signatures[performed.action.type]
        waits = signature.kind is ActionKind.WAIT and not performed.resumed
        if waits and self._chance.random() < 0.5:
            return Outcome(awaits=("anything",))
        name, raises = self._chance.choice([*signature.events(performed.action).items()])
        if raises.failure:
            return Outcome(event=name, error="broken")
        changes = {"printed": self._chance.choice(("", "1"))} if signature.name == "bash" else {}
        claimed = A_JOB if raises.key == "success" else {}
        nothing = ("jobs", "*", "*") if raises.key == "empty" else None
        job = claimed if signature.claims else None
        return Outcome(event=name, changes=changes, job=job, nothing=nothing)

    def _clear(self, names: tuple[str, ...]) -> int:
        cleared = [*self._waiting.named(names)]
        for event in cleared:
            self._waiting.discard(event)
        return len(cleared)

    def _end(self, performed: Perform, outcome: Outcome, *, worked: bool) -> None:
        self.performed.add(performed.action.place)
        if outcome.finish:
            self.finished = self._ended = True
            return
        settled = settling.settle(
            self._definition,
            self.snapshot if worked else decisions.take_up(self.snapshot),
            performed,
            outcome,
            now=self._now,
            chance=self._chance.random(),
            worked=worked,
        )
        self._settled(settled)

    def _settled(self, settled: Settled) -> None:
        self.snapshot = settled.snapshot
        if settled.deadline is not None:
            self._set((settled.deadline,))
        if settled.event is not None:
            self._judge(settled.event)

    def _judge(self, event: Event) -> None:
        self._waiting.discard(event)
        if event.kind in {Kind.WAKE, Kind.TIMER}:
            self._deadlines.pop((event.transition, event.action), None)
        if event.kind is Kind.WAKE:
            self._settled(settling.wake(self._definition, self.snapshot, event, self._now))
            return
        step = engine.step(self._definition, self.snapshot, event, self._now)
        self.snapshot = step.snapshot
        if step.taken is None:
            return
        self.taken.add(step.taken.index)
        self.entered.add(self.snapshot.states[0])
        if step.left:
            self._deadlines.clear()
            self._waiting.clear_due()
        self._set(step.deadlines)

    def _set(self, deadlines: tuple[Deadline, ...]) -> None:
        for deadline in deadlines:
            self._deadlines[deadline.transition, deadline.action] = deadline


def _event(deadline: Deadline) -> Event:
    kind = Kind.TIMER if deadline.action is None else Kind.WAKE
    return Event(
        deadline.name,
        kind,
        deadline.due_at,
        transition=deadline.transition,
        action=deadline.action,
    )
