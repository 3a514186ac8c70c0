"""Run everything: pages, background workers and machines, under one supervisor."""

import argparse
import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from jobqueue.console import Command as BaseCommand
from jobqueue.console import Exit

from machines.core.errors import DefinitionError
from machines.runtime.manifest import Manifest, read_manifest
from machines.runtime.supervisor import Program, Supervisor, run_to_end

HOOK_SECONDS = 60.0  # how long a hook of the manifest may take
ASK_AGAIN_SECONDS = 0.2  # while the web server starts
NAME_WIDTH = 8  # "machines"
COLOURS = (36, 33, 32, 35, 34, 31)  # ANSI; a name keeps the one it got first
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to ask it


class Command(BaseCommand):
    help = (
        "Run the web server, the background workers and the machines of the manifest. What dies"
        " is started again; Ctrl+C stops all."
    )
    example = "runsystem --port 8000"
    faults = (*BaseCommand.faults, DefinitionError)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=_port, default=settings.PORT, help="(%(default)s)")
        parser.add_argument("--bind", default=settings.BIND, help="address (%(default)s)")
        parser.add_argument("--no-workers", action="store_true", help="no background workers")
        parser.add_argument("--demo", action="store_true", help="create jobs for the examples")

    def handle(self, *args: Any, **options: Any) -> None:
        _refuse_old_database()
        _refuse_taken_port(options["bind"], options["port"])
        path = Path(settings.SM_MANIFEST)
        manifest = read_manifest(path) if path.is_file() else Manifest(path)
        plain = options["no_color"] or bool(os.environ.get("NO_COLOR"))
        speaker = _Speaker(colour=sys.stdout.isatty() and not plain)
        programs = list(_programs(manifest, options))
        connection.close()
        asyncio.run(_System(manifest, programs, speaker).run(options["bind"], options["port"]))


class _Speaker:
    """Prints lines with the name of who said them; silent once nobody listens."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self._numbers: dict[str, int] = {}
        self.listener_left = asyncio.Event()

    def say(self, name: str, line: str) -> None:
        if self.listener_left.is_set():
            return
        prefix = f"{name:<{NAME_WIDTH}} │"
        if self._colour:
            number = self._numbers.setdefault(name, len(self._numbers))
            prefix = f"\033[{COLOURS[number % len(COLOURS)]}m{prefix}\033[0m"
        try:
            sys.stdout.write(f"{prefix} {line}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            # What is still buffered goes nowhere, or the interpreter would complain at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self.listener_left.set()


class _System:
    """The programs, the hooks around them, and the line that says where the pages are."""

    def __init__(self, manifest: Manifest, programs: list[Program], speaker: _Speaker) -> None:
        self._manifest = manifest
        self._speaker = speaker
        self._supervisor = Supervisor(programs, speaker.say, before_stop=self._pre_stop)

    async def run(self, bind: str, port: int) -> None:
        """Run until stopped. Raises CommandError if a ``pre_start`` hook fails."""
        for command, code in [each async for each in self._hooks("pre_start")]:
            if code:
                raise CommandError(f"pre_start: {command!r} ended with {code}; nothing was started")
        async with asyncio.TaskGroup() as group:
            beside = [
                group.create_task(self._greet(bind, port)),
                group.create_task(self._leave_with_listener()),
            ]
            await self._supervisor.run()
            for task in beside:
                task.cancel()

    async def _greet(self, bind: str, port: int) -> None:
        address = ANY_ADDRESS.get(bind, bind)
        while not await _healthy(address, port):  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(ASK_AGAIN_SECONDS)
        shown = f"[{address}]" if ":" in address else address
        self._speaker.say("system", f"ready: http://{shown}:{port}/   (Ctrl+C stops everything)")
        async for command, code in self._hooks("post_start"):
            if code:
                self._speaker.say("system", f"post_start: {command!r} ended with {code}")

    async def _leave_with_listener(self) -> None:
        await self._speaker.listener_left.wait()
        self._supervisor.stop()

    async def _pre_stop(self) -> None:
        async for command, code in self._hooks("pre_stop"):
            if code:
                self._speaker.say("system", f"pre_stop: {command!r} ended with {code}")

    async def _hooks(self, name: str) -> AsyncIterator[tuple[str, int]]:
        for command in self._manifest.hooks.get(name, ()):
            yield command, await self._run_hook(Program(name, ["sh", "-c", command]))

    async def _run_hook(self, hook: Program) -> int:
        try:
            async with asyncio.timeout(HOOK_SECONDS):
                return await run_to_end(hook, self._speaker.say)
        except TimeoutError:
            self._speaker.say(hook.name, f"not done after {HOOK_SECONDS:g} s: killed")
            return Exit.TIMED_OUT


def _programs(manifest: Manifest, options: dict[str, Any]) -> Iterator[Program]:
    bind, port = options["bind"], str(options["port"])
    daphne = [sys.executable, "-m", "daphne"]
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    yield Program(
        "web",
        [*daphne, "-v", "0", "-b", bind, "-p", port, "smproject.asgi:application"],
        directory=settings.BASE_DIR,
        environment={"BIND": bind, "PORT": port},
    )
    if not options["no_workers"]:
        yield Program("workers", [*manage, "qcluster"])
    if manifest.started:
        yield Program("machines", [*manage, "runmachines"], may_end=True)
    if options["demo"]:
        yield Program("demo", [*manage, "demojobs", "--every", "3"], may_end=True)


async def _healthy(address: str, port: int) -> bool:
    """Whether the web server answers at /health that it is well."""
    host = next((name for name in settings.ALLOWED_HOSTS if "*" not in name), "localhost")
    request = f"GET /health HTTP/1.0\r\nHost: {host.lstrip('.')}\r\n\r\n"
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(address, port)
            try:
                writer.write(request.encode())
                status = await reader.readline()
            finally:
                writer.close()
            return status.split()[1:2] == [str(HTTPStatus.OK.value).encode()]
    return False


def _refuse_old_database() -> None:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise CommandError(
            f"the database lacks {len(missing)} migrations; first run: python manage.py migrate"
        )


def _refuse_taken_port(bind: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except OSError as error:
            raise CommandError(
                f"cannot listen on {bind}:{port}: {error.strerror}; choose another with --port"
            ) from error


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return int(text)
