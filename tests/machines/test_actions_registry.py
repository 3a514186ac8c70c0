"""Which action types there are, and which of two with one name counts."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import override_settings

from machines.actions import custom, registry
from machines.actions.declared import CustomActionError
from machines.actions.registry import BUILT_IN, Registry, action_folders
from machines.core.signatures import Kind
from tests.machines.action_fakes import work_call
from tests.machines.conftest import Runner

GREET = """
from machines.actions import BaseAction

class {name}Action(BaseAction):
    async def execute(self, context):
        context["greeted_by"] = "{name}"
        return "greeted"
"""

APP = """
from machines.actions import action

@action("greet_guest")
async def greet(context):
    context["greeting"] = f"Hello {context.config['whom']}"
    return "greeted"

@action("log")
def log(context):
    return "logged"
"""


def write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


@pytest.fixture
def installed_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An app with actions, installed while the test runs."""
    write(tmp_path / "greeters", "__init__.py", "")
    write(tmp_path / "greeters", "actions.py", APP)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(custom, "_registered", {})
    monkeypatch.setattr(registry, "_told", set())
    with override_settings(INSTALLED_APPS=[*django_settings.INSTALLED_APPS, "greeters"]):
        yield
    for name in ("greeters", "greeters.actions"):
        sys.modules.pop(name, None)


def test_the_registry_knows_every_built_in_type() -> None:
    found = Registry()

    assert all(found.get(name) is built_in for name, built_in in BUILT_IN.items())
    assert found.get("no_such_type") is None


def test_every_built_in_type_is_an_effect_or_work_or_a_setting_says_which() -> None:
    for found in BUILT_IN.values():
        assert found.perform or found.work, found.name
        assert bool(found.perform and found.work) == bool(found.work_setting), found.name


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("bahs", "unknown action type 'bahs'; did you mean 'bash'?"),
        ("xyzzy", "unknown action type 'xyzzy'"),
    ],
)
def test_an_unknown_type_is_told_with_the_closest_one(name: str, suggestion: str) -> None:
    assert Registry().suggestion(name) == suggestion


def test_every_built_in_type_says_what_it_takes_and_raises() -> None:
    assert [name for name, found in BUILT_IN.items() if found.signature is None] == []


def test_signatures_are_in_the_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path, "greet_action.py", GREET.format(name="Greet"))

    found = Registry((tmp_path,)).signatures()

    assert list(found) == sorted({*BUILT_IN, "greet"})
    assert (found["greet"].open, found["greet"].kind) == (True, Kind.WORK)
    assert found["greet"].origin == str(tmp_path / "greet_action.py")
    assert found["log"].origin == "built in"


def test_a_folder_adds_types_and_may_override_a_built_in(tmp_path: Path) -> None:
    write(tmp_path, "greet_action.py", GREET.format(name="Greet"))
    write(tmp_path / "deep" / "er", "log_action.py", GREET.format(name="Log"))

    found = Registry((tmp_path,))

    greet, log = found.get("greet"), found.get("log")
    assert greet is not None
    assert greet.origin == tmp_path / "greet_action.py"
    assert log is not None
    assert log.work is not None


def test_an_overridden_built_in_is_told_once_for_any_number_of_machines(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "log_action.py", GREET.format(name="Log"))
    write(tmp_path / "other", "log_action.py", GREET.format(name="Log"))

    with caplog.at_level(logging.INFO, "machines.actions"):
        for _ in range(3):
            Registry((tmp_path,))

    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", f"{path} overrides the built-in action 'log'")
        for path in (tmp_path / "log_action.py", tmp_path / "other" / "log_action.py")
    ]


def test_folders_are_sought_beside_a_file_then_in_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / "actions").mkdir()

    found = action_folders(tmp_path, None, "actions", "", "elsewhere", "/absolute")

    assert found == (tmp_path / "actions", Path("elsewhere"), Path("/absolute"))


def test_of_two_folders_the_last_counts(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write(tmp_path / folder, "greet_action.py", GREET.format(name="Greet"))

    found = Registry((tmp_path / "one", tmp_path / "two")).get("greet")

    assert found is not None
    assert found.origin == tmp_path / "two" / "greet_action.py"


def test_a_faulty_file_keeps_the_registry_from_being_made(tmp_path: Path) -> None:
    write(tmp_path, "greet_action.py", "import no_such_module_at_all\n")

    with pytest.raises(CustomActionError, match=r"greet_action\.py: ModuleNotFoundError: "):
        Registry((tmp_path,))


@pytest.mark.usefixtures("installed_app")
async def test_an_installed_app_adds_types(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "machines.actions"):
        installed = Registry()

    found = installed.get("greet_guest")
    assert found is not None
    assert found.work is not None
    assert installed.signatures()["greet_guest"].origin == "app greeters"
    worked = await found.work(work_call("greet_guest", {"whom": "Ada"}))
    assert worked.outcome.event == "greeted"
    assert worked.outcome.changes == {"greeting": "Hello Ada"}
    assert caplog.messages == ["app greeters overrides the built-in action 'log'"]


UNKNOWN = """
initial_state: a
actions:
  a: [{type: bahs, command: "true"}]
transitions:
  - {from: a, to: failed, event: error}
"""


async def test_a_machine_raises_error_for_an_unknown_type(run: Runner) -> None:
    async with run(UNKNOWN) as machine:
        row = await machine.reaches("failed")

        assert row.context == {
            "last_error": "unknown action type 'bahs'; did you mean 'bash'?",
            "last_error_action": "bahs",
        }
