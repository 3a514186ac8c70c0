"""Files of a rehearsal: machines and their tests, found, read and loaded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from machines.actions.registry import Registry, folders_of
from machines.core.definition import Definition
from machines.core.loading import load
from machines.rehearsal.rehearsal import name_of
from machines.rehearsal.scenario import Cast, ScenarioFile
from machines.rehearsal.scenario_files import read_scenarios

TESTS_SUFFIX = ".tests.yaml"  # worker.tests.yaml stands beside worker.yaml
_SUFFIXES = (TESTS_SUFFIX, ".tests.yml")


class Shelf:
    """Machines that were loaded, each once, with the action types that each may use."""

    def __init__(self, actions_dir: Path | None = None) -> None:
        """``actions_dir``: a folder of custom actions for every machine."""
        self._actions_dir = actions_dir
        self._definitions: dict[Path, Definition] = {}
        self._registries: dict[tuple[Path, ...], Registry] = {}

    def definition(self, path: Path) -> Definition:
        """The machine in a file. Raises DefinitionError, OSError."""
        if path not in self._definitions:
            self._definitions[path] = load(path.read_bytes(), origin=str(path))
        return self._definitions[path]

    def types(self, *paths: Path) -> Registry:
        """The action types of machines that take part together. Raises CustomActionError."""
        found = (folder for path in paths for folder in self._folders_of(path))
        folders = tuple(dict.fromkeys(found))
        if folders not in self._registries:
            self._registries[folders] = Registry(folders)
        return self._registries[folders]

    def scenarios(self, path: Path) -> ScenarioFile:
        """The tests in a file. Raises DefinitionError, OSError."""

        def load_machine(file: str) -> Cast:
            found = path.parent / file
            definition = self.definition(found)
            signatures = self.types(found).signatures()
            return Cast(definition, str(found), name_of(definition, file), signatures)

        beside = machine_beside(path)
        return read_scenarios(
            path.read_bytes(),
            origin=str(path),
            machine=None if beside is None else beside.name,
            load_machine=load_machine,
        )

    def _folders_of(self, path: Path) -> tuple[Path, ...]:
        given = None if self._actions_dir is None else str(self._actions_dir)
        return folders_of(path, self.definition(path), given)


def is_tests_file(path: Path) -> bool:
    """True if a file holds tests and no machine."""
    return path.name.endswith(_SUFFIXES)


def machine_beside(tests: Path) -> Path | None:
    """``worker.yaml`` for ``worker.tests.yaml``; None if there is none."""
    stem = tests.name.removesuffix(".yaml").removesuffix(".yml").removesuffix(".tests")
    found = (tests.with_name(stem + suffix) for suffix in (".yaml", ".yml"))
    return next((path for path in found if path.is_file()), None)


def tests_beside(machine: Path) -> Path | None:
    """``worker.tests.yaml`` for ``worker.yaml``; None if there is none."""
    found = (machine.with_name(machine.stem + suffix) for suffix in _SUFFIXES)
    return next((path for path in found if path.is_file()), None)


def tests_files(what: Iterable[Path]) -> list[Path]:
    """The files of tests that files and folders stand for; each once, in their order."""
    found: list[Path] = []
    for path in what:
        if path.is_dir():
            found.extend(sorted(one for suffix in _SUFFIXES for one in path.rglob(f"*{suffix}")))
        elif is_tests_file(path):
            found.append(path)
        elif (beside := tests_beside(path)) is not None:
            found.append(beside)
    return list(dict.fromkeys(found))
