"""Tables: what may happen in each state, compiled once, so that a step is a look-up.

Linear in the size of the file, but for its wildcards, which stand in the table of every state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from machines.core.turn import AT_REST, OF_STATE, Stretch, Turn

if TYPE_CHECKING:
    from machines.core.definition import EventDeclaration, State, Transition
    from machines.core.expressions import Guard

ANY_STATE = "*"


# A transition as it is seen from one state: itself, its guard, whether it leaves that state, and
# then the active states, the turn and the timers that follow. Plain, for it is unpacked per step.
Arrow = tuple["Transition", "Guard | None", bool, tuple[str, ...], Turn, tuple["Transition", ...]]
# What stands for an event in one state: its declaration, if that asks for more than a look at the
# name, and what it may take, in file order.
Entry = tuple["EventDeclaration | None", tuple[Arrow, ...]]
UNHEARD: Entry = (None, ())  # an event that no transition of a state names


class Table(NamedTuple):
    """All that may happen in one state, in file order."""

    by_event: Mapping[str, tuple[Transition, ...]]
    automatic: tuple[Transition, ...]
    timed: tuple[Transition, ...]
    timers: tuple[Transition, ...]  # of ``timed``, the first of each delay
    interrupting: frozenset[str]
    entries: Mapping[str | int, Entry]  # by event; by index for what no event takes


NOTHING = Table({}, (), (), (), frozenset(), {})


def tables_of(
    states: Mapping[str, State],
    transitions: tuple[Transition, ...],
    events: Mapping[str, EventDeclaration],
) -> dict[str, Table]:
    """The table of each state."""
    named: dict[str, list[Transition]] = {}
    wild = [transition for transition in transitions if ANY_STATE in transition.sources]
    for transition in transitions:
        for source in dict.fromkeys(transition.sources):
            if ANY_STATE not in transition.sources:
                named.setdefault(source, []).append(transition)
    here = {state: sorted((*named.get(state, ()), *wild), key=_file_order) for state in states}
    demanding = {name: declared for name, declared in events.items() if declared.demanding}
    timed = {
        state: tuple(t for t in found if t.delay_seconds is not None)
        for state, found in here.items()
    }
    timers = {state: _first_of_each_delay(found) for state, found in timed.items()}
    compiler = _Compiler(states, timers, demanding)
    return {state: _table(found, timed[state], state, compiler) for state, found in here.items()}


def entry(state: State, taken: Transition | None = None) -> Turn:
    """The turn of a machine that has just entered ``state``."""
    own: tuple[Stretch, ...] = ()
    if taken is not None and taken.actions:
        own = ((taken.index, 0, len(taken.actions)),)
    listed = len(state.actions)
    todo = (*own, (OF_STATE, 0, listed)) if listed else own
    return Turn(todo) if todo else AT_REST


class _Compiler(NamedTuple):
    """What entries are made of: states, the timers of each, events that are more than a name."""

    states: Mapping[str, State]
    timers: Mapping[str, tuple[Transition, ...]]
    demanding: Mapping[str, EventDeclaration]

    def entries(
        self,
        state: str,
        by_event: Mapping[str, list[Transition]],
        automatic: Iterable[Transition],
        timed: Sequence[Transition],
    ) -> dict[str | int, Entry]:
        entries: dict[str | int, Entry] = {name: (one, ()) for name, one in self.demanding.items()}
        arrows: dict[int, Arrow] = {}
        for event, found in by_event.items():
            for transition in found:
                if transition.index not in arrows:
                    arrows[transition.index] = self.arrow(transition, state)
            taken = tuple([arrows[transition.index] for transition in found])
            entries[event] = (self.demanding.get(event), taken)
        entries |= {other.index: (None, (self.arrow(other, state),)) for other in automatic}
        same: dict[float | None, list[Arrow]] = {}
        for timer in timed:  # those of one delay are one event
            same.setdefault(timer.delay_seconds, []).append(self.arrow(timer, state))
        for timer in self.timers[state]:
            entries[timer.index] = (None, tuple(same[timer.delay_seconds]))
        return entries

    def arrow(self, transition: Transition, state: str) -> Arrow:
        guard, target = transition.guard, transition.target
        if target is None or target not in self.states or not transition.leaves(state):
            return (transition, guard, False, (state,), AT_REST, ())
        turn = entry(self.states[target], transition)
        return (transition, guard, True, (target,), turn, self.timers[target])


def _first_of_each_delay(timed: Iterable[Transition]) -> tuple[Transition, ...]:
    first: dict[float | None, Transition] = {}
    for transition in timed:
        first.setdefault(transition.delay_seconds, transition)
    return tuple(first.values())


def _file_order(transition: Transition) -> int:
    return transition.index


def _that_may_win(found: list[Transition]) -> Iterable[Transition]:
    """Those that are ever taken: up to the first that has no guard."""
    for transition in found:
        yield transition
        if transition.guard is None:
            return


def _table(
    here: list[Transition], timed: tuple[Transition, ...], state: str, compiler: _Compiler
) -> Table:
    by_event: dict[str, list[Transition]] = {}
    for transition in here:
        for event in transition.events:
            by_event.setdefault(event, []).append(transition)
    automatic = tuple(t for t in here if t.automatic)
    return Table(
        {event: tuple(found) for event, found in by_event.items()},
        automatic,
        timed,
        compiler.timers[state],
        frozenset(
            event
            for event, found in by_event.items()
            if any(t.interrupts and t.leaves(state) for t in _that_may_win(found))
        ),
        compiler.entries(state, by_event, automatic, timed),
    )
