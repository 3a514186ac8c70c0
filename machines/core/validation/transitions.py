"""Transitions: those that others always precede, and interrupts that cannot happen."""

from collections.abc import Iterator

from machines.core.definition import ANY_STATE, Definition, Transition
from machines.core.loading.faults import shown
from machines.core.validation import codes
from machines.core.validation.facts import Facts
from machines.core.validation.guards import always_holds
from machines.core.validation.problems import Findings

MAX_PAIRS = 20_000  # of states and events in one file; what lies beyond is not judged

_Key = tuple[str, str]  # state and event; no event: an automatic transition


def check_transitions(facts: Facts, findings: Findings) -> None:
    """Shadowed transitions, and interrupt: true on a self-loop."""
    shadows = _Shadows(facts.definition)
    for transition in facts.definition.transitions:
        first = shadows.take(transition)
        if first is not None:
            findings.add(
                codes.SHADOWED_TRANSITION,
                transition.place,
                f"transitions[{transition.index}]: never taken;"
                f" transitions[{first.index}] in line {first.place.line} takes"
                f" {_trigger(transition)} first",
            )
        if _interrupts_in_vain(transition):
            findings.add(
                codes.INTERRUPT_WITHOUT_EFFECT,
                transition.place,
                f"transitions[{transition.index}].interrupt: a self-loop interrupts nothing",
            )


def _trigger(transition: Transition) -> str:
    if not transition.events:
        return "its turn"
    return shown(transition.events[0]) if len(transition.events) == 1 else "its events"


def _interrupts_in_vain(transition: Transition) -> bool:
    """True for an interrupt that the file asks for; timers and ``*`` have it by themselves."""
    asked = transition.interrupts and transition.delay_seconds is None
    return asked and all(
        source != ANY_STATE and transition.stays_by_name(source) for source in transition.sources
    )


class _Shadows:
    """What the transitions seen so far take for certain, each in the order of the file."""

    def __init__(self, definition: Definition) -> None:
        self._states = len(definition.states)
        self._pairs_left = MAX_PAIRS
        self._taken: dict[_Key, Transition] = {}
        self._with_guard: dict[tuple[_Key, str], Transition] = {}
        self._covered: dict[str, list[Transition]] = {}  # by event: one for each of its states

    def take(self, transition: Transition) -> Transition | None:
        """The earlier transition that takes the first of its events, if all are taken."""
        events = ("",) if transition.automatic else transition.events
        if transition.delay_seconds is not None and not events:
            events = (f"timeout {transition.delay_seconds}",)  # no name of an event of theirs
        keys = list(self._keys(transition.sources, events))
        if not keys:
            return None
        first = [self._earlier(transition, key) for key in keys]
        for key in keys:
            self._note(transition, key)
        # One with events and a time is taken by the other if not by the one.
        shadowed = all(first) and not (transition.events and transition.delay_seconds is not None)
        return first[0] if shadowed else None

    def _keys(self, sources: tuple[str, ...], events: tuple[str, ...]) -> Iterator[_Key]:
        states = (ANY_STATE,) if ANY_STATE in sources else sources
        self._pairs_left -= len(states) * len(events)
        if self._pairs_left < 0:
            return
        for event in events:
            for state in states:
                yield state, event

    def _earlier(self, transition: Transition, key: _Key) -> Transition | None:
        state, event = key
        for where in dict.fromkeys((key, (ANY_STATE, event))):
            if (found := self._taken.get(where)) is not None:
                return found
            if transition.guard is not None:
                found = self._with_guard.get((where, transition.guard.source))
                if found is not None:
                    return found
        covering = self._covered.get(event, [])
        return covering[0] if state == ANY_STATE and len(covering) == self._states else None

    def _note(self, transition: Transition, key: _Key) -> None:
        state, event = key
        if transition.guard is not None and not always_holds(transition.guard):
            self._with_guard.setdefault((key, transition.guard.source), transition)
        elif key not in self._taken:
            self._taken[key] = transition
            if state != ANY_STATE:
                self._covered.setdefault(event, []).append(transition)
