"""Create one job, or many from a file with one JSON object a line."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser

from jobqueue.batch import KEYS, create_batch, read_lines
from jobqueue.console import Command as ProjectCommand
from jobqueue.console import Exit, json_argument, time_argument
from jobqueue.intake import create_job
from jobqueue.presentation import as_json


class Command(ProjectCommand):
    help = "Create a job."
    example = """createjob --type resize --data '{"file": "cat.png"}' --priority 2"""

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--type", dest="job_type", help="what kind of job it is")
        what.add_argument("--batch", metavar="FILE", help="one JSON object a line; - is stdin")
        one = parser.add_argument_group("with --type")
        one.add_argument("--data", type=json_argument, metavar="JSON", help="an object; - is stdin")
        one.add_argument("--job-id", metavar="ID", help="left out: a new one")
        one.add_argument("--source-job-id", metavar="ID", help="the job this one came from")
        one.add_argument("--machine-type", metavar="M", help="only for such machines")
        one.add_argument("--priority", type=int, metavar="1..9", help="1 first, 9 last; else 5")
        one.add_argument("--run-at", type=time_argument, metavar="T", help="not before; ISO 8601")
        one.add_argument("--max-attempts", type=int, metavar="N", help="left out: 5")
        one.add_argument("--unique-key", metavar="K", help="one unfinished job at most has it")
        self.add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        given = {name: options[name] for name in KEYS if options[name] is not None}
        if options["batch"] is None:
            self.print_row(as_json(create_job(**given, created_by="createjob")), options)
        elif given:
            flag = next(iter(given)).replace("_", "-")
            raise CommandError(
                f"--{flag} cannot stand beside --batch; write it into the lines",
                returncode=Exit.USAGE,
            )
        else:
            self._batch(options)

    def _batch(self, options: Mapping[str, Any]) -> None:
        jobs = create_batch(options["batch"], read_lines(options["batch"]), created_by="createjob")
        if options["format"] == "json":
            self.print_rows([as_json(job) for job in jobs], (), options)
        else:
            self.talk(f"{sum(1 for _ in jobs)} jobs created")
