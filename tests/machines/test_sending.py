"""An event from outside: told to a host that runs the machine, put into its inbox if none does."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import SyncToAsync, sync_to_async
from django.db import connections

from machines.models import Event, Machine, MachineDefinition, Process
from machines.runtime import intake, sending
from machines.runtime.bells import Bell
from machines.runtime.ownership import HostLock
from machines.runtime.sending import (
    HostClient,
    HostGone,
    Refused,
    UnknownTarget,
    send_event,
    send_event_now,
)
from tests.machines.conftest import Runner
from tests.machines.test_host import DOOR, WORK

pytestmark = pytest.mark.usefixtures("db", "run_directory")


@pytest.fixture(autouse=True)
def _threads_leave_the_database() -> Iterator[None]:
    """The thread of ``sync_to_async`` has a connection of its own."""
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


def definition(name: str = "door") -> MachineDefinition:
    """A definition on record."""
    return MachineDefinition.objects.create(name=name, version=1, sha256=name, source=DOOR)


def machine(name: str = "door", **columns: Any) -> Machine:
    """A machine that no host runs."""
    return Machine.objects.create(name=name, definition=definition(name), **columns)


@contextmanager
def host_at(path: str) -> Iterator[Process]:
    """A process that lives, and has its socket at ``path``."""
    lock = HostLock()
    lock.acquire()
    try:
        yield Process.objects.create(
            kind="host", host=socket.gethostname(), pid=os.getpid(), socket_path=path
        )
    finally:
        lock.release()


@contextmanager
def listening(path: Path, *answers: bytes) -> Iterator[None]:
    """A host that gives each connection these bytes for its first frame, then hangs up."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            for answer in answers:
                connection, _ = listener.accept()
                with connection, suppress(ConnectionError):
                    connection.recv(1 << 16)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join(20)


# -- a machine that runs


async def test_an_event_for_a_machine_that_runs_is_answered_by_its_host(run: Runner) -> None:
    async with run(DOOR):
        reply = await send_event(
            target="machine", type="push", payload={"n": 1}, source="s", job_id="j", actor="me"
        )

    event = await Event.objects.aget(pk=reply.event)
    assert (reply.status, reply.running, reply.state) == ("processed", True, "open")
    assert (event.payload, event.source, event.job_id, event.actor) == ({"n": 1}, "s", "j", "me")
    assert reply.as_dict() == {
        "event": event.pk,
        "status": "processed",
        "running": True,
        "machine": "machine",
        "state": "open",
        "reason": None,
    }


async def test_an_event_that_was_ignored_is_answered_with_the_reason(run: Runner) -> None:
    async with run(DOOR):
        reply = await send_event(target="machine", type="pull")

    assert (reply.status, reply.reason) == (
        "ignored",
        "no transition for 'pull' in state 'shut'",
    )


async def test_the_end_of_an_event_can_be_waited_for(run: Runner) -> None:
    async with run(WORK) as worker:
        await worker.send("work", payload={"what": "x", "seconds": 0.2})

        reply = await send_event(target="machine", type="unheard_of", wait_seconds=15)

        assert reply.status == "ignored"


async def test_what_a_host_refuses_is_refused(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_PENDING_EVENTS", 0)
    async with run(DOOR) as door:
        await door.send({"control": "pause"})

        with pytest.raises(Refused, match="the inbox of 'machine' is full: 0 events wait already"):
            await send_event(target="machine", type="push")


async def test_a_key_sent_again_over_both_ways_is_one_event(run: Runner) -> None:
    async with run(DOOR):
        first = await send_event(target="machine", type="push", key="k")
        again = await send_event(target="machine", type="push", key="k")

    when_down = await send_event(target="machine", type="push", key="k")

    assert {first.event, again.event, when_down.event} == {first.event}
    assert (again.status, when_down.status) == ("processed", "processed")
    assert (again.running, when_down.running) == (True, False)


async def test_a_host_that_does_not_run_the_machine_any_more_leaves_it_to_the_inbox(
    run: Runner,
) -> None:
    async with run(DOOR) as door:
        owner = (await Machine.objects.select_related("process").aget(name=door.name)).process
        await sync_to_async(machine)("gone", process=owner, epoch=9)

        reply = await send_event(target="gone", type="push")

        assert reply.status == "accepted"
        assert await Event.objects.filter(target="gone", status="pending").acount() == 1


async def test_an_event_of_the_inbox_rings_the_host(run: Runner) -> None:
    async with run(DOOR) as door:
        # Its socket is not found, its bell is.
        await Process.objects.aupdate(socket_path="/nowhere/host.sock")

        reply = await send_event(target="machine", type="push")

        assert (reply.status, reply.running) == ("accepted", True)
        await door.reaches("open")


# -- a machine that does not run


def test_an_event_for_a_machine_that_is_down_waits_in_its_inbox() -> None:
    machine(states=["shut"], status="stopped")

    reply = send_event_now(target="door", type="push", payload='{"n": 1}', source="s", actor="me")

    event = Event.objects.get(pk=reply.event)
    assert (reply.status, reply.running, reply.state) == ("accepted", False, "shut")
    assert (event.status, event.payload, event.source, event.actor) == (
        "pending",
        {"n": 1},
        "s",
        "me",
    )


def test_an_event_for_a_machine_that_is_finished_is_ignored_and_says_so() -> None:
    machine(states=["open"], status="finished")

    reply = send_event_now(target="door", type="push")

    event = Event.objects.get(pk=reply.event)
    assert (reply.status, reply.reason) == ("ignored", "machine 'door' is finished")
    assert (event.status, event.processed_at) == ("ignored", event.created_at)


def test_a_definition_takes_events_for_the_machine_it_will_be() -> None:
    definition("gate")

    reply = send_event_now(target="gate", type="push")

    assert (reply.status, reply.running, reply.state) == ("accepted", False, None)


def test_an_unknown_target_is_refused_with_the_nearest_name() -> None:
    machine("wicket")

    with pytest.raises(UnknownTarget) as raised:
        send_event_now(target="wickett", type="push")

    assert str(raised.value) == "no machine named 'wickett'; did you mean 'wicket'?"
    assert not Event.objects.exists()


def test_an_unknown_target_gets_its_event_if_that_is_wanted() -> None:
    reply = send_event_now(target="some_day", type="push", known_only=False)

    assert (reply.status, reply.running) == ("accepted", False)


def test_a_key_that_is_there_already_is_that_event_whatever_else_is_sent() -> None:
    machine()
    first = send_event_now(target="door", type="push", key="k")
    Event.objects.update(status="failed", reason="its payload is wrong")

    again = send_event_now(target="door", type="pull", key="k")

    assert (again.event, again.status) == (first.event, "failed")
    assert again.reason == "its payload is wrong"


def test_events_without_key_are_events_of_their_own() -> None:
    machine()

    events = {send_event_now(target="door", type="push").event for _ in range(3)}

    assert len(events) == 3


def test_the_inbox_of_a_machine_that_is_down_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_PENDING_EVENTS", 2)
    machine()
    for _ in range(2):
        send_event_now(target="door", type="push")

    with pytest.raises(Refused, match="the inbox of 'door' is full: 2 events wait already"):
        send_event_now(target="door", type="push")

    assert Event.objects.filter(status="pending").count() == 2


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"target": ""}, "target: '' is no machine's name"),
        ({"target": "door\n"}, "is no machine's name"),
        ({"type": ""}, "type: an event needs a name"),
        ({"type": "timeout(3)"}, "is a timer's name"),
        ({"key": "a\tb"}, "key: 'a\\tb' has a control character"),
        ({"key": "k" * 201}, "key: 201 characters; at most 200 are taken"),
        ({"source": 7}, "source: 7 is not a text"),
        ({"payload": "x" * (256 << 10)}, "bytes; at most 262144 are taken"),
        ({"payload": {"a": "\x00"}}, "payload: it has a NUL character"),
        ({"payload": object()}, "payload: not JSON: "),
        ({"payload": 1 << 70}, "payload: not JSON: "),
        ({"payload": "\ud800"}, "payload: not JSON: "),
    ],
)
def test_what_no_host_would_take_is_refused_before_anything_is_written(
    fields: dict[str, Any], error: str
) -> None:
    given: dict[str, Any] = {"target": "door", "type": "push", "known_only": False}

    with pytest.raises(Refused) as raised:
        send_event_now(**given | fields)

    assert error in str(raised.value)
    assert not Event.objects.exists()


# -- hosts in trouble


def test_a_host_that_went_between_look_up_and_connection_leaves_it_to_the_inbox(
    tmp_path: Path,
) -> None:
    with host_at(str(tmp_path / "gone.sock")) as process:
        machine(process=process, states=["shut"])

        reply = send_event_now(target="door", type="push")

    assert (reply.status, reply.running) == ("accepted", True)
    assert Event.objects.get(pk=reply.event).status == "pending"


@pytest.mark.parametrize(
    "answer", [b"", b'{"ok": tr', b"[1]\n", b'{"ok": false, "code": "unknown", "error": "no"}\n']
)
def test_a_host_that_goes_in_the_middle_of_its_answer_leaves_it_to_the_inbox(
    tmp_path: Path, answer: bytes
) -> None:
    path = tmp_path / "host.sock"
    with host_at(str(path)) as process, listening(path, answer):
        machine(process=process)

        reply = send_event_now(target="door", type="push")

    assert reply.status == "accepted"
    assert Event.objects.count() == 1


def test_a_host_that_does_not_answer_in_time_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "ANSWER_TIMEOUT_SECONDS", 0.05)
    path = tmp_path / "host.sock"
    with host_at(str(path)) as process, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        machine(process=process)

        with pytest.raises(TimeoutError):
            send_event_now(target="door", type="push")


@pytest.mark.parametrize("owner", ["dead", "far"])
def test_a_machine_whose_host_is_dead_or_elsewhere_is_reached_by_its_inbox(owner: str) -> None:
    far = {"host": "far.example"} if owner == "far" else {"host": socket.gethostname()}
    process = Process.objects.create(kind="host", pid=999_999, socket_path="/nowhere", **far)
    machine(process=process)

    reply = send_event_now(target="door", type="push")

    assert (reply.status, reply.running) == ("accepted", owner == "far")


def test_an_answer_that_leaves_things_out_is_completed() -> None:
    reply = sending.reply_of({"ok": True, "event": 7, "status": "accepted"}, "door")

    assert (reply.machine, reply.running, reply.state) == ("door", True, None)
    with pytest.raises(Refused, match="the host refused the event"):
        sending.reply_of({"ok": False}, "door")


# -- the connection


def test_nobody_at_the_path_is_a_host_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(HostGone, match=r"none\.sock: "):
        HostClient(str(tmp_path / "none.sock"))


def test_a_host_that_hung_up_cannot_be_told_anything(tmp_path: Path) -> None:
    path = tmp_path / "host.sock"
    with listening(path, b""), HostClient(str(path)) as host:
        host.put([{"control": "ping"}])
        with pytest.raises(HostGone, match="the connection was closed"):
            host.get()

        with pytest.raises(HostGone):
            _until_refused(lambda: host.put([{"control": "ping"}]))


def test_a_host_that_resets_the_connection_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "host.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with HostClient(str(path)) as host:
            connection, _ = listener.accept()
            host.put([{"control": "ping"}])
            connection.close()  # with a frame unread

            with pytest.raises(HostGone):
                host.get()


async def test_the_inbox_rings_the_process_that_owns_the_machine(transactional_db: None) -> None:
    rung = asyncio.Event()
    bell = Bell("host", rung.set)
    bell.open()

    await sync_to_async(_send_to_machine_of_this_process)()

    async with asyncio.timeout(20):
        await rung.wait()
    bell.close()


def _send_to_machine_of_this_process() -> None:
    with host_at("/nowhere/host.sock") as process:
        machine(process=process)
        send_event_now(target="door", type="push")


def _until_refused(put: Callable[[], None]) -> None:
    for _ in range(1_000):
        put()
