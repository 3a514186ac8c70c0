"""Work in the loop: one at a time of a machine, reported while it runs, stopped when left."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import SyncToAsync, sync_to_async
from django.db import connections
from jobqueue.models import Job

from machines.actions.base import ActionType, WorkCall, Worked
from machines.actions.settings import SettingError
from machines.core.definition import Action
from machines.core.settling import Outcome
from machines.core.turn import OF_STATE, Work
from machines.models import Event
from machines.runtime import work
from machines.runtime.live import Ended
from machines.runtime.nursery import Nursery
from machines.runtime.requests import Printed, Request, StartWork
from machines.runtime.secrets import Secrets
from machines.runtime.work import Workshop

PATIENCE_SECONDS = 10
Does = Callable[[WorkCall], Awaitable[Worked]]


@pytest.fixture(autouse=True)
def _threads_leave_the_database() -> Iterator[None]:
    """The thread of ``sync_to_async`` has a connection of its own."""
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


class Bench:
    """A workshop, what it told the journal, and what happened in it."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self.told: asyncio.Queue[Request] = asyncio.Queue()
        self.workshop = Workshop(group, self.told.put_nowait, Nursery(), Secrets({}))
        self.seen: asyncio.Queue[str] = asyncio.Queue()

    def start(self, name: str, does: Does, machine: str = "worker", **settings: Any) -> None:
        """Begin work; ``name`` is its token."""
        self.workshop.start(
            StartWork(
                machine,
                Work((OF_STATE, 0), name),
                ActionType("custom", work=does),
                Action("custom"),
                settings,
                {},
                {"kept": 1},
                {},
            )
        )

    async def hears(self) -> Request:
        """What the journal is told next."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.told.get()

    async def ended(self) -> Ended:
        """The next end of work."""
        found = await self.hears()
        assert isinstance(found, Ended)
        return found

    async def sees(self) -> str:
        """What happens next."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.seen.get()

    def until(self, gate: asyncio.Event, *, stubborn: bool = False) -> Does:
        """Work that ends when the gate opens; stubborn work has to clear up until then."""

        async def does(call: WorkCall) -> Worked:
            self.seen.put_nowait(f"{call.token} begins")
            try:
                await gate.wait()
            except asyncio.CancelledError:
                if stubborn:
                    await gate.wait()
                raise
            finally:
                self.seen.put_nowait(f"{call.token} ends")
            return Worked(Outcome(event="job_done"), 0)

        return does


async def at_once(_call: WorkCall) -> Worked:
    """Work that is done as soon as it begins."""
    return Worked(Outcome(event="job_done"), 0)


async def test_work_that_ends_tells_what_came_of_it() -> None:
    async def does(call: WorkCall) -> Worked:
        call.output(b"got ")
        call.output(str(call.settings.get("what")).encode())
        return Worked(Outcome(event="job_done", changes={"n": call.context["kept"]}), 3)

    async with asyncio.TaskGroup() as group:
        bench = Bench(group)
        bench.start("t", does, what="this")

        ended = await bench.ended()

    assert (ended.machine, ended.work.token, ended.output) == ("worker", "t", "got this")
    assert (ended.error, ended.stopped) == ("", False)
    assert ended.worked == Worked(Outcome(event="job_done", changes={"n": 1}), 3)
    assert not bench.workshop.busy


@pytest.mark.parametrize(
    ("raised", "error", "traced"),
    [
        (SettingError("bash: command is missing"), "bash: command is missing", False),
        (KeyError("colour"), "KeyError: 'colour'", True),
    ],
)
async def test_work_that_raises_tells_why(raised: Exception, error: str, traced: bool) -> None:
    async def does(_call: WorkCall) -> Worked:
        raise raised

    async with asyncio.TaskGroup() as group:
        bench = Bench(group)
        bench.start("t", does)

        ended = await bench.ended()

    assert (ended.worked, ended.error, ended.stopped) == (None, error, False)
    assert ("Traceback" in ended.output) == traced


async def test_work_that_takes_too_long_fails_and_says_how_long_it_had() -> None:
    async def does(call: WorkCall) -> Worked:
        async with asyncio.timeout(call.settings.number("timeout", 0)):
            await asyncio.Event().wait()
        raise AssertionError("nobody set it")

    async with asyncio.TaskGroup() as group:
        bench = Bench(group)
        bench.start("t", does, timeout=0.01)

        ended = await bench.ended()

    assert ended.worked == Worked(Outcome(error="timed out after 0.01 s"))


async def test_an_effect_is_no_work() -> None:
    async with asyncio.TaskGroup() as group:
        bench = Bench(group)
        order = StartWork(
            "worker", Work((OF_STATE, 0), "t"), ActionType("log"), Action("log"), {}, {}, {}, {}
        )

        bench.workshop.start(order)

        assert (await bench.ended()).error == "RuntimeError: log is no work"


async def test_work_that_is_stopped_tells_so() -> None:
    async with asyncio.TaskGroup() as group:
        bench = Bench(group)
        bench.start("t", bench.until(asyncio.Event()))
        assert await bench.sees() == "t begins"

        bench.workshop.stop("worker", "t")

        ended = await bench.ended()
        assert (ended.stopped, ended.worked, ended.error) == (True, None, "")
    assert not bench.workshop.busy


@pytest.mark.parametrize(("machine", "token"), [("worker", "older"), ("other", "t")])
async def test_work_goes_on_when_other_work_is_stopped(machine: str, token: str) -> None:
    async with asyncio.TaskGroup() as group:
        bench = Bench(group)
        gate = asyncio.Event()
        bench.start("t", bench.until(gate))
        assert await bench.sees() == "t begins"

        bench.workshop.stop(machine, token)
        gate.set()

        assert not (await bench.ended()).stopped


async def test_the_next_work_waits_for_work_that_is_still_being_stopped() -> None:
    async with asyncio.TaskGroup() as group:
        bench = Bench(group)
        gate = asyncio.Event()
        bench.start("old", bench.until(gate, stubborn=True))
        assert await bench.sees() == "old begins"
        bench.workshop.stop("worker", "old")

        bench.start("new", bench.until(gate))
        bench.start("else", at_once, machine="other")
        assert (await bench.ended()).machine == "other"
        assert bench.seen.empty()
        gate.set()

        assert [await bench.sees() for _ in range(3)] == ["old ends", "new begins", "new ends"]


async def test_work_after_two_that_were_stopped_waits_for_both() -> None:
    async with asyncio.TaskGroup() as group:
        bench = Bench(group)
        gate = asyncio.Event()
        bench.start("first", bench.until(gate, stubborn=True))
        assert await bench.sees() == "first begins"
        bench.workshop.stop("worker", "first")
        bench.start("second", at_once)
        bench.start("else", at_once, machine="other")
        await bench.ended()
        bench.workshop.stop("worker", "second")
        await bench.ended()

        bench.start("third", bench.until(gate))
        bench.start("else", at_once, machine="other")
        await bench.ended()
        gate.set()

        assert [await bench.sees() for _ in range(3)] == [
            "first ends",
            "third begins",
            "third ends",
        ]


async def test_what_running_work_prints_is_told_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work, "OUTPUT_INTERVAL_SECONDS", 0.005)
    gate = asyncio.Event()

    async def does(call: WorkCall) -> Worked:
        call.output(b"half")
        await gate.wait()
        return Worked(Outcome())

    async with asyncio.TaskGroup() as group:
        bench = Bench(group)
        bench.start("t", does)

        assert await bench.hears() == Printed("t", "half")
        bench.start("else", at_once, machine="other")
        assert (await bench.ended()).machine == "other"  # and nothing twice
        gate.set()
        assert (await bench.ended()).output == "half"


async def test_a_host_that_goes_down_lets_work_end_within_its_grace() -> None:
    async with asyncio.TaskGroup() as group:
        bench = Bench(group)
        gate = asyncio.Event()
        bench.start("t", bench.until(gate))
        assert await bench.sees() == "t begins"
        asyncio.get_running_loop().call_later(0.02, gate.set)

        await bench.workshop.shut_down(PATIENCE_SECONDS)

        assert not (await bench.ended()).stopped
        assert not bench.workshop.busy


async def test_a_host_that_goes_down_stops_what_is_late_and_waits_for_what_is_being_stopped() -> (
    None
):
    async with asyncio.TaskGroup() as group:
        bench = Bench(group)
        gate = asyncio.Event()
        bench.start("left", bench.until(gate, stubborn=True))
        bench.start("late", bench.until(asyncio.Event()), machine="other")
        assert {await bench.sees(), await bench.sees()} == {"left begins", "late begins"}
        bench.workshop.stop("worker", "left")
        asyncio.get_running_loop().call_later(0.02, gate.set)

        await bench.workshop.shut_down(0.05)

        assert [(await bench.ended()).stopped for _ in range(2)] == [True, True]
        assert not bench.workshop.busy


async def test_a_host_without_work_goes_down_at_once() -> None:
    async with asyncio.TaskGroup() as group:
        bench = Bench(group)

        await bench.workshop.shut_down(PATIENCE_SECONDS)

        assert bench.told.empty()


@pytest.mark.django_db(transaction=True)
async def test_custom_work_sends_events_and_creates_jobs_for_its_machine() -> None:
    async def does(call: WorkCall) -> Worked:
        await call.services.send_event("painter", "paint", {"colour": "red"}, job_id="j")
        made = await call.services.create_job("parcel", {"to": "here"}, priority=2)
        return Worked(Outcome(changes={"job": made}))

    async with asyncio.TaskGroup() as group:
        bench = Bench(group)
        bench.start("t", does)
        ended = await bench.ended()

    assert ended.worked is not None, ended.error
    job = await sync_to_async(Job.objects.get)(job_id=ended.worked.outcome.changes["job"])
    assert (job.job_type, job.data, job.priority, job.created_by) == (
        "parcel",
        {"to": "here"},
        2,
        "worker",
    )
    event = await Event.objects.aget(target="painter")
    assert (event.type, event.payload, event.job_id) == ("paint", {"colour": "red"}, "j")
    assert (event.source, event.actor) == ("worker", "worker")
