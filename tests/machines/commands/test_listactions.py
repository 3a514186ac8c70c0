"""Listing the types of actions."""

from pathlib import Path

import pytest
from django.conf import settings
from jobqueue.console import Exit

from machines.actions.reference import COMMAND
from machines.actions.registry import BUILT_IN
from machines.models import MachineDefinition
from tests.machines.commands.conftest import MakeMachine, parsed, printed, refused

FETCH = """
from machines.actions import BaseAction, Raises, Setting, ValueKind


class FetchAction(BaseAction):
    \"\"\"Fetch a page.\"\"\"

    settings = (
        Setting("url", ValueKind.TEXT, "where it is | or was", required=True, aliases=("uri",)),
        Setting("mode", default="whole", choices=("whole", "head")),
        Setting("store_as", ValueKind.KEY, default="page", writes=True),
    )
    raises = (Raises("fetched", "success", "it is there", usual=True), Raises(None, "told"))
    sets = ("status",)

    async def execute(self, context):
        return "fetched"
"""
PLAIN = """
class PlainAction:
    def execute(self, context): ...
"""
MACHINE = "name: m\ninitial_state: a\nstates: [a]\nactions_dir: actions\n"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A file whose machine has actions of its own."""
    (tmp_path / "actions").mkdir()
    (tmp_path / "actions" / "fetch_action.py").write_text(FETCH)
    (tmp_path / "actions" / "plain_action.py").write_text(PLAIN)
    path = tmp_path / "machine.yaml"
    path.write_text(MACHINE)
    return path


def test_listactions_lists_every_built_in_type_without_a_database() -> None:
    shown = parsed("listactions")

    assert [found["name"] for found in shown] == sorted(BUILT_IN)


def test_listactions_shows_a_type_whole(machine: Path) -> None:
    assert parsed("listactions", str(machine), "fetch") == {
        "name": "fetch",
        "kind": "work",
        "summary": "Fetch a page.",
        "origin": str(machine.parent / "actions" / "fetch_action.py"),
        "settings": [
            {
                "name": "url",
                "kind": "a text",
                "required": True,
                "default": None,
                "description": "where it is | or was",
                "choices": [],
            },
            {
                "name": "mode",
                "kind": "anything",
                "required": False,
                "default": "whole",
                "description": "",
                "choices": ["whole", "head"],
            },
            {
                "name": "store_as",
                "kind": "a key of the context",
                "required": False,
                "default": "page",
                "description": "",
                "choices": [],
            },
        ],
        "events": [
            {"event": "fetched", "setting": "success", "when": "it is there", "failure": False},
            {"event": None, "setting": "told", "when": "", "failure": False},
            {"event": "error", "setting": "error", "when": "it fails", "failure": True},
        ],
        "sets": ["status"],
    }


def test_listactions_shows_people_a_table(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(machine.parent)

    lines = printed("listactions", "machine.yaml").splitlines()

    rows = {line.split()[0]: " ".join(line.split()) for line in lines}
    assert lines[0].split() == ["name", "kind", "settings", "events", "origin"]
    assert rows["set_context"] == "set_context effect key [value] success error built in"
    assert rows["fetch"] == (
        "fetch work url [mode] [store_as] fetched (told:) error actions/fetch_action.py"
    )
    assert rows["plain"] == "plain work any any actions/plain_action.py"


def test_listactions_shows_people_a_type_as_a_card_and_two_tables(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(machine.parent)

    card, takes, raises = printed("listactions", "machine.yaml", "fetch").split("\n\n")

    assert card.splitlines() == [
        "name     fetch",
        "kind     work",
        "summary  Fetch a page.",
        "origin   actions/fetch_action.py",
        "sets     status <store_as>",
    ]
    assert [" ".join(line.split()) for line in takes.splitlines()[2:]] == [
        "url, uri a text required where it is | or was",
        "mode whole, head whole -",
        "store_as a key of the context page -",
    ]
    assert [" ".join(line.split()) for line in raises.splitlines()[2:]] == [
        "fetched it is there success:",
        "- - told:",
        "error it fails error:",
    ]


def test_listactions_says_of_an_open_type_that_it_takes_anything(machine: Path) -> None:
    shown = printed("listactions", str(machine), "plain")

    assert "It takes any setting and may raise any event." in shown
    assert len(shown.split("\n\n")) == 2


def test_listactions_takes_a_folder_of_actions(machine: Path) -> None:
    folder = str(machine.parent / "actions")

    listed = [found["name"] for found in parsed("listactions", "--actions-dir", folder)]
    shown = parsed("listactions", "plain", "--actions-dir", folder)

    assert {"fetch", "plain"} <= set(listed)
    assert shown["name"] == "plain"


@pytest.mark.django_db
def test_listactions_takes_the_name_of_a_machine_or_a_definition(
    machine: Path, make_machine: MakeMachine
) -> None:
    MachineDefinition.objects.create(name="mine", version=1, source=MACHINE, origin=str(machine))
    make_machine("bare", actions_dir=str(machine.parent / "actions"))

    assert parsed("listactions", "mine", "fetch")["name"] == "fetch"
    assert parsed("listactions", "bare", "fetch")["name"] == "fetch"


@pytest.mark.django_db
def test_listactions_seeks_no_folder_for_a_definition_without_a_file(tmp_path: Path) -> None:
    MachineDefinition.objects.create(name="mine", version=1, source="states: [waiting]\n")

    assert [found["name"] for found in parsed("listactions", "mine")] == sorted(BUILT_IN)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("send_evnt",), "no action type, machine or definition 'send_evnt'; did you mean"),
        (("xyzzy",), "no action type, machine or definition 'xyzzy'; listactions lists the types"),
        (("xyzzy.yaml",), "no file 'xyzzy.yaml'"),
        (("some/where",), "no file 'some/where'"),
        (("log", "fetch"), "no action type, machine or definition 'log'"),
        (("FILE", "fetsh"), "no action type 'fetsh'; did you mean 'fetch'?"),
        (("FILE", "xyzzy"), "no action type 'xyzzy'; listactions lists them"),
        (("twice",), "'twice' may be one, two; name one of these definitions"),
    ],
)
def test_listactions_says_what_there_is_not(
    machine: Path, arguments: tuple[str, ...], fault: str
) -> None:
    for name in ("one", "two"):
        MachineDefinition.objects.create(
            name=name, version=1, source=MACHINE, origin=f"/{name}/twice.yaml"
        )
    given = [str(machine) if argument == "FILE" else argument for argument in arguments]

    code, text, _ = refused("listactions", *given)

    assert code == Exit.UNKNOWN
    assert text.startswith(fault)


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("machine.yaml", "states: [a]\n", "machine.yaml:1:1: "),
        ("actions/fetch_action.py", "1 / 0\n", "fetch_action.py: ZeroDivisionError: "),
    ],
)
def test_listactions_says_what_keeps_a_file_from_being_used(
    machine: Path, file: str, text: str, fault: str
) -> None:
    (machine.parent / file).write_text(text)

    code, said, _ = refused("listactions", str(machine))

    assert code == Exit.FAILED
    assert fault in said


def test_listactions_writes_a_type_for_the_reference(machine: Path) -> None:
    section = printed("listactions", str(machine), "fetch", "--format", "markdown")

    assert (
        section
        == f"""\
## fetch

Fetch a page.

From {machine.parent / "actions" / "fetch_action.py"}.

| setting | takes | default |  |
|---|---|---|---|
| `url`, `uri` | a text | required | where it is \\| or was |
| `mode` | `whole`, `head` | `whole` |  |
| `store_as` | a key of the context | `page` |  |

| event | when | named by |
|---|---|---|
| `fetched` | it is there | `success` |
| none |  | `told` |
| `error` | it fails | `error` |

Sets `status`, the key that `store_as` names in the context.
"""
    )


def test_an_open_type_says_so_in_the_reference(machine: Path) -> None:
    section = printed("listactions", str(machine), "plain", "--format", "markdown")

    assert "It declares nothing: it takes any setting, and may raise any event.\n" in section


def test_the_reference_of_actions_is_what_listactions_writes() -> None:
    path = settings.BASE_DIR / "docs/reference/actions.md"

    written = printed("listactions", "--format", "markdown")

    assert path.read_text() == written, f"out of date; write it with: {COMMAND} > {path.name}"
