"""Running a program: its output piece by piece, and its whole process group ended in time."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

STOP_GRACE_SECONDS = 5  # from TERM to KILL
LOOK_SECONDS = 0.05  # between two looks at whether a group has ended
READ_BYTES = 1 << 16
LAST_WORDS_SECONDS = 0.5  # to read on after its end, while something else holds the pipe open

Sink = Callable[[bytes], None]


class NotStarted(Exception):  # noqa: N818 - reads as what happened
    """A program that could not be started at all."""


async def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: str | None,
    output: Sink,
    errors: Sink | None = None,
) -> int:
    """Run a program to its end and return its exit code (negative: the signal that ended it).

    Standard output and standard error go to ``output`` as they come; standard error to ``errors``
    if that is given, in which case both are handed on in whole lines.
    If the task is cancelled, the process group gets TERM, what is left of it after five seconds
    KILL, and the cancellation goes on when it has ended. What a program that has ended leaves
    behind in its group is killed. Raises NotStarted if there is no such program or folder.
    """
    _check(argv[0], env, cwd)
    with contextlib.ExitStack() as stack:
        sinks = (output,) if errors is None else (_Lines(output), _Lines(errors))
        pipes = [_Pipe(stack, sink) for sink in sinks]
        process = await _start(argv, env, cwd, pipes)
        async with _reading(pipes) as readers:
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                await _stop(process)
                raise
            else:
                # Something it has started may have more to say, as in `command > >(tee log)`.
                await asyncio.wait(readers, timeout=LAST_WORDS_SECONDS)
                return code
            finally:
                _signal_group(process.pid, signal.SIGKILL)


class _Lines:
    """Hands on whole lines, so that two streams do not break into each other's."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._begun = b""

    def __call__(self, piece: bytes) -> None:
        """Take a piece; the empty one says that there are no more."""
        whole, newline, begun = (self._begun + piece).rpartition(b"\n")
        if not piece or len(begun) > READ_BYTES:
            whole, newline, begun = whole + newline + begun, b"", b""
        self._begun = begun
        if whole or newline:
            self._sink(whole + newline)


class _Pipe:
    """A pipe that we read.

    Were it a pipe of asyncio's, ``wait`` would wait for everybody who holds it open, a daemon too.
    """

    def __init__(self, stack: contextlib.ExitStack, sink: Sink) -> None:
        read_end, self.write_end = os.pipe()
        self._file = stack.enter_context(os.fdopen(read_end, "rb", buffering=0))
        self._sink = sink

    async def read(self) -> None:
        """Hand on what comes until nobody holds the other end."""
        stream = asyncio.StreamReader()
        transport, _protocol = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), self._file
        )
        try:
            while piece := await stream.read(READ_BYTES):
                self._sink(piece)
        finally:
            transport.close()
            self._sink(b"")


@contextlib.asynccontextmanager
async def _reading(pipes: Sequence[_Pipe]) -> AsyncIterator[set[asyncio.Task[None]]]:
    readers = {asyncio.ensure_future(pipe.read()) for pipe in pipes}
    try:
        yield readers
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)


async def _start(
    argv: Sequence[str], env: Mapping[str, str], cwd: str | None, pipes: Sequence[_Pipe]
) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *tied_to_us(signal.SIGKILL),
            *argv,
            env=dict(env),
            cwd=cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=pipes[0].write_end,
            stderr=pipes[-1].write_end,
            start_new_session=True,
        )
    except OSError as error:
        raise NotStarted(error.strerror or str(error)) from error
    finally:
        for pipe in pipes:
            os.close(pipe.write_end)


def _check(program: str, env: Mapping[str, str], cwd: str | None) -> None:
    """Say what is not there, which ``exec`` would tell by an exit code or not at all."""
    if cwd is not None and not (cwd and _is_there(Path(cwd), folder=True)):
        raise NotStarted(f"there is no folder {cwd!r}")
    if "/" not in program:
        if shutil.which(program, path=env.get("PATH")) is None:
            raise NotStarted(f"there is no program {program!r} in PATH")
        return
    path = Path(cwd or ".", program)
    if not _is_there(path, folder=False):
        raise NotStarted(f"there is no program {program!r}")
    if not os.access(path, os.X_OK):
        raise NotStarted(f"{program!r} may not be executed; chmod +x makes it a program")


def _is_there(path: Path, *, folder: bool) -> bool:
    try:
        return path.is_dir() if folder else path.is_file()
    except (OSError, ValueError):  # too long, or not to be looked at
        return False


def tied_to_us(number: signal.Signals) -> tuple[str, ...]:
    """Words before a program that send it a signal when we die; none where the system cannot."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return (setpriv, "--pdeathsig", number.name, "--") if setpriv else ()


async def _stop(process: asyncio.subprocess.Process) -> None:
    """TERM for the whole group; return when it has ended, or when KILL is due."""
    _signal_group(process.pid, signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_GRACE_SECONDS):
            await process.wait()
            while _group_lives(process.pid):  # noqa: ASYNC110 - nothing tells when a group ends
                await asyncio.sleep(LOOK_SECONDS)
            return
    _signal_group(process.pid, signal.SIGKILL)
    await process.wait()


def _group_lives(group: int) -> bool:
    """True while a process of the group runs. The dead whom nobody has buried do not count."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return sys.platform != "linux" or any(map(_runs_in(group), Path("/proc").glob("[0-9]*/stat")))


def _runs_in(group: int) -> Callable[[Path], bool]:
    def runs(stat: Path) -> bool:
        try:
            state, _parent, found = stat.read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):  # it ended meanwhile
            return False
        return int(found) == group and state not in {"Z", "X"}

    return runs


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
