"""List events, the newest first."""

from typing import Any

from django.core.management.base import CommandParser
from jobqueue.console import Command as BaseCommand
from jobqueue.console import count_argument

from machines.core.errors import MachineError
from machines.management.commands.machinestate import unknown_machine
from machines.models import Event, Machine, MachineDefinition
from machines.presentation import event_as_json

COLUMNS = (
    "id",
    "target",
    "type",
    "source",
    "job_id",
    "status",
    "created_at",
    "processed_at",
    "reason",
)


class Command(BaseCommand):
    help = "List events, the newest first."
    example = "listevents --target simple_worker --status pending --limit 50"
    faults = (*BaseCommand.faults, MachineError)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--target", metavar="M", help="only those sent to this machine")
        parser.add_argument("--status", choices=Event.Status.values, help="only with this status")
        parser.add_argument("--type", metavar="E", help="only of this type")
        parser.add_argument("--limit", type=count_argument, default=20, metavar="N", help="20")
        self.add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("target", "status", "type")
        wanted = {name: options[name] for name in names if options[name] is not None}
        events = list(Event.objects.filter(**wanted).order_by("-id")[: options["limit"]])
        if not events and options["target"] is not None:
            _refuse_unheard_of(options["target"])
        rows = [event_as_json(event) for event in events]
        self.print_rows(rows, COLUMNS, options, nothing="no events")


def _refuse_unheard_of(target: str) -> None:
    """Exit code 3 for a name that is no machine, no definition, and was never sent anything."""
    known = (
        Machine.objects.filter(name=target),
        MachineDefinition.objects.filter(name=target),
        Event.objects.filter(target=target),
    )
    if not any(rows.exists() for rows in known):
        raise unknown_machine(target)
