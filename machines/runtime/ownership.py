"""Who runs a machine: one host at a time, proved by its lock and guarded by the epoch.

On one computer a host that died is known at once, for the kernel lets go of its file lock; on
another by its heartbeat.
"""

from __future__ import annotations

import fcntl
import os
import socket
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from django.db import transaction
from django.db.models import F

from machines.core.errors import MachineError
from machines.models import Machine, Process
from machines.runtime.rundir import run_dir

HEARTBEAT_SECONDS = 10.0
DEAD_AFTER = timedelta(seconds=45)  # of no heartbeat: four beats missed, and some for a slow disk


class AlreadyRuns(MachineError):  # noqa: N818 - reads as what happened
    """Another live host owns the machine."""


class HostLock:
    """The lock that a host holds while it lives."""

    def __init__(self) -> None:
        self.path = lock_path(os.getpid())
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Hold it until ``release`` or the end of this process."""
        self._file = self.path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def release(self) -> None:
        """Let go of it and remove it."""
        self.path.unlink(missing_ok=True)
        if self._file is not None:
            self._file.close()


def lock_path(pid: int) -> Path:
    """Where the host with that pid has its lock."""
    return run_dir() / f"host-{pid}.lock"


def lives(process: Process, now: datetime) -> bool:
    """True if that process is alive."""
    if not process.is_here:
        return now - process.heartbeat_at <= DEAD_AFTER
    try:
        with lock_path(process.pid).open("r") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    except FileNotFoundError:
        pass
    return False


def register_host(socket_path: str, version: str, now: datetime) -> Process:
    """Put this process on record as a host, and remove those of this computer that died."""
    here = Process.objects.filter(kind=Process.Kind.HOST, host=socket.gethostname())
    for process in here:
        if process.pid == os.getpid():
            process.delete()
        elif not lives(process, now):
            process.delete()
            for left in run_dir().glob(f"host-{process.pid}.*"):
                left.unlink(missing_ok=True)
    return Process.objects.create(
        kind=Process.Kind.HOST,
        host=socket.gethostname(),
        pid=os.getpid(),
        socket_path=socket_path,
        version=version,
        started_at=now,
        heartbeat_at=now,
    )


def claim(machine: Machine, process: Process, now: datetime, *, takeover: bool = False) -> None:
    """Make ``process`` the owner of a machine; its epoch grows, which fences the one before.

    Raises AlreadyRuns if a live host owns it, unless ``takeover``.
    """
    with transaction.atomic():
        current = Machine.objects.select_for_update().get(pk=machine.pk)
        owner = None if current.has_ended else current.process
        if owner is not None and owner.pk != process.pk and not takeover and lives(owner, now):
            raise AlreadyRuns(
                f"machine {machine.name!r} is run by process {owner.pid} on {owner.host};"
                f" stop that one, or take it over with --takeover"
            )
        claimed = Machine.objects.filter(pk=machine.pk, epoch=current.epoch).update(
            epoch=F("epoch") + 1, process=process, wanted=""
        )
        if not claimed:
            raise AlreadyRuns(f"machine {machine.name!r} was taken by another host just now")
    machine.refresh_from_db()


def give_up(machine: Machine) -> None:
    """Let a machine that was claimed and is not to be run have no owner."""
    Machine.objects.filter(pk=machine.pk, epoch=machine.epoch).update(process=None)


def release(process: Process) -> None:
    """Give up every machine of a process and remove it from the record."""
    Machine.objects.filter(process_id=process.pk).update(process=None)
    Process.objects.filter(pk=process.pk).delete()


def beat(process: Process, now: datetime) -> None:
    """Say that a process is alive."""
    Process.objects.filter(pk=process.pk).update(heartbeat_at=now)
