"""The control socket of a host: frames in, one answer each, in the order of the frames.

An answer that was asked to wait for the end of its event comes when that has ended, and carries
the key.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import struct
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from machines.core.protocol import (
    MAX_FRAME_BYTES,
    ControlFrame,
    EventFrame,
    FrameError,
    encode,
    parse_frame,
)

MAX_UNANSWERED = 1_024  # frames of one client; then it is not read until some are answered
MAX_WRITE_BUFFER_BYTES = 1 << 20  # of answers a client does not read

Answer = Callable[[dict[str, Any]], None]
Serve = Callable[[EventFrame | ControlFrame, Answer], None]


class ControlServer:
    """The sockets of a host. ``serve`` gets each frame and answers it, now or later."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._servers: list[tuple[Path, int, asyncio.Server]] = []
        self._connections: set[_Connection] = set()

    async def listen(self, path: Path, default_target: str = "") -> None:
        """Listen at ``path``. Frames that name no target mean ``default_target``.

        Bound elsewhere and renamed into place, so that the path never is half open, and a socket
        that another process listens on is replaced only once ours is ready.
        """
        listener, inode = _bind(path)
        server = await asyncio.get_running_loop().create_unix_server(
            lambda: _Connection(self._serve, default_target, self._connections), sock=listener
        )
        self._servers.append((path, inode, server))

    async def close(self) -> None:
        """Stop listening, and remove the sockets that are still ours."""
        for path, inode, server in self._servers:
            server.close()
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_ino == inode:
                    path.unlink()
        for connection in tuple(self._connections):
            connection.finish()
        self._servers.clear()


class _Connection(asyncio.Protocol):
    def __init__(self, serve: Serve, default_target: str, everybody: set[_Connection]) -> None:
        self._serve = serve
        self._default_target = default_target
        self._everybody = everybody
        self._buffer = bytearray()
        # A slot a frame, in order; None until it is answered.
        self._slots: deque[list[bytes | None]] = deque()
        self._awaited = 0
        self._flush_is_due = False
        self._paused = False
        self._client_is_slow = False
        self._at_end = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if not _same_user(self._transport.get_extra_info("socket")):
            self._transport.abort()
            return
        self._transport.set_write_buffer_limits(high=MAX_WRITE_BUFFER_BYTES)
        self._everybody.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self._everybody.discard(self)
        self._slots.clear()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if b"\n" in data:
            *lines, rest = self._buffer.split(b"\n")
            self._buffer = rest
            for line in lines:
                self._take(bytes(line))
        if len(self._buffer) >= MAX_FRAME_BYTES:
            self._buffer.clear()
            slot: list[bytes | None] = [None]
            self._slots.append(slot)
            self._answer_in(slot, _error(f"a frame has at most {MAX_FRAME_BYTES} bytes"))
            self._at_end = True
            self._transport.pause_reading()
            self._flush()
        self._regulate()

    def eof_received(self) -> bool:
        self._at_end = True
        if self._buffer:
            self._take(bytes(self._buffer))
            self._buffer.clear()
        self._flush()
        return True  # the answers are still to be written

    def pause_writing(self) -> None:
        self._client_is_slow = True
        self._regulate()

    def resume_writing(self) -> None:
        self._client_is_slow = False
        self._regulate()

    def finish(self) -> None:
        """Close when everything is answered; now if nothing is awaited."""
        self._at_end = True
        self._flush()

    def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        if len(line) >= MAX_FRAME_BYTES:
            self._take_error(f"a frame has at most {MAX_FRAME_BYTES} bytes, not {len(line) + 1}")
            return
        try:
            frame = parse_frame(line, self._default_target)
        except FrameError as error:
            self._take_error(str(error))
            return
        if isinstance(frame, EventFrame) and frame.wait_seconds is not None:
            self._awaited += 1
            self._serve(frame, lambda said: self._write_waited(frame.key, said))
            return
        slot: list[bytes | None] = [None]
        self._slots.append(slot)
        self._serve(frame, lambda said: self._answer_in(slot, said))

    def _take_error(self, why: str) -> None:
        slot: list[bytes | None] = [None]
        self._slots.append(slot)
        self._answer_in(slot, _error(why))

    def _answer_in(self, slot: list[bytes | None], said: dict[str, Any]) -> None:
        slot[0] = encode(said)
        # A commit answers many frames: they are written with one call.
        if not self._flush_is_due and self._slots and self._slots[0] is slot:
            self._flush_is_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _write_waited(self, key: str, said: dict[str, Any]) -> None:
        self._awaited -= 1
        if not self._transport.is_closing():
            self._transport.write(encode({**said, "key": key} if key else said))
        self._flush()

    def _flush(self) -> None:
        self._flush_is_due = False
        ready: list[bytes] = []
        while self._slots and (answer := self._slots[0][0]) is not None:
            self._slots.popleft()
            ready.append(answer)
        if ready and not self._transport.is_closing():
            self._transport.write(b"".join(ready))
        if self._at_end and not self._slots and not self._awaited:
            self._transport.close()
        self._regulate()

    def _regulate(self) -> None:
        """Read only while the client reads its answers and we keep up with its frames."""
        pause = self._client_is_slow or len(self._slots) >= MAX_UNANSWERED
        if self._transport.is_closing() or self._at_end or pause == self._paused:
            return
        self._paused = pause
        if pause:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()


def _bind(path: Path) -> tuple[socket.socket, int]:
    """A socket that listens at ``path``, and the number of its inode."""
    bound = path.with_name(f".{secrets.token_hex(3)}")  # short: a socket's path has little room
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.setblocking(False)
    listener.bind(str(bound))
    bound.chmod(0o600)
    listener.listen(128)
    inode = bound.stat().st_ino
    bound.rename(path)
    return listener, inode


def _error(why: str) -> dict[str, Any]:
    return {"ok": False, "code": "frame", "error": why}


def _same_user(peer: socket.socket) -> bool:
    """True if the other end is a process of our user, or of root."""
    if sys.platform != "linux":
        return True  # the directory is ours alone
    size = struct.calcsize("3i")
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    _pid, uid, _gid = struct.unpack("3i", credentials)
    return uid in {os.getuid(), 0}
