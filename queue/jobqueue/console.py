"""What every command of the project shares: exit codes, faults as one line, arguments.

A command parses, calls, prints. Data goes to stdout, talk and faults to stderr.
"""

import argparse
import contextlib
import difflib
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import IntEnum
from itertools import islice
from typing import Any, ClassVar

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError
from django.utils import timezone

from jobqueue.errors import JobError
from jobqueue.intake import checked_time
from jobqueue.tables import Page, as_card, as_table

FORMATS = ("table", "json")
SUGGESTIONS_FROM = 200  # known names looked at for "did you mean"; more would be slow


class Exit(IntEnum):
    """Exit codes; scripts rely on them."""

    DONE = 0
    FAILED = 1
    USAGE = 2  # wrong usage
    UNKNOWN = 3  # no such thing
    IGNORED = 4  # the event was ignored in this state
    TAKEN = 75  # the machine already runs
    TIMED_OUT = 124
    INTERRUPTED = 130  # Ctrl+C


def unknown(kind: str, name: str, known: Iterable[str], *, hint: str = "") -> CommandError:
    """The fault of a name that is not there, with the nearest known one; exit code 3."""
    near = difflib.get_close_matches(name, list(islice(known, SUGGESTIONS_FROM)), 1)
    advice = f"did you mean {near[0]!r}?" if near else hint
    return CommandError(
        f"no {kind} {name!r}" + (f"; {advice}" if advice else ""), returncode=Exit.UNKNOWN
    )


def json_argument(text: str) -> Any:
    """An argument that is JSON, or ``-`` for JSON from standard input."""
    source = sys.stdin.read() if text == "-" else text
    try:
        return orjson.loads(source)
    except orjson.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(
            f'{source!r:.80} is not JSON ({error}); write it like \'{{"key": "value"}}\''
        ) from error


def time_argument(text: str) -> datetime:
    """An argument that is a time in ISO 8601 with its zone."""
    try:
        return checked_time("time", text)
    except JobError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def count_argument(text: str) -> int:
    """An argument that is a whole number from 1 on."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


class Command(BaseCommand):
    """The base of the project's commands.

    ``example`` stands under ``--help``. ``faults`` are the errors whose text is meant for people;
    they, a CommandError and a database that is not ready end the command with one line.
    """

    example: ClassVar[str] = ""
    faults: ClassVar[tuple[type[Exception], ...]] = (JobError,)
    # Checks import every page and app, which would treble the time a command takes.
    requires_system_checks = ()

    from_shell = False  # else called by code, which wants the exception

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        epilog = f"example: python manage.py {self.example}" if self.example else None
        return super().create_parser(prog_name, subcommand, epilog=epilog, **kwargs)

    def run_from_argv(self, argv: list[str]) -> None:
        self.from_shell = True
        super().run_from_argv(argv)

    def execute(self, *args: Any, **options: Any) -> str | None:
        if not self.from_shell or options["traceback"]:
            return self._execute(*args, **options)
        try:
            output = self._execute(*args, **options)
            self.stdout.flush()
        except CommandError as fault:
            self.stderr.write(str(fault))
            sys.exit(fault.returncode)
        except KeyboardInterrupt:
            self.talk("interrupted")
            sys.exit(Exit.INTERRUPTED)
        except OSError as fault:
            if not isinstance(fault, BrokenPipeError):  # else whoever read the output has left
                self.talk(str(fault))
            with contextlib.suppress(OSError):
                self.stdout.flush()
            # What is still buffered goes nowhere, or the interpreter would complain at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(Exit.FAILED)
        return output

    def _execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except self.faults as fault:
            raise CommandError(str(fault)) from fault
        except (OperationalError, ProgrammingError) as fault:
            raise CommandError(
                f"the database refused: {fault}; if it is new: python manage.py migrate"
            ) from fault

    def talk(self, text: str) -> None:
        """Say something to the person, on stderr, where it does not mix with data."""
        self.stderr.write(text, style_func=str)

    def add_format(self, parser: CommandParser) -> None:
        """Add ``--format``, for a command that lists."""
        parser.add_argument(
            "--format", choices=FORMATS, default="table", help="for people, or for programs"
        )

    def print_rows(
        self,
        rows: Sequence[Mapping[str, Any]],
        columns: Sequence[str],
        options: Mapping[str, Any],
        *,
        nothing: str = "nothing to list",
    ) -> None:
        """Print ``rows`` as ``options["format"]`` says: a table of ``columns``, or whole as JSON.

        Without rows the table is the line ``nothing`` on stderr; JSON is an empty array.
        """
        if options["format"] == "json":
            self._print_json(list(rows))
        elif rows:
            self.stdout.write(as_table(rows, columns, self._page(options)), ending="")
        else:
            self.talk(nothing)

    def print_row(self, row: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        """Print one thing whole, as ``options["format"]`` says: a line for each key, or JSON."""
        if options["format"] == "json":
            self._print_json(row)
        else:
            self.stdout.write(as_card(row, self._page(options)), ending="")

    def _print_json(self, value: Any) -> None:
        self.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())

    def _page(self, options: Mapping[str, Any]) -> Page:
        terminal = self.stdout.isatty()
        plain = options["no_color"] or bool(os.environ.get("NO_COLOR"))
        return Page(
            now=timezone.now(),
            width=shutil.get_terminal_size().columns if terminal else None,
            colour=not plain and (options["force_color"] or terminal),
        )
