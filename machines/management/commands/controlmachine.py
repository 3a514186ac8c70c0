"""Pause, resume or stop a machine that runs, or show where it stands."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from jobqueue.console import Command as BaseCommand
from jobqueue.console import Exit

from machines.core.errors import MachineError
from machines.management.commands.machinestate import unknown_machine
from machines.models import Machine
from machines.presentation import OWNED, machine_as_json, machines_with_owners
from machines.runtime.ownership import lives
from machines.runtime.sending import HostClient, HostGone, socket_of

STATUS_AFTER = {
    "pause": Machine.Status.PAUSED,
    "resume": Machine.Status.RUNNING,
    "stop": Machine.Status.STOPPED,
}


class Command(BaseCommand):
    help = "Pause, resume or stop a machine that runs, or show where it stands."
    example = "controlmachine simple_worker pause"
    faults = (*BaseCommand.faults, MachineError)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the machine")
        parser.add_argument("verb", choices=(*STATUS_AFTER, "status"), help="what it is to do")
        self.add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        verb = options["verb"]
        machine = _machine(options["name"])
        if verb != "status":
            said = _tell(machine, verb)
            if said is None:
                self._ask_elsewhere(machine, verb)
            else:
                _refuse_other(machine.name, verb, said)
            machine = _machine(machine.name)
        if verb == "status" or options["format"] == "json":
            self.print_row(machine_as_json(machine, timezone.now()), options)
        elif said is not None:
            where = f" in {said['state']}" if said["state"] else ""
            self.stdout.write(f"{machine.name} is {said['status']}{where}")

    def _ask_elsewhere(self, machine: Machine, verb: str) -> None:
        """Leave word for the host on another computer that runs the machine."""
        process = machine.process
        if process is None or not lives(process, timezone.now()) or machine.status not in OWNED:
            raise CommandError(_not_running(machine))
        Machine.objects.filter(pk=machine.pk).update(wanted=STATUS_AFTER[verb])
        self.talk(f"asked the host of {machine.name!r} on {process.host} to {verb} it")


def _machine(name: str) -> Machine:
    machine = machines_with_owners().filter(name=name).first()
    if machine is None:
        raise unknown_machine(name)
    return machine


def _tell(machine: Machine, verb: str) -> dict[str, Any] | None:
    """What its host on this computer answers, or None if no such host runs it."""
    path = socket_of(machine)
    if not path:
        return None
    try:
        with HostClient(path) as host:
            said = host.ask({"control": verb, "target": machine.name})
    except HostGone:
        said = {"code": "unknown"}
    except TimeoutError as error:
        raise CommandError(
            f"the host of {machine.name!r} does not answer", returncode=Exit.TIMED_OUT
        ) from error
    if said.get("code") == "unknown":
        raise CommandError(_not_running(machine))
    if not said.get("ok"):
        raise CommandError(f"{machine.name}: {said.get('error')}")
    return said


def _refuse_other(name: str, verb: str, said: dict[str, Any]) -> None:
    if said["status"] != STATUS_AFTER[verb]:
        raise CommandError(f"cannot {verb} {name!r}: it is {said['status']}")


def _not_running(machine: Machine) -> str:
    machine.refresh_from_db(fields=["status"])
    ended = machine.status in OWNED
    why = "the host that ran it has ended" if ended else f"it is {machine.status}"
    return (
        f"machine {machine.name!r} is not running: {why};"
        f" run it with: python manage.py runmachine {machine.name}"
    )
