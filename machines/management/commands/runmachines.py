"""Run many machines in one host."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from jobqueue.console import Command as BaseCommand
from jobqueue.console import Exit, count_argument

from machines.core.errors import MachineError
from machines.management import running
from machines.rehearsal.files import is_tests_file
from machines.runtime.definitions import name_for, read_file
from machines.runtime.launch import Order
from machines.runtime.manifest import read_manifest


class Command(BaseCommand):
    """Runs files, or the machines of the manifest, in one host."""

    help = (
        "Run files, or the machines of the manifest, in one host. One that cannot be run is"
        " reported, the others go on."
    )
    example = "runmachines examples/controller_worker/config/*.yaml"
    faults = (MachineError,)

    def add_arguments(self, parser: CommandParser) -> None:
        """See BaseCommand."""
        parser.add_argument(
            "files", nargs="*", metavar="FILE", help="a YAML file; none: those of the manifest"
        )
        parser.add_argument(
            "--count",
            type=count_argument,
            metavar="N",
            help="run N instances of each file, called NAME-1 to NAME-N",
        )
        running.add_arguments(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """See BaseCommand."""
        folder = options["actions_dir"]
        if options["files"]:
            orders = [
                order
                for file in options["files"]
                if not is_tests_file(Path(file))
                for order in _orders_of_file(file, options["count"], folder)
            ]
        else:
            orders = _orders_of_manifest(folder)
        running.run(orders, options, others_go_on=True)


def _orders_of_file(file: str, count: int | None, folder: str | None) -> list[Order]:
    if count is None:
        return [Order(file, actions_dir=folder)]
    path = Path(file)
    name = name_for(read_file(path)[1], path)
    return [
        Order(file, machine_name=f"{name}-{number}", actions_dir=folder)
        for number in range(1, count + 1)
    ]


def _orders_of_manifest(folder: str | None) -> list[Order]:
    path = Path(settings.SM_MANIFEST)
    if not path.is_file():
        raise CommandError(
            f"name a file, or write a manifest: there is no {path}", returncode=Exit.UNKNOWN
        )
    return [
        Order(
            str(entry.file),
            machine_name=name,
            actions_dir=str(entry.actions_dir) if entry.actions_dir else folder,
            context=entry.context,
        )
        for entry in read_manifest(path).started
        for name in entry.machine_names
    ]
