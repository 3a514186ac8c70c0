"""A trickle of jobs, so that the examples have something to do."""

import argparse
import random
import signal
import threading
from typing import Any

from django.core.management.base import CommandParser
from jobqueue.console import Command as BaseCommand
from jobqueue.intake import create_job
from jobqueue.models import Job

MOST_PENDING = 20  # of a type: with no machine to work them, they must not pile up
FAILS_ONE_IN = 8


class Command(BaseCommand):
    help = "Create jobs for the examples, one of each kind every few seconds, until Ctrl+C."
    example = "demojobs --every 3"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--every", type=_seconds, default=3.0, metavar="SECONDS", help="pause between jobs (3)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        dice = random.Random()  # noqa: S311 - no secret
        while not ended.wait(options["every"]):
            _offer("demo", _demo_data(dice))
            _offer("task", {"value": dice.randint(1, 99)})


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0.1 to 86400")
    return seconds


def _demo_data(dice: random.Random) -> dict[str, Any]:
    data: dict[str, Any] = {"seconds": round(dice.uniform(0.3, 1.5), 1)}
    if dice.randrange(FAILS_ONE_IN) == 0:
        data["exit_code"] = 3
    return data


def _offer(job_type: str, data: dict[str, Any]) -> None:
    pending = Job.objects.filter(job_type=job_type, status=Job.Status.PENDING)[:MOST_PENDING]
    if len(pending) < MOST_PENDING:
        create_job(job_type=job_type, data=data, created_by="demojobs")
