"""Print the JSON Schema of the machine language, for editors."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from jobqueue.console import Command as BaseCommand

from machines.actions.registry import Registry
from machines.core.errors import MachineError
from machines.core.language_schema import language_schema
from machines.management.writing import write


class Command(BaseCommand):
    """Describes all action types of this project, those of your own too."""

    help = "Print the JSON Schema of the machine language, by which editors complete and check."
    example = "machineschema --actions-dir flows/actions --output machine.schema.json"
    faults = (MachineError,)

    def add_arguments(self, parser: CommandParser) -> None:
        """See BaseCommand."""
        parser.add_argument(
            "--actions-dir",
            metavar="DIR",
            type=Path,
            action="append",
            default=[],
            help="describe the custom actions of this folder too; may be repeated",
        )
        parser.add_argument("--output", metavar="F", type=Path, help="write to this file")

    def handle(self, *_args: Any, **options: Any) -> None:
        """See BaseCommand."""
        schema = language_schema(Registry(tuple(options["actions_dir"])).signatures())
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        write(self, text, options["output"])
