"""What differs between databases in the SQL of the journal."""

from __future__ import annotations

import fcntl
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from django.db.backends.base.base import BaseDatabaseWrapper

Row = Sequence[Any]


class Dialect(Protocol):
    """A database as the journal uses it, on the connection of the journal's thread."""

    def execute_many(self, sql: str, rows: Sequence[Row]) -> int:
        """Execute ``sql`` (placeholders ``?``) once a row; how many rows it changed in all."""

    def fetch(self, sql: str, row: Row) -> list[tuple[Any, ...]]:
        """The rows that a query gives."""

    def ids(self, table: str) -> Iterator[int]:
        """New ids for ``table``, ascending; valid within the present transaction."""

    def time(self, at: datetime | None) -> Any:
        """A time as it is bound."""

    def turn(self) -> Any:
        """A context that holds this writer's turn among the processes that write."""

    def close(self) -> None:
        """Give back what is held beside the connection."""


class SQLite:
    """SQLite: raw ``executemany`` on Django's connection; ids under BEGIN IMMEDIATE."""

    def __init__(self, wrapper: BaseDatabaseWrapper) -> None:
        wrapper.ensure_connection()
        self._connection: sqlite3.Connection = wrapper.connection
        self._last_time: datetime | None = None
        self._last_text: str | None = None
        self._lock = Path(f"{wrapper.settings_dict['NAME']}.turn").open("a")  # noqa: SIM115

    def execute_many(self, sql: str, rows: Sequence[Row]) -> int:
        """See Dialect."""
        cursor = sqlite3.Connection.cursor(self._connection)
        return cursor.executemany(sql, rows).rowcount

    def fetch(self, sql: str, row: Row) -> list[tuple[Any, ...]]:
        """See Dialect."""
        return sqlite3.Connection.cursor(self._connection).execute(sql, row).fetchall()

    def ids(self, table: str) -> Iterator[int]:
        """See Dialect. Nobody else can take one: the transaction is the only writer."""
        found = self.fetch("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
        last = int(found[0][0]) if found else 0
        while True:
            last += 1
            yield last

    def time(self, at: datetime | None) -> str | None:
        """As Django stores it: UTC, without a zone."""
        if at is self._last_time:  # most times of a group are that of the group
            return self._last_text
        text = None if at is None else at.replace(tzinfo=None).isoformat(" ", "microseconds")
        self._last_time, self._last_text = at, text
        return text

    @contextmanager
    def turn(self) -> Iterator[None]:
        """SQLite's busy handler sleeps and starves some writers; a kernel lock is fair."""
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        """See Dialect."""
        self._lock.close()


class PostgreSQL:
    """PostgreSQL: pipelined ``executemany``; ids from the tables' sequences."""

    IDS_AT_ONCE = 64  # of one group; those left over are lost, which costs nothing

    def __init__(self, wrapper: BaseDatabaseWrapper) -> None:
        wrapper.ensure_connection()
        self._wrapper = wrapper

    def execute_many(self, sql: str, rows: Sequence[Row]) -> int:
        """See Dialect."""
        with self._wrapper.connection.cursor() as cursor:
            cursor.executemany(sql.replace("?", "%s"), rows)
            return int(cursor.rowcount)

    def fetch(self, sql: str, row: Row) -> list[tuple[Any, ...]]:
        """See Dialect."""
        with self._wrapper.connection.cursor() as cursor:
            return list(cursor.execute(sql.replace("?", "%s"), row).fetchall())

    def ids(self, table: str) -> Iterator[int]:
        """See Dialect."""
        while True:
            found = self.fetch(
                "SELECT nextval(?) FROM generate_series(1, ?)",
                (f"{table}_id_seq", self.IDS_AT_ONCE),
            )
            yield from (int(row[0]) for row in found)

    def time(self, at: datetime | None) -> datetime | None:
        """As it is."""
        return at

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Writers of PostgreSQL need no turns."""
        yield

    def close(self) -> None:
        """See Dialect."""


def dialect_of(wrapper: BaseDatabaseWrapper) -> Dialect:
    """The dialect of a Django connection."""
    return SQLite(wrapper) if wrapper.vendor == "sqlite" else PostgreSQL(wrapper)


def sleep_before_retry(attempt: int) -> None:
    """Back off while a database is locked: 50 ms, doubling, at most 2 s."""
    time.sleep(min(0.05 * 2**attempt, 2.0))
