"""What talks to a host from outside: a client, a sender who never gives up, and a doorbell."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import time
from collections import deque
from pathlib import Path
from typing import Any, Self

ANSWER_SECONDS = 60.0  # a host may have to wait for the database
READ_BYTES = 1 << 16


class NobodyListens(Exception):  # noqa: N818 - reads as what happened
    """There is no host behind a socket, or it has gone."""


class Doorbell:
    """A bell such as a web process has: hosts ring it after they wrote something."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(path))

    def wait(self, seconds: float) -> bool:
        """Wait for a ring, at most so long; False if there was none."""
        if not select.select([self._socket], [], [], seconds)[0]:
            return False
        self.drain()
        return True

    def drain(self) -> None:
        """Forget the rings so far."""
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(64):
                pass

    def close(self) -> None:
        """Remove it."""
        self._socket.close()
        self._path.unlink(missing_ok=True)


class Client:
    """A connection to a control socket, for lines of any kind."""

    def __init__(self, path: Path) -> None:
        """Connect, or raise NobodyListens."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._rest = b""
        self._outgoing = bytearray()
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise NobodyListens(str(error)) from error
        # Not before: with a time limit a connection is refused while many others wait for theirs.
        self._socket.settimeout(ANSWER_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def say(self, raw: bytes) -> None:
        """Send bytes, whatever they are."""
        try:
            self._socket.sendall(raw)
        except OSError as error:
            raise NobodyListens(str(error)) from error

    def say_what_goes_out(self, raw: bytes) -> None:
        """Send bytes until the host takes no more of them, and let the rest be."""
        left = memoryview(raw)
        while left and select.select([], [self._socket], [], 1)[1]:
            left = left[self._socket.send(left, socket.MSG_DONTWAIT) :]

    def say_no_more(self) -> None:
        """Close the way there; answers still come."""
        self._socket.shutdown(socket.SHUT_WR)

    def hear(self) -> dict[str, Any] | None:
        """The next answer, None if the host has hung up."""
        while b"\n" not in self._rest:
            try:
                piece = self._socket.recv(READ_BYTES)
            except ConnectionError as error:
                raise NobodyListens(str(error)) from error
            if not piece:
                return None
            self._rest += piece
        line, self._rest = self._rest.split(b"\n", 1)
        return dict(json.loads(line))

    def ask(self, frame: dict[str, Any]) -> dict[str, Any]:
        """Send one frame and wait for its answer."""
        self.say(as_line(frame))
        answer = self.hear()
        if answer is None:
            raise NobodyListens("hung up without an answer")
        return answer

    def pump(self, raw: bytes, within: float) -> list[dict[str, Any]]:
        """Send what goes out, ``raw`` last, and return what came in; waits at most so long."""
        self._outgoing += raw
        to_write = [self._socket] if self._outgoing else []
        readable, writable, _ = select.select([self._socket], to_write, [], within)
        try:
            if writable:
                del self._outgoing[: self._socket.send(self._outgoing, socket.MSG_DONTWAIT)]
            return self._came_in() if readable else []
        except ConnectionError as error:
            raise NobodyListens(str(error)) from error

    def _came_in(self) -> list[dict[str, Any]]:
        piece = self._socket.recv(READ_BYTES)
        if not piece:
            raise NobodyListens("hung up")
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return [json.loads(line) for line in lines]


class Feed:
    """One sender of frames with keys, some of them unanswered at any time.

    After a broken connection, or an answer that says that nothing was written, it goes on with
    the first frame that is not accepted, under the same keys.
    """

    def __init__(self, path: Path, frames: list[dict[str, Any]], *, window: int = 64) -> None:
        self._path = path
        self._left = deque(frames)
        self._unanswered: deque[dict[str, Any]] = deque()
        self._window = window
        self._client: Client | None = None
        self.answers: list[dict[str, Any]] = []

    @property
    def done(self) -> bool:
        """True when every frame was accepted."""
        return not self._left and not self._unanswered

    def move_to(self, path: Path) -> None:
        """Send what is left to another socket."""
        self.hang_up()
        self._path = path

    def hang_up(self) -> None:
        """Break the connection; what is unanswered will be sent again."""
        if self._client is not None:
            self._client.close()
            self._client = None
        self._left.extendleft(reversed(self._unanswered))
        self._unanswered.clear()

    def go_on(self, seconds: float = ANSWER_SECONDS) -> None:
        """Send and listen for so long, or until all are accepted, or the host is gone."""
        end = time.monotonic() + seconds
        try:
            while not self.done and (remaining := end - time.monotonic()) > 0:
                if self._client is None:
                    self._client = Client(self._path)
                for answer in self._client.pump(self._next(), remaining):
                    self._take(answer)
        except NobodyListens:
            self.hang_up()
        if self.done:
            self.hang_up()

    def _next(self) -> bytes:
        count = min(self._window - len(self._unanswered), len(self._left))
        frames = [self._left.popleft() for _ in range(count)]
        self._unanswered.extend(frames)
        return b"".join(map(as_line, frames))

    def _take(self, answer: dict[str, Any]) -> None:
        if not answer["ok"]:
            raise NobodyListens(str(answer))
        self._unanswered.popleft()
        self.answers.append(answer)


def as_line(frame: dict[str, Any]) -> bytes:
    """A frame as the line that carries it."""
    return json.dumps(frame).encode() + b"\n"


def numbered(event_type: str, count: int, *, sender: str) -> list[dict[str, Any]]:
    """Frames of one sender with the numbers 1 to ``count`` in their payloads."""
    return [
        {
            "type": event_type,
            "payload": {"number": number},
            "key": f"{sender}-{number}",
            "source": sender,
        }
        for number in range(1, count + 1)
    ]
