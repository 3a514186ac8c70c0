"""Programs end in time, and nothing of them is left behind."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from machines.actions import processes
from machines.actions.base import Worked
from machines.actions.bash import bash
from tests.machines.action_fakes import work_call

PATIENCE_SECONDS = 20


async def perform(
    settings: Mapping[str, Any],
    *,
    names: Mapping[str, Any] | None = None,
    printed: bytearray | None = None,
) -> Worked:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await bash(work_call("bash", settings, names=names, printed=printed))


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:  # it may end between the opening and the reading
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


async def wait_until_dead(pid: int) -> None:
    give_up_at = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while await asyncio.to_thread(is_alive, pid):
        assert asyncio.get_running_loop().time() < give_up_at, f"{pid} lives on"
        await asyncio.sleep(0.01)


async def test_a_timeout_ends_the_whole_process_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STOP_GRACE_SECONDS", 0.2)
    printed = bytearray()

    worked = await perform(
        {
            "command": "(trap '' TERM; echo $BASHPID; sleep 60; sleep 60) & "
            "trap '' TERM; echo $$; sleep 60; sleep 60",
            "timeout": 1.5,
        },
        printed=printed,
    )

    assert worked.outcome.error == "timed out after 1.5 s"
    assert worked.outcome.changes["last_error_exit_code"] is None
    group = [int(line) for line in printed.split()]
    assert len(group) == 2
    for pid in group:
        await wait_until_dead(pid)


async def test_a_command_may_clean_up_when_it_is_stopped() -> None:
    printed = bytearray()
    begun = asyncio.Event()
    call = work_call("bash", {"command": "trap 'echo bye; exit' TERM; echo go; sleep 60 & wait"})

    def take(piece: bytes) -> None:
        printed.extend(piece)
        begun.set()

    command = asyncio.ensure_future(bash(replace(call, output=take)))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await begun.wait()
        command.cancel()
        [ended] = await asyncio.gather(command, return_exceptions=True)

    assert isinstance(ended, asyncio.CancelledError)
    assert printed.startswith(b"go\n")


async def test_what_a_command_has_started_may_clean_up_when_the_command_is_gone() -> None:
    printed = bytearray()
    command = (
        "(trap 'sleep 0.3; echo bye; exit' TERM; echo go; while :; do sleep 0.05; done) & wait"
    )

    worked = await perform({"command": command, "timeout": 1}, printed=printed)

    assert worked.outcome.error == "timed out after 1 s"
    assert printed.startswith(b"go\n")
    assert printed.endswith(b"bye\n")


async def test_a_command_that_is_stopped_may_print_more_than_a_pipe_holds() -> None:
    printed = bytearray()
    command = "trap 'seq 50000; exit' TERM; echo go; while :; do sleep 0.05; done"

    worked = await perform({"command": command, "timeout": 0.5}, printed=printed)

    assert worked.outcome.error == "timed out after 0.5 s"
    assert printed.endswith(b"\n49999\n50000\n")


async def test_what_a_command_pipes_its_output_through_comes_to_its_end() -> None:
    printed = bytearray()

    await perform({"command": "exec > >(sed 's/^/> /'); echo a; echo b"}, printed=printed)

    assert printed == b"> a\n> b\n"


async def test_two_streams_do_not_break_into_the_lines_of_each_other() -> None:
    printed = bytearray()
    slowly = "for n in 1 2 3; do printf a; sleep 0.01; echo b; done"

    worked = await perform(
        {"command": f"({slowly}) >&2 & {slowly}; wait", "store_as": "said"}, printed=printed
    )

    assert worked.outcome.changes == {"said": "ab\nab\nab"}
    assert printed == b"ab\n" * 6


async def test_a_process_left_behind_neither_holds_the_run_nor_lives_on() -> None:
    printed = bytearray()

    worked = await perform({"command": "sleep 60 & echo $!"}, printed=printed)

    assert (worked.outcome.event, worked.exit_code) == ("job_done", 0)
    await wait_until_dead(int(printed))


async def test_a_daemon_with_a_session_of_its_own_does_not_hold_the_run() -> None:
    printed = bytearray()

    worked = await perform({"command": "setsid sleep 60 & echo $!"}, printed=printed)

    assert (worked.outcome.event, worked.exit_code) == ("job_done", 0)
    os.kill(int(printed), signal.SIGKILL)


async def test_a_timeout_does_not_wait_for_a_daemon_with_a_session_of_its_own() -> None:
    printed = bytearray()

    worked = await perform(
        {"command": "setsid sleep 60 & echo $!; sleep 60", "timeout": 1}, printed=printed
    )

    assert worked.outcome.error == "timed out after 1 s"
    os.kill(int(printed), signal.SIGKILL)


HOST = """
import asyncio, os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smproject.settings")
import django
django.setup()
from machines.actions.processes import run
command = ["bash", "-c", "echo $$; exec sleep 60"]
def show(piece):
    sys.stdout.write(piece.decode())
    sys.stdout.flush()
asyncio.run(run(command, env=dict(os.environ), cwd=None, output=show))
"""


async def test_a_host_that_is_killed_takes_its_command_along() -> None:
    host = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        HOST,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert host.stdout is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        pid = int(await host.stdout.readline())
    assert await asyncio.to_thread(is_alive, pid)

    host.kill()

    await host.wait()
    await wait_until_dead(pid)
