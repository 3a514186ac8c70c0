"""Run one machine."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from jobqueue.console import Command as BaseCommand
from jobqueue.console import Exit, json_argument

from machines.core.errors import MachineError
from machines.management import running
from machines.runtime.launch import Order


class Command(BaseCommand):
    """Runs a machine until it is finished, or until Ctrl+C; run again, it goes on."""

    help = "Run a machine until it is finished, or until Ctrl+C; run again, it goes on."
    example = "runmachine examples/simple_worker/config/worker.yaml --machine-name worker"
    faults = (MachineError,)

    def add_arguments(self, parser: CommandParser) -> None:
        """See BaseCommand."""
        parser.add_argument(
            "what", metavar="FILE|NAME", help="a YAML file; or a machine's or definition's name"
        )
        parser.add_argument("--machine-name", help="the name of the machine")
        parser.add_argument("--definition", help="the name of the definition made from the file")
        parser.add_argument("--initial-context", type=json_argument, default={}, metavar="JSON")
        parser.add_argument("--restart", action="store_true", help="begin anew")
        parser.add_argument(
            "--takeover", action="store_true", help="take it from the host that runs it"
        )
        parser.add_argument(
            "--discard-pending", action="store_true", help="let what waits for it expire"
        )
        running.add_arguments(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """See BaseCommand."""
        if not isinstance(options["initial_context"], dict):
            raise CommandError("--initial-context must be a JSON object", returncode=Exit.USAGE)
        order = Order(
            options["what"],
            machine_name=options["machine_name"],
            definition_name=options["definition"],
            actions_dir=options["actions_dir"],
            context=options["initial_context"],
            restart=options["restart"],
            takeover=options["takeover"],
            discard_pending=options["discard_pending"],
        )
        running.run([order], options)
