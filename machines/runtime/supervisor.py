"""The supervisor: starts programs, keeps them alive, and leaves nothing behind.

Each program runs in a session of its own, so Ctrl+C reaches only the supervisor, which ends
them in reverse order: TERM, up to 25 s, then KILL for the whole process group. A second signal
kills at once. On Linux a program is told when the supervisor itself is killed.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

GRACE_SECONDS = 25.0  # a host gives running work 20 s and then kills it
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
DRAIN_SECONDS = 1.0  # for what a dead program still has in its pipe
MAX_LINE_BYTES = 64 << 10  # a longer line is shown in pieces

# PR_SET_PDEATHSIG is 1; it outlives exec. The parent may have died before it was set.
TETHER = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
if os.getppid() != int(sys.argv[1]): sys.exit(0)
os.execvp(sys.argv[2], sys.argv[2:])
"""

Say = Callable[[str, str], None]  # the name of a program, and a line without its end


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. One that ``may_end`` and exits with 0 is done, any other is started again."""

    name: str
    command: Sequence[str]
    may_end: bool = False
    directory: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def next_delay(last_seconds: float | None, lived_seconds: float) -> float:
    """How long to wait before a program that died is started again.

    Doubles from 0.5 to 30 s; ``last_seconds`` is None at first. One that lived for longer than
    the longest delay was well, and begins again at 0.5 s.
    """
    if last_seconds is None or lived_seconds > LONGEST_DELAY_SECONDS:
        return FIRST_DELAY_SECONDS
    return min(2 * last_seconds, LONGEST_DELAY_SECONDS)


class Supervisor:
    """Runs programs until all of them are done or ``stop`` is called.

    ``before_stop`` is awaited after the first ``stop``, while they all still run.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        say: Say,
        *,
        before_stop: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._keepers = [_Keeper(program, say) for program in programs]
        self._say = say
        self._before_stop = before_stop
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Start the programs in order and return when none of them is left."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        try:
            async with asyncio.TaskGroup() as group:
                kept = [group.create_task(keeper.keep()) for keeper in self._keepers]
                ending = group.create_task(self._end())
                await asyncio.wait(kept)
                ending.cancel()
        finally:
            self._kill()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """End the programs in order; called a second time, kill them."""
        if self._stopping.is_set():
            self._say("system", "killing what is left")
            self._kill()
        else:
            self._say("system", "stopping; Ctrl+C once more kills")
            self._stopping.set()

    async def _end(self) -> None:
        await self._stopping.wait()
        if self._before_stop is not None:
            await self._before_stop()
        for keeper in self._keepers:
            keeper.forbid_restart()
        for keeper in reversed(self._keepers):
            await keeper.end()

    def _kill(self) -> None:
        for keeper in self._keepers:
            keeper.forbid_restart()
            keeper.signal_group(signal.SIGKILL)


async def run_to_end(program: Program, say: Say) -> int:
    """Run a program once and return its exit code; if cancelled, it is killed."""
    return await _Keeper(program, say).run_once()


class _Keeper:
    """Keeps one program alive."""

    def __init__(self, program: Program, say: Say) -> None:
        self._program = program
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._last = asyncio.Event()
        self._gone = asyncio.Event()

    async def keep(self) -> None:
        """Run the program again and again until it is done or may not be restarted."""
        loop = asyncio.get_running_loop()
        delay: float | None = None
        try:
            while not self._last.is_set():
                started_at = loop.time()
                code = await self.run_once()
                if self._last.is_set() or (code == 0 and self._program.may_end):
                    break
                delay = next_delay(delay, loop.time() - started_at)
                self._say(self._program.name, f"{_ending(code)}; starts again in {delay:g} s")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await self._last.wait()
        finally:
            self._gone.set()

    async def run_once(self) -> int:
        """Run the program and return its exit code, below 0 if a signal ended it."""
        ours, theirs = os.pipe()
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *_tethered(self._program.command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=theirs,
                stderr=theirs,
                cwd=self._program.directory,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self._program.environment},
                start_new_session=True,
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        if self._last.is_set():
            self._terminate()  # asked to end while it was being started
        async with asyncio.TaskGroup() as group:
            speaking = group.create_task(self._speak(ours))
            try:
                code = await process.wait()
            finally:
                # Its children hold the pipe, and outlive it otherwise.
                self.signal_group(signal.SIGKILL)
            self._process = None
            await asyncio.wait([speaking], timeout=DRAIN_SECONDS)
            speaking.cancel()
        return code

    def forbid_restart(self) -> None:
        """What ends from now on stays down."""
        self._last.set()

    async def end(self) -> None:
        """Have it gone: TERM for the program, then KILL for its group."""
        self._terminate()
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                await self._gone.wait()
        except TimeoutError:
            self._say(self._program.name, f"still there after {GRACE_SECONDS:g} s: killed")
            self.signal_group(signal.SIGKILL)
            await self._gone.wait()

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the program and all that it started in its session."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def _terminate(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()

    async def _speak(self, pipe: int) -> None:
        async for line in _lines(pipe):
            self._say(self._program.name, line.decode(errors="replace").rstrip("\r\n"))


async def _lines(pipe: int) -> AsyncIterator[bytes]:
    """The lines that come out of ``pipe``, which is closed in the end."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb", buffering=0)
    )
    try:
        rest = b""
        while chunk := await reader.read(MAX_LINE_BYTES):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield line
            if len(rest) >= MAX_LINE_BYTES:
                yield rest
                rest = b""
        if rest:
            yield rest
    finally:
        transport.close()


def _tethered(command: Sequence[str]) -> list[str]:
    """``command``, told by TERM when this process dies; as it is where the system cannot."""
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", "-c", TETHER, str(os.getpid()), *command]


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with {code}"
    return f"ended by {signal.Signals(-code).name}"
