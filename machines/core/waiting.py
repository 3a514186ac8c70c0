"""What waits for a machine to judge it: events from outside, and deadlines that have passed."""

import heapq
import itertools
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from machines.core.snapshot import Event

_BEGINNING = datetime.min.replace(tzinfo=UTC)


def age(event: Event) -> datetime:
    """What events and deadlines are ordered by: when it was accepted, or due."""
    return event.at or _BEGINNING


class Waiting:
    """The events of one machine that are not judged yet, and its deadlines that have passed.

    Events are added in the order of their ids, but for those that others commit late; deadlines
    in any order.
    """

    __slots__ = ("_by_name", "_due", "_events", "_seen", "_seen_in")

    def __init__(self) -> None:
        self._events: dict[int, Event] = {}
        self._by_name: dict[str, dict[int, Event]] = {}
        self._due: list[Event] = []
        self._seen = 0
        self._seen_in: tuple[object, ...] = ()

    def __len__(self) -> int:
        return len(self._events)

    def __bool__(self) -> bool:
        return bool(self._events or self._due)

    def __contains__(self, event_id: int) -> bool:
        return event_id in self._events

    def add(self, event: Event) -> None:
        """Let an event from outside wait; it has an id."""
        if event.id is None:
            raise ValueError(f"an event without id cannot wait: {event!r}")
        if event.id <= self._seen:  # committed late by another process: nobody looked at it
            self._seen_in = ()
        self._events[event.id] = event
        self._by_name.setdefault(event.name, {})[event.id] = event

    def add_due(self, event: Event) -> None:
        """Let a deadline that has passed wait."""
        self._due.append(event)
        self._due.sort(key=age)

    def discard(self, event: Event) -> None:
        """Forget an event or a deadline; nothing happens if it is not here."""
        if event.id is None:
            self._due = [due for due in self._due if due is not event]
        elif self._events.pop(event.id, None) is not None:
            same = self._by_name[event.name]
            del same[event.id]
            if not same:
                del self._by_name[event.name]

    def clear_due(self) -> None:
        """Forget every deadline: the state was left."""
        if self._due:
            self._due = []

    def oldest(self) -> Event | None:
        """The oldest of all, or None."""
        event = next(iter(self._events.values()), None)
        if not self._due:
            return event
        due = self._due[0]
        return due if event is None or age(due) <= age(event) else event

    def named(self, names: Iterable[str]) -> Iterator[Event]:
        """Those with one of ``names``, oldest first."""
        queues: list[Iterable[Event]] = [
            self._by_name[name].values() for name in names if name in self._by_name
        ]
        return heapq.merge(*queues, key=_id_of) if queues else iter(())

    def unseen(self, names: Iterable[str], *where: object) -> Iterator[Event]:
        """As ``named``, without those that ``seen_all`` says were looked at ``where``.

        ``where`` is compared by identity: a state, a context, a job.
        """
        same = len(where) == len(self._seen_in)
        if not same or any(a is not b for a, b in zip(where, self._seen_in, strict=True)):
            return self.named(names)
        queues = [
            list(itertools.takewhile(self._is_unseen, reversed(self._by_name[name].values())))[::-1]
            for name in names
            if name in self._by_name
        ]
        return heapq.merge(*queues, key=_id_of)

    def seen_all(self, *where: object) -> None:
        """Every event here was looked at; until ``where`` changes, only later ones are unseen."""
        self._seen, self._seen_in = next(reversed(self._events), 0), where

    def _is_unseen(self, event: Event) -> bool:
        return _id_of(event) > self._seen

    @property
    def has_due(self) -> bool:
        """True if a deadline waits."""
        return bool(self._due)

    def due(self) -> tuple[Event, ...]:
        """The deadlines, oldest first."""
        return tuple(self._due)

    def events(self) -> tuple[Event, ...]:
        """The events from outside, oldest first."""
        return tuple(self._events.values())


def _id_of(event: Event) -> int:
    return event.id or 0
