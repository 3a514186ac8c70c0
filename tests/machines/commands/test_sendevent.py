"""Sending one event from the command line."""

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from jobqueue.console import Exit

from machines.management.commands import sendevent
from machines.models import Event, Machine, MachineDefinition, Process
from machines.runtime import intake
from machines.runtime.sending import Reply
from tests.machines.commands.conftest import (
    Answer,
    MakeMachine,
    parsed,
    printed,
    refused,
)

pytestmark = pytest.mark.django_db


def test_sendevent_leaves_an_event_in_the_inbox_of_a_machine_that_is_down(
    make_machine: MakeMachine,
) -> None:
    make_machine()
    flags = ["--target", "m1", "--type", "go", "--payload", '{"a": 1}', "--job-id", "j"]
    flags += ["--source", "s", "--key", "k"]

    shown = parsed("sendevent", *flags)
    again = parsed("sendevent", *flags)

    event = Event.objects.get()
    assert (event.type, event.payload, event.job_id) == ("go", {"a": 1}, "j")
    assert (event.source, event.key, event.actor) == ("s", "k", "sendevent")
    assert shown == again
    assert shown == {
        "event": event.pk,
        "status": "accepted",
        "running": False,
        "machine": "m1",
        "state": "waiting",
        "reason": None,
    }


def test_sendevent_reads_a_payload_from_standard_input(
    make_machine: MakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_machine()
    monkeypatch.setattr(sys, "stdin", io.StringIO("[1, 2]"))

    shown = printed("sendevent", "--target", "m1", "--type", "go", "--payload", "-")

    event = Event.objects.get()
    assert event.payload == [1, 2]
    assert shown == f"event {event.pk} accepted for m1, which is down\n"


def test_sendevent_names_the_machine_that_was_meant(make_machine: MakeMachine) -> None:
    make_machine("resizer")

    code, fault, _ = refused("sendevent", "--target", "resiser", "--type", "go")

    assert code == Exit.UNKNOWN
    assert fault.startswith("no machine named 'resiser'; did you mean 'resizer'?")
    assert not Event.objects.exists()


def test_sendevent_queues_for_a_name_that_nothing_has() -> None:
    shown = parsed("sendevent", "--target", "nobody", "--type", "go", "--queue")

    assert (shown["machine"], shown["running"], shown["state"]) == ("nobody", False, None)
    assert Event.objects.get().target == "nobody"


def test_sendevent_takes_a_definition_for_a_machine_to_come(
    definition: MachineDefinition,
) -> None:
    assert parsed("sendevent", "--target", "sorter", "--type", "go")["status"] == "accepted"


@pytest.mark.parametrize(
    ("flags", "code", "complaint"),
    [
        (["--type", "go"], Exit.USAGE, "--target is missing"),
        (["--target", "m1"], 1, "one of the arguments --type --batch is required"),
        (["--target", "m1", "--type", "a", "--batch", "f"], 1, "not allowed with"),
        (["--target", "m1", "--batch", "f", "--job-id", "j"], Exit.USAGE, "--job-id cannot stand"),
        (["--target", "m1", "--batch", "/nowhere"], Exit.FAILED, "/nowhere: cannot be read"),
        (["--target", "m1", "--type", "timeout(5)"], Exit.FAILED, "nobody can send it"),
        (["--target", "m1", "--type", "go", "--payload", "{"], 1, "is not JSON"),
        (["--target", "m1", "--type", "go", "--wait", "-1"], 1, "is not a number of seconds"),
        (["--target", "m1", "--type", "go", "--wait", "x"], 1, "is not a number of seconds"),
        (["--target", "../m", "--type", "go", "--queue"], Exit.FAILED, "no machine's name"),
    ],
)
def test_sendevent_refuses(
    make_machine: MakeMachine, flags: list[str], code: int, complaint: str
) -> None:
    make_machine()

    found, fault, _ = refused("sendevent", *flags)

    assert complaint in fault
    assert found == code
    assert not Event.objects.exists()


def test_sendevent_refuses_a_payload_over_256_kib(make_machine: MakeMachine) -> None:
    make_machine()
    payload = json.dumps("x" * intake.MAX_PAYLOAD_BYTES)

    code, fault, _ = refused("sendevent", "--target", "m1", "--type", "go", "--payload", payload)

    assert (code, fault) == (Exit.FAILED, "payload: 262146 bytes; at most 262144 are taken")


def test_sendevent_is_refused_by_a_full_inbox(
    make_machine: MakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_machine()
    monkeypatch.setattr(intake, "MAX_PENDING_EVENTS", 2)
    for _ in range(2):
        printed("sendevent", "--target", "m1", "--type", "go")

    code, fault, _ = refused("sendevent", "--target", "m1", "--type", "go")

    assert (code, fault) == (Exit.FAILED, "the inbox of 'm1' is full: 2 events wait already")


def test_sendevent_tells_that_a_finished_machine_ignored_it(make_machine: MakeMachine) -> None:
    make_machine(status=Machine.Status.FINISHED)
    flags = ("sendevent", "--target", "m1", "--type", "go")

    unwaited = printed(*flags)
    code, fault, shown = refused(*flags, "--wait", "--format", "json")

    assert unwaited.endswith(" ignored: machine 'm1' is finished\n")
    assert code == Exit.IGNORED
    assert fault.endswith(" ignored: machine 'm1' is finished")
    assert json.loads(shown)["reason"] == "machine 'm1' is finished"


def test_sendevent_does_not_wait_for_a_machine_that_is_down(make_machine: MakeMachine) -> None:
    make_machine()

    code, fault, shown = refused("sendevent", "--target", "m1", "--type", "go", "--wait", "3600")

    assert code == Exit.TIMED_OUT
    assert fault.endswith("accepted for m1, which is down")
    assert shown == ""


def test_sendevent_stops_to_wait_for_a_host_elsewhere(
    make_machine: MakeMachine, elsewhere: Process
) -> None:
    make_machine(status=Machine.Status.RUNNING, process=elsewhere)

    code, fault, _ = refused("sendevent", "--target", "m1", "--type", "go", "--wait", "0.1")

    assert code == Exit.TIMED_OUT
    assert fault.endswith("accepted by m1; it has not ended in time")


def test_sendevent_hears_the_end_that_a_host_elsewhere_puts_on_record(
    make_machine: MakeMachine, elsewhere: Process
) -> None:
    make_machine(status=Machine.Status.RUNNING, process=elsewhere)
    event = Event.objects.create(key="k", target="m1", type="go", status="pending")
    reply = Reply(event.pk, "accepted", True, "m1", "waiting")
    Event.objects.update(status="failed", reason="payload: no number")

    ended = sendevent.ended(reply, float("inf"))

    assert (ended.status, ended.reason) == ("failed", "payload: no number")


@pytest.mark.parametrize(
    ("said", "code", "line"),
    [
        (
            {"ok": True, "event": 17, "status": "processed", "state": "processing"},
            Exit.DONE,
            "event 17 processed: m1 is now in processing\n",
        ),
        ({"ok": True, "event": 17, "status": "accepted"}, Exit.DONE, "event 17 accepted by m1\n"),
        (
            {"ok": True, "event": 17, "status": "failed", "reason": "payload: no number"},
            Exit.FAILED,
            "event 17 failed: payload: no number",
        ),
        ({"ok": False, "code": "full", "error": "the inbox is full"}, Exit.FAILED, "the inbox"),
    ],
)
def test_sendevent_says_what_the_host_answers(
    run_here: Callable[[Answer], Machine], said: dict[str, Any], code: int, line: str
) -> None:
    run_here(lambda frame: said)
    flags = ("sendevent", "--target", "m1", "--type", "go")

    if code == Exit.DONE:
        assert printed(*flags) == line
    else:
        found, fault, _ = refused(*flags)
        assert found == code
        assert fault.startswith(line)


def test_sendevent_asks_the_host_to_wait(run_here: Callable[[Answer], Machine]) -> None:
    frames: list[dict[str, Any]] = []

    def answer(frame: dict[str, Any]) -> dict[str, Any]:
        frames.append(frame)
        return {"ok": True, "event": 17, "status": "accepted", "timed_out": True}

    run_here(answer)

    code, _, _ = refused("sendevent", "--target", "m1", "--type", "go", "--wait", "0")

    assert code == Exit.TIMED_OUT
    assert frames[0]["wait"] == 0
    assert frames[0]["key"]
