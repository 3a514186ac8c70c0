"""Running a program: its output piece by piece, and its whole process group ended in time."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence

STOP_GRACE_SECONDS = 5  # from TERM to KILL
READ_BYTES = 1 << 16


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
    try:
        process = await asyncio.create_subprocess_exec(
            *_tied_to_us(),
            *argv,
            env=dict(env),
            cwd=cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise NotStarted(str(error)) from error
    try:
        await _forward(process, output)
        return await process.wait()
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


async def _forward(process: asyncio.subprocess.Process, output: Callable[[bytes], None]) -> None:
    if process.stdout is None:
        raise RuntimeError("the program was started without a pipe for its output")
    # A daemon it left behind may keep the pipe open: its own end ends the reading.
    reader = asyncio.ensure_future(_read(process.stdout, output))
    ended = asyncio.ensure_future(process.wait())
    try:
        await asyncio.wait({reader, ended}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({reader}, timeout=0.2 if ended.done() else None)
    finally:
        for task in (reader, ended):
            task.cancel()
        await asyncio.gather(reader, ended, return_exceptions=True)


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
