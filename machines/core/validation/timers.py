"""Timers: those whose time never comes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from machines.core.definition import ANY_STATE, Transition
from machines.core.validation import codes
from machines.core.validation.facts import Facts
from machines.core.validation.guards import always_holds
from machines.core.validation.problems import Findings

NEVER = float("inf")
MAX_WILD = 50  # timers of any state; with more the check would take too long, and says nothing


@dataclass(frozen=True, slots=True)
class _Left:
    """When a state has certainly been left, in seconds, and by which timer.

    ``interrupted``: by a timer that does not wait for rest. A timer that interrupts may
    overtake one that waits.
    """

    interrupted: float = NEVER
    rested: float = NEVER
    by: Transition | None = None

    def before(self, timer: Transition) -> bool:
        """True if ``timer`` comes too late."""
        delay = timer.delay_seconds or 0.0
        return (self.interrupted if timer.interrupts_when_due else self.rested) < delay


def check_timers(facts: Facts, findings: Findings) -> None:
    """Timers that a shorter one always precedes, and those of final states."""
    everywhere = [t for t in facts.wild if t.delay_seconds is not None]
    if len(everywhere) > MAX_WILD:
        return
    finished = _finished(facts)
    by_state: dict[str, _Left] = {}
    for transition in facts.definition.transitions:
        if transition.delay_seconds is None or transition.events:
            continue
        sources = () if ANY_STATE in transition.sources else transition.sources
        for name in sources:
            if name not in by_state:
                by_state[name] = _left(name, (*facts.named[name], *everywhere))
        too_late = [name in finished or by_state[name].before(transition) for name in sources]
        if sources and all(too_late):
            findings.add(
                codes.TIMER_NEVER_FIRES,
                transition.place,
                f"transitions[{transition.index}]: {transition.delay_name} never fires;"
                f" {_why(by_state[sources[0]], sources[0] in finished)}",
            )


def _why(left: _Left, finished: bool) -> str:
    if finished or left.by is None:
        return "the state is final and has no actions, so the machine has finished by then"
    return (
        f"transitions[{left.by.index}] in line {left.by.place.line} leaves the state"
        f" at {left.by.delay_name}"
    )


def _left(state: str, transitions: Iterable[Transition]) -> _Left:
    found = sorted(_leaving(state, sorted(transitions, key=_index)), key=_due)
    interrupting = [t for t in found if t.interrupts_when_due]
    return _Left(
        interrupted=interrupting[0].delay_seconds or 0.0 if interrupting else NEVER,
        rested=found[0].delay_seconds or 0.0 if found else NEVER,
        by=found[0] if found else None,
    )


def _index(transition: Transition) -> int:
    return transition.index


def _due(timer: Transition) -> tuple[float, int]:
    return (timer.delay_seconds or 0.0, timer.index)


def _leaving(state: str, transitions: Iterable[Transition]) -> Iterator[Transition]:
    """The timers, of those in file order, that certainly end a stay in ``state``.

    Those of one delay are one event: an earlier one that stays may be taken instead.
    """
    may_stay: set[float] = set()
    for transition in transitions:
        delay = transition.delay_seconds
        if delay is None or delay in may_stay:
            continue
        if not transition.leaves(state):
            may_stay.add(delay)
        elif always_holds(transition.guard):
            yield transition


def _finished(facts: Facts) -> set[str]:
    """The final states in which nothing is done, so that no time passes in them."""
    definition = facts.definition
    busy = {t.target for t in definition.transitions if t.actions}
    busy |= {source for t in definition.transitions if t.actions for source in t.sources}
    if ANY_STATE in busy:
        return set()
    return {
        state.name
        for state in definition.states.values()
        if definition.is_final(state.name) and not state.actions and state.name not in busy
    }
