"""The SQL of the journal on the database that the tests run on: ids, times, turns."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from machines.models import Event
from machines.runtime.dialects import Dialect, PostgreSQL, SQLite, dialect_of, sleep_before_retry

NOW = datetime(2030, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
TABLE = "machines_event"

only_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="ids of SQLite's table")
only_postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="ids of PostgreSQL's sequences"
)


@pytest.fixture
def dialect(transactional_db: None) -> Iterator[Dialect]:
    """The dialect of the tests' database."""
    with closing(dialect_of(connection)) as found:
        yield found


def event(key: str, **columns: Any) -> Event:
    """An event that the ORM inserts."""
    return Event.objects.create(key=key, target="worker", type="go", **columns)


def new_ids(dialect: Dialect, count: int = 3) -> list[int]:
    """Ids that a transaction of the journal would take."""
    return list(islice(dialect.ids(TABLE), count))


def test_the_dialect_is_that_of_the_connection(dialect: Dialect) -> None:
    assert isinstance(dialect, SQLite if connection.vendor == "sqlite" else PostgreSQL)


# -- statements


def test_rows_are_written_and_read_with_one_spelling_of_placeholders(dialect: Dialect) -> None:
    keys = [event(str(number)).key for number in range(3)]
    with transaction.atomic():
        changed = dialect.execute_many(
            "UPDATE machines_event SET reason = ? WHERE key = ?", [("why", key) for key in keys[:2]]
        )

    assert changed == 2
    found = dialect.fetch("SELECT key FROM machines_event WHERE reason = ? ORDER BY key", ("why",))
    assert [tuple(row) for row in found] == [("0",), ("1",)]


def test_what_was_not_changed_is_not_counted(dialect: Dialect) -> None:
    event("k")

    changed = dialect.execute_many(
        "UPDATE machines_event SET reason = ? WHERE key = ?", [("a", "k"), ("b", "unknown")]
    )

    assert changed == 1


def test_a_time_is_bound_as_django_reads_it(dialect: Dialect) -> None:
    row = event("k")

    for at in (NOW, NOW, NOW.replace(microsecond=0)):  # twice the same: it is remembered
        dialect.execute_many(
            "UPDATE machines_event SET created_at = ?, processed_at = ? WHERE id = ?",
            [(dialect.time(at), dialect.time(None), row.pk)],
        )
        row.refresh_from_db()
        assert (row.created_at, row.processed_at) == (at, None)


# -- ids


def test_ids_ascend_behind_those_of_the_orm(dialect: Dialect) -> None:
    last = event("k").pk
    with transaction.atomic():
        ids = new_ids(dialect, 200)

    assert ids == sorted(set(ids))
    assert ids[0] > last


@only_sqlite
def test_on_sqlite_ids_go_on_behind_rows_inserted_with_ids_of_ours(dialect: Dialect) -> None:
    with transaction.atomic():
        taken = new_ids(dialect)
        for number in taken:
            event(str(number), id=number)

    with transaction.atomic():
        assert new_ids(dialect, 2) == [taken[-1] + 1, taken[-1] + 2]
    assert event("orm").pk == taken[-1] + 1


@only_sqlite
def test_on_sqlite_ids_of_a_transaction_that_failed_are_given_again(dialect: Dialect) -> None:
    with transaction.atomic():
        first = new_ids(dialect)
        event("k", id=first[-1])
        transaction.set_rollback(True)

    with transaction.atomic():
        assert new_ids(dialect) == first


@only_sqlite
def test_on_sqlite_no_id_is_given_twice_though_the_last_row_is_gone(dialect: Dialect) -> None:
    last = event("k").pk
    Event.objects.all().delete()

    with transaction.atomic():
        assert new_ids(dialect, 1) == [last + 1]


@only_sqlite
def test_on_sqlite_a_table_that_never_had_a_row_begins_with_one(dialect: Dialect) -> None:
    with transaction.atomic():
        dialect.execute_many("DELETE FROM sqlite_sequence WHERE name = ?", [(TABLE,)])

        assert new_ids(dialect, 1) == [1]
        transaction.set_rollback(True)


@only_postgresql
def test_on_postgresql_the_orm_never_meets_an_id_that_was_given(dialect: Dialect) -> None:
    with transaction.atomic():
        given = new_ids(dialect, 100)
        transaction.set_rollback(True)

    with transaction.atomic():
        again = new_ids(dialect, 1)

    assert again[0] > given[-1]
    assert event("orm").pk not in {*given, *again}


# -- turns


@only_sqlite
def test_on_sqlite_a_writer_holds_its_turn_until_it_is_done(dialect: Dialect) -> None:
    path = Path(f"{connection.settings_dict['NAME']}.turn")
    with path.open("a") as other:
        with dialect.turn(), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)

        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


@only_sqlite
def test_on_sqlite_a_writer_that_fails_gives_its_turn_back(dialect: Dialect) -> None:
    path = Path(f"{connection.settings_dict['NAME']}.turn")
    with pytest.raises(ZeroDivisionError), dialect.turn():
        raise ZeroDivisionError

    with path.open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


@only_postgresql
def test_on_postgresql_writers_need_no_turns(dialect: Dialect) -> None:
    with dialect.turn(), dialect.turn():
        assert event("k").pk


def test_the_wait_before_another_attempt_doubles_up_to_two_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)

    for attempt in (0, 1, 2, 5, 6, 100):
        sleep_before_retry(attempt)

    assert slept == [0.05, 0.1, 0.2, 1.6, 2.0, 2.0]
