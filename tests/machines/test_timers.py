"""Deadlines in the loop: armed, replaced, disarmed, told once when they are due."""

import asyncio
from datetime import timedelta

import pytest

from machines.core.snapshot import Deadline
from machines.core.turn import OF_STATE
from machines.runtime import timers
from machines.runtime.clock import Clock
from machines.runtime.live import key_of
from machines.runtime.requests import Due
from machines.runtime.timers import Timers

PATIENCE_SECONDS = 10
SOON = 0.02
LATER = 3600.0


class Desk:
    """The deadlines of one host, and what they told it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.told: asyncio.Queue[Due] = asyncio.Queue()
        self.timers = Timers(self.clock, self.told.put_nowait)

    def deadline(self, seconds: float, transition: int = 0) -> Deadline:
        """A deadline of a transition, so many seconds from now."""
        due_at = self.clock.now() + timedelta(seconds=seconds)
        return Deadline(f"timeout({seconds:g})", due_at, transition)

    async def hears(self) -> Due:
        """What is due next."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.told.get()

    async def hears_nothing_but_the_last(self) -> bool:
        """True if nothing is told before a deadline that is set now and lies behind the rest."""
        last = self.deadline(5 * SOON, transition=99)
        self.timers.arm("last", last)
        return await self.hears() == Due("last", last)


async def test_a_deadline_is_told_when_it_is_due_and_not_before() -> None:
    desk = Desk()
    deadline = desk.deadline(SOON)

    desk.timers.arm("worker", deadline)

    assert desk.told.empty()
    assert await desk.hears() == Due("worker", deadline)
    assert desk.clock.now() >= deadline.due_at


async def test_a_deadline_that_passed_while_nobody_looked_is_told_at_once() -> None:
    desk = Desk()
    deadline = desk.deadline(-60)

    desk.timers.arm("worker", deadline)

    assert await desk.hears() == Due("worker", deadline)


async def test_deadlines_are_told_in_the_order_in_which_they_are_due() -> None:
    desk = Desk()
    late, early = desk.deadline(3 * SOON, 1), desk.deadline(SOON, 2)

    desk.timers.follow([], [("worker", late), ("worker", early)])

    assert [(await desk.hears()).deadline, (await desk.hears()).deadline] == [early, late]


async def test_a_deadline_for_the_same_transition_replaces_the_one_before() -> None:
    desk = Desk()
    first, second = desk.deadline(SOON), desk.deadline(2 * SOON)
    desk.timers.arm("worker", first)

    desk.timers.arm("worker", second)

    assert await desk.hears() == Due("worker", second)
    assert await desk.hears_nothing_but_the_last()


async def test_deadlines_of_actions_and_of_other_machines_stand_beside_each_other() -> None:
    desk = Desk()
    of_transition = desk.deadline(SOON)
    of_action = Deadline("wait", of_transition.due_at, action=(OF_STATE, 0))

    desk.timers.follow(
        [], [("a", of_transition), ("b", of_transition), ("a", of_action), ("b", of_action)]
    )

    told = {(due.machine, due.deadline.name) for due in [await desk.hears() for _ in range(4)]}
    assert told == {(m, d.name) for m in "ab" for d in (of_transition, of_action)}


async def test_a_deadline_that_was_disarmed_is_not_told() -> None:
    desk = Desk()
    deadline = desk.deadline(SOON)
    desk.timers.arm("worker", deadline)

    desk.timers.follow([("worker", key_of(deadline)), ("worker", (7, None))], [])

    assert await desk.hears_nothing_but_the_last()


async def test_a_commit_that_ends_a_deadline_and_sets_it_anew_leaves_the_new_one() -> None:
    desk = Desk()
    old, new = desk.deadline(LATER), desk.deadline(SOON)
    desk.timers.arm("worker", old)

    desk.timers.follow([("worker", key_of(old))], [("worker", new)])

    assert await desk.hears() == Due("worker", new)


async def test_nothing_is_told_after_all_were_disarmed() -> None:
    desk = Desk()
    for machine in ("a", "b"):
        desk.timers.arm(machine, desk.deadline(SOON))

    desk.timers.disarm_all()

    assert await desk.hears_nothing_but_the_last()


async def test_a_deadline_beyond_the_longest_sleep_is_slept_for_in_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timers, "LONGEST_SLEEP_SECONDS", SOON / 4)
    desk = Desk()
    deadline = desk.deadline(4 * SOON)

    desk.timers.arm("worker", deadline)

    assert await desk.hears() == Due("worker", deadline)
    assert desk.clock.now() >= deadline.due_at
    assert desk.told.empty()


async def test_a_sleep_in_pieces_can_be_disarmed_between_two_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timers, "LONGEST_SLEEP_SECONDS", SOON / 4)
    desk = Desk()
    far, near = desk.deadline(3 * SOON), desk.deadline(SOON, transition=1)
    desk.timers.follow([], [("worker", far), ("worker", near)])
    await desk.hears()

    desk.timers.disarm("worker", key_of(far))

    assert await desk.hears_nothing_but_the_last()
