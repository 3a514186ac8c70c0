"""Running a program: its output piece by piece, and its whole process group ended in time."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import IO

STOP_GRACE_SECONDS = 5  # from TERM to KILL
READ_BYTES = 1 << 16
LAST_WORDS_SECONDS = 0.2  # to read on after its end, while a daemon holds the pipe open


class NotStarted(Exception):  # noqa: N818 - reads as what happened
    """A program that could not be started at all."""


async def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: str | None,
    output: Callable[[bytes], None],
) -> int:
    """Run a program to its end and return its exit code (negative: the signal that ended it).

    Standard output and standard error go to ``output``. If the task is cancelled, the process
    group gets TERM, five seconds later KILL, and the cancellation goes on when it has ended.
    Raises NotStarted if there is no such program or folder.
    """
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb", buffering=0) as pipe:
        try:
            process = await asyncio.create_subprocess_exec(
                *_tied_to_us(),
                *argv,
                env=dict(env),
                cwd=cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=write_end,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise NotStarted(str(error)) from error
        finally:
            os.close(write_end)
        try:
            return await _forward(process, pipe, output)
        except asyncio.CancelledError:
            await _stop(process)
            raise
        finally:
            # A program may leave children behind that hold its group.
            _signal_group(process.pid, signal.SIGKILL)


def _tied_to_us() -> tuple[str, ...]:
    """Words before the program that end it when we die; none where the system cannot."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()


async def _forward(
    process: asyncio.subprocess.Process, pipe: IO[bytes], output: Callable[[bytes], None]
) -> int:
    """Hand on what comes through a pipe of ours until the program has ended; its exit code.

    Were it a pipe of asyncio's, ``wait`` would wait for everybody who holds it open, a daemon too.
    """
    stream = asyncio.StreamReader()
    transport, _protocol = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), pipe
    )
    reader = asyncio.ensure_future(_read(stream, output))
    try:
        code = await process.wait()
        await asyncio.wait({reader}, timeout=LAST_WORDS_SECONDS)
        return code
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        transport.close()


async def _read(stream: asyncio.StreamReader, output: Callable[[bytes], None]) -> None:
    while piece := await stream.read(READ_BYTES):
        output(piece)


async def _stop(process: asyncio.subprocess.Process) -> None:
    _signal_group(process.pid, signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_GRACE_SECONDS):
            await process.wait()
            return
    _signal_group(process.pid, signal.SIGKILL)
    await process.wait()


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
