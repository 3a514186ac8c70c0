"""Send an event to a machine, or many from a file with one JSON object a line."""

import argparse
import math
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from django.core.management.base import CommandError, CommandParser
from jobqueue.console import Command as BaseCommand
from jobqueue.console import Exit, json_argument

from machines.core.errors import MachineError
from machines.core.protocol import MAX_FRAME_BYTES
from machines.models import Event, Machine
from machines.runtime.group import new_key
from machines.runtime.sending import (
    HostClient,
    HostGone,
    Refused,
    Reply,
    UnknownTarget,
    checked_frame,
    find_target,
    insert,
    reply_of,
    send_event_now,
    socket_of,
)

WAIT_SECONDS = 30.0  # of --wait without a number
MAX_WAIT_SECONDS = 86_400.0  # a frame's limit
LOOK_SECONDS = 0.2  # between two looks for the end of an event that another computer handles
WINDOW = 64  # unanswered frames of one host: enough to fill its commits
READ_BYTES = 1 << 16  # of a batch, if so much is there
LINE_KEYS = ("target", "type", "payload", "job_id", "source", "key")
ONE_ONLY = ("payload", "job_id", "key", "wait")  # flags that say something of one event
SENDER = "sendevent"


class Command(BaseCommand):
    help = "Send an event to a machine, or many from a file."
    example = "sendevent --target simple_worker --type new_job --wait"
    faults = (*BaseCommand.faults, MachineError)

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--type", metavar="E", help="the name of the event")
        what.add_argument("--batch", metavar="FILE", help="one JSON object a line; - is stdin")
        parser.add_argument(
            "--target", metavar="M", help="the machine; with --batch: where a line names none"
        )
        parser.add_argument(
            "--source", metavar="S", help="who says it; with --batch: where a line names none"
        )
        parser.add_argument(
            "--queue", action="store_true", help="also for a name that nothing has yet"
        )
        one = parser.add_argument_group("with --type")
        one.add_argument("--payload", type=json_argument, metavar="JSON", help="- is stdin")
        one.add_argument("--job-id", metavar="ID", help="the job it is about")
        one.add_argument("--key", metavar="K", help="sent again with it, it is the same event")
        one.add_argument(
            "--wait",
            nargs="?",
            type=_seconds,
            const=WAIT_SECONDS,
            metavar="SECONDS",
            help="until the event has ended; 30 s at most, or so many",
        )
        self.add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["batch"] is not None:
            self._send_batch(options)
        elif options["target"] is None:
            raise CommandError("--target is missing: which machine?", returncode=Exit.USAGE)
        else:
            deadline = time.monotonic() + (options["wait"] or 0)
            reply = ended(_send(options), deadline)
            fault = _fault(reply, waited=options["wait"] is not None)
            if options["format"] == "json":
                self.print_row(reply.as_dict(), options)
            if fault is not None:
                raise fault
            if options["format"] == "table":
                self.stdout.write(_line(reply))

    def _send_batch(self, options: dict[str, Any]) -> None:
        _refuse_flags_of_one(options)
        defaults = {name: options[name] for name in ("target", "source") if options[name]}
        sender = Sender(known_only=not options["queue"])
        bad = 0
        with _opened(options["batch"]) as file:
            for group in groups(file):
                lines = [BatchLine(number, text, defaults) for number, text in group]
                for line in sender.send(lines):
                    bad += line.reply is None or line.reply.status == "failed"
                    self._report(options["batch"], line)
                self.stdout.flush()
        if bad:
            raise CommandError(f"{bad} events were not accepted, or failed; the others were sent")

    def _report(self, name: str, line: "BatchLine") -> None:
        if line.reply is not None:
            self.stdout.write(orjson.dumps(line.reply.as_dict()).decode())
        else:
            self.talk(f"{name}:{line.number}: {line.fault}")


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
        self._host: HostClient | None = None
        self._send_hostless = _send_alone if path else insert
        if path:
            with suppress(HostGone):
                self._host = HostClient(path)

    def __enter__(self) -> "Channel":
        return self

    def __exit__(self, *_error: object) -> None:
        self._hang_up()

    def send(self, line: BatchLine) -> None:
        """Send one event; it may be settled later."""
        if self._host is None:
            line.settle(self._send_hostless)
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
        try:
            while self._host is not None and self._unanswered:
                self._take_answer(self._host)
        except (HostGone, TimeoutError) as error:
            self._send_again(error)

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


def _send(options: dict[str, Any]) -> Reply:
    key = options["key"] or new_key()
    try:
        return send_event_now(
            target=options["target"],
            type=options["type"],
            payload=options["payload"],
            job_id=options["job_id"] or "",
            source=options["source"] or "",
            key=key,
            actor=SENDER,
            wait_seconds=options["wait"],
            known_only=not options["queue"],
        )
    except UnknownTarget as error:
        advice = "--queue keeps it until there is one"
        raise CommandError(f"{error}; {advice}", returncode=Exit.UNKNOWN) from error
    except TimeoutError as error:
        raise CommandError(
            f"the host of {options['target']!r} does not answer; send it again with --key {key}:"
            " it will not be doubled",
            returncode=Exit.TIMED_OUT,
        ) from error


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


def ended(reply: Reply, deadline: float) -> Reply:
    """The reply when the event has ended, or as far as it came by ``deadline`` (monotonic).

    A host of this computer has waited by itself; of one elsewhere only the database tells.
    """
    while reply.status == "accepted" and reply.running and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
        event = Event.objects.only("status", "reason").get(pk=reply.event)
        if event.status != Event.Status.PENDING:
            machine = Machine.objects.only("states").get(name=reply.machine)
            reason = event.reason or None
            reply = replace(reply, status=str(event.status), state=machine.state, reason=reason)
    return reply


def _fault(reply: Reply, *, waited: bool) -> CommandError | None:
    """What is said and returned if the event did not come to a good end."""
    if reply.status in {"failed", "expired"}:
        return CommandError(_line(reply), returncode=Exit.FAILED)
    if waited and reply.status == "ignored":
        return CommandError(_line(reply), returncode=Exit.IGNORED)
    if waited and reply.status == "accepted":
        late = f"{_line(reply)}; it has not ended in time" if reply.running else _line(reply)
        return CommandError(late, returncode=Exit.TIMED_OUT)
    return None


def _line(reply: Reply) -> str:
    """What became of the event, for people."""
    if reply.status == "accepted":
        rest = f"by {reply.machine}" if reply.running else f"for {reply.machine}, which is down"
        return f"event {reply.event} accepted {rest}"
    if reply.reason:
        return f"event {reply.event} {reply.status}: {reply.reason}"
    where = f": {reply.machine} is now in {reply.state}" if reply.state else ""
    return f"event {reply.event} {reply.status}{where}"


def _refuse_flags_of_one(options: dict[str, Any]) -> None:
    for name in ONE_ONLY:
        if options[name] is not None:
            flag = name.replace("_", "-")
            raise CommandError(
                f"--{flag} cannot stand beside --batch; it is about one event",
                returncode=Exit.USAGE,
            )


def _opened(path: str) -> AbstractContextManager[BinaryIO]:
    """The file, or standard input for ``-``."""
    if path == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise CommandError(f"{path}: cannot be read: {error.strerror}") from error


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MAX_WAIT_SECONDS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of seconds from 0 to {MAX_WAIT_SECONDS:.0f}"
        )
    return seconds
