"""Where sockets live: short enough for a socket's path, and for one user alone."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from machines.runtime.control import ControlServer
from machines.runtime.rundir import LONGEST_SOCKET_NAME, MAX_SOCKET_PATH_BYTES, run_dir


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a short path, in whose ``t`` temporary directories are."""
    with tempfile.TemporaryDirectory(prefix="s", dir="/tmp") as folder:
        (Path(folder) / "t").mkdir()
        monkeypatch.setattr(tempfile, "tempdir", f"{folder}/t")
        yield Path(folder)


def mode_of(path: Path) -> int:
    """The permissions of a path."""
    return stat.S_IMODE(path.stat().st_mode)


def test_the_directory_that_is_asked_for_is_made_for_its_owner_alone(
    settings: Any, short: Path
) -> None:
    settings.SM_RUN_DIR = str(short / "a/b")

    made = run_dir()

    assert made == short / "a/b"
    assert mode_of(made) == 0o700


def test_without_being_asked_it_lies_beside_the_database(settings: Any, short: Path) -> None:
    settings.SM_RUN_DIR = ""
    settings.STATE_DIR = short

    assert run_dir() == short / "run"


def test_a_relative_directory_is_one_of_the_working_folder(
    settings: Any, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(short)
    settings.SM_RUN_DIR = "run"

    assert run_dir() == short / "run"


def test_a_directory_that_others_could_enter_is_closed_to_them(settings: Any, short: Path) -> None:
    path = short / "open"
    path.mkdir()
    path.chmod(0o755)
    settings.SM_RUN_DIR = str(path)

    assert mode_of(run_dir()) == 0o700


@pytest.mark.parametrize(("excess", "stays"), [(0, True), (1, False)])
def test_a_path_in_which_no_socket_would_fit_gives_way_to_a_temporary_one(
    settings: Any, short: Path, excess: int, stays: bool
) -> None:
    room = MAX_SOCKET_PATH_BYTES - LONGEST_SOCKET_NAME - 1
    asked = short / ("x" * (room - len(str(short)) - 1 + excess))
    settings.SM_RUN_DIR = str(asked)

    found = run_dir()

    assert found.parent == (short if stays else short / "t")
    assert (found == asked) is stays
    assert mode_of(found) == 0o700
    assert run_dir() == found


async def test_the_socket_of_the_longest_name_fits_into_the_temporary_directory(
    settings: Any,
) -> None:
    settings.SM_RUN_DIR = "/tmp/" + "x" * 200
    server = ControlServer(lambda _frame, answer: answer({}))
    path = run_dir() / f"{'M' * 63}.sock"

    await server.listen(path)

    await server.close()
    path.parent.rmdir()
    assert path.parent.parent == Path(tempfile.gettempdir())


def test_the_temporary_directories_of_two_databases_differ(settings: Any, short: Path) -> None:
    found = set()
    for name in "ab":
        settings.SM_RUN_DIR = str(short / (name * 100))
        found.add(run_dir())

    assert len(found) == 2


def test_a_directory_of_another_user_is_refused(settings: Any, short: Path) -> None:
    foreign = _directory_of_another_user(short)
    settings.SM_RUN_DIR = str(foreign)

    with pytest.raises(PermissionError) as raised:
        run_dir()

    assert f"{foreign} belongs to user {foreign.stat().st_uid}, not to us" in str(raised.value)


def _directory_of_another_user(short: Path) -> Path:
    if os.getuid() != 0:
        return Path("/")
    path = short / "foreign"
    path.mkdir()
    os.chown(path, 65534, -1)
    return path
