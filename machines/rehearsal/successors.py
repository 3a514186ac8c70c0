"""Successors: what a machine may do next, played through the core, one decision at a time.

An event from outside arrives when it is judged. That one which waits longer does nothing more
than one that comes just in time, so no inbox is kept.
"""

from collections.abc import Iterator
from functools import partial

from machines.actions.registry import Registry
from machines.core import decisions, engine, settling
from machines.core.decisions import IDLE, NEW_ROUND, REST, Decision, Judge, Perform
from machines.core.definition import Definition
from machines.core.snapshot import Event, Kind
from machines.core.turn import Work
from machines.core.waiting import Waiting
from machines.rehearsal.alternatives import Alternative, Alternatives
from machines.rehearsal.configurations import (
    SOME_TIME,
    Configuration,
    Configurations,
    Timer,
    next_timers,
    set_timer,
    unset,
)
from machines.rehearsal.edges import Edge, Edges, Given
from machines.rehearsal.hand import Hand
from machines.rehearsal.moves import GOES_ON, RINGS, Move, MoveKind
from machines.rehearsal.relevance import Relevant
from machines.rehearsal.unknowns import (
    SOMETHING,
    UNKNOWN,
    AnyPayload,
    Oracle,
    opened,
)

_LATER = (NEW_ROUND, IDLE, REST)  # what an event that waits is judged before
_NOTHING_WAITS = Waiting()


class Successors:
    """All that may come next in one machine."""

    def __init__(
        self,
        definition: Definition,
        registry: Registry,
        relevant: Relevant,
        configurations: Configurations,
    ) -> None:
        self._oracle = Oracle()
        self._given = definition
        self._definition = opened(definition, self._oracle)
        self._alternatives = Alternatives(definition, registry, relevant.keys)
        self._configurations = configurations
        self._relevant = relevant
        self._hand = Hand(self._definition)
        self._edges = Edges(self._oracle, self._hand)
        self.alphabet = tuple(
            dict.fromkeys(
                name for state in definition.states for name in definition.handled_events(state)
            )
        )
        # Events that leave something behind even where nothing handles them.
        self._noted = self.alphabet if relevant.event_data else ()
        self._noted += tuple(
            name
            for name, declaration in definition.events.items()
            if not relevant.keys.isdisjoint(declaration.context_map)
        )
        self.stuck: Given = ()  # of the last call of ``of``: if that holds, there is no way on

    @property
    def gave_up(self) -> bool:
        """True if the last call of ``of`` could not tell some way on."""
        return self._edges.gave_up

    def first(self) -> Configuration:
        """A machine that has entered its initial state, before ``start`` is judged."""
        name = str(self._given.metadata.get("machine_name") or self._given.name or "machine")
        given = dict.fromkeys(sorted(self._relevant.given), UNKNOWN)
        step = engine.begin(self._definition, name, given, SOME_TIME)
        configuration = Configuration(step.snapshot)
        for deadline in step.deadlines:
            set_timer(configuration, deadline)
        return configuration

    def started(self, first: Configuration) -> list[Edge]:
        """What becomes of it when ``start`` is judged."""
        return self._edges.of(first, GOES_ON, lambda after: self._hand.judge(after, engine.START))

    def of(self, configuration: Configuration) -> Iterator[Edge]:
        """Every way on, the machine's own first."""
        self._edges.gave_up, self.stuck = False, ()
        if configuration.finished:
            return
        snapshot = configuration.snapshot

        def decide() -> Decision:
            return decisions.decide(self._definition, snapshot, _NOTHING_WAITS)

        for decision, given in self._oracle.branches(decide):
            if decision is REST:
                edges = [
                    *self._at_rest(configuration, given),
                    *self._arrivals(configuration, decision, given),
                ]
                if not edges and not self._edges.gave_up:
                    self.stuck = given
                yield from edges
                continue
            if isinstance(decision, Perform):
                yield from self._performing(configuration, decision, given)
            else:
                yield from self._edges.of(
                    configuration, GOES_ON, partial(self._hand.go_on, decision=decision), given
                )
            yield from self._arrivals(configuration, decision, given)

    # -- what a machine does on its own

    def _performing(
        self, configuration: Configuration, performed: Perform, given: Given
    ) -> Iterator[Edge]:
        snapshot = configuration.snapshot
        if self._alternatives.works(performed, snapshot):
            run = partial(self._hand.begin_work, performed=performed)
            for edge in self._edges.of(configuration, GOES_ON, run, given):
                edge.performed = (snapshot.states[0], performed.ref)
                yield edge
            return
        for alternative in self._alternatives.of(performed, snapshot, Waiting()):
            yield from self._ended(configuration, performed, alternative, given)

    def _ended(
        self,
        configuration: Configuration,
        performed: Perform,
        alternative: Alternative,
        given: Given,
    ) -> list[Edge]:
        run = partial(self._hand.settle, performed=performed, outcome=alternative.outcome)
        edges = self._edges.of(configuration, alternative.move, run, given)
        for edge in edges:
            edge.performed = (configuration.snapshot.states[0], performed.ref)
            edge.guess = edge.guess or alternative.guess
        return edges

    # -- what comes from outside

    def _at_rest(self, configuration: Configuration, given: Given) -> Iterator[Edge]:
        turn = configuration.snapshot.turn
        asked_again = [wait.action for wait in turn.waits if wait.awaits]
        if turn.work is not None:
            yield from self._work_ends(configuration, turn.work, given)
        for timer in self._next_timers(configuration):
            if timer[0][1] is None or timer[0][1] not in asked_again:
                yield from self._pass(configuration, timer, given)
        if turn.work is not None:
            return
        for ref in asked_again:
            yield from self._pass(configuration, ((None, ref), "wake_up", 0.0, 0.0), given)
        for name in dict.fromkeys(looked_for[0] for looked_for in turn.checked):
            if turn.idle and name in RINGS:
                yield from self._edges.of(configuration, Move(MoveKind.RUNG, name), _ring, given)

    def _work_ends(self, configuration: Configuration, work: Work, given: Given) -> Iterator[Edge]:
        snapshot = configuration.snapshot
        action = decisions.action_at(self._definition, snapshot.states[0], work.action)
        performed = Perform(work.action, action, work.attempt)
        for alternative in self._alternatives.of(performed, snapshot, _NOTHING_WAITS):
            yield from self._ended(configuration, performed, alternative, given)

    def _next_timers(self, configuration: Configuration) -> list[Timer]:
        snapshot = configuration.snapshot
        state = snapshot.states[0]

        def interrupts(timer: Timer) -> bool:
            index = timer[0][0]
            return index is not None and self._definition.timer_interrupts(state, index)

        timers = configuration.timers
        if snapshot.turn.work is not None:  # the others are held until rest
            timers = tuple(filter(interrupts, timers))
        return next_timers(timers, interrupts)

    def _pass(self, configuration: Configuration, timer: Timer, given: Given) -> list[Edge]:
        (transition, ref), name, _least, _most = timer
        if ref is None:
            event = Event(name, Kind.TIMER, SOME_TIME, transition=transition)
            move = Move(MoveKind.TIME, name, transition=transition)
        else:
            event = Event(name, Kind.WAKE, SOME_TIME, action=ref)
            action = decisions.action_at(self._definition, configuration.snapshot.states[0], ref)
            move = Move(MoveKind.WOKEN, action.type, action=ref)

        def run(after: Configuration) -> bool:
            unset(after, timer[0])
            if ref is None:
                return self._hand.judge(after, event)
            settled = settling.wake(self._definition, after.snapshot, event, SOME_TIME)
            return self._hand.settled(after, settled)

        return self._edges.of(configuration, move, run, given)

    def _arrivals(
        self, configuration: Configuration, decision: Decision, given: Given
    ) -> Iterator[Edge]:
        """The events from outside that are judged now or not in this way."""
        snapshot = configuration.snapshot
        state = snapshot.states[0]
        handled = self._definition.handled_events(state)
        if decision in _LATER and snapshot.turn.work is None:
            for name in dict.fromkeys((*handled, *self._noted)):
                run = partial(self._judge_sent, event=_sent(name))
                yield from self._edges.of(configuration, Move(MoveKind.SENT, name), run, given)
            return
        interrupting = self._definition.interrupting(state)
        found = [name for name in handled if name in interrupting]
        if isinstance(decision, Perform):
            found += self._alternatives.looks_for(decision, snapshot)
        for name in dict.fromkeys(found):
            run = partial(self._arrive, event=_sent(name))
            yield from self._edges.of(configuration, Move(MoveKind.SENT, name), run, given)

    def _judge_sent(self, after: Configuration, event: Event) -> bool:
        self._map(after, event)
        return self._hand.judge(after, event)

    def _map(self, after: Configuration, event: Event) -> None:
        declaration = self._given.events.get(event.name)
        if declaration is not None and declaration.context_map:
            after.snapshot = self._configurations.with_unknown(
                after.snapshot, declaration.context_map
            )

    def _arrive(self, after: Configuration, event: Event) -> bool:
        """Judge the event before rest; False if it would have to wait."""
        waiting = Waiting()
        waiting.add(event)
        self._map(after, event)
        for _look in range(2):  # before and after the action that looks for it
            decision = decisions.decide(self._definition, after.snapshot, waiting)
            if isinstance(decision, Judge) and decision.event is event:
                return self._hand.judge(after, event)
            if not isinstance(decision, Perform):
                return False
            if self._alternatives.works(decision, after.snapshot):
                return False
            if event.name not in self._alternatives.looks_for(decision, after.snapshot):
                return False
            found = self._alternatives.of(decision, after.snapshot, waiting)
            self._hand.settle(after, decision, found[0].outcome)
            if not waiting:
                return True
        return False


def _sent(name: str) -> Event:
    return AnyPayload(name, at=SOME_TIME, id=1, payload=SOMETHING)


def _ring(after: Configuration) -> bool:
    after.snapshot = decisions.rung(after.snapshot)
    return True
