"""``runsystem`` brings everything up, keeps it up, and leaves nothing behind."""

import os
import signal
import socket
import urllib.request
from pathlib import Path

import pytest

from tests.acceptance.system import Running, System

PROGRAMS = ("daphne", "qcluster", "runmachines")
STOPS = {
    "sigterm": lambda running: running.signal(signal.SIGTERM),
    "ctrl_c": Running.press_ctrl_c,
}

pytestmark = pytest.mark.acceptance


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def started(system: System, port: int) -> Running:
    running = system.start("runsystem", "--port", str(port))
    system.wait_until(lambda: "ready: http" in running.said, within=60)
    system.wait_until(lambda: system.state("task_worker") == "waiting", within=60)
    return running


def program_pids(running: Running) -> dict[str, int]:
    """The programs that the supervisor runs now."""
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text()
    lines = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children.split()}
    return {name: pid for pid, line in lines.items() for name in PROGRAMS if name.encode() in line}


def alive(pid: int) -> bool:
    """False also for one that has ended and whose parent has not asked about it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("how", STOPS)
def test_runsystem_serves_works_and_leaves_nothing_behind(system: System, how: str) -> None:
    port = free_port()
    running = started(system, port)
    pids = program_pids(running)
    system.command("createjob", "--type", "task", "--data", '{"value": 12}')

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=30) as answer:
        status = answer.status
    system.wait_until(lambda: system.context("controller").get("completed") == 1)
    STOPS[how](running)
    code = running.end()

    assert status == 200
    assert code == 0
    assert sorted(pids) == sorted(PROGRAMS)
    assert [name for name, pid in pids.items() if alive(pid)] == []
    assert list(system.run_dir.glob("*.sock")) == []


def test_runsystem_starts_a_killed_host_again_and_its_machines_go_on(system: System) -> None:
    running = started(system, free_port())

    os.kill(program_pids(running)["runmachines"], signal.SIGKILL)

    system.wait_until(lambda: "task_worker: goes on" in running.said)
    assert "ended by SIGKILL; starts again in 0.5 s" in running.said


def test_programs_end_when_the_supervisor_is_killed(system: System) -> None:
    running = started(system, free_port())
    pids = program_pids(running)

    running.kill()

    system.wait_until(lambda: not any(map(alive, pids.values())))
    assert system.status("task_worker") == "stopped"
