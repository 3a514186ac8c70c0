"""Bells: one datagram byte that says "look in the database". A ring may be lost, never wrong.

A process that wants to be told binds a bell named after its kind and pid; whoever commits
something of interest rings. Nothing travels but the ring, so a full queue is as good as an empty
one, and a bell nobody holds is a dead process's and is removed.
"""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from machines.runtime.rundir import run_dir

RING = b"!"
_DEAD = {errno.ECONNREFUSED, errno.ENOENT}


def bell_path(kind: str, pid: int) -> Path:
    """Where process ``pid`` of ``kind`` ("host", "web") has its bell."""
    return run_dir() / f"{kind}-{pid}.bell"


class Bell:
    """The bell of this process; it calls ``on_ring`` in the running loop, many rings once."""

    def __init__(self, kind: str, on_ring: Callable[[], None]) -> None:
        self.path = bell_path(kind, os.getpid())
        self._on_ring = on_ring
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def open(self) -> None:
        """Bind it and listen. Raises OSError if the run directory cannot be written."""
        self.path.unlink(missing_ok=True)  # a dead process had our pid
        self._socket.bind(str(self.path))
        self.path.chmod(0o600)
        asyncio.get_running_loop().add_reader(self._socket, self._drain)

    def close(self) -> None:
        """Stop listening and remove it."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(64):
                pass
        self._on_ring()


class Ringer:
    """Rings other processes' bells. Cheap enough to be called after every commit."""

    def __init__(self) -> None:
        self._directory = run_dir()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._listed_at_ns = -1
        self._web: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def ring_host(self, pid: int) -> bool:
        """Ring the host with that pid; False if it has no bell here."""
        return self._ring(str(self._directory / f"host-{pid}.bell"))

    def ring_web(self) -> None:
        """Ring every web process of this computer."""
        for path in self._web_bells():
            self._ring(path)

    def ring_hosts(self) -> None:
        """Ring every host of this computer: something that any of them may wait for is there."""
        for path in self._directory.glob("host-*.bell"):
            self._ring(str(path))

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def _web_bells(self) -> Iterable[str]:
        # A new bell changes the directory's time, so one stat replaces a listing.
        changed_at_ns = self._directory.stat().st_mtime_ns
        if changed_at_ns != self._listed_at_ns:
            self._web = tuple(str(path) for path in self._directory.glob("web-*.bell"))
            self._listed_at_ns = changed_at_ns
        return self._web

    def _ring(self, path: str) -> bool:
        try:
            self._socket.sendto(RING, path)
        except BlockingIOError:
            return True  # its queue is full of rings: it will look anyway
        except OSError as error:
            if error.errno not in _DEAD:
                raise
            Path(path).unlink(missing_ok=True)
            self._listed_at_ns = -1
            return False
        return True
