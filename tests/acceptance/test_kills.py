"""kill -9 at random moments loses nothing and doubles nothing.

``SM_CHAOS_ROUNDS`` says how often everything is tried: five rounds of ten kills are 50 kills.
"""

import os
import random

import pytest

from tests.acceptance.client import Feed, numbered
from tests.acceptance.system import FIXTURES, System, assert_audit_is_whole

ROUNDS = int(os.environ.get("SM_CHAOS_ROUNDS", "5"))
FEW_ROUNDS = -(-ROUNDS // 3)
EVENTS = 1_000
KILLS = 10
UP_SECONDS = 0.12  # a host that is up is killed within so long, in the thick of a thousand events
ALARM_SECONDS = 0.05  # the deadline of alarm.yaml
START_SECONDS = 0.8  # a host that starts is killed within so long

pytestmark = [pytest.mark.acceptance, pytest.mark.chaos]


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_events_are_handled_once_and_in_order_whenever_their_host_is_killed(
    system: System, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    names = ("counter", "second")
    files = [FIXTURES / f"{name}.yaml" for name in names]
    feed = Feed(system.run_dir / "counter.sock", numbered("count", EVENTS, sender="sender"))

    for kill in range(KILLS):
        if kill % 5 == 4:  # while it starts, and recovers what the kill before cut off
            host = system.start("runmachines", *map(str, files))
            host.kill_after(chance.uniform(0, START_SECONDS))
        else:
            host = system.run_machines(*files, names=names)
            feed.go_on(chance.uniform(0, UP_SECONDS))
            host.kill()
            feed.hang_up()
    system.run_machines(*files, names=names)
    feed.go_on()
    system.wait_until_settled()

    numbers = list(range(1, EVENTS + 1))
    assert feed.done
    assert_audit_is_whole(system)
    assert system.context("counter")["seen"] == numbers
    assert system.context("second")["last"] == EVENTS
    assert of_each_event(system, "counter") == [("processed", number) for number in numbers]
    assert of_each_event(system, "second") == [("processed", number) for number in numbers]
    jobs = system.rows("SELECT json_extract(data, '$.number') FROM queue_job ORDER BY id")
    assert [number for (number,) in jobs] == numbers


@pytest.mark.parametrize("seed", range(FEW_ROUNDS))
def test_work_is_on_record_and_done_whenever_its_host_is_killed(system: System, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    count = 20
    file = FIXTURES / "shell_worker.yaml"
    feed = Feed(system.run_dir / "shell_worker.sock", numbered("work", count, sender="sender"))

    for _kill in range(2):
        host = system.run_machine(file, name="shell_worker")
        feed.go_on(chance.uniform(0, 2 * UP_SECONDS))
        host.kill()
        feed.hang_up()
    system.run_machine(file, name="shell_worker")
    feed.go_on()
    system.wait_until_settled()

    assert feed.done
    assert_audit_is_whole(system)
    worked = [line.split() for line in (system.folder / "worked.txt").read_text().splitlines()]
    in_order = list(dict.fromkeys(int(number) for number, _token in worked))
    assert in_order == list(range(1, count + 1))
    runs = dict(system.rows("SELECT token, outcome FROM machines_run WHERE type = 'bash'"))
    assert {token for _number, token in worked} <= runs.keys()
    assert sorted(runs.values()).count("done") == count
    assert set(runs.values()) <= {"done", "lost"}


@pytest.mark.parametrize("seed", range(FEW_ROUNDS))
def test_a_deadline_fires_once_whenever_its_host_is_killed(system: System, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    count = 3
    file = FIXTURES / "alarm.yaml"

    for number in range(1, count + 1):
        host = system.run_machine(file, name="alarm")
        system.tell("alarm", {"type": "arm", "payload": {"number": number}})
        host.kill_after(chance.uniform(0, 2 * ALARM_SECONDS))
        host = system.run_machine(file, name="alarm")
        system.wait_until(lambda: system.state("alarm") == "waiting")
        host.kill()
    system.run_machine(file, name="alarm")

    assert_audit_is_whole(system)
    assert system.context("alarm")["rung"] == list(range(1, count + 1))
    assert [event for event, _source, _target in system.steps("alarm")] == [
        "start",
        *["arm", "timeout(0.05)"] * count,
    ]
    assert system.value("SELECT count(*) FROM machines_timer") == 0


def of_each_event(system: System, target: str) -> list[tuple[str, int]]:
    """Status and number of the events of a machine, in the order in which they were handled."""
    return [
        (status, number)
        for status, number in system.rows(
            "SELECT e.status, json_extract(e.payload, '$.number') FROM machines_event e"
            " LEFT JOIN machines_step s ON s.event_row_id = e.id WHERE e.target = ?"
            " ORDER BY s.seq",
            target,
        )
    ]
