"""The manifest ``machines.yaml``: which machines a system runs, and commands around its life.

    machines:
      worker: {file: worker.yaml, actions_dir: actions, context: {a: 1}, start: true, count: 4}
    hooks:
      pre_start: "echo before the first machine starts"
      post_start: []
      pre_stop: []

Paths are relative to the manifest. Everything but ``file`` may be left out.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from machines.core.errors import DefinitionError, Fault
from machines.models import MACHINE_NAME_PATTERN

MAX_MANIFEST_BYTES = 256 << 10  # as much as a definition may have
HOOKS = ("pre_start", "post_start", "pre_stop")


@dataclass(frozen=True, slots=True)
class ManifestMachine:
    """One entry: a file to run, under which name, and whether it starts with the system.

    ``count`` is None for one machine called ``name``; a number for instances of a template.
    """

    name: str
    file: Path
    actions_dir: Path | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    start: bool = True
    count: int | None = None

    @property
    def machine_names(self) -> tuple[str, ...]:
        """The names of its machines: ``name``, or ``name-1`` to ``name-count``."""
        if self.count is None:
            return (self.name,)
        return tuple(f"{self.name}-{number}" for number in range(1, self.count + 1))


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole manifest; ``hooks`` has shell commands for each name in ``HOOKS``."""

    origin: Path
    machines: tuple[ManifestMachine, ...] = ()
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def started(self) -> tuple[ManifestMachine, ...]:
        """The entries that start with the system, in file order."""
        return tuple(entry for entry in self.machines if entry.start)


def read_manifest(path: Path) -> Manifest:
    """The manifest in the file ``path``.

    Raises DefinitionError with every fault in it and the line of each; FileNotFoundError.
    """
    content = path.read_bytes()
    if len(content) > MAX_MANIFEST_BYTES:
        found = f"{len(content):,} bytes; a manifest has at most {MAX_MANIFEST_BYTES:,}"
        raise DefinitionError(str(path), [Fault(1, 1, found)])
    return _Reader(path).manifest(content)


class _Reader:
    """Turns nodes of YAML into values, and collects the faults on the way."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._faults: list[Fault] = []
        self._settings: Mapping[str, Callable[[str, yaml.Node, Any], Any]] = {
            "file": self._file,
            "actions_dir": self._folder,
            "context": self._context,
            "start": self._start,
            "count": self._count,
        }

    def manifest(self, content: bytes) -> Manifest:
        machines: list[ManifestMachine] = []
        hooks: dict[str, tuple[str, ...]] = {}
        for key, node in self._entries("the manifest", self._root(content), ("machines", "hooks")):
            if key == "machines":
                machines = list(self._machines(node))
            else:
                hooks = {
                    name: self._commands(f"hooks.{name}", value)
                    for name, value in self._entries("hooks", node, HOOKS)
                }
        if self._faults:
            raise DefinitionError(str(self._path), self._faults)
        return Manifest(self._path, tuple(machines), hooks)

    def _root(self, content: bytes) -> yaml.Node | None:
        try:
            self._loader = yaml.SafeLoader(content.decode())
            return self._loader.get_single_node()
        except UnicodeDecodeError as error:
            fault = Fault(1, 1, f"not UTF-8: {error.reason} at byte {error.start}")
        except RecursionError:
            fault = Fault(1, 1, "nested too deeply")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            fault = Fault(line, column, error.problem or "not YAML")
        except yaml.YAMLError as error:
            fault = Fault(1, 1, f"not YAML: {error}")
        raise DefinitionError(str(self._path), [fault])

    def _machines(self, node: yaml.Node) -> Iterator[ManifestMachine]:
        for name, value in self._entries("machines", node, None):
            if not re.fullmatch(MACHINE_NAME_PATTERN, name):
                wanted = "a letter, then up to 62 letters, digits, '_' and '-'"
                self._fault(value, f"machines: {name!r} is no name of a machine; right is {wanted}")
            where = f"machines.{name}"
            settings = {
                key: self._settings[key](f"{where}.{key}", setting, self._value(setting))
                for key, setting in self._entries(where, value, tuple(self._settings))
            }
            if "file" in settings:
                yield ManifestMachine(name=name, **settings)
            elif isinstance(value, yaml.MappingNode):
                self._fault(value, f"{where}: the key 'file' is missing; it names the YAML file")

    def _entries(
        self, where: str, node: yaml.Node | None, known: Iterable[str] | None
    ) -> Iterator[tuple[str, yaml.Node]]:
        """Keys and values of a mapping; an empty one may be left out. None: any key is known."""
        if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
            return
        if not isinstance(node, yaml.MappingNode):
            self._fault(node, f"{where}: found {self._value(node)!r}, expected a mapping")
            return
        seen: set[str] = set()
        for key_node, value in node.value:
            key = str(key_node.value)
            if key in seen:
                self._fault(key_node, f"{where}: {key!r} stands here twice")
            elif known is not None and key not in known:
                self._fault(key_node, f"{where}: unknown key {key!r}; {_suggestion(key, known)}")
            else:
                seen.add(key)
                yield key, value

    def _value(self, node: yaml.Node) -> Any:
        try:
            return self._loader.construct_object(node, deep=True)
        except yaml.YAMLError:
            return None  # a tag of some other program: no setting takes it

    def _file(self, where: str, node: yaml.Node, value: Any) -> Path:
        path = self._relative(where, node, value)
        if isinstance(value, str) and not path.is_file():
            self._fault(node, f"{where}: no file {str(path)!r}")
        return path

    def _folder(self, where: str, node: yaml.Node, value: Any) -> Path:
        path = self._relative(where, node, value)
        if isinstance(value, str) and not path.is_dir():
            self._fault(node, f"{where}: no folder {str(path)!r}")
        return path

    def _relative(self, where: str, node: yaml.Node, value: Any) -> Path:
        if not isinstance(value, str):
            self._fault(node, f"{where}: found {value!r}, expected a path as text")
        return self._path.parent / str(value)

    def _context(self, where: str, node: yaml.Node, value: Any) -> Mapping[str, Any]:
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return value
        self._fault(node, f"{where}: found {value!r}, expected a mapping of names to values")
        return {}

    def _start(self, where: str, node: yaml.Node, value: Any) -> bool:
        if not isinstance(value, bool):
            self._fault(node, f"{where}: found {value!r}, expected true or false")
        return bool(value)

    def _count(self, where: str, node: yaml.Node, value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            return value
        self._fault(node, f"{where}: found {value!r}, expected a whole number from 1 on")
        return 1

    def _commands(self, where: str, node: yaml.Node) -> tuple[str, ...]:
        value = self._value(node)
        commands = [value] if isinstance(value, str) else value or []
        if isinstance(commands, list) and all(isinstance(command, str) for command in commands):
            return tuple(commands)
        self._fault(node, f"{where}: found {value!r}, expected a command or a list of commands")
        return ()

    def _fault(self, node: yaml.Node, message: str) -> None:
        mark = node.start_mark
        self._faults.append(Fault(mark.line + 1, mark.column + 1, message))


def _suggestion(key: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
