"""Fixtures of the acceptance tests: a migrated database, and a system made from a copy of it."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.system import PROJECT, PYTHON, System, environment


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database after ``migrate``, with the examples on record."""
    folder = tmp_path_factory.mktemp("template")
    database = folder / "statemachine.sqlite3"
    subprocess.run(
        [PYTHON, PROJECT / "manage.py", "migrate", "--verbosity", "0"],
        env=environment(database, folder / "run"),
        check=True,
    )
    return database


@pytest.fixture
def run_dir() -> Iterator[Path]:
    """A run directory whose path is short: a socket's path has at most 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="sm-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def system(tmp_path: Path, run_dir: Path, template: Path) -> Iterator[System]:
    """A system of its own; what it started is ended afterwards."""
    found = System(tmp_path, run_dir, template)
    yield found
    found.close()
