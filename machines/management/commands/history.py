"""Show the steps of a machine, the oldest first."""

import argparse
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Q
from django.utils import timezone
from jobqueue.console import Command as BaseCommand
from jobqueue.console import count_argument

from machines.core.errors import MachineError
from machines.management.commands.machinestate import unknown_machine
from machines.models import Machine, Step
from machines.presentation import step_as_json, steps_with_times

COLUMNS = ("seq", "taken_at", "event", "source", "target", "guard", "status", "ms")
ERRORS = Q(event="error") | Q(status=Machine.Status.FAULTED)
MOST_HOURS = 24 * 366 * 100  # further back no clock goes
ROWS_AT_ONCE = 500


class Command(BaseCommand):
    help = "Show the steps of a machine, the oldest first."
    example = "history simple_worker --hours 24 --errors"
    faults = (*BaseCommand.faults, MachineError)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the machine")
        parser.add_argument(
            "--limit", type=count_argument, default=50, metavar="N", help="the newest N; 50"
        )
        parser.add_argument("--hours", type=_hours, metavar="H", help="only of the last H hours")
        parser.add_argument("--errors", action="store_true", help="only errors and faults")
        self.add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        machine = Machine.objects.filter(name=options["name"]).only("pk").first()
        if machine is None:
            raise unknown_machine(options["name"])
        steps = Step.objects.filter(machine=machine)
        if options["errors"]:
            steps = steps.filter(ERRORS)
        newest = steps_with_times(steps).order_by("-seq")[: options["limit"]]
        found: Iterator[Any] = newest.iterator(ROWS_AT_ONCE)
        if options["hours"] is not None:
            # No index has the time, but it grows with seq: reading back can stop there.
            since = timezone.now() - options["hours"]
            found = takewhile(lambda step: step.at >= since, found)
        shape = step_as_json if options["format"] == "json" else _for_people
        rows = [shape(step, step.before_at) for step in found]
        self.print_rows(rows[::-1], COLUMNS, options, nothing="no such steps")


def _for_people(step: Step, before_at: datetime | None) -> dict[str, Any]:
    """The row with its time as a table shows it, and the status that a step without a move set."""
    row = step_as_json(step, before_at)
    return {**row, "taken_at": row["at"], "status": step.status}


def _hours(text: str) -> timedelta:
    try:
        hours = float(text)
    except ValueError:
        hours = math.nan
    if not 0 < hours <= MOST_HOURS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of hours over 0")
    return timedelta(hours=hours)
