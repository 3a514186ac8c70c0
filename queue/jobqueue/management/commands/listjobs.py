"""List jobs, the newest first, or show one whole."""

from typing import Any

from django.core.management.base import CommandParser

from jobqueue.console import Command as ProjectCommand
from jobqueue.console import count_argument
from jobqueue.lookup import find_job
from jobqueue.models import Job
from jobqueue.presentation import as_json

COLUMNS = (
    "job_id",
    "job_type",
    "status",
    "priority",
    "attempts",
    "claimed_by",
    "created_at",
    "error_message",
)


class Command(ProjectCommand):
    help = "List jobs, the newest first, or show one whole."
    example = "listjobs --status failed --limit 50 --format json"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("job_id", nargs="?", metavar="ID", help="show this job whole")
        parser.add_argument("--status", choices=Job.Status.values, help="only with this status")
        parser.add_argument("--type", dest="job_type", metavar="T", help="only of this type")
        parser.add_argument("--limit", type=count_argument, default=20, metavar="N", help="20")
        self.add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["job_id"] is not None:
            self.print_row(as_json(find_job(options["job_id"])), options)
            return
        names = ("status", "job_type")
        wanted = {name: options[name] for name in names if options[name] is not None}
        jobs = Job.objects.filter(**wanted).order_by("-id")[: options["limit"]]
        self.print_rows([as_json(job) for job in jobs], COLUMNS, options, nothing="no jobs")
