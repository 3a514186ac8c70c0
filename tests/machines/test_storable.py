"""What programs say is kept as far as a database can hold it; the host lives whatever it is."""

from pathlib import Path

import pytest

from machines.models import Machine, Run
from tests.machines.conftest import Driver, Runner

NAUGHTY = """
initial_state: a
states:
  a: {actions: [{type: naughty}]}
  b:
transitions:
  - {from: a, to: b, event: error}
  - {from: b, to: a, event: again}
"""
CODE = """
from machines.actions import BaseAction

class NaughtyAction(BaseAction):
    async def execute(self, context):
        %s
"""


async def the_end_of(machine: Driver) -> tuple[Machine, Run]:
    row = await machine.until(lambda found: "work" not in found.turn, "the end of its work")
    [run] = await machine.runs()
    assert not machine.host.done()
    return row, run


@pytest.fixture
def actions(tmp_path: Path) -> Path:
    folder = tmp_path / "actions"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise ValueError('half \\udcff')", "ValueError: half ?"),
        ("raise ValueError('nul \\x00')", "ValueError: nul \ufffd"),
    ],
)
async def test_an_error_that_no_database_holds_is_kept_as_far_as_it_can_be(
    run: Runner, actions: Path, body: str, message: str
) -> None:
    (actions / "naughty_action.py").write_text(CODE % body)

    async with run(NAUGHTY, actions_dir=str(actions)) as machine:
        row, kept = await the_end_of(machine)

        assert (row.state, row.context["last_error"]) == ("b", message)
        assert (kept.outcome, kept.message) == ("failed", message)


async def test_a_context_with_a_nul_is_an_error_of_its_action(run: Runner, actions: Path) -> None:
    body = "context['kept'] = {'deep': ['nul \\x00']}"
    (actions / "naughty_action.py").write_text(CODE % body)

    async with run(NAUGHTY, actions_dir=str(actions)) as machine:
        row, _run = await the_end_of(machine)

        assert row.state == "b"
        assert "NUL" in row.context["last_error"]
        assert "kept" not in row.context


async def test_the_name_of_an_event_that_no_database_holds_is_no_event(
    run: Runner, actions: Path
) -> None:
    (actions / "naughty_action.py").write_text(CODE % "return 'e\\udcff'")

    async with run(NAUGHTY, actions_dir=str(actions)) as machine:
        row, kept = await the_end_of(machine)

        assert (row.state, kept.outcome, kept.event) == ("a", "done", "e?")


async def test_a_text_that_only_writes_of_a_nul_is_kept(run: Runner) -> None:
    listener = """
initial_state: a
events: {say: {context_map: {said: payload.text}}}
transitions: [{from: a, to: a, event: say}]
"""
    async with run(listener) as machine:
        answer = await machine.send("say", payload={"text": "C:\\\\u0000"})
        refused = await machine.send("say", payload={"text": "nul \x00"})

        assert answer["status"] == "processed"
        assert (await machine.machine()).context == {"said": "C:\\\\u0000"}
        assert (refused["ok"], "NUL" in refused["error"]) == (False, True)
