"""Draw a machine: as Mermaid text, as a Markdown document, or as an SVG."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from jobqueue.console import Command as BaseCommand
from jobqueue.console import Exit, unknown

from machines.actions.registry import Registry, folders_of
from machines.core.boxes import groups_of
from machines.core.definition import Definition
from machines.core.document import document
from machines.core.errors import MachineError
from machines.core.mermaid import Diagram, diagram
from machines.management import browser
from machines.management.writing import write
from machines.runtime import definitions

FORMATS = ("mermaid", "markdown", "svg")
BY_SUFFIX = {".md": "markdown", ".markdown": "markdown", ".svg": "svg"}
SUFFIXES = (".yaml", ".yml")
MERMAID_LIMIT = 50_000  # characters that Mermaid draws unless its maxTextSize is raised


class Command(BaseCommand):
    """Draws the very definition that runs; nothing leaves the host."""

    help = "Draw a machine: as Mermaid text, as a Markdown document, or as an SVG."
    example = "drawmachine examples/simple_worker/config/worker.yaml --output worker.svg"
    faults = (MachineError,)

    def add_arguments(self, parser: CommandParser) -> None:
        """See BaseCommand."""
        parser.add_argument(
            "what", metavar="FILE|NAME", help="a YAML file; or a machine's or definition's name"
        )
        parser.add_argument("--output", metavar="F", type=Path, help="write to this file")
        parser.add_argument(
            "--format",
            choices=FORMATS,
            help="left out: by the end of the output's name, else mermaid",
        )
        parser.add_argument("--group", metavar="G", help="only the states of this group")
        parser.add_argument("--fold", action="store_true", help="draw each group as one box")

    def handle(self, *_args: Any, **options: Any) -> None:
        """See BaseCommand."""
        group, folded, output = options["group"], options["fold"], options["output"]
        if group is not None and folded:
            raise CommandError(
                "--group and --fold exclude each other; take one", returncode=Exit.USAGE
            )
        definition, origin = _definition(options["what"])
        _check_group(group, groups_of(definition))
        drawn = diagram(definition, group=group, folded=folded, interrupts=True)
        wanted = options["format"] or BY_SUFFIX.get(output.suffix if output else "", "mermaid")
        self._warn(drawn, wanted)
        text = _written(definition, origin, drawn, wanted, group)
        write(self, text, output)

    def _warn(self, drawn: Diagram, wanted: str) -> None:
        if wanted != "svg" and len(drawn.text) > MERMAID_LIMIT:
            self.talk(
                f"the drawing has {len(drawn.text):,} characters; Mermaid draws {MERMAID_LIMIT:,}"
                " unless its maxTextSize is raised: draw less, with --fold or --group, or an svg"
            )


def _definition(what: str) -> tuple[Definition, str]:
    """What is to be drawn, and its file."""
    path = Path(what)
    if path.is_file():
        return definitions.read_file(path)[1], what
    if path.suffix in SUFFIXES or len(path.parts) > 1:
        beside = (str(found) for found in path.parent.glob("*") if found.suffix in SUFFIXES)
        raise unknown("file", what, sorted(beside))
    try:
        record = definitions.find(what)[1]
        return definitions.compiled(record), record.origin
    except definitions.Unknown as error:
        raise CommandError(str(error), returncode=Exit.UNKNOWN) from error


def _check_group(group: str | None, groups: Iterable[str]) -> None:
    known = [name for name in groups if name]
    if group is not None and group not in known:
        listed = f"the groups are: {', '.join(known)}" if known else "no state of it has a group"
        raise unknown("group", group, known, hint=listed)


def _written(
    definition: Definition, origin: str, drawn: Diagram, wanted: str, group: str | None
) -> str:
    if wanted == "markdown":
        types = Registry(folders_of(origin, definition))
        return document(definition, types.signatures(), drawn, group=group)
    if wanted == "svg":
        return browser.as_svg(drawn.text, title=definition.name)
    return drawn.text
