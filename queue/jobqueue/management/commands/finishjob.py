"""End a job in `processing` from outside, for work that no machine holds."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from jobqueue.console import Command as ProjectCommand
from jobqueue.console import Exit, json_argument
from jobqueue.lookup import find_job
from jobqueue.models import Job
from jobqueue.presentation import as_json

BY = "finishjob"  # what stands in the job's `finished_by`


class Command(ProjectCommand):
    help = "End a job that is processing, as completed or failed."
    example = """finishjob job-7 completed --result '{"pages": 3}'"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("job_id", metavar="ID")
        parser.add_argument(
            "outcome", choices=[Job.Status.COMPLETED.value, Job.Status.FAILED.value]
        )
        parser.add_argument("--result", type=json_argument, metavar="JSON", help="if completed")
        parser.add_argument("--reason", metavar="TEXT", help="if failed")
        self.add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        completed = options["outcome"] == Job.Status.COMPLETED
        stray = "reason" if completed else "result"
        if options[stray] is not None:
            raise CommandError(
                f"--{stray} does not go with {options['outcome']}", returncode=Exit.USAGE
            )
        job = find_job(options["job_id"])
        now = timezone.now()
        if completed:
            job.finish(None, options["result"], by=BY, now=now)
        else:
            job.fail(None, options["reason"] or "failed from outside", by=BY, now=now)
        self.print_row(as_json(job), options)
