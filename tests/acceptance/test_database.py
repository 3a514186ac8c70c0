"""A database that is busy, or full, delays; nothing is lost by it."""

import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.acceptance.client import Feed, numbered
from tests.acceptance.system import FIXTURES, Running, System, assert_audit_is_whole

LISTENER = FIXTURES / "listener.yaml"
COUNT = 100

pytestmark = pytest.mark.acceptance


def test_senders_are_answered_when_a_busy_database_is_free_again(system: System) -> None:
    system.run_machine(LISTENER, name="listener")
    feed = Feed(system.run_dir / "listener.sock", numbered("count", COUNT, sender="sender"))

    with closing(sqlite3.connect(system.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        feed.go_on(3)
        answers_while_busy = len(feed.answers)
        other.execute("ROLLBACK")
    free_at = time.monotonic()
    feed.go_on()
    answered_at = time.monotonic()
    system.wait_until_settled()

    assert answers_while_busy == 0
    assert answered_at - free_at < 5
    assert feed.done
    assert len(feed.answers) == COUNT
    assert system.context("listener") == {"last": COUNT}
    assert_audit_is_whole(system)


def test_events_wait_until_a_full_disk_has_room_again(system: System) -> None:
    host = system.run_machine(LISTENER, name="listener")
    system.wait_until(lambda: system.state("listener") == "listening")
    feed = Feed(system.run_dir / "listener.sock", numbered("count", COUNT, sender="sender"))

    with full_disk(system, host):
        feed.go_on(2)
        answers_while_full = len(feed.answers)
    feed.go_on()
    system.wait_until_settled()

    assert answers_while_full == 0
    assert host.alive
    assert feed.done
    assert system.context("listener") == {"last": COUNT}
    assert_audit_is_whole(system)


def test_a_deadline_that_passed_while_the_disk_was_full_fires_once(system: System) -> None:
    host = system.run_machine(FIXTURES / "late.yaml", name="late")
    system.wait_until(lambda: system.value("SELECT due_at < datetime('now') FROM machines_timer"))

    feed = Feed(system.run_dir / "late.sock", numbered("count", 1, sender="sender"))
    with full_disk(system, host):
        feed.go_on(2)
    feed.hang_up()
    (system.folder / "gate").touch()
    system.wait_until(lambda: system.context("late")["fired"])
    system.tell("late", {"type": "finish"})
    system.wait_until_settled()
    assert host.end() == 0

    fired = [step[0] for step in system.steps("late") if step[0].startswith("timeout")]
    assert fired == ["timeout(5)"]
    assert_audit_is_whole(system)


@contextmanager
def full_disk(system: System, host: Running) -> Iterator[None]:
    """Let no file of a host grow, which to a writer is what a full disk is."""
    written_bytes = system.database.with_name(f"{system.database.name}-wal").stat().st_size
    unlimited = resource.prlimit(host.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(host.pid, resource.RLIMIT_FSIZE, (written_bytes, unlimited[1]))
    yield
    resource.prlimit(host.pid, resource.RLIMIT_FSIZE, unlimited)
