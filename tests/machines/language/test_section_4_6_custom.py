"""Section 4.6 of the language: an author's own actions."""

from pathlib import Path

import pytest

from machines.models import Event
from tests.machines.conftest import Runner

TEXT = """
initial_state: a
actions_dir: mine
transitions:
  - {from: a, to: b, event: [packed, fine, success]}
  - {from: a, to: failed, event: [error, bad]}
actions: {a: [{type: pack_box, %s}]}
"""
HEAD = "from machines.actions import BaseAction\n\nclass PackBoxAction(BaseAction):\n"


def written(folder: Path, body: str, *, head: str = "async def execute(self, context):") -> None:
    folder = folder / "mine" / "deep" / "er"
    folder.mkdir(parents=True)
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    (folder / "pack_box_action.py").write_text(f"{HEAD}    {head}\n{lines}")


@pytest.mark.parametrize(
    ("body", "more", "event"),
    [
        ("return 'packed'", "n: 1", "packed"),
        ("return 'success'", "success: fine", "fine"),
        ("return 'success'", "n: 1", "success"),
        ("return 'error'", "error: bad", "bad"),
        ("return 'error'", "failure: bad", "bad"),
        ("return 'error'", "n: 1", "error"),
        ("raise ValueError('x')", "error: bad", "bad"),
        ("raise SystemExit(3)", "n: 1", "error"),
        ("return self.config['event']", "event: packed", "packed"),
        ("return self.get_config_value('event')", "params: {event: packed}", "packed"),
        ("return self.get_config_value('gone', 'packed')", "n: 1", "packed"),
        ("return context['word']", "n: 1", "packed"),
        ("return {'machine': 'packed'}[self.get_machine_name(context)]", "n: 1", "packed"),
        ("self.logger.info('x'); return 'packed'", "n: 1", "packed"),
    ],
)
async def test_execute_returns_the_name_of_an_event(
    run: Runner, tmp_path: Path, body: str, more: str, event: str
) -> None:
    written(tmp_path, body)

    async with run(TEXT % more, context={"word": "packed"}) as machine:
        await machine.until(lambda row: row.state != "a", "an end")
        [name] = [name for name, source, target in await machine.steps() if source == "a"]

    assert name == event


async def test_a_plain_execute_runs_in_a_thread(run: Runner, tmp_path: Path) -> None:
    body = "import threading\ncontext['main'] = threading.current_thread() is"
    written(
        tmp_path,
        body + " threading.main_thread()\nreturn 'packed'",
        head="def execute(self, context):",
    )

    async with run(TEXT % "n: 1") as machine:
        row = await machine.reaches("b")

    assert row.context == {"main": False}


async def test_the_keys_that_it_changed_are_merged(run: Runner, tmp_path: Path) -> None:
    written(tmp_path, "context['n'] += 1\ncontext['list'].append(3)\nreturn 'packed'")

    async with run(TEXT % "n: 1", context={"n": 1, "list": [2], "other": 5}) as machine:
        row = await machine.reaches("b")

    assert row.context == {"n": 2, "list": [2, 3], "other": 5}


async def test_a_failure_sets_last_error_with_its_type(run: Runner, tmp_path: Path) -> None:
    written(tmp_path, "raise ValueError('no box')")

    async with run(TEXT % "n: 1") as machine:
        row = await machine.reaches("failed")

    assert row.context == {
        "last_error": "ValueError: no box",
        "last_error_action": "pack_box",
    }


async def test_an_error_that_it_returns_counts_as_a_failure(run: Runner, tmp_path: Path) -> None:
    written(tmp_path, "return 'error'")

    async with run(TEXT % "retry: {attempts: 2, delay: 10ms}") as machine:
        row = await machine.reaches("failed")

        runs = [(found.attempt, found.outcome) for found in await machine.runs()]
    assert row.context["last_error_action"] == "pack_box"
    assert runs == [(1, "failed"), (2, "failed")]


async def test_it_reaches_inboxes_through_its_services(run: Runner, tmp_path: Path) -> None:
    written(
        tmp_path,
        "await context.services.send_event('nobody', 'ping', {'n': 1})\nreturn 'packed'",
    )

    async with run(TEXT % "n: 1") as machine:
        await machine.reaches("b")

    event = await Event.objects.aget()
    assert (event.target, event.type, event.payload, event.source) == (
        "nobody", "ping", {"n": 1}, "machine",
    )  # fmt: skip


async def test_its_settings_are_filled_in(run: Runner, tmp_path: Path) -> None:
    written(tmp_path, "context['seen'] = self.config['deep']\nreturn 'packed'")

    async with run(TEXT % "deep: {a: ['{n}']}", context={"n": 7}) as machine:
        row = await machine.reaches("b")

    assert row.context["seen"] == {"a": [7]}


KEEPS = """
initial_state: a
actions_dir: mine
transitions: [{from: a, to: b, event: packed}, {from: b, to: c, event: success}]
actions:
  a: [{type: pack_box}]
  b: [{type: add_to_list, list_key: kept, value: x}]
  c: [{type: set_context, key: text, value: "on {day}"}]
"""


async def test_what_it_leaves_in_the_context_is_json_at_once_and_not_only_after_a_restart(
    run: Runner, tmp_path: Path
) -> None:
    written(
        tmp_path,
        "import datetime\ncontext['kept'] = (1, 2)\ncontext['day'] = datetime.date(2030, 1, 2)\n"
        "return 'packed'",
    )

    async with run(KEEPS) as machine:
        row = await machine.until(lambda row: "text" in row.context, "the text")

    assert row.context == {"kept": [1, 2, "x"], "day": "2030-01-02", "text": "on 2030-01-02"}
