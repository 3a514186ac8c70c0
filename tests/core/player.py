"""A player of the pure core: one machine on a virtual clock, with fakes for its actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from machines.core import decisions, engine, settling
from machines.core.decisions import FINISH, IDLE, NEW_ROUND, Decision, Judge, Perform
from machines.core.loading import load
from machines.core.settling import Outcome
from machines.core.snapshot import Deadline, Event, Kind, Step
from machines.core.turn import Work, turn_as_json, turn_from_json
from machines.core.waiting import Waiting

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FAILS = Outcome(error="broken")
MAX_DECISIONS = 20_000  # more than any scenario needs: it never rests
NO_JOBS = Outcome("no_jobs", nothing=("jobs", "", ""), job={})


@dataclass(frozen=True)
class Takes:
    """Work that runs outside for so many seconds."""

    seconds: float
    outcome: Outcome = Outcome()  # noqa: RUF009 - immutable


Fake = Outcome | Takes | Callable[["Player"], Outcome | Takes]


@dataclass
class Player:
    """One machine, its clock, and a fake for each type of action; others do nothing."""

    text: str
    fakes: dict[str, Fake] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)  # the context it begins with

    def __post_init__(self) -> None:
        self.definition = load(self.text, origin="test.yaml")
        self.now = NOON
        self.waiting = Waiting()
        self.deadlines: dict[tuple[Any, Any], Deadline] = {}
        self.work: tuple[datetime, Perform, Outcome] | None = None
        self.status = "running"
        self.steps: list[str] = []
        self.done: list[str] = []  # what was performed, in order; of work: its end
        self.begun = 0  # work that was begun
        self.ended: list[tuple[str, str]] = []
        self.judged: list[Step] = []  # what came of each event, taken or not
        self._decisions = 0
        self._ids = 0
        begun = engine.begin(self.definition, "worker", self.given, NOON)
        self.snapshot = begun.snapshot
        self._take(begun)
        self._judge(engine.START)
        self.play()

    @property
    def state(self) -> str:
        return self.snapshot.state

    @property
    def seconds(self) -> float:
        return (self.now - NOON).total_seconds()

    @property
    def context(self) -> Mapping[str, Any]:
        return self.snapshot.context

    def send(self, *names: str, payload: Any = None) -> None:
        """Let events arrive together."""
        self.send_quietly(*names, payload=payload)
        self.play()

    def send_quietly(self, *names: str, payload: Any = None) -> None:
        """As ``send``, from within an action: the machine goes on by itself."""
        for name in names:
            self._ids += 1
            self.waiting.add(Event(name, at=self.now, id=self._ids, payload=payload))

    def ring(self) -> None:
        """What an idle machine looks for may be there."""
        self.snapshot = decisions.rung(self.snapshot)
        self.play()

    def advance(self, seconds: float) -> None:
        """Let time pass; whatever is due happens at its time."""
        until = self.now + timedelta(seconds=seconds)
        while self.status == "running" and (at := self._next_at()) <= until:
            self.now = at
            self._arrive()
            self.play()
        self.now = until

    def play(self) -> None:
        """Carry out decision after decision until the machine rests, works or ends."""
        while self.status == "running":
            self._decisions += 1
            assert self._decisions <= MAX_DECISIONS, self.steps[-10:]
            decision = decisions.decide(self.definition, self.snapshot, self.waiting)
            if not self._carry_out(decision):
                break
            saved = orjson.loads(orjson.dumps(turn_as_json(self.snapshot.turn)))
            assert turn_from_json(saved) == self.snapshot.turn

    def _carry_out(self, decision: Decision) -> bool:
        if isinstance(decision, Judge):
            assert decision.interrupts or self.snapshot.turn.resting
            self._judge(decision.event)
        elif isinstance(decision, Perform):
            self._perform(decision)
        elif decision is NEW_ROUND:
            self.snapshot = decisions.new_round(self.definition, self.snapshot)
        elif decision is IDLE:
            self.snapshot = decisions.idle(self.snapshot)
        elif decision is FINISH:
            self.status = "finished"
        else:
            return False
        return True

    def _judge(self, event: Event) -> None:
        self.waiting.discard(event)
        self.deadlines.pop((event.transition, event.action), None)
        if event.kind is Kind.WAKE:
            self._settle(settling.wake(self.definition, self.snapshot, event, self.now))
            return
        step = engine.step(self.definition, self.snapshot, event, self.now)
        self.judged.append(step)
        if event.kind is Kind.OUTSIDE:
            self.ended.append((event.name, _status(step)))
        if step.taken is None:
            self.snapshot = step.snapshot
        else:
            self._take(step)
        if step.error:
            last = {"last_error": step.error, "last_error_action": "context_map"}
            self.snapshot = engine.changed(self.snapshot, {**self.context, **last}, last)
            self._judge(Event(settling.ERROR, Kind.RESULT))

    def _take(self, step: Step) -> None:
        self.snapshot = step.snapshot
        self.steps.append(f"{step.source} --{step.event.name}--> {step.target}")
        if step.left:
            self.deadlines.clear()
            self.waiting.clear_due()
            self.work = None
        for deadline in step.deadlines:
            self.deadlines[deadline.transition, None] = deadline
        if step.snapshot.instant_steps > self.definition.max_instant_steps:
            self.status = "faulted"

    def _perform(self, perform: Perform) -> None:
        fake = self.fakes.get(perform.action.type, Outcome())
        found = fake(self) if callable(fake) else fake
        self.snapshot = decisions.take_up(self.snapshot)
        if isinstance(found, Takes):
            self.begun += 1
            work = Work(perform.ref, str(self.begun), perform.attempt)
            self.snapshot = replace(self.snapshot, turn=replace(self.snapshot.turn, work=work))
            self.work = (self.now + timedelta(seconds=found.seconds), perform, found.outcome)
        else:
            self._end(perform, found, worked=False)

    def _end(self, perform: Perform, outcome: Outcome, *, worked: bool) -> None:
        self.done.append(perform.action.type)
        self._settle(
            settling.settle(
                self.definition, self.snapshot, perform, outcome,
                now=self.now, chance=0.5, worked=worked,
            )
        )  # fmt: skip

    def _settle(self, settled: settling.Settled) -> None:
        self.snapshot = settled.snapshot
        if settled.deadline is not None:
            self.deadlines[None, settled.deadline.action] = settled.deadline
        if settled.event is not None:
            self._judge(settled.event)

    def _next_at(self) -> datetime:
        ends = [self.work[0]] if self.work else []
        unheard = [d.due_at for d in self.deadlines.values() if d.due_at > self.now]
        return min([*ends, *unheard, *self._overdue()], default=datetime.max.replace(tzinfo=UTC))

    def _overdue(self) -> list[datetime]:
        heard = {(event.transition, event.action) for event in self.waiting.due()}
        late = (d for key, d in self.deadlines.items() if d.due_at <= self.now and key not in heard)
        return [self.now for _ in late]

    def _arrive(self) -> None:
        heard = {(event.transition, event.action) for event in self.waiting.due()}
        for key, deadline in self.deadlines.items():
            if deadline.due_at <= self.now and key not in heard:
                kind = Kind.TIMER if deadline.action is None else Kind.WAKE
                event = Event(
                    deadline.name, kind, deadline.due_at, transition=key[0], action=key[1]
                )
                self.waiting.add_due(event)
        if self.work and self.work[0] <= self.now:
            _, perform, outcome = self.work
            self.work = None
            self._end(perform, outcome, worked=True)


def _status(step: Step) -> str:
    if step.fault:
        return "failed"
    return "processed" if step.taken else "ignored"
