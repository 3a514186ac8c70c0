"""Events are handled in the order in which their sender sent them, and none is lost."""

import json
import random
from pathlib import Path

import pytest

from tests.acceptance.client import Feed, numbered
from tests.acceptance.system import FIXTURES, System, assert_audit_is_whole

pytestmark = pytest.mark.acceptance


def test_a_backlog_lets_the_work_of_every_state_end(system: System, tmp_path: Path) -> None:
    count = 50
    file = tmp_path / "chain.yaml"
    file.write_text(json.dumps(chain(count)))
    system.run_machine(file, name="chain")

    events = [system.tell("chain", {"type": "next"}) for _ in range(count)]
    (system.folder / "gate").touch()
    system.wait_until(lambda: system.status("chain") == "finished", within=60)

    assert {event["status"] for event in events} == {"accepted"}
    expected = [f"s{number}" for number in range(count)]
    assert (system.folder / "order.txt").read_text().split() == expected
    outcomes = system.rows("SELECT outcome FROM machines_run WHERE type = 'bash' ORDER BY id")
    assert outcomes == [("done",)] * (count + 1)  # and the gate
    assert_audit_is_whole(system)


def test_ten_thousand_events_are_answered_once_each_and_in_order(system: System) -> None:
    count = 10_000
    chance = random.Random(count)  # noqa: S311 - no secret
    frames = numbered("count", count, sender="fast")
    for frame in frames:
        frame["payload"]["filling"] = "x" * filling_bytes(chance)
    system.run_machine(FIXTURES / "listener.yaml", name="listener")
    feed = Feed(system.run_dir / "listener.sock", frames, window=512)

    feed.go_on()
    system.wait_until_settled()

    assert feed.done
    assert len(feed.answers) == count
    ids = [answer["event"] for answer in feed.answers]
    assert ids == sorted(set(ids))
    keys = system.rows("SELECT key FROM machines_event ORDER BY id")
    assert [key for (key,) in keys] == [frame["key"] for frame in frames]
    assert system.rows("SELECT DISTINCT status FROM machines_event") == [("processed",)]
    assert system.context("listener")["last"] == count
    assert_audit_is_whole(system)


@pytest.mark.parametrize("hosts", [1, 2])
def test_two_machines_send_to_each_other_and_lose_nothing(system: System, hosts: int) -> None:
    count = 500
    names = ("left", "right")
    files = [FIXTURES / f"{name}.yaml" for name in names]
    if hosts == 1:
        system.run_machines(*files, names=names)
    else:
        for file, name in zip(files, names, strict=True):
            system.run_machine(file, name=name)
    feeds = [
        Feed(system.run_dir / f"{name}.sock", numbered("serve", count, sender=f"to {name}"))
        for name in names
    ]

    while not all(feed.done for feed in feeds):
        for feed in feeds:
            feed.go_on(0.02)
    system.wait_until(lambda: all(system.context(name)["last"] == count for name in names))

    system.wait_until_settled()
    assert_audit_is_whole(system)
    assert system.rows("SELECT DISTINCT status FROM machines_event") == [("processed",)]
    assert system.value("SELECT count(*) FROM machines_event") == 4 * count


def chain(count: int) -> dict[str, object]:
    """A machine of so many states with work in each; that of the first waits for a file."""
    states = [f"s{number}" for number in range(count)]
    work = {"type": "bash", "command": "echo {current_state} >> order.txt"}
    gate = {"type": "bash", "command": "until [ -e gate ]; do sleep 0.02; done"}
    follow = zip(states, [*states[1:], "completed"], strict=True)
    return {
        "name": "Chain",
        "metadata": {"machine_name": "chain"},
        "initial_state": states[0],
        "states": [*states, "completed"],
        "actions": {states[0]: [gate, work], **{state: [work] for state in states[1:]}},
        "transitions": [{"from": one, "to": other, "event": "next"} for one, other in follow],
    }


def filling_bytes(chance: random.Random) -> int:
    """How large a payload is: mostly small, now and then up to 200 KiB."""
    lot = chance.random()
    if lot < 0.005:
        return chance.randrange(20_000, 200_000)
    return chance.randrange(100, 20_000 if lot < 0.03 else 1_000)
