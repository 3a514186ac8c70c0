"""Actions on inboxes and other machines."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from machines.actions.events import check_events, check_machine_state, clear_events, send_event
from machines.actions.settings import SettingError
from machines.models import Event, Machine, MachineDefinition, Process
from machines.runtime import intake
from tests.machines.action_fakes import NOON, FakeServices, effect_call
from tests.machines.conftest import Runner


@pytest.mark.parametrize(
    ("settings", "payload", "job_id"),
    [
        ({"target_machine": "other", "event_type": "ping"}, None, ""),
        ({"target": "other", "event": "ping", "payload": {"n": 1}, "job_id": 7}, {"n": 1}, "7"),
        ({"target": "other", "event": "ping", "payload": [1]}, [1], ""),
    ],
)
def test_send_event_hands_all_on(settings: dict[str, Any], payload: Any, job_id: str) -> None:
    services = FakeServices()

    outcome = send_event(effect_call("send_event", settings, services=services))

    assert outcome.event == "event_sent"
    assert services.sent == [
        {"target": "other", "event_type": "ping", "payload": payload, "job_id": job_id}
    ]


@pytest.mark.parametrize(
    ("settings", "event"),
    [
        ({"success": "told"}, "told"),
        ({"fire_and_forget": True}, None),
        ({"fire_and_forget": "yes", "success": "told"}, None),
        ({"fire_and_forget": "false"}, "event_sent"),
    ],
)
def test_send_event_tells_that_it_has_sent_unless_it_is_to_forget(
    settings: dict[str, Any], event: str | None
) -> None:
    written = {"target": "other", "event": "ping", **settings}

    assert send_event(effect_call("send_event", written)).event == event


@pytest.mark.parametrize(
    ("settings", "event", "nothing"),
    [
        ({"event_types": "ping"}, None, None),
        ({"event_types": ["pong", "ping"]}, None, None),
        ({"event_types": "pong"}, "no_events", ("events", "pong")),
        ({"event_types": ["a", "b"], "empty": "none"}, "none", ("events", "a", "b")),
    ],
)
def test_check_events_is_silent_if_one_waits(
    settings: dict[str, Any], event: str | None, nothing: Any
) -> None:
    services = FakeServices(inbox=["ping"])

    outcome = check_events(effect_call("check_events", settings, services=services))

    assert (outcome.event, outcome.nothing) == (event, nothing)


@pytest.mark.parametrize(
    ("settings", "event", "left"),
    [
        ({"event_types": "ping"}, "events_cleared", ["pong"]),
        ({"event_types": ["ping", "pong"], "success": "clean"}, "clean", []),
        ({"event_types": "other"}, "no_events_to_clear", ["ping", "ping", "pong"]),
        ({"event_types": "other", "success": "clean"}, "clean", ["ping", "ping", "pong"]),
        (
            {"event_types": "ping", "target": "another"},
            "no_events_to_clear",
            ["ping", "ping", "pong"],
        ),
    ],
)
def test_clear_events_clears_its_own_inbox_or_anothers(
    settings: dict[str, Any], event: str, left: list[str]
) -> None:
    services = FakeServices(inbox=["ping", "ping", "pong"])

    outcome = clear_events(effect_call("clear_events", settings, services=services))

    assert outcome.event == event
    assert services.inbox == left


@pytest.mark.parametrize(
    ("perform", "settings", "wrong"),
    [
        (send_event, {"event_type": "ping"}, "'target_machine' is missing"),
        (send_event, {"target": "other"}, "'event_type' is missing"),
        (
            send_event,
            {"target": "", "event": "x"},
            "'target_machine' is ''; it must be a text that",
        ),
        (
            send_event,
            {"target": "other", "event": "x", "fire_and_forget": "maybe"},
            "'fire_and_forget' is 'maybe'; it must be true or false",
        ),
        (check_events, {}, "'event_types' is missing"),
        (check_events, {"event_types": 5}, "'event_types' is 5; it must be a text or a list"),
        (clear_events, {}, "'event_types' is missing"),
        (clear_events, {"event_types": [5]}, "'event_types' is [5]; it must be a text or a list"),
        (check_machine_state, {}, "'target_machine' is missing"),
        (check_machine_state, {"target": "other"}, "'expected_states' is missing"),
        (
            check_machine_state,
            {"target": "other", "expected_states": "x", "timeout_seconds": 0},
            "'timeout_seconds' is 0; it must be more than 0 seconds",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_action(
    perform: Any, settings: dict[str, Any], wrong: str
) -> None:
    name = perform.__name__

    with pytest.raises(SettingError) as raised:
        perform(effect_call(name, settings))

    assert str(raised.value).startswith(f"{name}: the setting {wrong}")


# -- check_machine_state


def other(*, status: str = "running", seen_ago: float | None = 1, state: str = "ready") -> None:
    """Another machine, whose host was last seen so many seconds ago (None: it has none)."""
    definition = MachineDefinition.objects.create(name="other", version=1, source="")
    process = None
    if seen_ago is not None:
        beat = NOON - timedelta(seconds=seen_ago)
        process = Process.objects.create(kind="host", host="here", pid=1, heartbeat_at=beat)
    Machine.objects.create(
        name="other", definition=definition, states=[state], status=status, process=process
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("there", "settings", "event", "changes"),
    [
        ({}, {}, "in_expected_state", {}),
        ({}, {"success": "fine"}, "fine", {}),
        ({}, {"expected_states": ["busy", "ready"]}, "in_expected_state", {}),
        ({"status": "paused"}, {}, "in_expected_state", {}),
        ({"state": "busy"}, {}, "unexpected_state", {"unexpected_machine_state": "busy"}),
        ({"seen_ago": 59}, {}, "in_expected_state", {}),
        ({"seen_ago": 61}, {}, "not_running", {}),
        ({"seen_ago": 61}, {"timeout_seconds": "120"}, "in_expected_state", {}),
        ({"seen_ago": 61}, {"timeout_seconds": "2m"}, "in_expected_state", {}),
        ({"seen_ago": 61}, {"not_running": "gone"}, "gone", {}),
        ({"seen_ago": None}, {}, "not_running", {}),
        ({"status": "stopped"}, {}, "not_running", {}),
        ({"status": "finished"}, {}, "not_running", {}),
        ({"status": "faulted"}, {}, "not_running", {}),
        (None, {}, "not_running", {}),
    ],
)
def test_check_machine_state_looks_at_another_machine(
    there: dict[str, Any] | None, settings: dict[str, Any], event: str, changes: dict[str, Any]
) -> None:
    if there is not None:
        other(**there)
    written = {"target_machine": "other", "expected_states": "ready", **settings}

    outcome = check_machine_state(effect_call("check_machine_state", written))

    assert (outcome.event, outcome.changes) == (event, changes)


# -- in a machine


async def sent_to(target: str) -> list[tuple[Any, ...]]:
    found = Event.objects.filter(target=target).order_by("id")
    return [row async for row in found.values_list("type", "payload", "status", "reason")]


SEND = """
initial_state: a
context: {n: 5, payload: {deep: [1]}}
actions:
  b:
    - {type: send_event, target: nobody_yet, event: one, payload: {n: "{n}", x: "{no_such}"}}
    - {type: send_event, target: nobody_yet, event: two, payload: "{payload}"}
    - {type: send_event, target: nobody_yet, event: three, payload: "{no_such}"}
    - {type: send_event, target: nobody_yet, event: four, payload: "just text"}
    - {type: send_event, target: "no name!", event: five}
    - {type: set_context, key: done, value: true}
transitions:
  - {from: a, to: b, event: go}
"""


async def test_send_event_is_accepted_for_a_machine_that_is_not_known(run: Runner) -> None:
    async with run(SEND) as machine:
        await machine.send("go")

        row = await machine.until(lambda row: "done" in row.context, "the last action")
        assert await sent_to("nobody_yet") == [
            ("one", {"n": 5, "x": None}, "pending", ""),
            ("two", {"deep": [1]}, "pending", ""),
            ("three", None, "pending", ""),
            ("four", {"text": "just text"}, "pending", ""),
        ]
        assert row.context["last_error"].startswith("target: 'no name!' is no machine's name")
        assert row.context["last_error_action"] == "send_event"


ONE = """
initial_state: a
actions:
  b: [{type: send_event, target: nobody_yet, event: ping}]
transitions:
  - {from: a, to: b, event: go}
  - {from: b, to: b, event: go, reenter: true}
  - {from: "*", to: failed, event: error}
"""


async def test_a_full_inbox_is_an_error(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_PENDING_EVENTS", 2)
    async with run(ONE) as machine:
        for _ in range(3):
            await machine.send("go", wait=10)

        row = await machine.reaches("failed")
        assert len(await sent_to("nobody_yet")) == 2
        assert row.context["last_error"] == (
            "the inbox of 'nobody_yet' is full: 2 events wait already"
        )


async def test_a_finished_machine_ignores_what_it_is_sent(run: Runner) -> None:
    finished = "initial_state: x\nstates: {x: {final: true}}\n"
    async with run(ONE.replace("nobody_yet", "other1"), finished) as machine:
        found = replace(machine, name="other1")
        await found.until(lambda row: row.status == Machine.Status.FINISHED, "its end")

        await machine.send("go")

        assert await sent_to("other1") == [
            ("ping", None, "ignored", "machine 'other1' is finished")
        ]


CHECK = """
initial_state: looking
states:
  looking:
    actions:
      - {type: check_events, event_types: [ping]}
  got: {}
transitions:
  - {from: looking, to: looking, event: no_events}
  - {from: looking, to: got, event: ping}
"""


async def test_a_machine_that_found_no_event_sleeps_until_one_comes(run: Runner) -> None:
    async with run(CHECK) as machine:
        await machine.until(lambda row: row.turn.get("idle", False), "idle rest")

        answer = await machine.send("ping")

        assert (answer["status"], answer["state"]) == ("processed", "got")


CLEAR = """
initial_state: waiting
states:
  waiting: {}
  clearing:
    actions:
      - {type: bash, command: "sleep 0.5"}
      - {type: clear_events, event_types: [stale]}
  done: {}
transitions:
  - {from: waiting, to: clearing, event: go}
  - {from: clearing, to: done, event: [events_cleared, no_events_to_clear]}
"""


async def test_clear_events_ends_what_waits_in_its_own_inbox(run: Runner) -> None:
    async with run(CLEAR) as machine:
        await machine.send("go")
        for event in ("stale", "fresh", "stale"):
            await machine.send(event)

        await machine.reaches("done")
        await machine.pending(0)

        assert [(kind, status, why) for kind, _, status, why in await sent_to("machine")] == [
            ("go", "processed", ""),
            ("stale", "processed", "cleared"),
            ("fresh", "ignored", "no transition for 'fresh' in state 'done'"),
            ("stale", "processed", "cleared"),
        ]


CLEAR_OTHER = """
initial_state: waiting
states:
  waiting: {}
  clearing:
    actions:
      - {type: send_event, target: "%(whose)s", event: stale, fire_and_forget: true}
      - {type: send_event, target: "%(whose)s", event: fresh, fire_and_forget: true}
      - {type: clear_events, event_types: stale, target: "%(whose)s"}
  done: {}
  nothing: {}
transitions:
  - {from: waiting, to: clearing, event: go}
  - {from: clearing, to: done, event: events_cleared}
  - {from: clearing, to: nothing, event: no_events_to_clear}
"""


async def test_clear_events_reaches_a_machine_that_does_not_run(run: Runner) -> None:
    async with run(CLEAR_OTHER % {"whose": "nobody_yet"}) as machine:
        await machine.send("go")

        await machine.reaches("done")
        assert await sent_to("nobody_yet") == [
            ("stale", None, "processed", "cleared"),
            ("fresh", None, "pending", ""),
        ]


HELD = "initial_state: x\nstates: [x]\n"


@pytest.mark.parametrize("control", ["pause", "stop"])
async def test_clear_events_reaches_a_machine_of_the_same_host(run: Runner, control: str) -> None:
    async with run(CLEAR_OTHER % {"whose": "other1"}, HELD) as machine:
        await machine.send({"control": control, "target": "other1"})
        await machine.send("go")

        await machine.reaches("done")
        assert await sent_to("other1") == [
            ("stale", None, "processed", "cleared"),
            ("fresh", None, "pending", ""),
        ]


LOOK = """
initial_state: a
actions:
  b: [{type: check_machine_state, target: other1, expected_states: [x]}]
transitions:
  - {from: a, to: b, event: go}
  - {from: b, to: fine, event: in_expected_state}
"""


async def test_check_machine_state_sees_a_machine_of_the_same_host(run: Runner) -> None:
    async with run(LOOK, "initial_state: x\nstates: [x]\n") as machine:
        await machine.send("go")

        await machine.reaches("fine")
