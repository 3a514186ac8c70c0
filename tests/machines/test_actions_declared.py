"""What custom actions declare: checked when they are loaded, and at every run."""

from pathlib import Path
from typing import Any

import pytest

from machines.actions import BaseAction, Raises, Setting, ValueKind, action, custom
from machines.actions.base import ActionType
from machines.actions.custom import registered_types
from machines.actions.declared import CustomActionError, checked, declared, named
from machines.actions.files import types_in
from machines.actions.settings import SettingError, Settings
from machines.core.signatures import Kind, Signature
from tests.machines.conftest import Runner
from tests.machines.custom_files import execute

FETCH = """
from machines.actions import BaseAction, Raises, Setting, ValueKind


class FetchAction(BaseAction):
    \"\"\"Fetch a page,
    and keep it.

    Whatever else there is to say.
    \"\"\"

    settings = (
        Setting("url", ValueKind.TEXT, "where it is", required=True, aliases=("address",)),
        Setting("tries", ValueKind.INTEGER, default=3),
        Setting("wait", ValueKind.SECONDS, default=1),
        Setting("quick", ValueKind.BOOLEAN, default=False),
        Setting("headers", ValueKind.MAPPING),
        Setting("mode", ValueKind.TEXT, default="whole", choices=("whole", "head")),
        Setting("store_as", ValueKind.KEY, default="page", writes=True),
    )
    raises = (
        Raises("fetched", "success", "it is there", usual=True),
        Raises("gone", "missing", "it is not"),
        Raises("odd"),
    )
    sets = ("answer",)

    async def execute(self, context):
        context["seen"] = {k: self.config[k] for k in sorted(self.config) if k != "type"}
        return self.get_config_value("returns", "fetched")
"""


@pytest.fixture
def fetch(tmp_path: Path) -> ActionType:
    (tmp_path / "actions").mkdir()
    (tmp_path / "actions" / "fetch_action.py").write_text(FETCH)
    [found] = types_in(tmp_path / "actions")
    return found


def test_a_class_declares_what_it_takes_raises_and_sets(fetch: ActionType) -> None:
    found = fetch.signature

    assert found is not None
    assert (found.name, found.kind, found.summary) == (
        "fetch", Kind.WORK, "Fetch a page, and keep it.",
    )  # fmt: skip
    assert [setting.name for setting in found.settings] == [
        "url", "tries", "wait", "quick", "headers", "mode", "store_as",
    ]  # fmt: skip
    assert [raises.event for raises in found.all_raises()] == ["fetched", "gone", "odd", "error"]
    assert (found.sets, found.open, found.origin) == (("answer",), False, str(fetch.origin))


async def test_a_function_declares_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom, "_registered", {})

    @action(
        "greet",
        settings=(Setting("times", ValueKind.INTEGER, default=2),),
        raises=(Raises("greeted", "success", usual=True),),
        sets=("greeting",),
    )
    async def greet(context: Any) -> str:
        """Greet somebody."""
        context["greeting"] = "Hello " * context.config["times"]
        return "greeted"

    [found] = registered_types()
    worked = await execute(found, {"times": "1", "success": "met"})
    assert found.signature is not None
    assert (found.signature.summary, found.signature.sets) == ("Greet somebody.", ("greeting",))
    assert found.signature.origin == f"module {__name__}"
    assert (worked.outcome.event, worked.outcome.changes) == ("met", {"greeting": "Hello "})


def test_a_type_that_declares_nothing_is_open(tmp_path: Path) -> None:
    (tmp_path / "pack_action.py").write_text(
        "from machines.actions import BaseAction\n"
        "class PackAction(BaseAction):\n    def execute(self, context): ...\n"
    )

    [found] = types_in(tmp_path)

    assert found.signature == Signature(
        "pack", Kind.WORK, open=True, origin=str(tmp_path / "pack_action.py")
    )


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"settings": Setting("a")}, "settings is Setting(name='a'"),
        ({"settings": ("a",)}, "settings is ('a',); it must be a tuple, such as (Setting("),
        ({"raises": {"a": 1}}, "raises is {'a': 1}; it must be a tuple, such as (Raises("),
        ({"sets": "answer"}, "sets is 'answer'; it must be a tuple, such as (\"answer\",)"),
        (
            {"settings": (Setting("description"),)},
            "settings: 'description' means something for every action; give the setting another",
        ),
        (
            {"settings": (Setting("size", ValueKind.NUMBER, default="big"),)},
            "settings, defaults: the setting 'size' is 'big'; it must be a number",
        ),
        (
            {"settings": (Setting("size", default="M", choices=("S", "L")),)},
            "settings, defaults: the setting 'size' is 'M'; it may be S, L",
        ),
    ],
)
def test_a_wrong_declaration_is_refused_when_it_is_loaded(
    given: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(CustomActionError) as raised:
        declared("pack", summary="", origin="here", where="here: PackAction.", **given)

    assert str(raised.value).startswith(f"here: PackAction.{wrong}")


def test_the_base_declares_nothing() -> None:
    assert (BaseAction.settings, BaseAction.raises, BaseAction.sets) == ((), (), ())


# -- at every run


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ({}, {}),
        ({"tries": "5", "wait": "2m", "quick": "yes"}, {"tries": 5, "wait": 120, "quick": True}),
        ({"tries": None, "mode": "head"}, {"mode": "head"}),
        ({"headers": '{"a": 1}', "url": 5}, {"headers": {"a": 1}, "url": "5"}),
        ({"url": None, "address": "b"}, {"url": "b"}),
        ({"address": "b"}, {"url": "a"}),
        ({"unknown": "7", "success": "got"}, {"unknown": "7", "success": "got"}),
    ],
)
async def test_an_action_sees_declared_settings_with_kinds_and_defaults(
    fetch: ActionType, written: dict[str, Any], seen: dict[str, Any]
) -> None:
    usual = {
        "url": "a", "tries": 3, "wait": 1, "quick": False, "mode": "whole", "store_as": "page",
    }  # fmt: skip

    worked = await execute(fetch, {"url": "a", **written})

    assert worked.outcome.changes["seen"] == {**usual, **seen}


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ({}, "'url' is missing; it must be a text"),
        ({"url": [1]}, "'url' is [1]; it must be a text"),
        ({"url": "a", "tries": "many"}, "'tries' is 'many'; it must be a number"),
        ({"url": "a", "tries": 1.5}, "'tries' is 1.5; it must be a whole number"),
        ({"url": "a", "quick": "maybe"}, "'quick' is 'maybe'; it must be true or false"),
        ({"url": "a", "wait": "soon"}, "'wait' is 'soon'; it must be a number of seconds, or"),
        ({"url": "a", "headers": "b"}, "'headers' is 'b'; it must be a mapping"),
        ({"url": "a", "mode": "tail"}, "'mode' is 'tail'; it may be whole, head"),
    ],
)
async def test_a_declared_setting_that_is_wrong_is_refused(
    fetch: ActionType, written: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(SettingError) as raised:
        await execute(fetch, written)

    assert str(raised.value).startswith(f"fetch: the setting {wrong}")


def test_a_default_is_not_shared_between_runs() -> None:
    signature = Signature("pack", Kind.WORK, settings=(Setting("tags", default=["a"]),))

    checked(signature, Settings("pack", {}))["tags"].append("b")

    assert checked(signature, Settings("pack", {})) == {"tags": ["a"]}


def test_several_choices_may_be_made_of_a_list() -> None:
    setting = Setting("tags", ValueKind.TEXTS, choices=("a", "b"))
    signature = Signature("pack", Kind.WORK, settings=(setting,))

    assert checked(signature, Settings("pack", {"tags": ["b", "a"]})) == {"tags": ["b", "a"]}
    with pytest.raises(SettingError, match=r"'tags' is \['a', 'c'\]; it may be a, b"):
        checked(signature, Settings("pack", {"tags": ["a", "c"]}))


@pytest.mark.parametrize(
    ("returned", "settings", "event"),
    [
        ("fetched", {}, "fetched"),
        ("fetched", {"success": "got"}, "got"),
        ("success", {}, "fetched"),
        ("success", {"success": "got"}, "got"),
        ("gone", {"success": "got"}, "gone"),
        ("gone", {"missing": "lost"}, "lost"),
        ("odd", {"success": "got"}, "odd"),
        ("undeclared", {"success": "got"}, "undeclared"),
        ("error", {}, "error"),
        ("error", {"failure": "broken"}, "broken"),
        ("told", {}, None),
        ("told", {"told": "heard"}, "heard"),
    ],
)
def test_a_file_names_the_events_that_are_declared_with_a_key(
    returned: str, settings: dict[str, Any], event: str | None
) -> None:
    raises = (Raises("fetched", "success"), Raises("gone", "missing"), Raises("odd"))
    signature = Signature("fetch", Kind.WORK, raises=(*raises, Raises(None, "told")))

    assert named(signature, returned, Settings("fetch", settings)) == event


WRONG = """
initial_state: a
context: {n: many}
actions:
  a: [{type: fetch, url: a, tries: "{n}"}]
transitions:
  - {from: a, to: failed, event: error}
"""


async def test_a_machine_raises_error_for_a_wrong_setting(
    run: Runner, tmp_path: Path, fetch: ActionType
) -> None:
    async with run(WRONG, actions_dir=str(tmp_path / "actions")) as machine:
        row = await machine.reaches("failed")

        assert row.context["last_error"] == (
            "fetch: the setting 'tries' is 'many'; it must be a number"
        )
