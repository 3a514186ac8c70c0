"""List the types of actions: what each takes, and which events it raises."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from jobqueue.console import FORMATS, Exit, unknown
from jobqueue.console import Command as BaseCommand

from machines.actions.reference import as_json, as_markdown, section
from machines.actions.registry import Registry, action_folders, folders_of
from machines.core.definition import Definition
from machines.core.errors import MachineError
from machines.core.signatures import Raises, Signature
from machines.runtime import definitions

COLUMNS = ("name", "kind", "settings", "events", "origin")
SETTING_COLUMNS = ("setting", "takes", "default", "description")
EVENT_COLUMNS = ("event", "when", "named_by")


class Command(BaseCommand):
    help = "List the types of actions: all, those that a machine may use, or one whole."
    example = "listactions send_event"
    faults = (*BaseCommand.faults, MachineError)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "what",
            nargs="?",
            metavar="FILE|NAME|TYPE",
            help="those of this file, machine or definition; or one type whole",
        )
        parser.add_argument("type", nargs="?", metavar="TYPE", help="one type of FILE or NAME")
        parser.add_argument("--actions-dir", metavar="DIR", help="folder of custom actions")
        parser.add_argument(
            "--format",
            choices=(*FORMATS, "markdown"),
            default="table",
            help="for people, for programs, or as the reference",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        what, name = options["what"], options["type"]
        folders = action_folders(Path.cwd(), settings.SM_ACTIONS_DIR, options["actions_dir"])
        found = Registry(folders).signatures()
        if what in found and name is None:
            name = what
        elif what is not None:
            found = _signatures_of(what, found, options["actions_dir"])
        if name is None:
            self._list(list(found.values()), options)
        elif name in found:
            self._show(found[name], options)
        else:
            raise unknown("action type", name, found, hint="listactions lists them")

    def _list(self, found: Sequence[Signature], options: Mapping[str, Any]) -> None:
        if options["format"] == "markdown":
            self.stdout.write(as_markdown(found), ending="")
            return
        shape = as_json if options["format"] == "json" else _row
        self.print_rows([shape(signature) for signature in found], COLUMNS, options)

    def _show(self, found: Signature, options: Mapping[str, Any]) -> None:
        if options["format"] == "markdown":
            self.stdout.write(section(found), ending="")
        elif options["format"] == "json":
            self.print_row(as_json(found), options)
        else:
            self.print_row(_card(found), options)
            for rows, columns in (
                (_setting_rows(found), SETTING_COLUMNS),
                (_event_rows(found), EVENT_COLUMNS),
            ):
                if rows:
                    self.stdout.write("")
                    self.print_rows(rows, columns, options)


def _signatures(
    origin: Path | str, definition: Definition, actions_dir: str | None
) -> dict[str, Signature]:
    return Registry(folders_of(origin, definition, actions_dir)).signatures()


def _signatures_of(
    what: str, known: Mapping[str, Signature], actions_dir: str | None
) -> dict[str, Signature]:
    """The types that a machine of that file or name would have. Exit code 3 for no such thing."""
    path = Path(what)
    if path.is_file():
        _source, definition = definitions.read_file(path)
        return _signatures(path.resolve(), definition, actions_dir)
    if path.suffix in {".yaml", ".yml"} or "/" in what:
        raise CommandError(f"no file {what!r}", returncode=Exit.UNKNOWN)
    names = definitions.known_names()
    if what not in names:
        hint = "listactions lists the types"
        raise unknown("action type, machine or definition", what, [*known, *names], hint=hint)
    try:
        machine, record = definitions.find(what)
    except definitions.Unknown as error:
        raise CommandError(str(error), returncode=Exit.UNKNOWN) from error
    own = actions_dir or (machine.actions_dir if machine else None)
    return _signatures(record.origin, definitions.compiled(record), own)


def _row(signature: Signature) -> dict[str, Any]:
    """A line of the table; an optional setting stands in brackets."""
    taken = [each.name if each.required else f"[{each.name}]" for each in signature.settings]
    events = dict.fromkeys(_name(raises) for raises in signature.all_raises())
    return {
        "name": signature.name,
        "kind": signature.kind.value,
        "settings": "any" if signature.open else " ".join(taken),
        "events": "any" if signature.open else " ".join(events),
        "origin": _short(signature.origin),
    }


def _card(signature: Signature) -> dict[str, Any]:
    sets = [*signature.sets, *(f"<{each.name}>" for each in signature.settings if each.writes)]
    summary = signature.summary
    if signature.open:
        summary = f"{summary} It takes any setting and may raise any event.".lstrip()
    return {
        "name": signature.name,
        "kind": signature.kind.value,
        "summary": summary,
        "origin": _short(signature.origin),
        "sets": " ".join(sets),
    }


def _setting_rows(signature: Signature) -> list[dict[str, Any]]:
    return [
        {
            "setting": ", ".join((each.name, *each.aliases)),
            "takes": ", ".join(each.choices) or each.kind.value,
            "default": "required" if each.required else each.default,
            "description": each.description,
        }
        for each in signature.settings
    ]


def _event_rows(signature: Signature) -> list[dict[str, Any]]:
    return [
        {"event": raises.event, "when": raises.when, "named_by": raises.key and f"{raises.key}:"}
        for raises in signature.all_raises()
    ]


def _name(raises: Raises) -> str:
    return raises.event or f"({raises.key}:)"


def _short(origin: str) -> str:
    """The path of a file from the working folder, if it is below it."""
    path = Path(origin)
    inside = path.is_absolute() and path.is_relative_to(Path.cwd())
    return str(path.relative_to(Path.cwd())) if inside else origin
