"""The schema of the language, printed for editors."""

import json
from pathlib import Path

from machines.actions.registry import Registry
from machines.core.language_schema import language_schema
from tests.machines.commands.conftest import printed, refused, talked

GREET = """\
from machines.actions import BaseAction


class GreetAction(BaseAction):
    async def execute(self, context):
        return "success"
"""


def test_machineschema_prints_the_schema_of_all_known_actions() -> None:
    schema = json.loads(printed("machineschema"))

    assert schema == language_schema(Registry().signatures())


def test_machineschema_describes_the_actions_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "greet_action.py").write_text(GREET)
    output = tmp_path / "machine.schema.json"

    said = talked("machineschema", "--actions-dir", str(tmp_path), "--output", str(output))

    assert said == f"wrote {output}\n"
    assert "action_greet" in json.loads(output.read_text())["$defs"]


def test_machineschema_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    code, fault, out = refused("machineschema", "--actions-dir", str(tmp_path / "nowhere"))

    assert (code, out) == (1, "")
    assert "does not exist" in fault
