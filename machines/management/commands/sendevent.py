"""Send an event to a machine, or many from a file with one JSON object a line."""

import argparse
import math
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from django.core.management.base import CommandError, CommandParser
from jobqueue.console import Command as BaseCommand
from jobqueue.console import Exit, json_argument

from machines.core.errors import MachineError
from machines.models import Event, Machine
from machines.runtime.batch import SENDER, BatchLine, Sender, groups
from machines.runtime.group import new_key
from machines.runtime.sending import (
    Reply,
    UnknownTarget,
    send_event_now,
)

WAIT_SECONDS = 30.0  # of --wait without a number
MAX_WAIT_SECONDS = 86_400.0  # a frame's limit
LOOK_SECONDS = 0.2  # between two looks for the end of an event that another computer handles
ONE_ONLY = ("payload", "job_id", "key", "wait")  # flags that say something of one event


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

    def _report(self, name: str, line: BatchLine) -> None:
        if line.reply is not None:
            self.stdout.write(orjson.dumps(line.reply.as_dict()).decode())
        else:
            self.talk(f"{name}:{line.number}: {line.fault}")


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
