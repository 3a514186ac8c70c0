"""What the tests of commands share: machines and hosts made by hand, and what a command prints."""

import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from machines.models import Machine, MachineDefinition, Process
from machines.runtime import ownership

MakeMachine = Callable[..., Machine]


Answer = Callable[[dict[str, Any]], dict[str, Any] | None]


pytestmark = pytest.mark.django_db


@pytest.fixture
def definition(db: None) -> MachineDefinition:
    return MachineDefinition.objects.create(
        name="sorter", version=3, sha256="a" * 64, source="states: [waiting]\n"
    )


@pytest.fixture
def make_machine(definition: MachineDefinition) -> MakeMachine:
    def make(name: str = "m1", **columns: Any) -> Machine:
        given = {"states": ["waiting"], "status": Machine.Status.STOPPED, **columns}
        return Machine.objects.create(name=name, definition=definition, **given)

    return make


@pytest.fixture
def elsewhere(db: None) -> Process:
    """A live host on another computer."""
    return Process.objects.create(kind="host", host="elsewhere", pid=7)


@pytest.fixture
def run_here(
    make_machine: MakeMachine, tmp_path: Path, settings: Any
) -> Iterator[Callable[[Answer], Machine]]:
    """Runs a machine by a host in this process that answers as it is told; None: it hangs up."""
    settings.SM_RUN_DIR = str(tmp_path)
    lock = ownership.HostLock()
    lock.acquire()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(tmp_path / "host.sock"))
    listener.listen()
    hosts: list[threading.Thread] = []

    def run(answer: Answer) -> Machine:
        hosts.append(threading.Thread(target=_serve, args=(listener, answer)))
        hosts[0].start()
        process = ownership.register_host(str(tmp_path / "host.sock"), "", timezone.now())
        return make_machine(status=Machine.Status.RUNNING, process=process)

    yield run
    listener.shutdown(socket.SHUT_RDWR)
    for host in hosts:
        host.join()
    listener.close()
    lock.release()


def _serve(listener: socket.socket, answer: Answer) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                said = answer(json.loads(line))
                if said is None:
                    break
                connection.sendall(json.dumps(said).encode() + b"\n")


def accepts(frame: dict[str, Any]) -> dict[str, Any]:
    """A host that takes every event."""
    return {"ok": True, "event": 17, "status": "processed", "state": "processing"}


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def parsed(*arguments: str) -> Any:
    return json.loads(printed(*arguments, "--format", "json"))


def talked(*arguments: str) -> str:
    err = io.StringIO()
    call_command(*arguments, stdout=io.StringIO(), stderr=err)
    return err.getvalue()


def refused(*arguments: str) -> tuple[int, str, str]:
    """Exit code, fault and what was printed all the same."""
    out = io.StringIO()
    with pytest.raises(CommandError) as fault:
        call_command(*arguments, stdout=out, stderr=out)
    return fault.value.returncode, str(fault.value), out.getvalue()
