"""Files with custom actions: how they are found, loaded once, and loaded anew in development."""

import os
from pathlib import Path
from typing import Any

import pytest

from machines.actions.declared import CustomActionError
from machines.actions.files import types_in
from machines.actions.registry import Registry
from tests.machines.conftest import Runner
from tests.machines.custom_files import execute, load


@pytest.mark.parametrize(
    ("name", "class_name"),
    [("pack", "PackAction"), ("resize_image", "ResizeImageAction"), ("h2_o", "H2OAction")],
)
def test_the_name_of_a_file_is_the_type_and_gives_the_class(
    tmp_path: Path, name: str, class_name: str
) -> None:
    body = "async def execute(self, context):\nreturn None"

    found = load(tmp_path, body, name=name, class_name=class_name)

    assert (found.name, found.origin) == (name, tmp_path / f"{name}_action.py")


def test_sub_folders_are_searched_and_other_files_left_alone(tmp_path: Path) -> None:
    load(tmp_path / "a" / "b", "async def execute(self, context):\nreturn None")
    (tmp_path / "helpers.py").write_text("raise RuntimeError('not an action')\n")

    assert [found.name for found in types_in(tmp_path)] == ["pack"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("class Pack:\n    pass\n", "no class 'PackAction' with execute() in this file"),
        ("class PackAction:\n    pass\n", "no class 'PackAction' with execute() in this file"),
        ("PackAction = 5\n", "no class 'PackAction' with execute() in this file"),
        ("import no_such_module_at_all\n", "ModuleNotFoundError: No module named"),
        ("def broken(:\n", "SyntaxError: "),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_faulty_file_is_named_with_what_is_wrong(tmp_path: Path, text: str, wrong: str) -> None:
    path = tmp_path / "pack_action.py"
    path.write_text(text)

    with pytest.raises(CustomActionError) as raised:
        types_in(tmp_path)

    assert str(raised.value).startswith(f"{path}: {wrong}")


def test_a_file_may_hold_dataclasses(tmp_path: Path) -> None:
    (tmp_path / "pack_action.py").write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n\n"
        "@dataclass\nclass Box:\n    size: int\n\n"
        "class PackAction:\n    def execute(self, context): ...\n"
    )

    assert [found.name for found in types_in(tmp_path)] == ["pack"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CustomActionError, match=r"folder of actions '.*nowhere' does not exist"):
        types_in(tmp_path / "nowhere")


def test_a_class_that_is_called_otherwise_is_named(tmp_path: Path) -> None:
    text = "class PackingAction:\n    def execute(self, context): ...\n"
    (tmp_path / "pack_action.py").write_text(text)

    with pytest.raises(CustomActionError, match="in this file; is 'PackingAction' meant to be it"):
        types_in(tmp_path)


def test_a_class_without_execute_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    text = "from machines.actions import BaseAction\nclass PackAction(BaseAction): ...\n"
    (tmp_path / "pack_action.py").write_text(text)

    with pytest.raises(CustomActionError, match=r"no class 'PackAction' with execute\(\)"):
        types_in(tmp_path)


# -- loading them once, and anew


def returns(event: str) -> str:
    return f"async def execute(self, context):\nreturn {event!r}"


async def test_a_file_is_loaded_once_for_all_machines(tmp_path: Path) -> None:
    (tmp_path / "pack_action.py").write_text(
        "import uuid\nTOKEN = uuid.uuid4().hex\n\n"
        "class PackAction:\n"
        "    def __init__(self, config): ...\n"
        "    def execute(self, context):\n        return TOKEN\n"
    )

    events = [(await execute(types_in(tmp_path)[0])).outcome.event for _ in range(2)]

    assert events[0] == events[1]


async def test_a_file_that_changed_is_loaded_anew_in_development(
    tmp_path: Path, settings: Any
) -> None:
    settings.DEBUG = True
    found = load(tmp_path, returns("one"))
    load(tmp_path, returns("two"))

    assert (await execute(found)).outcome.event == "two"


async def test_a_change_is_seen_by_its_time_and_by_its_size(tmp_path: Path, settings: Any) -> None:
    settings.DEBUG = True
    found = load(tmp_path, returns("one"))
    path = tmp_path / "pack_action.py"
    before = path.stat()

    path.write_text(path.read_text().replace("'one'", "'longer'"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    by_size = await execute(found)
    path.write_text(path.read_text().replace("'longer'", "'second'"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    by_time = await execute(found)

    assert (by_size.outcome.event, by_time.outcome.event) == ("longer", "second")


async def test_without_development_a_change_waits_for_the_next_process(tmp_path: Path) -> None:
    found = load(tmp_path, returns("one"))
    again = load(tmp_path, returns("two"))

    assert (await execute(found)).outcome.event == "one"
    assert (await execute(again)).outcome.event == "one"


async def test_what_is_declared_anew_counts(tmp_path: Path, settings: Any) -> None:
    settings.DEBUG = True
    body = "async def execute(self, context):\ncontext['size'] = self.config['size']"
    found = load(tmp_path, body)
    path = tmp_path / "pack_action.py"
    path.write_text(
        path.read_text()
        .replace("BaseAction\n", "BaseAction, Setting\n", 1)
        .replace("(BaseAction):\n", "(BaseAction):\n    settings = (Setting('size', default=3),)\n")
    )

    worked = await execute(found)

    assert worked.outcome.changes == {"size": 3}
    signature = Registry((tmp_path,)).signatures()["pack"]
    assert [setting.name for setting in signature.settings] == ["size"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [("def broken(:\n", "SyntaxError: "), ("", "no class 'PackAction'"), (None, "No such file")],
)
async def test_a_file_that_no_longer_loads_is_an_error_of_the_action_until_it_is_mended(
    tmp_path: Path, settings: Any, text: str | None, wrong: str
) -> None:
    settings.DEBUG = True
    found = load(tmp_path, returns("one"))
    path = tmp_path / "pack_action.py"
    if text is None:
        path.unlink()
    else:
        path.write_text(text)

    for _ in range(2):
        with pytest.raises(CustomActionError) as raised:
            await execute(found)
        assert str(raised.value).startswith(f"{path}: {wrong}")
    load(tmp_path, returns("three"))

    assert (await execute(found)).outcome.event == "three"


EDITED = """
initial_state: a
actions:
  b: [{type: pack}]
transitions:
  - {from: [a, one, failed], to: b, event: go}
  - {from: b, to: one, event: one}
  - {from: b, to: failed, event: error}
  - {from: b, to: two, event: two}
"""


async def test_a_machine_outlives_an_edit_and_takes_the_next_one(
    run: Runner, tmp_path: Path, settings: Any
) -> None:
    settings.DEBUG = True
    load(tmp_path / "actions", returns("one"))
    path = tmp_path / "actions" / "pack_action.py"

    async with run(EDITED, actions_dir="actions") as machine:
        await machine.send("go")
        await machine.reaches("one")
        path.write_text("def broken(:\n")
        await machine.send("go")
        failed = await machine.reaches("failed")
        load(tmp_path / "actions", returns("two"))
        await machine.send("go")

        await machine.reaches("two")
        assert failed.context["last_error"].startswith(f"{path}: SyntaxError: ")
        assert failed.context["last_error_action"] == "pack"
