"""A replay of a finding: its moves, one by one, through the pure core and nothing else."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from machines.actions.registry import Registry
from machines.core import decisions, engine, settling
from machines.core.decisions import FINISH, IDLE, NEW_ROUND, REST, Decision, Judge, Perform
from machines.core.definition import Definition, Transition
from machines.core.expressions import Guard
from machines.core.settling import Outcome, Settled
from machines.core.snapshot import Deadline, Event, Kind
from machines.core.turn import Work
from machines.core.waiting import Waiting
from machines.rehearsal.effects import RehearsalServices, perform
from machines.rehearsal.findings import Finding
from machines.rehearsal.moves import Move, MoveKind

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
A_JOB = {"job_id": "j1", "current_job": {"job_id": "j1"}}


class Replay:
    """One machine that makes the moves of a finding; what was assumed of a guard then holds."""

    def __init__(self, definition: Definition, registry: Registry) -> None:
        self._assumed: dict[int, bool] = {}
        transitions = tuple(self._guarded(each) for each in definition.transitions)
        self.definition = replace(definition, transitions=transitions)
        self._registry = registry
        self.waiting = Waiting()
        self.deadlines: dict[tuple[Any, Any], Deadline] = {}
        self.finished = False
        self.ignored: list[str] = []
        self.steps = 0
        self._started = False
        self._ids = 0
        begun = engine.begin(self.definition, "machine", {}, NOON)
        self.snapshot = begun.snapshot
        self._set(begun.deadlines)

    @property
    def state(self) -> str:
        return self.snapshot.states[0]

    @property
    def decision(self) -> Decision:
        return decisions.decide(self.definition, self.snapshot, self.waiting)

    def make(self, *moves: Move) -> None:
        """Make these moves; one that cannot be made is an AssertionError."""
        for move in moves:
            assert not self.finished, move
            self._assumed = {each.transition: each.holds for each in move.assumed}
            self._make(move)

    def takes(self, name: str) -> bool:
        """True if an event of that name would be taken now."""
        event = Event(name, at=NOON, id=10_000, payload={})
        return engine.step(self.definition, self.snapshot, event, NOON).taken is not None

    def _guarded(self, transition: Transition) -> Transition:
        guard = transition.guard
        if guard is None:
            return transition

        def evaluate(names: Mapping[str, Any]) -> Any:
            assumed = self._assumed.get(transition.index)
            return guard.evaluate(names) if assumed is None else assumed

        return replace(transition, guard=Guard(guard.source, guard.names, evaluate))

    def _make(self, move: Move) -> None:
        match move.kind:
            case MoveKind.GOES_ON:
                self._go_on()
            case MoveKind.SENT:
                self._send(move.name)
            case MoveKind.ANSWERED:
                self._answer(move)
            case MoveKind.TIME:
                assert self.decision is REST
                deadline = self.deadlines.pop((move.transition, None))
                assert deadline.name == move.name
                self._judge(Event(move.name, Kind.TIMER, NOON, transition=move.transition))
            case MoveKind.WOKEN:
                assert self.decision is REST
                assert self.snapshot.turn.work is None
                self.deadlines.pop((None, move.action), None)
                event = Event("wake_up", Kind.WAKE, NOON, action=move.action)
                self._settled(settling.wake(self.definition, self.snapshot, event, NOON))
            case MoveKind.RESTS:
                assert self.decision is REST
            case MoveKind.RUNG:
                assert self.snapshot.turn.idle
                self.snapshot = decisions.rung(self.snapshot)

    def _go_on(self) -> None:
        if not self._started:
            self._started = True
            self._judge(engine.START)
            return
        decision = self.decision
        assert decision is not REST, self.snapshot
        if isinstance(decision, Judge):
            self._judge(decision.event)
        elif isinstance(decision, Perform):
            self._perform(decision)
        elif decision is NEW_ROUND:
            self.snapshot = decisions.new_round(self.definition, self.snapshot)
        elif decision is IDLE:
            self.snapshot = decisions.idle(self.snapshot)
        elif decision is FINISH:
            self.finished = True

    def _perform(self, performed: Perform) -> None:
        found = self._registry.get(performed.action.type)
        if found is not None and found.work is not None:
            snapshot = decisions.take_up(self.snapshot)
            work = Work(performed.ref, "token", performed.attempt)
            self.snapshot = replace(snapshot, turn=replace(snapshot.turn, work=work))
            return
        assert found is None or found.rehearses, performed
        if found is None:
            self._end(performed, Outcome(error="no such type"))
            return
        services = RehearsalServices("machine", NOON, self.waiting, self._clear)
        outcome = perform(found, performed, self.snapshot, services)
        assert outcome is not None
        self._end(performed, outcome)

    def _clear(self, names: tuple[str, ...]) -> int:
        cleared = [*self.waiting.named(names)]
        for event in cleared:
            self.waiting.discard(event)
        return len(cleared)

    def _send(self, name: str) -> None:
        """Let an event arrive; an action that looks for it is performed, the event judged."""
        self._ids += 1
        event = Event(name, at=NOON, id=self._ids, payload={})
        self.waiting.add(event)
        decision = self.decision
        if isinstance(decision, Perform) and decision.action.settings.get("event_types"):
            self._perform(decision)
            decision = self.decision if self.waiting else REST
        if isinstance(decision, Judge) and decision.event is event:
            self._judge(event)

    def _answer(self, move: Move) -> None:
        work = self.snapshot.turn.work
        if work is None:
            decision = self.decision
            assert isinstance(decision, Perform), decision
            performed = decision
        else:
            action = decisions.action_at(self.definition, self.state, work.action)
            performed = Perform(work.action, action, work.attempt)
        assert performed.action.type == move.name
        outcome = Outcome(
            event=move.event,
            error="broken" if move.fails else "",
            awaits=("anything",) if move.waits else (),
            job=A_JOB if move.claims else None,
        )
        found = self._registry.get(move.name)
        assert found is not None
        assert found.signature is not None
        if found.signature.claims and not move.claims and not move.fails:
            outcome = replace(outcome, job={})
        raised = found.signature.events(performed.action).get(move.event or "")
        key = raised.key if raised else ""
        if key in {"empty", "pending"} and not found.rehearses:
            outcome = replace(outcome, nothing=("jobs", move.name))
        outcome = replace(outcome, took=move.name == "pop_from_list" and key == "success")
        self._end(performed, outcome, worked=work is not None)

    def _end(self, performed: Perform, outcome: Outcome, *, worked: bool = False) -> None:
        if outcome.finish:
            self.finished = True
            return
        snapshot = self.snapshot if worked else decisions.take_up(self.snapshot)
        settled = settling.settle(
            self.definition, snapshot, performed, outcome, now=NOON, chance=1.0, worked=worked
        )
        self._settled(settled)

    def _settled(self, settled: Settled) -> None:
        self.snapshot = settled.snapshot
        if settled.deadline is not None:
            self._set((settled.deadline,))
        if settled.event is not None:
            self._judge(settled.event)

    def _judge(self, event: Event) -> None:
        self.waiting.discard(event)
        step = engine.step(self.definition, self.snapshot, event, NOON)
        self.snapshot = step.snapshot
        if step.taken is None:
            self.ignored.append(event.name)
            return
        self.steps += 1
        if step.left:
            self.deadlines.clear()
        self._set(step.deadlines)

    def _set(self, deadlines: tuple[Deadline, ...]) -> None:
        for deadline in deadlines:
            self.deadlines[deadline.transition, deadline.action] = deadline


def check(finding: Finding, definition: Definition, registry: Registry) -> None:
    """See that a finding is true; AssertionError if it is not."""
    replay = Replay(definition, registry)
    replay.make(*finding.path)
    _CLAIMS[finding.code](replay, finding)


def _stands_still(replay: Replay, _finding: Finding) -> None:
    handled = replay.definition.handled_events(replay.state)
    assert replay.decision is REST
    assert replay.snapshot.turn.over
    assert not replay.deadlines
    assert not any(replay.takes(name) for name in handled)


def _goes_round(replay: Replay, finding: Finding) -> None:
    state, turn, steps = replay.state, replay.snapshot.turn.todo, replay.snapshot.instant_steps
    rounds = replay.definition.max_instant_steps if replay.definition.metadata else 3
    for _round in range(rounds):
        replay.make(*finding.cycle)
        assert (replay.state, replay.snapshot.turn.todo) == (state, turn)
    assert replay.snapshot.instant_steps >= steps + rounds


def _fails_round(replay: Replay, finding: Finding) -> None:
    state, turn = replay.state, replay.snapshot.turn.todo
    for _round in range(3):
        replay.make(*finding.cycle)
        assert (replay.state, replay.snapshot.turn.todo) == (state, turn)
    assert {move.kind for move in finding.cycle} <= {MoveKind.GOES_ON, MoveKind.ANSWERED}


def _was_ignored(replay: Replay, finding: Finding) -> None:
    assert replay.ignored[-1] == finding.path[-1].name
    assert not replay.definition.is_final(replay.state)


def _waits_at_the_end(replay: Replay, _finding: Finding) -> None:
    assert replay.finished
    assert len(replay.waiting) == 1


def _steps_too_far(replay: Replay, _finding: Finding) -> None:
    assert replay.snapshot.instant_steps > replay.definition.max_instant_steps


def _nothing(_replay: Replay, finding: Finding) -> None:
    assert finding.path == ()


_CLAIMS = {
    "deadlock": _stands_still,
    "livelock": _goes_round,
    "failing-loop": _fails_round,
    "event-ignored": _was_ignored,
    "event-lost-at-end": _waits_at_the_end,
    "too-many-steps": _steps_too_far,
    "unreachable-state": _nothing,
    "transition-never-taken": _nothing,
    "action-never-run": _nothing,
    "never-finishes": _nothing,
}
