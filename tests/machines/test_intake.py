"""The door of the inboxes: its bounds, and where the events of steps go."""

import socket
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from machines.core.schemas import parsed_payload
from machines.models import Event, Machine, MachineDefinition, Process
from machines.runtime import intake
from machines.runtime.intake import MAX_PAYLOAD_BYTES, Refused
from machines.runtime.requests import Look
from tests.machines.conftest import Driver, Runner
from tests.machines.test_host import DOOR

# -- bounds


@pytest.mark.parametrize("name", ["a", "A-1_b", "w" * 63])
def test_a_machines_name_is_taken(name: str) -> None:
    assert intake.checked_target(name) == name


@pytest.mark.parametrize("name", ["", "1a", "_a", "a b", "a.b", "w" * 64, "ä", "a\n", None, 7])
def test_what_is_no_machines_name_is_refused(name: object) -> None:
    with pytest.raises(Refused, match=r"^target: .* is no machine's name; it starts with"):
        intake.checked_target(name)


@pytest.mark.parametrize("name", ["go", "x" * 200, "Ünïcode ✓", "timeout", "a.b:c"])
def test_a_name_of_an_event_is_taken(name: str) -> None:
    assert intake.checked_type(name) == name


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", "type: an event needs a name"),
        ("timeout(1)", "type: 'timeout(1)' is a timer's name; nobody can send it"),
        ("x" * 201, "type: 201 characters; at most 200 are taken"),
        ("a\nb", "type: 'a\\nb' has a control character"),
        ("a\x7f", "type: 'a\\x7f' has a control character"),
        ("\ud800", "type: '\\ud800' has a control character"),
        (None, "type: None is not a text"),
        (["a"], "type: ['a'] is not a text"),
    ],
)
def test_what_is_no_name_of_an_event_is_refused(name: object, error: str) -> None:
    with pytest.raises(Refused) as raised:
        intake.checked_type(name)

    assert str(raised.value) == error


@pytest.mark.parametrize(
    ("payload", "encoded"),
    [
        (None, None),
        ({"a": [1, "ü", None]}, '{"a":[1,"ü",null]}'.encode()),
        ("text", b'"text"'),
        (0, b"0"),
        ("x" * (MAX_PAYLOAD_BYTES - 2), b'"' + b"x" * (MAX_PAYLOAD_BYTES - 2) + b'"'),
    ],
)
def test_a_payload_is_encoded(payload: Any, encoded: bytes | None) -> None:
    assert intake.encoded_payload(payload) == encoded


def _deep() -> list[Any]:
    found: list[Any] = []
    for _ in range(10_000):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ("x" * (MAX_PAYLOAD_BYTES - 1), "262145 bytes; at most 262144 are taken"),
        ({"a": "\x00"}, "it has a NUL character, which no database keeps"),
        ({"a\x00": 1}, "it has a NUL character, which no database keeps"),
        ({1: 2}, "not JSON: "),
        ({"a": {1, 2}}, "not JSON: "),
        (1 << 64, "not JSON: "),
        ("\udfff", "not JSON: "),
        (_deep(), "not JSON: "),
    ],
)
def test_a_payload_that_cannot_be_kept_is_refused(payload: Any, error: str) -> None:
    with pytest.raises(Refused) as raised:
        intake.encoded_payload(payload)

    assert str(raised.value).startswith(f"payload: {error}")


@pytest.mark.parametrize(
    ("given", "payload"),
    [
        ({"n": 1}, {"n": 1}),
        ('{"n": 1}', {"n": 1}),
        ("[1, 2]", [1, 2]),
        ("7", 7),
        ("hello", {"text": "hello"}),
        ("", {"text": ""}),
        (None, None),
    ],
)
def test_a_payload_given_as_text_is_parsed_if_it_is_json(given: Any, payload: Any) -> None:
    assert parsed_payload(given) == payload


# -- from a machine's step


CALLER = """
initial_state: idle
transitions:
  - from: idle
    to: idle
    event: call
    actions:
      - {type: send_event, target_machine: "{who}", event_type: push, payload: {n: 1}}
  - {from: idle, to: refused, event: error}
states:
  idle:
  refused:
events:
  call: {context_map: {who: payload.who}}
"""
LISTENER = "initial_state: a\ntransitions:\n  - {from: a, to: completed, event: push}\n"


def _machine(name: str, **columns: Any) -> Machine:
    definition = MachineDefinition.objects.create(name=name, version=1, sha256=name, source=DOOR)
    return Machine.objects.create(name=name, definition=definition, **columns)


async def _called(caller: Driver, who: str) -> Machine:
    await caller.send("call", payload={"who": who})
    await caller.pending(0)
    return await caller.machine()


async def _inbox(target: str) -> list[tuple[str, str, str]]:
    rows = Event.objects.filter(target=target).order_by("id")
    return [row async for row in rows.values_list("status", "source", "reason")]


async def test_the_event_of_a_step_waits_for_a_machine_that_is_down(run: Runner) -> None:
    await sync_to_async(_machine)("down", status="stopped")
    async with run(CALLER) as caller:
        await _called(caller, "down")

        assert await _inbox("down") == [("pending", "machine", "")]


async def test_the_event_of_a_step_is_ignored_by_a_machine_that_is_finished(run: Runner) -> None:
    await sync_to_async(_machine)("over", status="finished")
    async with run(CALLER) as caller:
        await _called(caller, "over")

        assert await _inbox("over") == [("ignored", "machine", "machine 'over' is finished")]


async def test_the_event_of_a_step_waits_for_a_machine_that_never_was(run: Runner) -> None:
    async with run(CALLER) as caller:
        await _called(caller, "some_day")

        assert await _inbox("some_day") == [("pending", "machine", "")]


async def test_the_event_of_a_step_is_judged_with_it_by_a_machine_of_the_same_host(
    run: Runner,
) -> None:
    async with run(CALLER, LISTENER) as caller:
        await _called(caller, "other1")
        assert await _inbox("other1") == [("processed", "machine", "")]

        await _called(caller, "other1")

        assert (await _inbox("other1"))[1:] == [
            ("ignored", "machine", "machine 'other1' is finished")
        ]


@pytest.mark.parametrize("where", ["here", "far.example"])
async def test_the_event_of_a_step_waits_for_a_machine_that_another_host_runs(
    run: Runner, where: str
) -> None:
    async with run(CALLER) as caller:
        host = socket.gethostname() if where == "here" else where
        other = await Process.objects.acreate(kind="host", host=host, pid=999_999)
        await sync_to_async(_machine)("busy", process=other)

        await _called(caller, "busy")

        assert await _inbox("busy") == [("pending", "machine", "")]


@pytest.mark.parametrize("who", ["no name", "down", "other1"])
async def test_an_event_that_is_refused_is_the_error_of_the_step(
    run: Runner, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    async with run(CALLER, DOOR) as caller:
        await caller.send({"control": "pause", "target": "other1"})
        await caller.send({"type": "push", "target": "other1"})
        await sync_to_async(_machine)("down")
        await Event.objects.acreate(key="k", target="down", type="push")
        monkeypatch.setattr(intake, "MAX_PENDING_EVENTS", 1)

        await _called(caller, who)

        machine = await caller.reaches("refused")
        expected = "is no machine's name" if who == "no name" else f"inbox of '{who}' is full"
        assert expected in machine.context["last_error"]


CLEARER = """
initial_state: idle
transitions:
  - from: idle
    to: cleared
    event: clear
    actions:
      - {type: clear_events, target_machine: "{who}", event_types: [push, pull]}
states:
  idle:
  cleared:
events:
  clear: {context_map: {who: payload.who}}
"""


@pytest.mark.parametrize("who", ["down", "other1"])
async def test_events_of_a_machine_can_be_cleared_whether_it_runs_here_or_not(
    run: Runner, who: str
) -> None:
    async with run(CLEARER, DOOR) as clearer:
        await clearer.send({"control": "pause", "target": "other1"})
        for kind in ("push", "stay", "pull"):
            await Event.objects.acreate(key=kind, target=who, type=kind)
        clearer.journal.put(Look())
        await clearer.send({"control": "status"})

        await clearer.send("clear", payload={"who": who})

        await clearer.reaches("cleared")
        assert await _inbox(who) == [
            ("processed", "", "cleared"),
            ("pending", "", ""),
            ("processed", "", "cleared"),
        ]


# -- from a frame


async def test_a_key_of_an_event_that_still_waits_is_answered_like_the_first(run: Runner) -> None:
    async with run(DOOR) as door:
        await door.send({"control": "pause"})
        first = await door.send("push", key="k")

        again = await door.send("push", key="k")

        assert (again["event"], again["status"]) == (first["event"], "accepted")
        assert len(await door.events()) == 1


async def test_two_frames_with_one_key_in_one_commit_are_one_event(run: Runner) -> None:
    async with run(DOOR) as door:
        door.writer.write(b'{"type": "push", "key": "k"}\n' * 2)

        answers = [await door.answer() for _ in range(2)]

        assert answers[0]["event"] == answers[1]["event"]
        assert await door.events() == [("push", "processed")]


async def test_an_event_for_a_machine_that_has_finished_beside_others_is_ignored(
    run: Runner,
) -> None:
    async with run(DOOR, LISTENER) as door:
        await door.send({"type": "push", "target": "other1"})

        answer = await door.send({"type": "push", "target": "other1"})

        assert (answer["status"], answer["running"]) == ("ignored", False)
        assert answer["reason"] == "machine 'other1' is finished"


async def test_an_event_for_a_machine_that_was_stopped_waits_until_it_runs_again(
    run: Runner,
) -> None:
    async with run(DOOR, LISTENER) as door:
        await door.send({"control": "stop", "target": "other1"})

        answer = await door.send({"type": "push", "target": "other1"})

        assert (answer["status"], answer["running"]) == ("accepted", False)
        assert await _inbox("other1") == [("pending", "", "")]
