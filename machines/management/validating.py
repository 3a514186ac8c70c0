"""Which files a validation looks at, and what it finds in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from jobqueue.console import unknown

from machines.actions.registry import Registry, folders_of
from machines.core.definition import Definition, Place
from machines.core.errors import DefinitionError, Fault, MachineError
from machines.core.validation import Peer, Problem, Severity, peer, validate
from machines.core.validation.codes import ACTIONS_NOT_LOADED, DOES_NOT_LOAD, UNKNOWN_ACTION
from machines.core.validation.explored import EXPLORED
from machines.core.validation.report import Located
from machines.rehearsal.exploration import explore
from machines.rehearsal.files import is_tests_file
from machines.rehearsal.findings import Finding
from machines.runtime.definitions import read_file
from machines.runtime.manifest import read_manifest

SUFFIXES = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True)
class Source:
    """A file to look at, and what the manifest says of it."""

    path: Path
    names: tuple[str, ...] = ()
    actions_dir: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)


def sources(given: list[str]) -> list[Source]:
    """The files to look at, each once; tests of machines are passed over.

    Raises CommandError for one that is not there.
    """
    manifest = Path(settings.SM_MANIFEST)
    if not given and manifest.is_file():
        return _sources_of_manifest(manifest)
    names = given or [str(_shown(Path(settings.SM_EXAMPLES_DIR)))]
    paths = dict.fromkeys(path for name in names for path in _files(name))
    return [Source(path) for path in paths]


def look(
    found: list[Source], actions_dir: str | None, *, exploring: bool = False
) -> Iterator[Located]:
    """The problems of all files, file by file, each looked at together with the others.

    ``exploring``: also what may happen when they run.
    """
    types = _Types(actions_dir)
    loaded: dict[Path, Definition] = {}
    problems: dict[Path, list[Problem]] = {}
    for source in found:
        try:
            _text, definition = read_file(source.path)
        except DefinitionError as error:
            problems[source.path] = [_unreadable(fault) for fault in error.faults]
        else:
            context = {**definition.context, **source.context}
            loaded[source.path] = replace(definition, context=context)
    peers = {
        source.path: _peer(source, loaded[source.path], types)
        for source in found
        if source.path in loaded
    }
    for source in found:
        if source.path in loaded:
            definition = loaded[source.path]
            problems[source.path] = _validated(source, definition, peers, types)
            if exploring:
                problems[source.path] += _explored(definition, types.of(source, definition)[0])
        yield from (Located(str(source.path), problem) for problem in problems[source.path])


def _sources_of_manifest(manifest: Path) -> list[Source]:
    found: dict[Path, Source] = {}
    for entry in read_manifest(manifest).machines:
        path = _shown(entry.file)
        before = found.get(path, Source(path))
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
        return [] if is_tests_file(path) else [path]
    beside = sorted(map(str, path.parent.iterdir())) if path.parent.is_dir() else ()
    raise unknown("file", name, beside, hint="name a YAML file or a folder")


def _is_machine(below: Path, file: Path) -> bool:
    """True for a YAML file of a folder: none that is hidden, the manifest or tests of another."""
    hidden = any(part.startswith(".") for part in below.parts)
    manifest = file.resolve() == Path(settings.SM_MANIFEST).resolve()
    passed_over = hidden or manifest or is_tests_file(file)
    return file.suffix in SUFFIXES and file.is_file() and not passed_over


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _unreadable(fault: Fault) -> Problem:
    code = DOES_NOT_LOAD
    place = Place(fault.line, fault.column)
    return Problem(code.code, code.severity, place, fault.message, code.hint)


def _peer(source: Source, definition: Definition, types: _Types) -> Peer:
    known, _fault = types.of(source, definition)
    return peer(definition, known.signatures(), *source.names, stem=source.path.stem)


def _validated(
    source: Source, definition: Definition, peers: Mapping[Path, Peer], types: _Types
) -> list[Problem]:
    others = [other for path, other in peers.items() if path != source.path]
    known, fault = types.of(source, definition)
    found = validate(definition, known.signatures(), others, own=peers[source.path])
    if not fault:
        return list(found)
    code = ACTIONS_NOT_LOADED
    # What types the folder would have added is not known.
    rest = [problem for problem in found if problem.code != UNKNOWN_ACTION.code]
    return [Problem(code.code, code.severity, Place(1, 1), fault, code.hint), *rest]


def _explored(definition: Definition, types: Registry) -> list[Problem]:
    exploration = explore(definition, types)
    found = [_as_problem(finding) for finding in exploration.findings]
    if not exploration.complete:
        code = EXPLORED["explored-in-part"]
        said = f"only the first {exploration.configurations} configurations were looked at"
        hint = "What was found is true; that something never happens is not known."
        found.append(Problem(code.code, code.severity, Place(1, 1), said, hint))
    return found


def _as_problem(finding: Finding) -> Problem:
    way = f"the shortest way there: {' · '.join(finding.sequence) or 'from the start'}"
    again = " · ".join(move.text for move in finding.cycle if move.shown)
    hints = [
        way,
        *([f"again and again: {again}"] if again else []),
        *([f"it depends on {', '.join(finding.depends_on)}"] if finding.depends_on else []),
    ]
    code = EXPLORED[finding.code]
    severity = Severity(finding.severity)
    return Problem(code.code, severity, finding.place, finding.message, "; ".join(hints))


class _Types:
    """The action types of each file, found as ``runmachine`` finds them."""

    def __init__(self, actions_dir: str | None) -> None:
        self._actions_dir = actions_dir
        self._built_in = Registry()
        self._known: dict[tuple[Path, ...], tuple[Registry, str]] = {}

    def of(self, source: Source, definition: Definition) -> tuple[Registry, str]:
        """The types, and why folders were left out, or an empty text."""
        asked = self._actions_dir or source.actions_dir
        folders = folders_of(source.path, definition, asked)
        if folders not in self._known:
            self._known[folders] = self._load(folders)
        return self._known[folders]

    def _load(self, folders: tuple[Path, ...]) -> tuple[Registry, str]:
        try:
            return Registry(folders), ""
        except MachineError as error:
            return self._built_in, str(error)
