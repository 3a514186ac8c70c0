"""Show where machines stand: all of them, or one whole."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from jobqueue.console import Command as BaseCommand
from jobqueue.console import unknown

from machines.core.errors import MachineError
from machines.models import Machine, MachineDefinition
from machines.presentation import machines_as_json, machines_with_owners

COLUMNS = (
    "name",
    "definition",
    "version",
    "state",
    "status",
    "pid",
    "host",
    "last_activity_at",
)


class Command(BaseCommand):
    help = "Show where machines stand: all of them, or one whole."
    example = "machinestate simple_worker --format json"
    faults = (*BaseCommand.faults, MachineError)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", metavar="NAME", help="only this machine")
        self.add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        machines = machines_with_owners()
        if name is not None:
            machines = machines.filter(name=name)
        rows = list(machines_as_json(machines, timezone.now()))
        if name is not None and not rows:
            raise unknown_machine(name)
        if options["format"] == "table":
            rows = [_for_people(row) for row in rows]
            if name is not None:
                self.print_row(rows[0], options)
                return
        self.print_rows(rows, COLUMNS, options, nothing="no machines; runmachine makes one")


def unknown_machine(name: str) -> CommandError:
    """The fault of a machine that is not there; exit code 3."""
    hint = "machinestate lists them"
    if MachineDefinition.objects.filter(name=name).exists():
        hint = f"it is a definition; make the machine with: python manage.py runmachine {name}"
    return unknown("machine", name, Machine.objects.values_list("name", flat=True), hint=hint)


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    """The row with a name for its time that a table shows as "3 min ago"."""
    active_at, context = row.pop("last_activity"), row.pop("context")
    return {**row, "last_activity_at": active_at, "context": context}
