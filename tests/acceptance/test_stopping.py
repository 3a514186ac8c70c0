"""SIGTERM and Ctrl+C end a host without leaving anything, and its machine goes on next time."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.acceptance.client import Feed, numbered
from tests.acceptance.system import FIXTURES, Running, System, assert_audit_is_whole

LISTENER = FIXTURES / "listener.yaml"
STOPS = {
    "sigterm": lambda host: host.signal(signal.SIGTERM),
    "ctrl_c": Running.press_ctrl_c,
}

pytestmark = pytest.mark.acceptance


@pytest.mark.parametrize("how", STOPS)
def test_an_idle_host_ends_at_once_and_leaves_nothing(system: System, how: str) -> None:
    host = system.run_machine(LISTENER, name="listener")
    system.wait_until(lambda: system.state("listener") == "listening")

    asked_at = time.monotonic()
    STOPS[how](host)
    code = host.end()

    assert time.monotonic() - asked_at < 1
    assert code == 0
    assert system.status("listener") == "stopped"
    assert leftovers(system) == []
    assert system.value("SELECT count(*) FROM machines_process") == 0


def test_a_machine_that_was_stopped_goes_on_where_it_was(system: System) -> None:
    host = system.run_machine(LISTENER, name="listener")
    system.tell("listener", {"type": "count", "payload": {"number": 1}})
    host.signal(signal.SIGTERM)
    host.end()

    system.run_machine(LISTENER, name="listener")
    answer = system.tell("listener", {"type": "count", "payload": {"number": 2}})

    assert answer["status"] == "processed"
    assert system.context("listener") == {"last": 2}
    assert [event for event, _source, _target in system.steps("listener")] == [
        "start",
        "count",
        "count",
    ]


def test_restarts_in_the_midst_of_a_feed_lose_nothing_and_double_nothing(system: System) -> None:
    count = 1_000
    feed = Feed(system.run_dir / "listener.sock", numbered("count", count, sender="sender"))

    for _ in range(3):
        host = system.run_machine(LISTENER, name="listener")
        feed.go_on(0.05)
        host.signal(signal.SIGTERM)
        feed.go_on(0.5)
        feed.hang_up()
        assert host.end() == 0
    system.run_machine(LISTENER, name="listener")
    feed.go_on()
    system.wait_until_settled()

    assert feed.done
    assert system.context("listener") == {"last": count}
    assert system.rows("SELECT DISTINCT status FROM machines_event") == [("processed",)]
    assert_audit_is_whole(system)


@pytest.mark.timeout(180)
def test_running_work_is_stopped_after_its_grace_and_runs_again(system: System) -> None:
    hosts = {}
    for how in STOPS:
        hosts[how] = system.run_machine(
            FIXTURES / "long_work.yaml", "--machine-name", how, name=how
        )
        system.wait_until(lambda how=how: len(pids(system, how)) == 1)  # type: ignore[misc]

    for how, host in hosts.items():
        STOPS[how](host)
    codes = [host.end(within=60) for host in hosts.values()]

    assert codes == [0, 0]
    assert leftovers(system) == []
    for how in STOPS:
        assert system.status(how) == "stopped"
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids(system, how))
        assert outcomes(system, how) == ["stopped"]
        assert system.start("runmachine", how).end() == 0
        assert len(pids(system, how)) == 2
        assert outcomes(system, how) == ["stopped", "done"]


def test_a_host_that_is_asked_to_go_lets_work_end_that_ends_soon(
    system: System, tmp_path: Path
) -> None:
    file = tmp_path / "short.yaml"
    file.write_text(
        "metadata: {machine_name: short}\ninitial_state: working\nstates: [working, ready]\n"
        "actions:\n  working:\n    - type: bash\n"
        "      command: touch begun; until [ -e gate ]; do sleep 0.02; done\n"
        "transitions:\n  - {from: working, to: ready, event: job_done}\n"
    )
    host = system.run_machine(file, name="short")
    system.wait_until((system.folder / "begun").exists)

    host.signal(signal.SIGTERM)
    system.wait_until(lambda: not (system.run_dir / "short.sock").exists())
    (system.folder / "gate").touch()

    assert host.end() == 0
    assert outcomes(system, "short") == ["done"]
    assert system.state("short") == "ready"


def leftovers(system: System) -> list[str]:
    """What hosts left in the run directory."""
    ours = f"web-{os.getpid()}.bell"
    return [path.name for path in system.run_dir.iterdir() if path.name != ours]


def pids(system: System, machine: str) -> list[int]:
    """The processes of the work that a machine began."""
    found = system.folder / f"pids-{machine}"
    return [int(pid) for pid in found.read_text().split()] if found.exists() else []


def outcomes(system: System, machine: str) -> list[str]:
    """How the runs of a machine ended, in their order."""
    found = system.rows(
        "SELECT outcome FROM machines_run r JOIN machines_machine m ON m.id = r.machine_id"
        " WHERE m.name = ? ORDER BY r.id",
        machine,
    )
    return [outcome for (outcome,) in found]
