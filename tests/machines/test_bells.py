"""Bells: heard once for many rings, never in the way of who rings, gone with their process."""

import asyncio
import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from machines.runtime.bells import Bell, Ringer, bell_path

PATIENCE_SECONDS = 10
pytestmark = pytest.mark.usefixtures("run_directory")


@pytest.fixture
def ringer(run_directory: Path) -> Iterator[Ringer]:
    """One who rings."""
    with Ringer() as found:
        yield found


class Listener:
    """A process with a bell."""

    def __init__(self, kind: str) -> None:
        self._heard = asyncio.Event()
        self.times = 0
        self.bell = Bell(kind, self._hear)
        self.bell.open()

    def _hear(self) -> None:
        self.times += 1
        self._heard.set()

    async def hears(self) -> None:
        """Wait for a ring."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._heard.wait()
        self._heard.clear()


def bound(path: Path) -> socket.socket:
    """The bell of another process, which does not listen to it just now."""
    found = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    found.bind(str(path))
    found.setblocking(False)
    return found


def rings(bell: socket.socket) -> int:
    """How often it was rung since."""
    count = 0
    try:
        while bell.recv(64):
            count += 1
    except BlockingIOError:
        return count
    return count


async def test_a_ring_is_heard(ringer: Ringer) -> None:
    with closing_bell("host") as host:
        assert ringer.ring_host(os.getpid())

        await host.hears()


async def test_many_rings_are_heard_once(ringer: Ringer) -> None:
    with closing_bell("host") as host:
        for _ in range(5):
            ringer.ring_host(os.getpid())
        await host.hears()
        assert host.times == 1

        ringer.ring_host(os.getpid())
        await host.hears()

        assert host.times == 2


async def test_a_bell_is_for_its_owner_alone_and_is_removed_when_it_closes() -> None:
    listener = Listener("web")
    mode = listener.bell.path.stat().st_mode

    listener.bell.close()

    assert stat.S_IMODE(mode) == 0o600
    assert not listener.bell.path.exists()


async def test_the_bell_of_a_dead_process_with_our_number_is_replaced(ringer: Ringer) -> None:
    bound(bell_path("host", os.getpid())).close()

    with closing_bell("host") as host:
        ringer.ring_host(os.getpid())

        await host.hears()


def test_the_bell_of_a_dead_process_is_removed(ringer: Ringer) -> None:
    path = bell_path("host", 999_999)
    bound(path).close()

    rung = ringer.ring_host(999_999)

    assert not rung
    assert not path.exists()


def test_a_process_without_bell_cannot_be_rung(ringer: Ringer) -> None:
    assert not ringer.ring_host(999_999)


def test_a_bell_full_of_rings_keeps_nobody_waiting(ringer: Ringer) -> None:
    with closing(bound(bell_path("host", 999_999))) as bell:
        results = {ringer.ring_host(999_999) for _ in range(2_000)}

        assert results == {True}
        assert 0 < rings(bell) < 2_000


def test_every_web_process_is_rung_and_no_host(ringer: Ringer) -> None:
    with (
        closing(bound(bell_path("web", 1))) as first,
        closing(bound(bell_path("web", 2))) as second,
        closing(bound(bell_path("host", 3))) as host,
    ):
        ringer.ring_web()
        ringer.ring_web()

        assert [rings(bell) for bell in (first, second, host)] == [2, 2, 0]


def test_every_host_is_rung_and_no_web_process(ringer: Ringer) -> None:
    with (
        closing(bound(bell_path("web", 1))) as web,
        closing(bound(bell_path("host", 2))) as first,
        closing(bound(bell_path("host", 3))) as second,
    ):
        ringer.ring_hosts()

        assert [rings(bell) for bell in (web, first, second)] == [0, 1, 1]


def test_a_web_process_that_came_or_went_is_noticed(ringer: Ringer, run_directory: Path) -> None:
    with closing(bound(bell_path("web", 1))) as first:
        ringer.ring_web()
        bound(bell_path("web", 2)).close()
        _changes_at(run_directory, 1_000)
        ringer.ring_web()  # finds it dead
        assert not bell_path("web", 2).exists()

        with closing(bound(bell_path("web", 3))) as third:
            _changes_at(run_directory, 2_000)
            ringer.ring_web()

            assert [rings(bell) for bell in (first, third)] == [3, 1]


def test_what_keeps_a_ring_from_a_living_process_is_not_passed_over(ringer: Ringer) -> None:
    path = bell_path("host", 999_999)
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as no_bell:
        no_bell.bind(str(path))
        no_bell.listen()

        with pytest.raises(OSError) as raised:
            ringer.ring_host(999_999)

        assert raised.value.errno == errno.EPROTOTYPE
        assert path.exists()


def _changes_at(directory: Path, second: int) -> None:
    # The directory's time moves in ticks; the test says when it changed.
    os.utime(directory, (second, second))


class closing_bell:  # noqa: N801 - reads as closing() does
    """A process with a bell, within a block."""

    def __init__(self, kind: str) -> None:
        self._listener = Listener(kind)

    def __enter__(self) -> Listener:
        return self._listener

    def __exit__(self, *_error: object) -> None:
        self._listener.bell.close()
