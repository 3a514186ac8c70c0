"""The control socket on real sockets: what arrives in pieces, too long, too fast, or is garbage."""

import asyncio
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from machines.core.protocol import MAX_FRAME_BYTES, ControlFrame, EventFrame
from machines.runtime import control
from tests.machines.clerk import Clerk, connected


@pytest.fixture
async def clerk() -> AsyncIterator[Clerk]:
    """A server that listens nowhere yet."""
    found = Clerk()
    yield found
    await found.server.close()


@pytest.fixture
async def socket_path(clerk: Clerk, tmp_path: Path) -> Path:
    """Where the clerk listens."""
    path = tmp_path / "worker.sock"
    await clerk.server.listen(path, default_target="worker")
    return path


def is_gone(path: Path) -> bool:
    """True if there is nothing at ``path``."""
    return not path.exists()


async def everything_sent_was_read(path: Path) -> None:
    """Pass when the server has read what was written before: a later question is answered."""
    async with connected(path) as other:
        other.puts({"control": "ping"})
        await other.hears()


# -- the path


async def test_the_socket_is_for_its_owner_alone_and_leaves_nothing_beside_it(
    socket_path: Path,
) -> None:
    [found] = os.scandir(socket_path.parent)

    assert found.path == str(socket_path)
    mode = found.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


async def test_a_server_that_closes_removes_its_socket(clerk: Clerk, socket_path: Path) -> None:
    await clerk.server.close()

    assert is_gone(socket_path)


async def test_a_socket_that_somebody_removed_does_not_hinder_the_end(
    clerk: Clerk, socket_path: Path
) -> None:
    await asyncio.to_thread(socket_path.unlink)

    await clerk.server.close()

    assert is_gone(socket_path)


async def test_a_dead_socket_at_the_path_is_replaced(clerk: Clerk, tmp_path: Path) -> None:
    path = tmp_path / "left.sock"
    path.touch()

    await clerk.server.listen(path)

    async with connected(path) as client:
        client.puts({"control": "ping"})
        assert (await client.hears())["ok"]


async def test_the_old_owner_of_a_path_leaves_the_socket_of_the_new_one(
    clerk: Clerk, socket_path: Path
) -> None:
    successor = Clerk()
    successor.said = {"by": "successor"}
    async with connected(socket_path) as before:
        await successor.server.listen(socket_path)

        before.puts({"control": "ping"})
        assert "by" not in await before.hears()
        await clerk.server.close()

        async with connected(socket_path) as after:
            after.puts({"control": "ping"})
            assert (await after.hears())["by"] == "successor"
    await successor.server.close()
    assert is_gone(socket_path)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
async def test_a_process_of_another_user_is_hung_up_on(clerk: Clerk) -> None:
    with tempfile.TemporaryDirectory(prefix="sm-") as folder:
        path = Path(folder) / "open.sock"
        await clerk.server.listen(path)
        for opened in (Path(folder), path):
            await asyncio.to_thread(opened.chmod, 0o777)
        ask = (
            "import os, socket, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
            "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
            'try: s.sendall(b\'{"control": "ping"}\\n\'); print(s.recv(100))\n'
            "except ConnectionError: print(b'')"
        )

        asked = await asyncio.create_subprocess_exec(
            sys.executable, "-c", ask, path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

        assert await asked.communicate() == (b"b''\n", b"")
        assert clerk.frames == []


# -- frames as they come


async def test_a_frame_may_arrive_in_two_pieces_cut_anywhere(
    clerk: Clerk, socket_path: Path
) -> None:
    line = '{"type": "gänzlich"}\n'.encode()
    async with connected(socket_path) as client:
        for cut in range(1, len(line)):
            client.writer.write(line[:cut])
            await everything_sent_was_read(socket_path)
            client.writer.write(line[cut:])
            await client.hears()

    events = [frame for frame in clerk.frames if isinstance(frame, EventFrame)]
    assert events == [EventFrame("gänzlich", "worker")] * (len(line) - 1)


async def test_many_frames_in_one_piece_are_answered_in_their_order(socket_path: Path) -> None:
    count = 500
    async with connected(socket_path) as client:
        client.puts(*({"type": f"e{number}"} for number in range(count)))

        assert await client.numbers(count) == list(range(1, count + 1))


async def test_a_frame_that_names_no_target_means_that_of_the_socket(
    clerk: Clerk, socket_path: Path
) -> None:
    async with connected(socket_path) as client:
        client.puts({"type": "go"}, {"type": "go", "target": "other"}, {"control": "pause"})
        await client.numbers(3)

    assert clerk.frames == [
        EventFrame("go", "worker"),
        EventFrame("go", "other"),
        ControlFrame("pause", "worker"),
    ]


async def test_empty_lines_are_passed_over(clerk: Clerk, socket_path: Path) -> None:
    async with connected(socket_path) as client:
        client.writer.write(b'\n  \r\n{"control": "ping"}\r\n\n')

        assert await client.numbers(1) == [1]
        assert len(clerk.frames) == 1


@pytest.mark.parametrize("garbage", [b"\xff\xfe\x00\x01", b"\x00" * 1000, b"{" * 5000, b"GET /"])
async def test_garbage_gets_an_error_line_and_the_next_frame_its_answer(
    clerk: Clerk, socket_path: Path, garbage: bytes
) -> None:
    async with connected(socket_path) as client:
        client.writer.write(garbage + b'\n{"control": "ping"}\n')

        refused = await client.hears()

        assert (refused["ok"], refused["code"]) == (False, "frame")
        assert "not JSON" in refused["error"]
        assert await client.numbers(1) == [1]
        assert clerk.frames == [ControlFrame("ping", "worker")]


@pytest.mark.parametrize("excess", [0, 1, 1000])
async def test_a_line_that_is_too_long_is_refused_and_the_next_one_served(
    clerk: Clerk, socket_path: Path, excess: int
) -> None:
    long = b"x" * (MAX_FRAME_BYTES + excess)
    async with connected(socket_path) as client:
        client.writer.write(long[:-1] + b"\n" + b'{"control": "ping"}\n')
        if excess == 0:  # the longest frame: it is not too long, only no JSON
            assert "not JSON" in (await client.hears())["error"]
            return

        answer = await client.hears()

        assert f"at most {MAX_FRAME_BYTES} bytes" in answer["error"]
        assert clerk.frames in ([], [ControlFrame("ping", "worker")])


async def test_a_line_without_end_is_refused_and_its_sender_hung_up_on(
    clerk: Clerk, socket_path: Path
) -> None:
    async with connected(socket_path) as client:
        client.puts({"control": "ping"})
        client.writer.write(b"x" * MAX_FRAME_BYTES)

        assert await client.numbers(1) == [1]
        assert f"at most {MAX_FRAME_BYTES} bytes" in (await client.hears())["error"]
        assert await client.is_hung_up_on()
    assert len(clerk.frames) == 1


# -- answers


async def test_answers_come_in_the_order_of_the_frames_whichever_is_ready_first(
    clerk: Clerk, socket_path: Path
) -> None:
    clerk.holds = True
    async with connected(socket_path) as client:
        client.puts(*({"type": f"e{number}"} for number in range(4)))
        await clerk.has_got(4)

        clerk.answers(3, 2, 4, 1)

        assert await client.numbers(4) == [1, 2, 3, 4]


async def test_an_error_line_waits_for_the_answers_before_it(
    clerk: Clerk, socket_path: Path
) -> None:
    clerk.holds = True
    async with connected(socket_path) as client:
        client.puts({"type": "first"}, {"nonsense": True})
        await clerk.has_got(1)

        clerk.answers(1)

        assert [(await client.hears())["ok"] for _ in range(2)] == [True, False]


async def test_an_answer_that_was_waited_for_comes_when_it_is_ready_and_has_the_key(
    clerk: Clerk, socket_path: Path
) -> None:
    clerk.holds = True
    async with connected(socket_path) as client:
        client.puts({"type": "a"}, {"type": "b", "wait": 9, "key": "k"}, {"type": "c", "wait": 9})
        await clerk.has_got(3)

        clerk.answers(2, 3, 1)

        assert await client.hears() == {"ok": True, "number": 2, "key": "k"}
        assert await client.hears() == {"ok": True, "number": 3}
        assert await client.hears() == {"ok": True, "number": 1}


async def test_a_client_that_has_sent_all_still_gets_every_answer(
    clerk: Clerk, socket_path: Path
) -> None:
    clerk.holds = True
    async with connected(socket_path) as client:
        client.puts({"type": "a"}, {"type": "b", "wait": 9, "key": "k"})
        client.writer.write(b'{"type": "without a newline"}')
        client.writer.write_eof()
        await clerk.has_got(3)

        clerk.answers(3, 1)
        assert await client.numbers(2) == [1, 3]
        clerk.answers(2)

        assert (await client.hears())["key"] == "k"
        assert await client.is_hung_up_on()


async def test_answers_to_a_client_that_is_gone_harm_nobody(
    clerk: Clerk, socket_path: Path
) -> None:
    clerk.holds = True
    async with connected(socket_path) as client:
        client.puts({"type": "a"}, {"type": "b", "wait": 9}, {"type": "c", "wait": 9})
        await clerk.has_got(3)
    clerk.holds = False
    await everything_sent_was_read(socket_path)

    clerk.answers(3, 1, 2)

    await everything_sent_was_read(socket_path)


async def test_a_server_that_closes_answers_what_it_has_got_and_then_hangs_up(
    clerk: Clerk, socket_path: Path
) -> None:
    clerk.holds = True
    async with connected(socket_path) as busy, connected(socket_path) as idle:
        busy.puts({"type": "a"})
        await clerk.has_got(1)

        await clerk.server.close()

        assert await idle.is_hung_up_on()
        clerk.answers(1)
        assert await busy.numbers(1) == [1]
        assert await busy.is_hung_up_on()


# -- bounds


async def test_a_client_that_does_not_read_is_not_read_either_and_keeps_nobody_waiting(
    clerk: Clerk, socket_path: Path
) -> None:
    count = 200
    clerk.said = {"long": "y" * 60_000}
    async with connected(socket_path) as slow:
        slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
        slow.puts(*({"type": "e", "payload": "x" * 10_000} for _ in range(count)))
        await clerk.has_got(1)

        async with connected(socket_path) as quick:
            quick.puts({"control": "ping"})
            assert (await quick.hears())["ok"]
        taken = len(clerk.frames)

        slow.writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert taken < count // 2
        numbers = await slow.numbers(count)
        assert numbers == sorted(numbers)


async def test_a_client_with_too_many_unanswered_frames_is_read_when_some_are_answered(
    clerk: Clerk, socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "MAX_UNANSWERED", 3)
    clerk.holds = True
    count = 20
    async with connected(socket_path) as client:
        client.puts(*({"type": "e", "payload": "x" * 100_000} for _ in range(count)))
        await clerk.has_got(3)
        clerk.holds = False
        await everything_sent_was_read(socket_path)
        taken = sum(isinstance(frame, EventFrame) for frame in clerk.frames)

        clerk.answers(*range(1, len(clerk.held) + 1))

        assert 3 <= taken < count // 2
        assert len(await client.numbers(count)) == count
