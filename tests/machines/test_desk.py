"""What a host says to frames: at once, through the journal, or when enough was waited."""

import asyncio
import os
from typing import Any

import pytest

from machines.core.protocol import ControlFrame, EventFrame
from machines.core.snapshot import Snapshot
from machines.runtime.desk import Desk
from machines.runtime.live import Live
from machines.runtime.requests import Control, Request, Submit
from tests.machines.conftest import Runner
from tests.machines.test_host import DOOR

PATIENCE_SECONDS = 10


class Counter:
    """A desk, the requests it made of the journal, and the answers it gave."""

    def __init__(self, *lives: Live) -> None:
        self.requests: list[Request] = []
        self.answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._desk = Desk(self.requests.append, {live.name: live for live in lives})

    def serve(self, frame: EventFrame | ControlFrame) -> None:
        """Hand a frame in."""
        self._desk.serve(frame, self.answers.put_nowait)

    async def hears(self) -> dict[str, Any]:
        """The next answer."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.answers.get()

    @property
    def submit(self) -> Submit:
        """The one event that was handed to the journal."""
        [request] = self.requests
        assert isinstance(request, Submit)
        return request


def live(name: str, status: str) -> Live:
    """A machine in memory of which only name and status matter."""
    return Live(0, name, None, 0, None, 0, Snapshot(name), status)  # type: ignore[arg-type]


async def test_a_ping_is_answered_with_the_process() -> None:
    desk = Counter()

    desk.serve(ControlFrame("ping", "whoever"))

    assert await desk.hears() == {"ok": True, "pid": os.getpid()}
    assert desk.requests == []


async def test_the_status_of_a_host_names_its_machines() -> None:
    desk = Counter(live("a", "running"), live("b", "paused"))

    desk.serve(ControlFrame("status"))

    assert (await desk.hears())["machines"] == {"a": "running", "b": "paused"}
    assert desk.requests == []


@pytest.mark.parametrize("verb", ["status", "pause", "resume", "stop"])
def test_a_word_to_a_machine_goes_to_the_journal(verb: str) -> None:
    desk = Counter()

    desk.serve(ControlFrame(verb, "worker"))

    [request] = desk.requests
    assert isinstance(request, Control)
    assert (request.machine, request.verb) == ("worker", verb)
    assert desk.answers.empty()


def test_an_event_goes_to_the_journal_with_all_that_its_frame_says() -> None:
    desk = Counter()

    desk.serve(EventFrame("go", "worker", {"n": 1}, "k", "sender", "job-1", "me"))

    submit = desk.submit
    assert (submit.machine, submit.type, submit.payload) == ("worker", "go", {"n": 1})
    assert (submit.key, submit.keyed, submit.wait) == ("k", True, False)
    assert (submit.source, submit.job_id, submit.actor) == ("sender", "job-1", "me")
    assert submit.raw_payload == b'{"n":1}'


def test_an_event_without_key_gets_one_of_ours() -> None:
    desk = Counter()

    for _ in range(2):
        desk.serve(EventFrame("go", "worker"))

    first, second = desk.requests
    assert isinstance(first, Submit)
    assert isinstance(second, Submit)
    assert first.key < second.key
    assert not first.keyed


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (EventFrame("go"), "target: ''"),
        (EventFrame("", "worker"), "type: an event needs a name"),
        (EventFrame("timeout(3)", "worker"), "is a timer's name"),
        (EventFrame("go", "worker", key="a\nb"), "key: "),
        (EventFrame("go", "worker", source="s" * 201), "source: 201 characters"),
        (EventFrame("go", "worker", job_id="\x00"), "job_id: "),
        (EventFrame("go", "worker", actor="\x7f"), "actor: "),
        (EventFrame("go", "worker", payload="y" * 300_000), "payload: "),
    ],
)
async def test_a_frame_that_breaks_a_bound_is_refused(frame: EventFrame, error: str) -> None:
    desk = Counter()

    desk.serve(frame)

    said = await desk.hears()
    assert (said["ok"], said["code"]) == (False, "refused")
    assert error in said["error"]
    assert desk.requests == []


async def test_who_waits_hears_of_the_end_and_not_that_it_is_accepted() -> None:
    desk = Counter()
    desk.serve(EventFrame("go", "worker", wait_seconds=PATIENCE_SECONDS))

    desk.submit.reply({"ok": True, "status": "accepted"})
    desk.submit.reply({"ok": True, "status": "ignored"})

    assert desk.submit.wait
    assert await desk.hears() == {"ok": True, "status": "ignored"}
    assert desk.answers.empty()


async def test_who_has_waited_long_enough_hears_how_far_it_came_and_nothing_later() -> None:
    desk = Counter()
    desk.serve(EventFrame("go", "worker", wait_seconds=0.02))
    desk.submit.reply({"ok": True, "status": "accepted"})

    said = await desk.hears()
    desk.submit.reply({"ok": True, "status": "processed"})

    assert said == {"ok": True, "status": "accepted", "timed_out": True}
    assert desk.answers.empty()


async def test_who_has_waited_for_an_event_that_is_not_on_record_is_told_to_send_it_again() -> None:
    desk = Counter()

    desk.serve(EventFrame("go", "worker", wait_seconds=0.02))

    said = await desk.hears()
    assert (said["ok"], said["code"], said["timed_out"]) == (False, "busy", True)
    assert "not on record after 0.02 s; send it again with the same key" in said["error"]


async def test_who_would_wait_and_is_refused_hears_so_once() -> None:
    desk = Counter()

    desk.serve(EventFrame("timeout(3)", "worker", wait_seconds=0.01))
    desk.serve(EventFrame("go", "worker", wait_seconds=0.02))  # its patience ends after the other's

    assert (await desk.hears())["code"] == "refused"
    assert "after 0.02 s" in (await desk.hears())["error"]


@pytest.mark.parametrize(
    "frame", [{"type": "push", "target": "stranger"}, {"control": "pause", "target": "stranger"}]
)
async def test_a_frame_for_a_machine_that_does_not_run_here_says_so(
    run: Runner, frame: dict[str, Any]
) -> None:
    async with run(DOOR) as door:
        said = await door.send(frame)

        assert (said["ok"], said["code"]) == (False, "unknown")
        assert said["error"] == "no machine named 'stranger' runs here"


async def test_the_host_and_its_machine_say_how_they_are(run: Runner) -> None:
    async with run(DOOR) as door:
        ping = await door.send({"control": "ping"})
        status = await door.send({"control": "status"})

        assert ping == {"ok": True, "pid": os.getpid()}
        assert status == {
            "ok": True,
            "machine": "machine",
            "status": "running",
            "state": "shut",
            "pending": 0,
        }
