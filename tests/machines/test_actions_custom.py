"""Custom actions: what they see, and what becomes of what they do."""

from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from jobqueue.models import Job

from machines.actions import ActionContext, BaseAction, custom
from machines.actions.custom import action, registered_types
from machines.actions.declared import CustomActionError
from machines.core.signatures import Raises
from machines.models import Event
from tests.machines.action_fakes import FakeWorkServices
from tests.machines.conftest import Runner
from tests.machines.custom_files import execute, load


async def test_a_function_of_an_app_is_registered_under_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(custom, "_registered", {})

    @action("greet")
    async def greet(context: ActionContext) -> str:
        context["greeting"] = f"Hello {context.config['whom']}"
        return "greeted"

    [found] = registered_types()
    worked = await execute(found, {"whom": "Ada"})
    assert (found.name, found.origin) == ("greet", None)
    assert worked.outcome.event == "greeted"
    assert worked.outcome.changes == {"greeting": "Hello Ada"}


async def test_a_plain_function_may_return_something_to_await(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(custom, "_registered", {})

    async def later() -> str:
        return "awaited"

    action("greet")(lambda _context: later())

    [found] = registered_types()
    assert (await execute(found)).outcome.event == "awaited"


# -- what they see


SEE = """async def execute(self, context):
context["seen"] = [
    self.get_config_value("a"), self.get_config_value("b"), self.get_config_value("c", "none"),
    self.config["type"], self.get_machine_name(context), context["current_state"],
    context["event_data"], context["kept"], context["job_id"], context["both"], self.logger.name,
]"""


async def test_an_action_sees_its_settings_the_context_and_the_job(tmp_path: Path) -> None:
    found = load(tmp_path, SEE)

    worked = await execute(
        found,
        {"a": 1, "params": {"a": 0, "b": 2}},
        context={"kept": "k", "both": "context"},
        job={"job_id": "j", "both": "job"},
    )

    assert worked.outcome.event is None
    assert worked.outcome.changes["seen"] == [
        1, 2, "none", "pack", "worker", "busy", {}, "k", "j", "context", "machines.actions",
    ]  # fmt: skip


async def test_a_plain_execute_runs_in_a_thread(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        "def execute(self, context):\n"
        "context['main'] = threading.current_thread() is threading.main_thread()\n"
        "return 'threaded'",
    )

    worked = await execute(found)

    assert (worked.outcome.event, worked.outcome.changes) == ("threaded", {"main": False})


def test_the_base_cannot_be_used_without_execute() -> None:
    with pytest.raises(TypeError, match="abstract"):
        BaseAction({})  # type: ignore[abstract]


async def test_services_reach_inboxes_and_jobs(tmp_path: Path) -> None:
    services = FakeWorkServices()
    found = load(
        tmp_path,
        "async def execute(self, context):\n"
        "await context.services.send_event('other', 'ping', {'n': 1})\n"
        "context['made'] = await context.services.create_job('parcel', {'n': 2}, priority=1)",
    )

    worked = await execute(found, services=services)

    assert services.sent == [("other", "ping", {"n": 1}, "")]
    assert services.jobs == [("parcel", {"n": 2}, {"priority": 1})]
    assert worked.outcome.changes == {"made": "job-1"}


# -- what becomes of what they do


@pytest.mark.parametrize(
    ("statement", "changes"),
    [
        ("context['new'] = 1", {"new": 1}),
        ("context['old'] = 2", {"old": 2}),
        ("context['old'] = 1", {}),
        ("context['deep']['list'].append(2)", {"deep": {"list": [1, 2]}}),
        ("context.update(old=5, new=[6])", {"old": 5, "new": [6]}),
        ("context['size'] = 'own'", {"size": "own"}),
        ("del context['old']", {}),
        ("context.clear()", {}),
        ("context['old'] = None", {"old": None}),
        ("context['old'] = True", {"old": True}),
        ("context['deep']['list'][0] = 1.0", {"deep": {"list": [1.0]}}),
        ("context['new'] = None", {"new": None}),
    ],
)
async def test_keys_that_an_action_changed_are_merged(
    tmp_path: Path, statement: str, changes: dict[str, Any]
) -> None:
    found = load(tmp_path, f"async def execute(self, context):\n{statement}")
    context = {"old": 1, "deep": {"list": [1]}}

    worked = await execute(found, context=context, job={"size": "of the job"})

    assert worked.outcome.changes == changes
    assert context == {"old": 1, "deep": {"list": [1]}}


@pytest.mark.parametrize(
    ("returned", "settings", "event"),
    [
        ("None", {}, None),
        ("'packed'", {"success": "renamed"}, "packed"),
        ("'success'", {}, "success"),
        ("'success'", {"success": "renamed"}, "renamed"),
        ("'error'", {}, "error"),
        ("'error'", {"error": "broken"}, "broken"),
        ("'error'", {"failure": "broken"}, "broken"),
    ],
)
async def test_what_an_action_returns_is_its_event(
    tmp_path: Path, returned: str, settings: dict[str, Any], event: str | None
) -> None:
    found = load(tmp_path, f"async def execute(self, context):\nreturn {returned}")

    worked = await execute(found, settings)

    assert worked.outcome.event == event


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("(1, (2,))", [1, [2]]),
        ("datetime.date(2030, 1, 2)", "2030-01-02"),
        ("{'at': datetime.datetime(2030, 1, 2, 3)}", {"at": "2030-01-02T03:00:00"}),
        ("uuid.UUID(int=0)", "00000000-0000-0000-0000-000000000000"),
        ("float('nan')", None),
        ("collections.Counter('aa')", {"a": 2}),
    ],
)
async def test_what_an_action_leaves_is_as_it_is_after_a_restart(
    tmp_path: Path, value: str, kept: Any
) -> None:
    found = load(
        tmp_path,
        "async def execute(self, context):\nimport collections, datetime, uuid\n"
        f"context['x'] = {value}",
    )

    worked = await execute(found)

    assert worked.outcome.changes == {"x": kept}
    assert type(worked.outcome.changes["x"]) is type(kept)


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (
            "context['x'] = {1, 2}",
            "pack: execute() left {1, 2} under 'x' in the context; JSON cannot hold it:"
            " Type is not JSON serializable: set",
        ),
        (
            "context['x'] = {1: 2}",
            "pack: execute() left {1: 2} under 'x' in the context; JSON cannot hold it:"
            " Dict key must be str",
        ),
        (
            "context[5] = 1",
            "pack: execute() left 1 under 5 in the context; JSON cannot hold it:"
            " Dict key must be str",
        ),
    ],
)
async def test_what_json_cannot_hold_is_refused_by_its_key(
    tmp_path: Path, statement: str, error: str
) -> None:
    found = load(tmp_path, f"async def execute(self, context):\n{statement}")

    with pytest.raises(CustomActionError) as raised:
        await execute(found)

    assert str(raised.value) == error


SAYS = "context['last_error'] = ' '.join(['no', 'paper'])\n"


@pytest.mark.parametrize(
    ("body", "settings", "error"),
    [
        ("return 'error'", {}, "execute() returned 'error'"),
        ("return 'error'", {"error": "broken"}, "execute() returned 'error'"),
        ("return 'broken'", {"error": "broken"}, "execute() returned 'broken'"),
        ("return 'broken'", {"failure": "broken"}, "execute() returned 'broken'"),
        ("return 'broken'", {}, ""),
        ("return 'success'", {"success": "done", "error": "done"}, ""),
        ("return None", {"error": "broken"}, ""),
        (SAYS + "return 'error'", {}, "no paper"),
        (SAYS + "return 'packed'", {}, ""),
        ("context['last_error'] = ''\nreturn 'error'", {}, "execute() returned 'error'"),
        ("context['last_error'] = 5\nreturn 'error'", {}, "execute() returned 'error'"),
    ],
)
@pytest.mark.parametrize("before", ["no ink", "no paper"])
async def test_an_error_that_an_action_returns_is_a_failure(
    tmp_path: Path, body: str, settings: dict[str, Any], error: str, before: str
) -> None:
    found = load(tmp_path, f"async def execute(self, context):\n{body}")

    worked = await execute(found, settings, context={"last_error": before})

    assert worked.outcome.error == error


async def test_an_error_that_is_declared_under_another_name_is_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(custom, "_registered", {})
    action("print", raises=(Raises("jammed", "error"),))(lambda _context: "jammed")

    [found] = registered_types()
    worked = await execute(found)

    assert (worked.outcome.event, worked.outcome.error) == ("jammed", "execute() returned 'jammed'")


@pytest.mark.parametrize("returned", ["5", "True", "['packed']", "{'event': 'packed'}"])
async def test_what_is_no_event_is_refused(tmp_path: Path, returned: str) -> None:
    found = load(tmp_path, f"async def execute(self, context):\nreturn {returned}")

    with pytest.raises(CustomActionError) as raised:
        await execute(found)

    assert str(raised.value) == (
        f"pack: execute() returned {returned}; it must be an event's name or None"
    )


CUSTOM = """
initial_state: a
context: {n: 1}
actions:
  a: [{type: pack, timeout: 0.2, mode: "%s"}]
transitions:
  - {from: a, to: done, event: packed}
  - {from: a, to: failed, event: error}
"""
PACK = """async def execute(self, context):
mode = self.config["mode"]
if mode == "raise":
    raise ValueError("no such box")
if mode == "late":
    await asyncio.Event().wait()
if mode == "odd":
    return 5
if mode == "no JSON":
    context["x"] = object()
    return "packed"
if mode == "large":
    context["x"] = "y" * 300_000
    return "packed"
context["n"] += 1
await context.services.send_event("nobody_yet", "ping", {"n": context["n"]}, job_id="j")
context["made"] = await context.services.create_job("parcel", {"n": 2}, job_id="made", priority=2)
return "packed\""""


async def test_a_custom_action_moves_its_machine(run: Runner, tmp_path: Path) -> None:
    load(tmp_path / "actions", PACK)

    async with run(CUSTOM % "do", actions_dir="actions") as machine:
        row = await machine.reaches("done")

        assert row.context == {"n": 2, "made": "made"}
        job = await Job.objects.aget(job_id="made")
        assert (job.job_type, job.data, job.priority) == ("parcel", {"n": 2}, 2)
        assert job.created_by == "machine"
        assert await sync_to_async(sent_to)("nobody_yet") == [
            ("ping", {"n": 2}, "j", "machine", "pending")
        ]


def sent_to(target: str) -> list[tuple[Any, ...]]:

    found = Event.objects.filter(target=target).order_by("id")
    return list(found.values_list("type", "payload", "job_id", "source", "status"))


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        ("raise", "ValueError: no such box"),
        ("late", "timed out after 0.2 s"),
        ("odd", "pack: execute() returned 5; it must be an event's name or None"),
        ("no JSON", "pack: execute() left <object"),
        ("large", "the context would be 300"),
    ],
)
async def test_a_custom_action_that_fails_raises_error(
    run: Runner, tmp_path: Path, mode: str, error: str
) -> None:
    load(tmp_path / "actions", PACK)

    async with run(CUSTOM % mode, actions_dir="actions") as machine:
        row = await machine.reaches("failed")

        assert row.context["n"] == 1
        assert row.context["last_error_action"] == "pack"
        assert row.context["last_error"].startswith(error)


async def test_the_traceback_of_a_custom_action_is_kept_with_its_run(
    run: Runner, tmp_path: Path
) -> None:
    load(tmp_path / "actions", PACK)

    async with run(CUSTOM % "raise", actions_dir="actions") as machine:
        await machine.reaches("failed")

        [failed] = await machine.runs()
        assert (failed.outcome, failed.message) == ("failed", "ValueError: no such box")
        assert "Traceback (most recent call last):" in failed.output
        assert 'raise ValueError("no such box")' in failed.output
        assert "pack_action.py" in failed.output
