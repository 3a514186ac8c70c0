"""Look through machine definitions for what is wrong, or probably not meant as it is written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from jobqueue.console import Command as BaseCommand
from jobqueue.console import Exit, unknown

from machines.actions.registry import Registry
from machines.core.definition import Definition, Place
from machines.core.errors import DefinitionError, Fault, MachineError
from machines.core.signatures import Signature
from machines.core.validation import CODES, Peer, Problem, Severity, peer, validate
from machines.core.validation.codes import ACTIONS_NOT_LOADED, DOES_NOT_LOAD, UNKNOWN_ACTION
from machines.core.validation.report import Located, as_sarif, counted
from machines.runtime.definitions import read_file
from machines.runtime.manifest import read_manifest

FORMATS = ("text", "json", "sarif")
SUFFIXES = frozenset({".yaml", ".yml"})


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
        parser.add_argument(
            "--format", choices=FORMATS, default="text", help="for people, or for programs"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """See BaseCommand."""
        wanted = _wanted(options["select"], options["ignore"])
        sources = _sources(options["files"])
        found = [
            located
            for located in _look(sources, options["actions_dir"])
            if located.problem.code in wanted
        ]
        self._print(found, options["format"])
        summary = counted(found, len(sources))
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


@dataclass(frozen=True, slots=True)
class _Source:
    """A file to look at, and what the manifest says of it."""

    path: Path
    names: tuple[str, ...] = ()
    actions_dir: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)


def _sources(given: list[str]) -> list[_Source]:
    """The files to look at, each once. Raises CommandError for one that is not there."""
    manifest = Path(settings.SM_MANIFEST)
    if not given and manifest.is_file():
        return _sources_of_manifest(manifest)
    names = given or [str(_shown(Path(settings.SM_EXAMPLES_DIR)))]
    paths = dict.fromkeys(path for name in names for path in _files(name))
    return [_Source(path) for path in paths]


def _sources_of_manifest(manifest: Path) -> list[_Source]:
    found: dict[Path, _Source] = {}
    for entry in read_manifest(manifest).machines:
        path = _shown(entry.file)
        before = found.get(path, _Source(path))
        found[path] = replace(
            before,
            names=(*before.names, *entry.machine_names),
            actions_dir=str(entry.actions_dir) if entry.actions_dir else before.actions_dir,
            context={**before.context, **entry.context},
        )
    return list(found.values())


def _files(name: str) -> list[Path]:
    path = Path(name)
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if _is_machine(file.relative_to(path), file))
    if path.is_file():
        return [path]
    beside = sorted(map(str, path.parent.iterdir())) if path.parent.is_dir() else ()
    raise unknown("file", name, beside, hint="name a YAML file or a folder")


def _is_machine(below: Path, file: Path) -> bool:
    """True for a YAML file of a folder: none that is hidden, the manifest or tests of another."""
    hidden = any(part.startswith(".") for part in below.parts)
    manifest = file.resolve() == Path(settings.SM_MANIFEST).resolve()
    tests = file.stem.endswith(".tests")
    return file.suffix in SUFFIXES and file.is_file() and not (hidden or manifest or tests)


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _look(sources: list[_Source], actions_dir: str | None) -> Iterator[Located]:
    """The problems of all files, file by file, each looked at together with the others."""
    signatures = _Signatures(actions_dir)
    loaded: dict[Path, Definition] = {}
    problems: dict[Path, list[Problem]] = {}
    for source in sources:
        try:
            _text, definition = read_file(source.path)
        except DefinitionError as error:
            problems[source.path] = [_unreadable(fault) for fault in error.faults]
        else:
            context = {**definition.context, **source.context}
            loaded[source.path] = replace(definition, context=context)
    peers = {
        source.path: _peer(source, loaded[source.path], signatures)
        for source in sources
        if source.path in loaded
    }
    for source in sources:
        if source.path in loaded:
            problems[source.path] = _validated(source, loaded[source.path], peers, signatures)
        yield from (Located(str(source.path), found) for found in problems[source.path])


def _unreadable(fault: Fault) -> Problem:
    code = DOES_NOT_LOAD
    place = Place(fault.line, fault.column)
    return Problem(code.code, code.severity, place, fault.message, code.hint)


def _peer(source: _Source, definition: Definition, signatures: "_Signatures") -> Peer:
    known, _fault = signatures.of(source, definition)
    return peer(definition, known, *source.names, stem=source.path.stem)


def _validated(
    source: _Source,
    definition: Definition,
    peers: Mapping[Path, Peer],
    signatures: "_Signatures",
) -> list[Problem]:
    others = [other for path, other in peers.items() if path != source.path]
    known, fault = signatures.of(source, definition)
    found = validate(definition, known, others, own=peers[source.path])
    if not fault:
        return list(found)
    code = ACTIONS_NOT_LOADED
    # What types the folder would have added is not known.
    rest = [problem for problem in found if problem.code != UNKNOWN_ACTION.code]
    return [Problem(code.code, code.severity, Place(1, 1), fault, code.hint), *rest]


class _Signatures:
    """What the action types of each file take, found as ``runmachine`` finds them."""

    def __init__(self, actions_dir: str | None) -> None:
        self._actions_dir = actions_dir
        self._built_in = Registry().signatures()
        self._known: dict[tuple[Path, ...], tuple[Mapping[str, Signature], str]] = {}

    def of(self, source: _Source, definition: Definition) -> tuple[Mapping[str, Signature], str]:
        """The signatures by type, and why folders were left out, or an empty text."""
        asked = (
            settings.SM_ACTIONS_DIR,
            definition.actions_dir,
            self._actions_dir or source.actions_dir,
        )
        folders = tuple(_folder(name, source.path.parent) for name in asked if name)
        if folders not in self._known:
            self._known[folders] = self._load(folders)
        return self._known[folders]

    def _load(self, folders: tuple[Path, ...]) -> tuple[Mapping[str, Signature], str]:
        try:
            return Registry(folders).signatures(), ""
        except MachineError as error:
            return self._built_in, str(error)


def _folder(name: str, beside: Path) -> Path:
    """A folder named in a file is sought beside that file, then in the working folder."""
    found = beside / name
    return found if found.is_dir() else Path(name)


def _wanted(select: str | None, ignore: str | None) -> set[str]:
    """The codes to tell of. A file that does not load is told of unless it is ignored."""
    chosen = set(CODES) if select is None else _chosen(select) | {DOES_NOT_LOAD.code}
    return chosen - (set() if ignore is None else _chosen(ignore))


def _chosen(text: str) -> set[str]:
    """The codes that a list of codes, their beginnings and names means."""
    chosen: set[str] = set()
    for word in filter(None, (part.strip() for part in text.split(","))):
        found = {
            code.code
            for code in CODES.values()
            if code.code.startswith(word.upper()) or code.name == word.lower()
        }
        if not found:
            known = [name for code in CODES.values() for name in (code.name, code.code)]
            fault = unknown("code", word, known, hint="see docs/reference/problems.md")
            raise CommandError(str(fault), returncode=Exit.USAGE)
        chosen |= found
    return chosen
