"""The command that starts everything: what it refuses, and the hooks around a run.

That pages, workers and machines come up and leave nothing behind is tested with real processes
in ``tests/acceptance/test_runsystem.py``.
"""

import asyncio
import io
import socket
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from machines.management.commands.runsystem import _Speaker, _System
from machines.runtime.manifest import Manifest
from machines.runtime.supervisor import Program


class HeardSpeaker(_Speaker):
    """Keeps what was said; ``up`` is set once a program said that word."""

    def __init__(self, *, colour: bool) -> None:
        super().__init__(colour=colour)
        self.lines: list[tuple[str, str]] = []
        self.up = asyncio.Event()

    def say(self, name: str, line: str) -> None:
        self.lines.append((name, line))
        if line == "up":
            self.up.set()


@pytest.mark.django_db
def test_runsystem_refuses_a_database_that_lacks_migrations() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'queue'")

    with pytest.raises(CommandError, match=r"lacks . migrations; first run: python manage.py migr"):
        call_command("runsystem")


@pytest.mark.django_db
def test_runsystem_refuses_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(CommandError, match=f"cannot listen on 127.0.0.1:{port}: Address alr"):
            call_command("runsystem", port=port)


@pytest.mark.django_db
def test_runsystem_refuses_a_faulty_manifest(tmp_path: Path, settings: object) -> None:
    path = tmp_path / "machines.yaml"
    path.write_text("machnes: {}")
    settings.SM_MANIFEST = str(path)  # type: ignore[attr-defined]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(CommandError, match="did you mean 'machines'"):
        call_command("runsystem", port=port)


async def test_a_pre_start_hook_that_fails_lets_nothing_start() -> None:
    manifest = Manifest(Path("machines.yaml"), hooks={"pre_start": ("exit 3",)})
    system = _System(manifest, [], _Speaker(colour=False))

    with pytest.raises(CommandError, match="pre_start: 'exit 3' ended with 3; nothing was started"):
        await system.run("127.0.0.1", 1)


async def test_a_pre_stop_hook_runs_while_the_programs_still_do(tmp_path: Path) -> None:
    note = tmp_path / "note"
    code = (
        "import pathlib, signal\n"
        f"note = pathlib.Path({str(note)!r})\n"
        "signal.signal(signal.SIGTERM, lambda *_: (note.unlink(), exit(0)))\n"
        "note.write_text('up')\n"
        "print('up')\n"
        "while True: signal.pause()"
    )
    manifest = Manifest(Path("machines.yaml"), hooks={"pre_stop": (f"echo seen $(cat {note})",)})
    speaker = HeardSpeaker(colour=False)
    system = _System(manifest, [Program("web", [sys.executable, "-c", code])], speaker)

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(system.run("127.0.0.1", 1))
        await speaker.up.wait()
        speaker.listener_left.set()

    assert ("pre_stop", "seen up") in speaker.lines
    assert not note.exists()


def test_speaker_gives_each_name_a_colour_of_its_own() -> None:
    printed = io.StringIO()
    speaker = _Speaker(colour=True)

    with redirect_stdout(printed):
        speaker.say("web", "a")
        speaker.say("machines", "b")
        speaker.say("web", "c")

    assert printed.getvalue() == (
        "\033[36mweb      │\033[0m a\n\033[33mmachines │\033[0m b\n\033[36mweb      │\033[0m c\n"
    )
