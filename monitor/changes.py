"""What is new in the database since the last look: the rows after our cursors, as messages.

All of it runs in the thread of the tail, never in the event loop.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from django.db import connection
from django.db.models import Max, QuerySet

from machines.models import Event, Machine, Process, Run, Step, Timer
from monitor import messages, reading
from monitor.messages import Message
from monitor.presence import Pulse

MAX_ROWS = 2_000  # of one kind in one look; the next one follows at once
MAX_MACHINES = 500  # whose rows are read in one look
MAX_OPEN = 2_000  # unfinished runs and pending events that are watched
OVERLAP_IDS = 1_000  # how far back to look where ids commit out of order
MACHINES_EVERY = timedelta(milliseconds=250)  # rows of machines that moved
OPEN_EVERY = timedelta(seconds=1)  # output of running work, pending events, counts of jobs

Row = TypeVar("Row", Step, Run, Event)


class Cursor(Generic[Row]):
    """The rows of a table that only grows, each once.

    Where ids become visible out of order (PostgreSQL commits concurrently), each look goes back
    a little and leaves out what it has shown.
    """

    def __init__(self, rows: QuerySet[Row]) -> None:
        self._rows: QuerySet[Row] = rows.order_by("id")
        self._overlap = 0 if connection.vendor == "sqlite" else OVERLAP_IDS
        self._last = 0
        self._seen: set[int] = set()
        self.more = False  # True if the last look did not reach the end

    def begin(self) -> None:
        """Go to the end of the table."""
        self._last = self._rows.aggregate(newest=Max("id"))["newest"] or 0
        window = self._rows.filter(id__gt=self._last - self._overlap)
        self._seen = set(window.values_list("id", flat=True)) if self._overlap else set()

    def new(self) -> list[Row]:
        """Rows not seen yet, in order of id, at most ``MAX_ROWS``."""
        found = list(self._rows.filter(id__gt=self._last - self._overlap)[:MAX_ROWS])
        self.more = len(found) == MAX_ROWS
        new = [row for row in found if row.pk not in self._seen]
        if new:
            self._last = max(self._last, new[-1].pk)
            self._seen.update(row.pk for row in new)
            self._seen = {pk for pk in self._seen if pk > self._last - self._overlap}
        return new


class Changes:
    """Cursors into the tables that only grow, and what is still open behind them."""

    def __init__(self) -> None:
        self._steps = Cursor(Step.objects.all())
        self._runs = Cursor(Run.objects.all())
        self._events = Cursor(Event.objects.defer("payload"))
        self._names: dict[int, str] = {}
        self._seqs: dict[int, int] = {}
        self._moved: set[int] = set()
        self._open_runs: dict[int, str] = {}
        self._pending: set[int] = set()
        self._jobs: dict[str, int] | None = None
        self._alive: frozenset[int] | None = None
        self._machines_at: datetime | None = None
        self._open_at: datetime | None = None

    @property
    def owing(self) -> timedelta | None:
        """When to look again even if nothing happens: there is more to tell. None: no need."""
        if self._steps.more or self._runs.more or self._events.more:
            return timedelta()
        return MACHINES_EVERY if self._moved else None

    def begin(self) -> None:
        """Forget what was seen and start from the present."""
        for cursor in (self._steps, self._runs, self._events):
            cursor.begin()
        for seen in (self._seqs, self._moved, self._pending):
            seen.clear()
        unfinished = Run.objects.filter(outcome=Run.Outcome.RUNNING, ended_at=None)
        newest = unfinished.order_by("-id").values_list("id", flat=True)[:MAX_OPEN]
        self._open_runs = dict.fromkeys(newest, "")
        self._jobs = self._alive = None

    def read(self, watched: Iterable[str], now: datetime) -> list[Message]:
        """All that is new, steps first; machines in ``watched`` are told in detail too."""
        found = [*self._taken(), *self._worked(), *self._refused()]
        if _due(self._open_at, OPEN_EVERY, now):
            self._open_at = now
            found += [*self._running(), *self._judged(), *self._job_counts()]
            self._notice_processes(now)
        if self._moved and _due(self._machines_at, MACHINES_EVERY, now):
            self._machines_at = now
            found += self._standing(frozenset(watched), now)
        return found

    def _taken(self) -> Iterator[Message]:
        for step in self._steps.new():
            last = self._seqs.get(step.machine_id, step.seq - 1)
            if step.seq <= last:
                continue  # was among the missing
            if step.seq > last + 1:
                yield from self._missing(step.machine_id, last, step.seq)
            self._seqs[step.machine_id] = step.seq
            self._moved.add(step.machine_id)
            yield messages.state_change(step, self._name(step.machine_id))

    def _missing(self, machine: int, after: int, before: int) -> Iterator[Message]:
        between = Step.objects.filter(machine_id=machine, seq__gt=after, seq__lt=before)
        for step in between.order_by("seq"):
            yield messages.state_change(step, self._name(machine))

    def _worked(self) -> Iterator[Message]:
        for run in self._runs.new():
            if run.outcome == Run.Outcome.RUNNING and len(self._open_runs) < MAX_OPEN:
                self._open_runs[run.pk] = run.output
            yield messages.activity_log(run, self._name(run.machine_id))
        if self._open_runs:
            open_runs = Run.objects.filter(id__in=list(self._open_runs))
            yield from self._changed(open_runs.exclude(outcome=Run.Outcome.RUNNING))

    def _running(self) -> Iterator[Message]:
        return self._changed(Run.objects.filter(id__in=list(self._open_runs)))

    def _changed(self, runs: QuerySet[Run]) -> Iterator[Message]:
        for run in runs.order_by("id"):
            if run.outcome != Run.Outcome.RUNNING:
                del self._open_runs[run.pk]
            elif run.output == self._open_runs[run.pk]:
                continue
            else:
                self._open_runs[run.pk] = run.output
            yield messages.activity_log(run, self._name(run.machine_id))

    def _refused(self) -> Iterator[Message]:
        for event in self._events.new():
            if event.status == Event.Status.PENDING:
                if len(self._pending) < MAX_OPEN:
                    self._pending.add(event.pk)
            elif event.status != Event.Status.PROCESSED:
                yield messages.event_not_taken(event)

    def _judged(self) -> Iterator[Message]:
        if not self._pending:
            return
        judged = Event.objects.filter(id__in=self._pending).exclude(status=Event.Status.PENDING)
        for event in judged.order_by("id").defer("payload"):
            self._pending.discard(event.pk)
            if event.status != Event.Status.PROCESSED:
                yield messages.event_not_taken(event)

    def _job_counts(self) -> Iterator[Message]:
        counts = reading.counts_of_jobs()
        if counts != self._jobs:
            self._jobs = counts
            yield messages.job_counts(counts)

    def _notice_processes(self, now: datetime) -> None:
        pulse = Pulse(now)
        hosts = Process.objects.filter(kind=Process.Kind.HOST)
        alive = frozenset(host.pk for host in hosts if pulse.lives(host))
        if self._alive is not None and alive != self._alive:
            owned = Machine.objects.filter(status__in=reading.OWNED)
            self._moved.update(owned.values_list("id", flat=True))
        self._alive = alive

    def _standing(self, watched: frozenset[str], now: datetime) -> Iterator[Message]:
        some = [self._moved.pop() for _ in range(min(len(self._moved), MAX_MACHINES))]
        timers: dict[int, list[Timer]] = {}
        for timer in Timer.objects.filter(machine__name__in=watched, machine__in=some):
            timers.setdefault(timer.machine_id, []).append(timer)
        pulse = Pulse(now)
        for machine in reading.machines().filter(id__in=some):
            if machine.name in watched:
                yield messages.machine_detail(machine, timers.get(machine.pk, ()), pulse)
            yield messages.machine_state(machine, pulse)

    def _name(self, machine: int) -> str:
        if machine not in self._names:
            row = Machine.objects.filter(pk=machine).values_list("name", flat=True).first()
            self._names[machine] = row or f"#{machine}"  # deleted a moment ago
        return self._names[machine]


def _due(last: datetime | None, every: timedelta, now: datetime) -> bool:
    return last is None or now - last >= every
