"""The player: one machine of a rehearsal, played as a host plays it, on a virtual clock.

Decisions are the core's; here they are carried out in memory and told to the story. Nothing is
started, nothing is written, and no time passes but that of the stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from jobqueue.models import Job

from machines.core import decisions, engine, settling
from machines.core.decisions import Decision, Judge, Perform
from machines.core.definition import Definition
from machines.core.schemas import parsed_payload
from machines.core.settling import Outcome, Settled
from machines.core.snapshot import Deadline, Event, Kind, Snapshot, Step
from machines.core.turn import ActionRef, Turn, Wait, Work
from machines.core.waiting import Waiting
from machines.rehearsal.performing import Kept, Performance, perform
from machines.rehearsal.services import PlayerServices
from machines.rehearsal.stage import Stage
from machines.rehearsal.telling import Mark, Teller

MAX_ACTIONS = 64  # in one turn, then the others play; as in a host

DeadlineKey = tuple[int | None, ActionRef | None]


@dataclass(frozen=True, slots=True)
class Running:
    """Work under way: when it will end, and what will come of it."""

    ends_at: datetime
    decision: Perform
    performance: Performance


@dataclass(frozen=True, slots=True)
class Before:
    """How things stood before a round of an idle machine that may turn out to find nothing."""

    snapshot: Snapshot
    mark: Mark


class Player:
    """One machine: its snapshot, inbox, deadlines and running work."""

    def __init__(self, stage: Stage, definition: Definition, name: str) -> None:
        self.stage = stage
        self.definition = definition
        self.name = name
        self.snapshot = Snapshot(name)
        self.status = "new"
        self.fault = ""
        self.waiting = Waiting()
        self.deadlines: dict[DeadlineKey, Deadline] = {}
        self.running: Running | None = None
        self.job: Job | None = None
        self.job_token = ""
        self.moves = 0  # decisions carried out so far
        self._tell = Teller(stage, name)
        self._services = PlayerServices(self)
        self._kept: Kept = {}
        self._before: Before | None = None
        self._left_traces = False

    # -- what it is asked from outside

    @property
    def state(self) -> str:
        """The state it is in; empty before it began."""
        return self.snapshot.states[0] if self.snapshot.states else ""

    @property
    def ended(self) -> bool:
        """True if it plays no more."""
        return self.status != "running"

    def begin(self, context: Mapping[str, Any]) -> None:
        """Enter the initial state, and judge ``start``."""
        self.status = "running"
        self._record(engine.begin(self.definition, self.name, context, self.stage.now))
        self._judge(engine.START)
        self.stage.touch(self)

    def accept(self, name: str, payload: Any = None, *, job_id: str = "", source: str = "") -> None:
        """Put an event from outside into the inbox; a finished machine ignores it at once."""
        stage = self.stage
        event = Event(
            name,
            at=stage.now,
            id=stage.new_event_id(),
            payload=parsed_payload(payload),
            job_id=job_id,
            source=source,
        )
        if self.ended:
            self._refuse_finished(event)
            return
        self.waiting.add(event)
        stage.touch(self)

    def stop(self) -> None:
        """Stop where it is, as ``controlmachine stop`` does."""
        self._stop_work()
        self._change_status("stopped")

    @property
    def has_news(self) -> bool:
        """True if what it looked for, or waits for, is there."""
        return not self.ended and (self._found_looked_for() or bool(self._waits_that_end()))

    def next_at(self) -> datetime | None:
        """When something happens by itself; None if nothing will."""
        if self.ended:
            return None
        heard = {(event.transition, event.action) for event in self.waiting.due()}
        times = [d.due_at for key, d in self.deadlines.items() if key not in heard]
        if self.running is not None:
            times.append(self.running.ends_at)
        return min(times, default=None)

    def hear(self) -> None:
        """Take in what is due now: deadlines, the end of work, what is looked or waited for."""
        if self.ended:
            return
        self._hear_deadlines()
        if self.running is not None and self.running.ends_at <= self.stage.now:
            self._end_work(self.running)
        self.stage.touch(self)

    def play(self) -> None:
        """Carry out decision after decision until it rests, works, ends or has used its share."""
        self._hear_queue()
        actions = 0
        while not self.ended:
            if actions >= MAX_ACTIONS:
                self.stage.touch(self)
                break
            decision = decisions.decide(self.definition, self.snapshot, self.waiting)
            actions += isinstance(decision, Perform)
            if not self._carry_out(decision):
                break
            self.moves += 1
        self._before = None

    # -- what its effects do

    def log(self, level: str, message: str) -> None:
        """Tell a line."""
        self._tell.line(level, message)

    def send_to(self, target: str, event: str, payload: Any, job_id: str) -> None:
        """Send an event; it arrives at once if its target is in the rehearsal."""
        self._tell.sent(target, event, payload, job_id)
        found = self.stage.players.get(target)
        if found is not None:
            found.accept(event, payload, job_id=job_id, source=self.name)

    def hold_job(self, job: Job | None) -> None:
        """Make a job the current one."""
        self.job = job
        self.job_token = "" if job is None else job.claim_token
        self._left_traces = self._left_traces or job is not None

    # -- decisions

    def _carry_out(self, decision: Decision) -> bool:
        """Do it; False if the machine rests or works now."""
        if isinstance(decision, Judge):
            self._judge(decision.event)
        elif isinstance(decision, Perform):
            return self._perform(decision)
        elif decision is decisions.NEW_ROUND:
            self._begin_round()
        elif decision is decisions.IDLE:
            if self._forget_round():
                return False
            self.snapshot = decisions.idle(self.snapshot)
        elif decision is decisions.FINISH:
            self._end("finished")
        else:
            return False
        return True

    def _begin_round(self) -> None:
        turn = self.snapshot.turn
        if turn.idle and turn.quiet:
            snapshot = replace(self.snapshot, turn=replace(turn, again=False))
            self._before = Before(snapshot, self._tell.mark())
            self._left_traces = False
        self.snapshot = decisions.new_round(self.definition, self.snapshot)

    def _forget_round(self) -> bool:
        """Undo a round that found nothing again, if it left nothing but its own steps."""
        before, self._before = self._before, None
        if before is None:
            return False
        changed = self.snapshot.context is not before.snapshot.context
        if self._left_traces or changed or not self.snapshot.turn.quiet:
            return False
        self.snapshot = before.snapshot
        self._tell.forget_since(before.mark)
        return True

    # -- events

    def _judge(self, event: Event) -> None:
        if event.kind is Kind.WAKE:
            self.waiting.discard(event)
            self.deadlines.pop((None, event.action), None)
            self._settled(settling.wake(self.definition, self.snapshot, event, self.stage.now))
            return
        if event.kind is Kind.TIMER:
            self.waiting.discard(event)
            self.deadlines.pop((event.transition, None), None)
        step = engine.step(self.definition, self.snapshot, event, self.stage.now)
        if step.taken is None:
            self.snapshot = step.snapshot
            if event.kind is not Kind.START:
                self._tell.not_taken(event, self.state, step.reason, invalid=bool(step.fault))
        else:
            self._record(step)
        if event.id is not None:
            self.waiting.discard(event)
        self._after_step(step)

    def _after_step(self, step: Step) -> None:
        if step.error:
            last = {"last_error": step.error, "last_error_action": "context_map"}
            context = {**self.snapshot.context, **last}
            self.snapshot = engine.changed(self.snapshot, context, last)
            self._judge(Event(settling.ERROR, Kind.RESULT))
        most = self.definition.max_instant_steps
        if self.snapshot.instant_steps > most and not self.ended:
            self._end("faulted", f"{most} steps with nothing from outside: {self._tell.trail}")

    def _settled(self, settled: Settled) -> None:
        self.snapshot = settled.snapshot
        if settled.deadline is not None:
            self._set_deadline(settled.deadline)
        if settled.event is not None:
            self._judge(settled.event)

    def _record(self, step: Step) -> None:
        if step.left:
            self._clear_deadlines()
            self._stop_work()
        self.snapshot = step.snapshot
        taken = step.taken
        index = None if taken is None else taken.index
        self._tell.step(step.event.name, step.source, step.target, step.guards, index)
        for deadline in step.deadlines:
            self._set_deadline(deadline)

    # -- actions

    def _perform(self, decision: Perform) -> bool:
        """Do an effect, or begin work; False if the machine works now."""
        performance = perform(
            self.stage, self.name, self.snapshot, decision, self._services, self._kept
        )
        self._left_traces = self._left_traces or performance.leaves_traces
        self.snapshot = decisions.take_up(self.snapshot)
        if performance.takes is not None:
            work = Work(decision.ref, "rehearsal", decision.attempt)
            self.snapshot = replace(self.snapshot, turn=replace(self.snapshot.turn, work=work))
            ends_at = self.stage.now + performance.takes
            self.running = Running(ends_at, decision, performance)
            return False
        if performance.outcome.finish:
            self._end("finished")
        else:
            self._settle(decision, performance, worked=False)
        return True

    def _end_work(self, running: Running) -> None:
        self.running = None
        self._settle(running.decision, running.performance, worked=True)

    def _settle(self, decision: Perform, performance: Performance, *, worked: bool) -> None:
        outcome = performance.outcome
        settled = settling.settle(
            self.definition,
            self.snapshot,
            decision,
            outcome,
            now=self.stage.now,
            chance=self.stage.guesses.jitter(),
            worked=worked,
        )
        if outcome.delay is None and not outcome.awaits:
            self._tell.action(decision, self.state, performance.how, outcome, settled.event)
        self._settled(settled)

    def _stop_work(self) -> None:
        running, self.running = self.running, None
        if running is not None:
            how = running.performance.how
            self._tell.action(running.decision, self.state, how, Outcome(), stopped=True)

    # -- time

    def _set_deadline(self, deadline: Deadline) -> None:
        key = (deadline.transition, deadline.action)
        self.deadlines[key] = deadline

    def _clear_deadlines(self) -> None:
        self.deadlines.clear()
        self.waiting.clear_due()

    def _hear_deadlines(self) -> None:
        heard = {(event.transition, event.action) for event in self.waiting.due()}
        for (transition, action), deadline in self.deadlines.items():
            if deadline.due_at <= self.stage.now and (transition, action) not in heard:
                kind = Kind.WAKE if transition is None else Kind.TIMER
                self.waiting.add_due(
                    Event(
                        deadline.name, kind, deadline.due_at, transition=transition, action=action
                    )
                )

    def _hear_queue(self) -> None:
        """Notice that what the machine looked for, or waits for, is there."""
        if self._found_looked_for():
            self.snapshot = decisions.rung(self.snapshot)
        for wait in self._waits_that_end():
            self.waiting.add_due(Event("wake_up", Kind.WAKE, self.stage.now, action=wait.action))

    def _found_looked_for(self) -> bool:
        turn, stage = self.snapshot.turn, self.stage
        return turn.idle and any(stage.queue.has(looked, stage.now) for looked in turn.checked)

    def _waits_that_end(self) -> list[Wait]:
        heard = {event.action for event in self.waiting.due()}
        return [
            wait
            for wait in self.snapshot.turn.waits
            if wait.awaits
            and wait.action not in heard
            and self.stage.queue.has(wait.awaits, self.stage.now)
        ]

    # -- its end, and what is told

    def _end(self, status: str, fault: str = "") -> None:
        self._stop_work()
        self._clear_deadlines()
        turn = Turn(changed=self.snapshot.turn.changed)
        self.snapshot = replace(self.snapshot, turn=turn)
        self.fault = fault
        self._change_status(status)
        if status == "finished":
            for event in self.waiting.events():
                self.waiting.discard(event)
                self._refuse_finished(event)

    def _refuse_finished(self, event: Event) -> None:
        if self.status == "finished":
            self._tell.not_taken(event, self.state, f"machine {self.name!r} is finished")

    def _change_status(self, status: str) -> None:
        self.status = status
        self._tell.step("", self.state, self.state, status=status)
