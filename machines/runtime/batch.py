"""Many events at once: to each host over one connection, a window of frames unanswered.

Every event has a key, so what a broken connection leaves unanswered is sent again safely.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO

import orjson

from machines.core.errors import MachineError
from machines.core.protocol import MAX_FRAME_BYTES
from machines.runtime.inbox import Reply, insert, insert_all
from machines.runtime.sending import (
    HostClient,
    HostGone,
    Refused,
    checked_frame,
    find_target,
    reply_of,
    send_event_now,
    socket_of,
)

WINDOW = 64  # unanswered frames of one host: enough to fill its commits
INSERT_AT_ONCE = 500  # rows of one transaction for a machine that is down
READ_BYTES = 1 << 16  # of a batch, if so much is there
SENDER = "sendevent"
LINE_KEYS = ("target", "type", "payload", "job_id", "source", "key")


@dataclass(slots=True)
class BatchLine:
    """A line of a batch, and then what became of its event: ``reply`` or ``fault``."""

    number: int
    text: bytes
    defaults: dict[str, str]
    frame: dict[str, Any] = field(default_factory=dict)
    reply: Reply | None = None
    fault: str | None = None

    def read(self) -> None:
        """Make the frame of the text. Raises Refused if it is not one."""
        if len(self.text) >= MAX_FRAME_BYTES:
            raise Refused(f"a line has less than {MAX_FRAME_BYTES} bytes")
        try:
            given = orjson.loads(self.text)
        except orjson.JSONDecodeError as error:
            raise Refused(f"not JSON: {error}") from error
        if not isinstance(given, dict):
            raise Refused('a line is an object, such as {"target": "worker", "type": "new_job"}')
        strange = ", ".join(sorted(repr(key)[:50] for key in given.keys() - set(LINE_KEYS)))
        if strange:
            raise Refused(f"unknown keys {strange}; a line may have {', '.join(LINE_KEYS)}")
        given = self.defaults | {key: value for key, value in given.items() if value is not None}
        for key in ("target", "type"):
            if key not in given:
                raise Refused(f"{key} is missing; every event has one")
        self.frame = checked_frame(**given, actor=SENDER)

    def keep(self, answer: Reply | Refused) -> None:
        """Keep what was answered."""
        if isinstance(answer, Refused):
            self.fault = str(answer)
        else:
            self.reply = answer

    def settle(self, send: Callable[[dict[str, Any]], Reply]) -> None:
        """Keep what ``send`` replies to the frame, or why it refuses it."""
        try:
            self.reply = send(self.frame)
        except MachineError as error:
            self.fault = str(error)


class Sender:
    """Sends batches: to each host over one connection, without waiting for every answer."""

    def __init__(self, *, known_only: bool) -> None:
        self._known_only = known_only

    def send(self, lines: list[BatchLine]) -> list[BatchLine]:
        """Send the events of lines in their order; all of them are settled when this returns."""
        paths: dict[str, str] = {}
        channels: dict[str, Channel] = {}
        with ExitStack() as stack:
            for line in lines:
                try:
                    line.read()
                    path = self._path(line.frame["target"], paths)
                except Refused as error:
                    line.fault = str(error)
                    continue
                channel = channels.get(path)
                if channel is None:
                    channel = channels[path] = stack.enter_context(Channel(path))
                channel.send(line)
            for channel in channels.values():
                channel.finish()
        return lines

    def _path(self, target: str, paths: dict[str, str]) -> str:
        if target not in paths:
            paths[target] = socket_of(find_target(target, known_only=self._known_only))
        return paths[target]


class Channel:
    """The way to one host. Without one, or once it is gone, events are put into the inbox."""

    def __init__(self, path: str) -> None:
        self._unanswered: deque[BatchLine] = deque()
        self._for_inbox: list[BatchLine] = []
        self._has_host = bool(path)
        self._host: HostClient | None = None
        if path:
            with suppress(HostGone):
                self._host = HostClient(path)

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, *_error: object) -> None:
        self._hang_up()

    def send(self, line: BatchLine) -> None:
        """Send one event; it may be settled later."""
        if self._host is None:
            self._send_hostless(line)
            return
        self._unanswered.append(line)
        try:
            self._host.put([line.frame])
            if len(self._unanswered) >= WINDOW:
                self._take_answer(self._host)
        except (HostGone, TimeoutError) as error:
            self._send_again(error)

    def finish(self) -> None:
        """Wait until everything is settled."""
        self._insert()
        try:
            while self._host is not None and self._unanswered:
                self._take_answer(self._host)
        except (HostGone, TimeoutError) as error:
            self._send_again(error)

    def _send_hostless(self, line: BatchLine) -> None:
        if self._has_host:  # it is gone: whoever runs the machine now is asked
            line.settle(_send_alone)
            return
        self._for_inbox.append(line)
        if len(self._for_inbox) == INSERT_AT_ONCE:
            self._insert()

    def _insert(self) -> None:
        lines, self._for_inbox = self._for_inbox, []
        if lines:
            for line, answer in zip(lines, insert_all([x.frame for x in lines]), strict=True):
                line.keep(answer)

    def _take_answer(self, host: HostClient) -> None:
        answer = host.get()
        line = self._unanswered.popleft()
        line.settle(partial(_reply, answer))

    def _send_again(self, error: HostGone | TimeoutError) -> None:
        """Send what is unanswered once more: by its key an event that did arrive is the same."""
        self._hang_up()
        # A host that is silent would be so again; what is in its inbox it finds when it wakes.
        send = insert if isinstance(error, TimeoutError) else _send_alone
        while self._unanswered:
            self._unanswered.popleft().settle(send)

    def _hang_up(self) -> None:
        if self._host is not None:
            self._host.__exit__(None, None, None)
            self._host = None


def groups(file: BinaryIO) -> Iterator[list[tuple[int, bytes]]]:
    """The lines of a file with their numbers, grouped as they arrive; empty ones are left out.

    Of a line longer than a frame only so much is kept that it is seen to be too long.
    """
    number, rest = 1, b""
    reads: Callable[[int], bytes] = getattr(file, "read1", file.read)
    while chunk := reads(READ_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        yield [(at, line) for at, line in enumerate(whole, number) if line.strip()]
        number += len(whole)
        rest = rest[: MAX_FRAME_BYTES + 1]
    if rest.strip():
        yield [(number, rest)]


def _send_alone(frame: dict[str, Any]) -> Reply:
    try:
        return send_event_now(**frame, known_only=False)
    except TimeoutError:
        return insert(frame)


def _reply(answer: dict[str, Any], frame: dict[str, Any]) -> Reply:
    """What a host's answer means. Raises Refused."""
    code = answer.get("code")
    if code == "unknown":  # it ran the machine a moment ago
        return insert(frame)
    if code == "busy":  # nothing was written
        return _send_alone(frame)
    return reply_of(answer, frame["target"])
