"""Look through machine definitions for what is wrong, or probably not meant as it is written."""

from typing import Any

import orjson
from django.core.management.base import CommandError, CommandParser
from jobqueue.console import Command as BaseCommand
from jobqueue.console import Exit, unknown

from machines.core.errors import MachineError
from machines.core.validation import Severity
from machines.core.validation.codes import DOES_NOT_LOAD
from machines.core.validation.explored import ALL_CODES
from machines.core.validation.report import Located, as_sarif, counted
from machines.management.validating import look, sources

FORMATS = ("text", "json", "sarif")


class Command(BaseCommand):
    """Validates files together: what one sends to another is looked at too."""

    help = (
        "Look through machine definitions for mistakes. Exit code 1 if there are errors, with"
        " --strict warnings too. docs/reference/problems.md explains every code."
    )
    example = "validatemachines examples --strict"
    faults = (*BaseCommand.faults, MachineError)

    def add_arguments(self, parser: CommandParser) -> None:
        """See BaseCommand."""
        parser.add_argument(
            "files",
            nargs="*",
            metavar="FILE",
            help="a YAML file, or a folder with such files; none: those of the manifest, or the"
            " examples",
        )
        parser.add_argument("--strict", action="store_true", help="exit with 1 on warnings too")
        parser.add_argument("--select", metavar="CODES", help="only these: SM3,dead-end")
        parser.add_argument("--ignore", metavar="CODES", help="all but these")
        parser.add_argument("--actions-dir", metavar="DIR", help="a folder of custom actions")
        parser.add_argument("--explore", action="store_true", help="play all that may happen, too")
        parser.add_argument(
            "--format", choices=FORMATS, default="text", help="for people, or for programs"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """See BaseCommand."""
        wanted = _wanted(options["select"], options["ignore"])
        files = sources(options["files"])
        if not files:
            raise CommandError("there is no machine to look at", returncode=Exit.UNKNOWN)
        found = [
            located
            for located in look(files, options["actions_dir"], exploring=options["explore"])
            if located.problem.code in wanted
        ]
        self._print(found, options["format"])
        summary = counted(found, len(files))
        fatal = {Severity.ERROR, Severity.WARNING} if options["strict"] else {Severity.ERROR}
        if any(located.problem.severity in fatal for located in found):
            raise CommandError(summary, returncode=Exit.FAILED)
        self.talk(summary)

    def _print(self, found: list[Located], form: str) -> None:
        if form == "text":
            for located in found:
                self.stdout.write(located.text)
            return
        value = [located.as_json() for located in found] if form == "json" else as_sarif(found)
        self.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def _wanted(select: str | None, ignore: str | None) -> set[str]:
    """The codes to tell of. A file that does not load is told of unless it is ignored."""
    chosen = set(ALL_CODES) if select is None else _chosen(select) | {DOES_NOT_LOAD.code}
    return chosen - (set() if ignore is None else _chosen(ignore))


def _chosen(text: str) -> set[str]:
    """The codes that a list of codes, their beginnings and names means."""
    chosen: set[str] = set()
    for word in filter(None, (part.strip() for part in text.split(","))):
        found = {
            code.code
            for code in ALL_CODES.values()
            if code.code.startswith(word.upper()) or code.name == word.lower()
        }
        if not found:
            known = [name for code in ALL_CODES.values() for name in (code.name, code.code)]
            fault = unknown("code", word, known, hint="see docs/reference/problems.md")
            raise CommandError(str(fault), returncode=Exit.USAGE)
        chosen |= found
    if not chosen:
        raise CommandError(f"{text!r} names no code", returncode=Exit.USAGE)
    return chosen
