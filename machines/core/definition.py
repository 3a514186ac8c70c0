"""The machine definition: what a YAML file means, compiled for look-ups.

All values are immutable. ``loading`` makes them; nothing else does. YAML's ``from`` and ``to``
are called source and target from here on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from machines.core.expressions import Guard
from machines.core.tables import ANY_STATE as ANY_STATE
from machines.core.tables import NOTHING, Entry, Table, entry, tables_of
from machines.core.turn import Turn

ALWAYS_FINAL_NAMES = frozenset({"completed", "stopped", "shutdown"})
MAX_INSTANT_STEPS = 100_000  # steps with nothing from outside between them: a cycle


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in its file; both count from 1."""

    line: int
    column: int


NOWHERE = Place(0, 0)


@dataclass(frozen=True, slots=True)
class Retry:
    """How a failed action is tried again; delays in seconds."""

    attempts: int
    delay_seconds: float = 1.0
    backoff: float = 1.0
    max_delay_seconds: float | None = None
    jitter: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """One piece of work as written: ``settings`` are raw, placeholders not yet filled in.

    ``settings`` holds every key but those that are fields here, ``params:`` merged, flat ones
    winning; so ``success``, ``error`` and ``timeout`` are settings.
    """

    type: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    every_seconds: float | None = None
    retry: Retry | None = None
    rerun_on_crash: bool = True
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class State:
    """A state; ``actions`` are performed top to bottom in every round."""

    name: str
    description: str = ""
    actions: tuple[Action, ...] = ()
    final: bool = False
    group: str = ""
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class EventDeclaration:
    """What the file says of an event: paths to copy into the context, a schema of the payload."""

    name: str
    description: str = ""
    context_map: Mapping[str, str] = field(default_factory=dict)
    payload_schema: Mapping[str, Any] | None = None
    place: Place = NOWHERE

    @property
    def demanding(self) -> bool:
        """True if it asks for more than a look at the name."""
        return bool(self.context_map) or self.payload_schema is not None


@dataclass(frozen=True, slots=True)
class Transition:
    """What may happen. Without events and delay it is automatic; without target, internal.

    ``index`` counts from 0 in file order. ``delay_name`` is how its timer stands on record:
    ``timeout(5)``. ``interrupts``, for its events, and ``interrupts_when_due``, for its timer, are
    resolved: never true for what has no target.
    """

    index: int
    sources: tuple[str, ...]
    target: str | None
    events: tuple[str, ...] = ()
    guard: Guard | None = None
    delay_seconds: float | None = None
    delay_name: str = ""
    actions: tuple[Action, ...] = ()
    interrupts: bool = False
    interrupts_when_due: bool = False
    reenter: bool = False
    description: str = ""
    place: Place = NOWHERE

    @property
    def automatic(self) -> bool:
        """True if it waits for no event and no time, only for its guard."""
        return not self.events and self.delay_seconds is None

    def leaves(self, state: str) -> bool:
        """True if taking it in ``state`` ends that stay, be it to enter it again."""
        return self.target is not None and (self.target != state or self.reenter)

    def stays_by_name(self, state: str) -> bool:
        """True if it is a self-loop there: a step that does not leave the state."""
        return self.target == state and not self.reenter


@dataclass(frozen=True, slots=True)
class Definition:
    """A whole machine, ready to run.

    ``entries``: what ``step`` looks up, by state and event; compiled from the rest.
    """

    name: str
    initial_state: str
    states: Mapping[str, State]
    transitions: tuple[Transition, ...]
    events: Mapping[str, EventDeclaration] = field(default_factory=dict)
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    template: bool = False
    context: Mapping[str, Any] = field(default_factory=dict)
    actions_dir: str | None = None
    max_instant_steps: int = MAX_INSTANT_STEPS
    entries: Mapping[str, Mapping[str | int, Entry]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _tables: Mapping[str, Table] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the look-up table of each state."""
        tables = tables_of(self.states, self.transitions, self.events)
        object.__setattr__(self, "_tables", tables)
        entries = {name: table.entries for name, table in tables.items()}
        object.__setattr__(self, "entries", entries)

    def candidates(self, state: str, event: str) -> tuple[Transition, ...]:
        """The transitions that ``event`` may take in ``state``, in file order."""
        return self._tables.get(state, NOTHING).by_event.get(event, ())

    def entry(self, state: str, taken: Transition | None = None) -> Turn:
        """The turn of a machine that has just entered ``state``."""
        return entry(self.states[state], taken)

    def automatic(self, state: str) -> tuple[Transition, ...]:
        """The transitions that need no event in ``state``, in file order."""
        return self._tables.get(state, NOTHING).automatic

    def timed(self, state: str) -> tuple[Transition, ...]:
        """The transitions that time takes in ``state``, in file order."""
        return self._tables.get(state, NOTHING).timed

    def timers(self, state: str) -> tuple[Transition, ...]:
        """Of ``timed``, the first of each delay: a deadline is set for these, and is the event
        that all of that delay may take, in file order."""
        return self._tables.get(state, NOTHING).timers

    def timer_interrupts(self, state: str, timer: int | None) -> bool:
        """True if a transition of the timer with that index is not held until rest."""
        delay = None if timer is None else self.transitions[timer].delay_seconds
        return any(
            t.interrupts_when_due and t.leaves(state)
            for t in self.timed(state)
            if t.delay_seconds == delay
        )

    def interrupting(self, state: str) -> frozenset[str]:
        """The names of the events that may interrupt the work of ``state``."""
        return self._tables.get(state, NOTHING).interrupting

    def handled_events(self, state: str) -> tuple[str, ...]:
        """The names of the events that ``state`` handles, in file order."""
        return tuple(self._tables.get(state, NOTHING).by_event)

    def is_final(self, state: str) -> bool:
        """True if a machine that has done the work of ``state`` is finished."""
        return self.states[state].final

    def actions(self) -> Iterable[Action]:
        """Every action of the file: those of states first, then those of transitions."""
        for state in self.states.values():
            yield from state.actions
        for transition in self.transitions:
            yield from transition.actions
