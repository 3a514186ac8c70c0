"""Telling a machine to pause, go on or stop."""

from collections.abc import Callable
from typing import Any

import pytest
from jobqueue.console import Exit

from machines.models import Machine, Process
from tests.machines.commands.conftest import Answer, MakeMachine, parsed, printed, refused, talked

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
@pytest.mark.parametrize(
    ("status", "why"),
    [("stopped", "it is stopped"), ("running", "the host that ran it has ended")],
)
def test_controlmachine_tells_that_a_machine_does_not_run(
    make_machine: MakeMachine, verb: str, status: str, why: str
) -> None:
    make_machine(status=status)

    code, fault, _ = refused("controlmachine", "m1", verb)

    assert code == Exit.FAILED
    assert fault == (
        f"machine 'm1' is not running: {why}; run it with: python manage.py runmachine m1"
    )


def test_controlmachine_shows_where_a_machine_stands(make_machine: MakeMachine) -> None:
    make_machine()

    card = printed("controlmachine", "m1", "status")
    shown = parsed("controlmachine", "m1", "status")

    assert "status         stopped\n" in card
    assert (shown["name"], shown["status"], shown["pid"]) == ("m1", "stopped", None)


@pytest.mark.parametrize(
    ("verb", "status"), [("pause", "paused"), ("resume", "running"), ("stop", "stopped")]
)
def test_controlmachine_tells_the_host(
    run_here: Callable[[Answer], Machine], verb: str, status: str
) -> None:
    frames: list[dict[str, Any]] = []

    def answer(frame: dict[str, Any]) -> dict[str, Any]:
        frames.append(frame)
        return {"ok": True, "machine": "m1", "status": status, "state": "waiting", "pending": 0}

    run_here(answer)

    shown = printed("controlmachine", "m1", verb)

    assert frames == [{"control": verb, "target": "m1"}]
    assert shown == f"m1 is {status} in waiting\n"


def test_controlmachine_tells_that_the_machine_did_not_obey(
    run_here: Callable[[Answer], Machine],
) -> None:
    run_here(lambda frame: {"ok": True, "machine": "m1", "status": "finished", "state": "done"})

    code, fault, _ = refused("controlmachine", "m1", "pause")

    assert (code, fault) == (Exit.FAILED, "cannot pause 'm1': it is finished")


@pytest.mark.parametrize(
    "said", [None, {"ok": False, "code": "unknown", "error": "no machine named 'm1' runs here"}]
)
def test_controlmachine_tells_that_the_host_has_left(
    run_here: Callable[[Answer], Machine], said: dict[str, Any] | None
) -> None:
    run_here(lambda frame: said)

    code, fault, _ = refused("controlmachine", "m1", "stop")

    assert code == Exit.FAILED
    assert "the host that ran it has ended" in fault


def test_controlmachine_leaves_word_for_a_host_elsewhere(
    make_machine: MakeMachine, elsewhere: Process
) -> None:
    machine = make_machine(status="running", process=elsewhere)

    said = talked("controlmachine", "m1", "pause")

    machine.refresh_from_db()
    assert machine.wanted == "paused"
    assert said == "asked the host of 'm1' on elsewhere to pause it\n"
