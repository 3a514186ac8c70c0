"""Who runs a machine: proved by a lock that real processes hold, across computers by heartbeat."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from machines.models import Machine, MachineDefinition, Process
from machines.runtime import ownership
from machines.runtime.ownership import DEAD_AFTER, AlreadyRuns, HostLock, lock_path

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOLD_LOCK = """
import fcntl, os, sys
lock = open(f"{sys.argv[1]}/host-{os.getpid()}.lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("run_directory")]


@contextmanager
def living_host(run_directory: Path) -> Iterator[Process]:
    """Another process that holds its lock as a host does."""
    argv = [sys.executable, "-c", HOLD_LOCK, str(run_directory)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield process(holder.pid)
        holder.communicate(timeout=20)


def process(
    pid: int, *, host: str | None = None, heartbeat_at: datetime = NOW, kind: str = "host"
) -> Process:
    """A process on record."""
    return Process.objects.create(
        kind=kind, host=host or socket.gethostname(), pid=pid, heartbeat_at=heartbeat_at
    )


def machine(owner: Process | None = None, name: str = "worker") -> Machine:
    """A machine, and who owns it."""
    definition, _made = MachineDefinition.objects.get_or_create(
        name="d", version=1, defaults={"source": "", "sha256": "0"}
    )
    return Machine.objects.create(
        name=name, definition=definition, process=owner, epoch=3, wanted="stopped"
    )


# -- life and death


def test_a_process_lives_while_it_holds_its_lock(run_directory: Path) -> None:
    with living_host(run_directory) as other:
        assert ownership.lives(other, NOW + timedelta(days=1))

    assert lock_path(other.pid).exists()  # it left it behind, but holds it no more
    assert not ownership.lives(other, NOW)


def test_a_process_without_lock_is_dead() -> None:
    assert not ownership.lives(process(999_999), NOW)


def test_our_own_lock_shows_others_that_we_live() -> None:
    lock = HostLock()
    us = process(os.getpid())

    lock.acquire()
    alive = ownership.lives(us, NOW)
    written = lock.path.read_text()
    lock.release()

    assert alive
    assert written == f"{os.getpid()}\n"
    assert not ownership.lives(us, NOW)
    assert not lock.path.exists()


def test_a_lock_that_was_not_acquired_can_be_released() -> None:
    lock = HostLock()

    lock.release()

    assert not lock.path.exists()


@pytest.mark.parametrize(
    ("silent_for", "alive"),
    [(timedelta(0), True), (DEAD_AFTER, True), (DEAD_AFTER + timedelta(seconds=1), False)],
)
def test_a_process_of_another_computer_lives_by_its_heartbeat(
    silent_for: timedelta, alive: bool
) -> None:
    far = process(1, host="far.example", heartbeat_at=NOW - silent_for)

    assert ownership.lives(far, NOW) is alive


def test_a_beat_is_on_record() -> None:
    us = process(os.getpid())

    ownership.beat(us, NOW + timedelta(seconds=10))

    us.refresh_from_db()
    assert us.heartbeat_at == NOW + timedelta(seconds=10)


# -- on record


def test_a_host_on_record_replaces_the_dead_of_this_computer(run_directory: Path) -> None:
    with living_host(run_directory) as alive:
        same_pid, dead = process(os.getpid()), process(999_999)
        web, far = process(999_998, kind="web"), process(999_999, host="far.example")
        left = machine(dead)

        us = ownership.register_host("/run/host.sock", "1.0", NOW)

        assert set(Process.objects.all()) == {alive, web, far, us}
        assert not Process.objects.filter(pk=same_pid.pk).exists()
        left.refresh_from_db()
        assert left.process is None
        assert (us.pid, us.socket_path, us.version) == (os.getpid(), "/run/host.sock", "1.0")
        assert (us.started_at, us.heartbeat_at) == (NOW, NOW)


def test_what_a_dead_host_left_in_the_run_directory_is_cleared_away(run_directory: Path) -> None:
    process(999_999)
    for name in ("host-999999.sock", "host-999999.lock", "host-9999991.lock", "worker.sock"):
        (run_directory / name).touch()

    ownership.register_host("", "", NOW)

    assert {path.name for path in run_directory.iterdir()} == {"host-9999991.lock", "worker.sock"}


# -- claims


def test_a_machine_without_owner_can_be_claimed() -> None:
    us, free = process(os.getpid()), machine()

    ownership.claim(free, us, NOW)

    assert (free.process, free.epoch, free.wanted) == (us, 4, "")


def test_a_machine_of_a_host_that_lives_is_refused_and_the_refusal_says_who_has_it(
    run_directory: Path,
) -> None:
    us = process(os.getpid())
    with living_host(run_directory) as other:
        taken = machine(other)

        with pytest.raises(AlreadyRuns) as raised:
            ownership.claim(taken, us, NOW)

        assert str(raised.value) == (
            f"machine 'worker' is run by process {other.pid} on {socket.gethostname()};"
            " stop that one, or take it over with --takeover"
        )
        taken.refresh_from_db()
        assert (taken.process, taken.epoch) == (other, 3)


def test_a_takeover_raises_the_epoch_of_a_machine_whose_host_lives(run_directory: Path) -> None:
    us = process(os.getpid())
    with living_host(run_directory) as other:
        taken = machine(other)

        ownership.claim(taken, us, NOW, takeover=True)

        assert (taken.process, taken.epoch) == (us, 4)


def test_a_machine_of_a_dead_host_can_be_claimed(run_directory: Path) -> None:
    us = process(os.getpid())
    with living_host(run_directory) as other:
        left = machine(other)

    ownership.claim(left, us, NOW)

    assert (left.process, left.epoch) == (us, 4)


def test_a_machine_of_ones_own_can_be_claimed_again() -> None:
    lock = HostLock()
    lock.acquire()
    us = process(os.getpid())
    ours = machine(us)

    ownership.claim(ours, us, NOW)

    lock.release()
    assert (ours.process, ours.epoch) == (us, 4)


@pytest.mark.parametrize(("silent_for", "refused"), [(timedelta(0), True), (2 * DEAD_AFTER, False)])
def test_a_machine_of_another_computer_is_claimed_when_its_host_is_silent(
    silent_for: timedelta, refused: bool
) -> None:
    us = process(os.getpid())
    there = machine(process(1, host="far.example", heartbeat_at=NOW - silent_for))

    try:
        ownership.claim(there, us, NOW)
    except AlreadyRuns as error:
        said = str(error)
    else:
        said = ""

    assert ("on far.example" in said) is refused
    assert there.epoch == (3 if refused else 4)


def test_a_process_that_goes_gives_up_its_machines_and_no_others(run_directory: Path) -> None:
    us, other = process(os.getpid()), process(1)
    ours, theirs = machine(us, "ours"), machine(other, "theirs")

    ownership.release(us)

    for row in (ours, theirs):
        row.refresh_from_db()
    assert (ours.process, theirs.process) == (None, other)
    assert list(Process.objects.all()) == [other]
