"""Who is alive: the row of this web process, and whether a machine's host still beats."""

import os
import socket
from datetime import datetime, timedelta

from machines.models import Machine, Process
from machines.runtime.ownership import lives

HEARTBEAT_SECONDS = 10.0
FORGET_AFTER = timedelta(minutes=5)


class Pulse:
    """Which hosts are alive at one moment; each is asked once, however many machines it runs."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._alive: dict[int, bool] = {}

    def lives(self, process: Process) -> bool:
        """True if that process is alive."""
        if process.pk not in self._alive:
            self._alive[process.pk] = lives(process, self.now)
        return self._alive[process.pk]

    def is_up(self, machine: Machine) -> bool:
        """True if a live host runs the machine; its ``process`` should be selected with it."""
        return machine.process is not None and self.lives(machine.process)


def forget_web_process() -> None:
    """Remove the row of this process, whoever wrote it."""
    Process.objects.filter(
        kind=Process.Kind.WEB, host=socket.gethostname(), pid=os.getpid()
    ).delete()


class Presence:
    """The row that says that this web process is here."""

    def __init__(self) -> None:
        self._row: Process | None = None

    def beat(self, now: datetime) -> None:
        """Say that we live; the first time, write the row and forget web processes long dead."""
        if self._row is None:
            here = Process.objects.filter(kind=Process.Kind.WEB, host=socket.gethostname())
            here.filter(heartbeat_at__lt=now - FORGET_AFTER).delete()
            forget_web_process()  # a dead process had our pid
            self._row = Process(
                kind=Process.Kind.WEB, host=socket.gethostname(), pid=os.getpid(), started_at=now
            )
        self._row.heartbeat_at = now
        if self._row.pk is None:
            self._row.save(force_insert=True)
        else:
            Process.objects.filter(pk=self._row.pk).update(heartbeat_at=now)

    def leave(self) -> None:
        """Remove the row, if there is one."""
        if self._row is not None and self._row.pk is not None:
            Process.objects.filter(pk=self._row.pk).delete()
        self._row = None
