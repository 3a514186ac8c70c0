"""The rows of one transaction of the journal, collected and then written in bulk.

The SQL here is the only that writes events of running machines, steps, runs, timers and the state
of machines; its columns are those of ``models.py``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from machines.core.storable import storable
from machines.runtime.dialects import Dialect

INSERT_EVENT = (
    "INSERT INTO machines_event (id, key, source, target, type, payload, job_id, status,"
    " reason, actor, created_at, processed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
END_EVENT = (
    "UPDATE machines_event SET status = ?, reason = ?, processed_at = ?"
    " WHERE id = ? AND status = 'pending'"
)
INSERT_STEP = (
    "INSERT INTO machines_step (id, machine_id, seq, event, event_row_id, source, target,"
    " transition, guard, changes, status, definition_id, at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
INSERT_RUN = (
    'INSERT INTO machines_run (id, machine_id, seq, "index", type, attempt, token, outcome,'
    " level, message, output, exit_code, event, job_id, started_at, ended_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
END_RUN = (
    "UPDATE machines_run SET outcome = ?, message = ?, output = ?, exit_code = ?, event = ?,"
    " ended_at = ? WHERE token = ? AND token <> ''"
)
CUT_RUN = (
    "UPDATE machines_run SET outcome = ?, message = ?, ended_at = ?"
    " WHERE token = ? AND token <> '' AND outcome = 'running'"
)
RUN_OUTPUT = "UPDATE machines_run SET output = ? WHERE token = ? AND outcome = 'running'"
INSERT_TIMER = (
    "INSERT INTO machines_timer (id, machine_id, seq, name, transition, action, due_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
DELETE_TIMER = "DELETE FROM machines_timer WHERE id = ?"
UPDATE_MACHINE = (
    "UPDATE machines_machine SET definition_id = ?, states = ?, context = ?, turn = ?,"
    " last_event_id = ?, job_id = ?, job_token = ?, status = ?, fault = ?, seq = ?,"
    " entered_at = ?, active_at = ? WHERE id = ? AND seq = ? AND epoch = ?"
)
MAX_NAME_LENGTH = 200  # characters; the columns of ``models.py`` are as wide


class Fenced(Exception):  # noqa: N818 - reads as what happened
    """A machine of this group belongs to another host now; nothing was written."""


class Contested(Exception):  # noqa: N818 - reads as what happened
    """An event that was to be ended is not pending any more; nothing was written."""


@dataclass(slots=True)
class EventRow:
    """An event to be inserted; judged in the same transaction, it is inserted as ended."""

    id: int
    key: str
    source: str
    target: str
    type: str
    payload: bytes | None
    job_id: str
    actor: str
    created_at: datetime
    status: str = "pending"
    reason: str = ""
    processed_at: datetime | None = None


class Rows:
    """What one transaction writes. ``flush`` may be called more than once."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._ids: dict[str, Iterator[int]] = {}
        self._events: dict[int, EventRow] = {}
        self._event_ends: list[Sequence[Any]] = []
        self._steps: list[Sequence[Any]] = []
        self._runs: list[Sequence[Any]] = []
        self._run_ends: list[Sequence[Any]] = []
        self._runs_cut: list[Sequence[Any]] = []
        self._run_outputs: list[Sequence[Any]] = []
        self._timers: dict[int, Sequence[Any]] = {}
        self._timers_gone: list[Sequence[Any]] = []
        self._machines: dict[int, Sequence[Any]] = {}
        self.written = False  # True once anything was flushed

    def new_id(self, table: str) -> int:
        """A new id of that table."""
        ids = self._ids.get(table)
        if ids is None:
            ids = self._ids[table] = self._dialect.ids(table)
        return next(ids)

    def add_event(self, event: EventRow) -> None:
        """Insert an event."""
        self._events[event.id] = event

    def end_event(self, event_id: int, status: str, reason: str, at: datetime) -> None:
        """End a pending event, whether it was inserted just now or before."""
        reason = storable(reason)
        row = self._events.get(event_id)
        if row is None:
            self._event_ends.append((status, reason, self._dialect.time(at), event_id))
        else:
            row.status, row.reason, row.processed_at = status, reason, at

    def add_step(self, row: Sequence[Any], at: datetime) -> None:
        """Insert a step: the columns of INSERT_STEP between id and at, JSON as text."""
        step_id = self.new_id("machines_step")
        self._steps.append((step_id, *row, self._dialect.time(at)))

    def add_run(self, row: Sequence[Any], started_at: datetime, ended_at: datetime | None) -> None:
        """Insert a run: the columns of INSERT_RUN between id and started_at."""
        row = _storable_texts(row)
        run_id = self.new_id("machines_run")
        time = self._dialect.time
        self._runs.append((run_id, *row, time(started_at), time(ended_at)))

    def end_run(self, token: str, row: Sequence[Any], at: datetime) -> None:
        """End a run: outcome, message, output, exit code, event.

        No file can name an event that is longer than its column, so such a one is only shown: cut.
        """
        outcome, message, output, exit_code, event = _storable_texts(row)
        event = event[:MAX_NAME_LENGTH]
        ended_at = self._dialect.time(at)
        self._run_ends.append((outcome, message, output, exit_code, event, ended_at, token))

    def cut_run(self, token: str, outcome: str, message: str, at: datetime) -> None:
        """End a run if it is still on record as running: ``lost``, ``stopped`` or ``failed``."""
        self._runs_cut.append((outcome, storable(message), self._dialect.time(at), token))

    def run_output(self, token: str, output: str) -> None:
        """Replace what a running run has printed so far."""
        self._run_outputs.append((output, token))

    def add_timer(self, row: Sequence[Any], due_at: datetime) -> int:
        """Insert a timer: the columns of INSERT_TIMER between id and due_at; its id."""
        timer_id = self.new_id("machines_timer")
        self._timers[timer_id] = (timer_id, *row, self._dialect.time(due_at))
        return timer_id

    def delete_timer(self, timer_id: int) -> None:
        """Delete a timer."""
        if self._timers.pop(timer_id, None) is None:
            self._timers_gone.append((timer_id,))

    def update_machine(self, machine_id: int, row: Sequence[Any]) -> None:
        """Write a machine: the values of UPDATE_MACHINE; the last call counts."""
        self._machines[machine_id] = row

    @property
    def empty(self) -> bool:
        """True if nothing was collected since the last flush."""
        return not any(self._collected())

    def forget(self) -> None:
        """Drop what was collected and not yet flushed."""
        for collected in self._collected():
            collected.clear()

    def _collected(self) -> tuple[dict[int, Any] | list[Sequence[Any]], ...]:
        return (
            self._events,
            self._event_ends,
            self._steps,
            self._runs,
            self._run_ends,
            self._runs_cut,
            self._run_outputs,
            self._timers,
            self._timers_gone,
            self._machines,
        )

    def flush(self) -> None:
        """Write everything collected so far.

        Raises Fenced or Contested if a row is not what this host believes it to be; the
        transaction must then be rolled back.
        """
        many = self._dialect.execute_many
        if self._events:
            self._insert_events()
        for sql, rows in (
            (INSERT_STEP, self._steps),
            (INSERT_RUN, self._runs),
            (END_RUN, self._run_ends),
            (CUT_RUN, self._runs_cut),
            (RUN_OUTPUT, self._run_outputs),
            (DELETE_TIMER, self._timers_gone),
        ):
            if rows:
                many(sql, rows)
                rows.clear()
                self.written = True
        if self._timers:
            many(INSERT_TIMER, list(self._timers.values()))
            self._timers.clear()
            self.written = True
        self._write_guarded()

    def _insert_events(self) -> None:
        time = self._dialect.time
        rows = [
            (
                event.id,
                event.key,
                event.source,
                event.target,
                event.type,
                None if event.payload is None else event.payload.decode(),
                event.job_id,
                event.status,
                event.reason,
                event.actor,
                time(event.created_at),
                time(event.processed_at),
            )
            for event in self._events.values()
        ]
        self._dialect.execute_many(INSERT_EVENT, rows)
        self._events.clear()
        self.written = True

    def _write_guarded(self) -> None:
        if self._event_ends:
            ended = self._dialect.execute_many(END_EVENT, self._event_ends)
            if ended != len(self._event_ends):
                raise Contested
            self._event_ends.clear()
            self.written = True
        if self._machines:
            rows = list(self._machines.values())
            if self._dialect.execute_many(UPDATE_MACHINE, rows) != len(rows):
                raise Fenced
            self._machines.clear()
            self.written = True


def _storable_texts(row: Sequence[Any]) -> tuple[Any, ...]:
    """A row of what programs said: whatever it is, the database takes it."""
    return tuple(storable(value) if isinstance(value, str) else value for value in row)


def as_json(value: Any) -> str:
    """A value as the text of a JSON column."""
    return orjson.dumps(value).decode()
