"""The supervisor, with real processes."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from machines.runtime.supervisor import Program, Supervisor, next_delay

UNTIL_TERM = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: (print("ending"), sys.exit(0)))
print("up")
while True: signal.pause()
"""
DEAF = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up")
while True: signal.pause()
"""
WITH_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print(child.pid)
sys.exit(0)
"""


class Heard:
    """What the programs said, in order; ``line`` waits for one of them."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self._spoke = asyncio.Event()

    def say(self, name: str, line: str) -> None:
        self.lines.append((name, line))
        self._spoke.set()

    async def line(self, accept: Callable[[str, str], bool]) -> str:
        async with asyncio.timeout(20):
            while True:
                for name, line in self.lines:
                    if accept(name, line):
                        return line
                self._spoke.clear()
                await self._spoke.wait()


def program(name: str, code: str, *, may_end: bool = False) -> Program:
    return Program(name, [sys.executable, "-c", code], may_end=may_end)


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("last", "lived", "expected"),
    [
        (None, 0.0, 0.5),
        (0.5, 0.0, 1.0),
        (16.0, 0.0, 30.0),
        (30.0, 1.0, 30.0),
        (30.0, 31.0, 0.5),
    ],
)
def test_next_delay_doubles_until_a_program_lived_long(
    last: float | None, lived: float, expected: float
) -> None:
    assert next_delay(last, lived) == expected


async def test_run_returns_when_all_programs_that_may_end_are_done() -> None:
    heard = Heard()
    system = Supervisor([program("short", "print('hello')", may_end=True)], heard.say)

    async with asyncio.timeout(20):
        await system.run()

    assert heard.lines == [("short", "hello")]


async def test_run_starts_a_program_again_when_it_died() -> None:
    heard = Heard()
    system = Supervisor([program("frail", "print('up'); raise SystemExit(3)")], heard.say)

    async with asyncio.TaskGroup() as group:
        group.create_task(system.run())
        await heard.line(lambda _, line: line == "ended with 3; starts again in 1 s")
        system.stop()

    assert [line for _, line in heard.lines].count("up") == 2


async def test_stop_ends_the_programs_in_reverse_order() -> None:
    heard = Heard()
    names = ("web", "workers", "machines")
    system = Supervisor([program(name, UNTIL_TERM) for name in names], heard.say)

    async with asyncio.TaskGroup() as group:
        group.create_task(system.run())
        for name in names:
            await heard.line(lambda who, line, name=name: (who, line) == (name, "up"))  # type: ignore[misc]
        os.kill(os.getpid(), signal.SIGTERM)

    assert [who for who, line in heard.lines if line == "ending"] == list(reversed(names))


async def test_a_second_stop_kills_what_does_not_listen() -> None:
    heard = Heard()
    system = Supervisor([program("deaf", DEAF)], heard.say)

    async with asyncio.TaskGroup() as group:
        group.create_task(system.run())
        await heard.line(lambda _, line: line == "up")
        system.stop()
        system.stop()

    assert heard.lines[-1] == ("system", "killing what is left")


async def test_run_leaves_no_grandchild_behind() -> None:
    heard = Heard()
    system = Supervisor([program("parent", WITH_CHILD, may_end=True)], heard.say)

    async with asyncio.timeout(20):
        await system.run()
        # A process that was killed lets go of its pipe a moment before it is dead.
        while alive(int(heard.lines[0][1])):  # noqa: ASYNC110 - the kernel sets no event
            await asyncio.sleep(0.01)


async def test_a_line_that_never_ends_is_said_in_pieces() -> None:
    heard = Heard()
    system = Supervisor([program("long", "print('x' * 200_000)", may_end=True)], heard.say)

    async with asyncio.timeout(20):
        await system.run()

    assert sum(len(line) for _, line in heard.lines) == 200_000
    assert len(heard.lines) > 1


@pytest.mark.skipif(sys.platform != "linux", reason="the system tells no child of its death")
async def test_a_program_is_told_when_its_supervisor_is_killed() -> None:
    child = UNTIL_TERM.replace('print("up")', "import os; print(os.getpid())")
    code = (
        "import asyncio, sys\n"
        "from machines.runtime.supervisor import Program, Supervisor\n"
        f"child = Program('child', [sys.executable, '-c', {child!r}])\n"
        "system = Supervisor([child], lambda _, line: print(line, flush=True))\n"
        "asyncio.run(system.run())\n"
    )
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    assert supervisor.stdout is not None
    async with asyncio.timeout(20):
        pid = int(await supervisor.stdout.readline())
    watched = os.pidfd_open(pid)

    supervisor.kill()
    await supervisor.wait()

    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(watched, ended.set)
    async with asyncio.timeout(20):
        await ended.wait()
    loop.remove_reader(watched)
    os.close(watched)
