"""A machine has one owner; another is refused, or takes it over."""

import pytest

from tests.acceptance.client import Feed, numbered
from tests.acceptance.system import FIXTURES, System, assert_audit_is_whole

LISTENER = FIXTURES / "listener.yaml"

pytestmark = pytest.mark.acceptance


def test_a_second_host_of_a_live_machine_is_refused_and_told_who_runs_it(system: System) -> None:
    first = system.run_machine(LISTENER, name="listener")

    second = system.command("runmachine", str(LISTENER))

    assert second.code == 75
    assert str(first.pid) in second.err
    assert "--takeover" in second.err
    assert "Traceback" not in second.err
    assert system.tell("listener", {"control": "ping"}) == {"ok": True, "pid": first.pid}


def test_of_hosts_that_start_at_the_same_moment_one_gets_the_machine(system: System) -> None:
    hosts = [system.start("runmachine", str(LISTENER)) for _ in range(4)]

    system.wait_until(lambda: sum(host.alive for host in hosts) == 1)
    (winner,) = (host for host in hosts if host.alive)
    system.up(winner, "listener")

    assert sorted(host.end() for host in hosts if host is not winner) == [75, 75, 75]
    assert [step[0] for step in system.steps("listener")] == ["start"]


def test_a_host_that_was_killed_is_no_owner_any_more(system: System) -> None:
    system.run_machine(LISTENER, name="listener").kill()

    second = system.run_machine(LISTENER, name="listener")

    assert system.tell("listener", {"type": "count", "payload": {"number": 1}})["ok"]
    assert second.alive


def test_a_host_clears_away_what_a_killed_one_left(system: System) -> None:
    first = system.run_machine(LISTENER, name="listener")
    first.kill()

    system.run_machine(LISTENER, name="listener")

    assert not list(system.run_dir.glob(f"host-{first.pid}.*"))
    assert system.rows("SELECT pid FROM machines_process WHERE pid = ?", first.pid) == []


def test_a_takeover_fences_the_host_before_and_loses_no_event(system: System) -> None:
    count = 3_000
    first = system.run_machine(LISTENER, name="listener")
    of_first = system.run_dir / f"host-{first.pid}.sock"
    frames = [frame | {"target": "listener"} for frame in numbered("count", count, sender="s")]
    feed = Feed(of_first, frames, window=2)  # slow enough to be under way at the takeover
    feed.go_on(0.05)

    second = system.start("runmachine", str(LISTENER), "--takeover")
    while first.alive and not feed.done:
        feed.go_on(0.05)
    system.up(second, "listener")
    if first.alive:  # everything was accepted before: its next write is what ends it
        answer = system.tell(f"host-{first.pid}", {"type": "count", "target": "listener"})
        assert answer["ok"] is False
    first.end()
    feed.move_to(system.run_dir / "listener.sock")
    feed.go_on()
    system.wait_until_settled()

    assert "taken over" in first.said
    assert second.alive
    assert feed.done
    assert_audit_is_whole(system)
    assert system.context("listener")["last"] == count
    assert not list(system.run_dir.glob(f"host-{first.pid}.*"))
