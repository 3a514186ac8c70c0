"""Configurations: where a machine may stand, without the time and without what does not matter.

Of the context only the keys that matter are kept. A key that takes too many values is widened:
from then on its value is unknown, so that a counter does not go on for ever. Of timers only their
order is kept: one that was set earlier, or at the same time, and takes no longer, passes first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from machines.core.engine import changed
from machines.core.snapshot import Deadline, Snapshot
from machines.core.turn import ActionRef, Turn
from machines.rehearsal.relevance import Relevant
from machines.rehearsal.unknowns import MARK, UNKNOWN

MAX_VALUES = 64  # of one key of the context, before it is widened
INSTANT = 1_000_000  # instant steps every move begins with: fewer after it, and time has passed
SOME_TIME = datetime(2026, 1, 1, 12, tzinfo=UTC)  # time stands still; deadlines have an order
EMPTY: Mapping[str, Any] = {}

TimerKey = tuple[int | None, ActionRef | None]
Timer = tuple[TimerKey, str, float, float]  # key, name, at least and at most so many seconds
Key = tuple[Any, ...]


@dataclass(slots=True)
class Configuration:
    """A snapshot and its timers, in the order in which they were set.

    ``fresh``: how many of these, the last ones, were set in the present instant.
    """

    snapshot: Snapshot
    timers: tuple[Timer, ...] = ()
    fresh: int = 0
    finished: bool = False


def cleared(configuration: Configuration) -> None:
    """The state was left: no timer is set."""
    configuration.timers, configuration.fresh = (), 0


def unset(configuration: Configuration, key: TimerKey) -> None:
    """Forget the timer of that key."""
    timers = configuration.timers
    for position, timer in enumerate(timers):
        if timer[0] == key:
            is_fresh = position >= len(timers) - configuration.fresh
            configuration.timers = timers[:position] + timers[position + 1 :]
            configuration.fresh -= is_fresh
            return


def set_timer(configuration: Configuration, deadline: Deadline, *, jitter: bool = False) -> None:
    """Set a timer now, in the place of one with its key."""
    key = (deadline.transition, deadline.action)
    unset(configuration, key)
    most = (deadline.due_at - SOME_TIME).total_seconds()
    timer: Timer = (key, deadline.name, most / 2 if jitter else most, most)
    older = len(configuration.timers) - configuration.fresh
    fresh = sorted((*configuration.timers[older:], timer), key=_at_most)
    configuration.timers = (*configuration.timers[:older], *fresh)
    configuration.fresh += 1


def next_timers(timers: tuple[Timer, ...], interrupts: Callable[[Timer], bool]) -> list[Timer]:
    """Those that may be the next to pass; of two that are due at once, one that interrupts."""
    return [
        timer
        for position, timer in enumerate(timers)
        if not any(
            before[3] < timer[2]
            or (before[3] == timer[2] and interrupts(before) >= interrupts(timer))
            for before in timers[:position]
        )
    ]


def _at_most(timer: Timer) -> float:
    return timer[3]


class Configurations:
    """Tells configurations apart, and keeps their contexts small."""

    def __init__(self, relevant: Relevant) -> None:
        self._relevant = relevant
        self._numbers: dict[bytes, int] = {}
        self._contexts: list[Mapping[str, Any]] = []
        self._known: dict[int, int] = {}
        self._values: dict[str, set[bytes]] = {key: set() for key in relevant.keys}
        self.widened: set[str] = set()

    def key(self, configuration: Configuration) -> Key:
        """What tells it from others; ``configuration`` is brought into its plainest form."""
        snapshot = configuration.snapshot
        number = self._number(snapshot.context)
        turn = snapshot.turn
        if turn.changed or turn.quiet:
            turn = Turn(
                turn.todo, turn.work, turn.waits, turn.attempt, turn.again, turn.checked,
                turn.worked, turn.idle, False, (), turn.resumed, turn.wanted,
            )  # fmt: skip
        received = snapshot.received if self._relevant.event_data else None
        job = snapshot.job if self._relevant.job else EMPTY
        if turn.resting or turn.work is not None:
            configuration.fresh = 0  # time passes before anything else is set
        configuration.snapshot = Snapshot(
            snapshot.machine, snapshot.states, self._contexts[number], turn, received, job,
            SOME_TIME, INSTANT,
        )  # fmt: skip
        return (
            snapshot.states[0],
            number,
            turn.todo,
            turn.work,
            turn.waits,
            turn.attempt,
            (turn.again, turn.worked, turn.idle, configuration.finished, bool(job)),
            turn.checked,
            turn.resumed,
            turn.wanted,
            configuration.timers,
            configuration.fresh,
            received and received.name,
        )

    def with_unknown(self, snapshot: Snapshot, keys: Mapping[str, Any]) -> Snapshot:
        """``snapshot`` with values for ``keys`` that nobody knows."""
        unknown = {key: UNKNOWN for key in keys if key in self._relevant.keys}
        if not unknown:
            return snapshot
        return changed(snapshot, {**snapshot.context, **unknown}, unknown)

    def _number(self, context: Mapping[str, Any]) -> int:
        """The number of a context; equal ones have the same."""
        number = self._known.get(id(context))
        if number is not None and self._contexts[number] is context:
            return number
        kept = {key: context[key] for key in sorted(self._relevant.keys) if key in context}
        for key in kept:
            kept[key] = self._kept(key, kept[key])
        encoded = orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)
        number = self._numbers.get(encoded)
        if number is None:
            number = self._numbers[encoded] = len(self._contexts)
            self._contexts.append(kept)
            self._known[id(kept)] = number
        return number

    def _kept(self, key: str, value: Any) -> Any:
        if key in self.widened or (type(value) is str and value == MARK):
            return UNKNOWN
        if value is UNKNOWN:
            return value
        values = self._values[key]
        values.add(orjson.dumps(value))
        if len(values) > MAX_VALUES:
            self.widened.add(key)
            return UNKNOWN
        return value
