"""The raw limit: the journal's own rows, written by nothing but ``sqlite3``.

The same tables, indexes, pragmas and values as a host writes for a machine that goes to and fro;
prepared ``executemany`` in groups, one thread.
"""

import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

import orjson

from machines.runtime.rows import INSERT_EVENT, INSERT_STEP, UPDATE_MACHINE

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "cache_size=-16384", "temp_store=MEMORY")


class RawWriter:
    """Writes steps of the first machine of a migrated database, whose definition has id 1."""

    def __init__(self, database: Path) -> None:
        self._connection = sqlite3.connect(database, isolation_level=None, timeout=20)
        for pragma in PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("PRAGMA foreign_keys = ON")
        found = self._connection.execute("SELECT id, name, seq FROM machines_machine").fetchone()
        self._machine_id, self._name, self._seq = found
        self._event_id = self._last("machines_event")
        self._step_id = self._last("machines_step")

    def write(self, count: int) -> None:
        """Commit ``count`` events with their steps, and the machine, in one transaction."""
        connection = self._connection
        now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
        events, steps = [], []
        for _ in range(count):
            self._event_id += 1
            self._step_id += 1
            self._seq += 1
            key = f"{time.time_ns():020x}{self._event_id:012x}"
            payload = orjson.dumps({"n": self._event_id}).decode()
            there, back = ("a", "b") if self._seq % 2 else ("b", "a")
            event = (self._event_id, key, "", self._name, "go", payload, "", "processed", "", "")
            events.append((*event, now, now))
            step = (self._step_id, self._machine_id, self._seq, "go", self._event_id, there, back)
            steps.append((*step, 0, None, None, "", 1, now))
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(INSERT_EVENT, events)
        connection.executemany(INSERT_STEP, steps)
        connection.executemany(UPDATE_MACHINE, [self._machine_row(now, self._seq - count)])
        connection.execute("COMMIT")

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def _machine_row(self, now: str, before: int) -> tuple[object, ...]:
        columns = (1, '["a"]', "{}", "{}", self._event_id, None, "", "running", "", self._seq)
        return (*columns, now, now, self._machine_id, before, 1)

    def _last(self, table: str) -> int:
        sql = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?"
        return int(self._connection.execute(sql, (table,)).fetchone()[0])


def events_per_second(writer: RawWriter, *, group: int, seconds: float) -> float:
    """How many events a second the raw writer commits in groups of that size."""
    started = time.perf_counter()
    written = 0
    while time.perf_counter() - started < seconds:
        writer.write(group)
        written += group
    return written / (time.perf_counter() - started)


def commit_seconds(writer: RawWriter, *, count: int) -> list[float]:
    """How long each of ``count`` commits of a single event takes."""
    taken = []
    for _ in range(count):
        started = time.perf_counter()
        writer.write(1)
        taken.append(time.perf_counter() - started)
    return taken
