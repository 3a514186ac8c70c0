"""What happens while a machine is down, and what when it has finished."""

from typing import Any

import pytest

from tests.acceptance.system import FIXTURES, System, assert_audit_is_whole

LISTENER = FIXTURES / "listener.yaml"
EGG_TIMER = FIXTURES / "egg_timer.yaml"

pytestmark = pytest.mark.acceptance


def test_events_for_a_machine_that_is_down_wait_for_it(system: System) -> None:
    system.run_machine(LISTENER, name="listener").kill()

    replies = [send(system, number) for number in (1, 2, 3)]
    again = send(system, 2)
    system.run_machine(LISTENER, name="listener")
    system.wait_until_settled()

    assert [reply["status"] for reply in replies] == ["accepted"] * 3
    assert [reply["running"] for reply in replies] == [False] * 3
    assert again == replies[1]
    assert system.context("listener") == {"last": 3}
    assert_audit_is_whole(system)


def test_a_key_sent_again_is_the_same_event_with_the_same_answer(system: System) -> None:
    system.run_machine(LISTENER, name="listener")

    first, second = send(system, 1), send(system, 1)

    assert first == second
    assert first["status"] == "processed"
    assert system.value("SELECT count(*) FROM machines_event") == 1


def test_a_finished_machine_ignores_events_and_says_so(system: System) -> None:
    host = system.run_machine(LISTENER, name="listener")
    system.tell("listener", {"type": "stop"})
    host.end()

    reply = send(system, 1)

    assert (reply["status"], reply["running"]) == ("ignored", False)
    assert "finished" in reply["reason"]
    assert reply == send(system, 1)
    assert system.pending() == 0


def test_an_event_for_nobody_is_refused_with_a_suggestion(system: System) -> None:
    system.run_machine(LISTENER, name="listener").kill()

    done = system.command("sendevent", "--target", "listner", "--type", "count")

    assert done.code == 3
    assert "did you mean 'listener'" in done.err
    assert system.value("SELECT count(*) FROM machines_event") == 0


def test_a_deadline_that_passed_while_its_machine_was_down_fires_once(system: System) -> None:
    host = system.run_machine(EGG_TIMER, name="egg_timer")
    system.tell("egg_timer", {"type": "boil"})
    host.kill()
    system.wait_until(lambda: seconds_to_the_deadline(system) < 0)

    host = system.run_machine(EGG_TIMER, name="egg_timer")
    system.wait_until(lambda: system.state("egg_timer") == "ready")
    host.kill()
    system.run_machine(EGG_TIMER, name="egg_timer")

    assert system.tell("egg_timer", {"control": "status"})["ok"]
    assert [step[0] for step in system.steps("egg_timer")] == ["start", "boil", "timeout(2)"]
    assert system.value("SELECT count(*) FROM machines_timer") == 0


def test_a_deadline_still_ahead_after_a_kill_fires_at_its_time(system: System) -> None:
    host = system.run_machine(EGG_TIMER, name="egg_timer")
    system.tell("egg_timer", {"type": "boil"})
    host.kill()
    due_at = system.value("SELECT due_at FROM machines_timer")

    system.run_machine(EGG_TIMER, name="egg_timer")
    system.wait_until(lambda: system.state("egg_timer") == "ready")

    late = system.value(
        "SELECT (julianday(at) - julianday(?)) * 86400 FROM machines_step"
        " WHERE event = 'timeout(2)'",
        due_at,
    )
    assert -0.001 <= late < 1.5  # julianday counts in milliseconds


def send(system: System, number: int) -> dict[str, Any]:
    """What ``sendevent`` says of a numbered event, sent under the key of its number."""
    payload = f'{{"number": {number}}}'
    reply: dict[str, Any] = system.ask(
        *("sendevent", "--target", "listener", "--type", "count"),
        *("--payload", payload, "--key", f"key-{number}"),
    )
    return reply


def seconds_to_the_deadline(system: System) -> float:
    """How far ahead the only deadline on record is."""
    return float(
        system.value("SELECT (julianday(due_at) - julianday('now')) * 86400 FROM machines_timer")
    )
