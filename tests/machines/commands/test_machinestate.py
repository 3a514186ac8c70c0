"""Showing where machines stand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from jobqueue.console import Exit

from machines.models import MachineDefinition, Process
from tests.machines.commands.conftest import MakeMachine, parsed, printed, refused, talked

pytestmark = pytest.mark.django_db


def test_machinestate_shows_a_machine_whole(make_machine: MakeMachine, elsewhere: Process) -> None:
    at = datetime(2030, 1, 31, 18, 0, tzinfo=UTC)
    make_machine(status="running", process=elsewhere, active_at=at, context={"a": 1})

    assert parsed("machinestate", "m1") == [
        {
            "name": "m1",
            "definition": "sorter",
            "version": 3,
            "state": "waiting",
            "status": "running",
            "pid": 7,
            "host": "elsewhere",
            "last_activity": "2030-01-31T18:00:00.000Z",
            "context": {"a": 1},
        }
    ]


@pytest.mark.parametrize(
    ("status", "age", "pid"),
    [
        ("running", timedelta(0), 7),
        ("paused", timedelta(0), 7),
        ("stopped", timedelta(0), None),
        ("running", timedelta(hours=1), None),
    ],
)
def test_machinestate_names_the_process_only_while_it_runs_the_machine(
    make_machine: MakeMachine, elsewhere: Process, status: str, age: timedelta, pid: int | None
) -> None:
    make_machine(status=status, process=elsewhere)
    Process.objects.update(heartbeat_at=timezone.now() - age)

    (shown,) = parsed("machinestate")

    assert (shown["status"], shown["pid"]) == (status, pid)


def test_machinestate_asks_once_for_any_number_of_machines(
    make_machine: MakeMachine, elsewhere: Process, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        make_machine(f"m{number}", status="running", process=elsewhere)

    with django_assert_num_queries(1):
        shown = parsed("machinestate")

    assert [machine["name"] for machine in shown] == ["m0", "m1", "m2", "m3", "m4"]


def test_machinestate_shows_people_relative_times(make_machine: MakeMachine) -> None:
    make_machine(active_at=timezone.now() - timedelta(minutes=3), context={"a": 1})

    table = printed("machinestate")
    card = printed("machinestate", "m1")

    assert "last activity" in table
    assert "3 min ago" in table
    assert "context" not in table
    assert 'context        {"a":1}\n' in card
    assert "last activity  3 min ago\n" in card


def test_machinestate_says_that_there_are_none() -> None:
    assert talked("machinestate") == "no machines; runmachine makes one\n"
    assert parsed("machinestate") == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("machinestate", "resiser"),
        ("history", "resiser"),
        ("controlmachine", "resiser", "stop"),
        ("listevents", "--target", "resiser"),
    ],
)
def test_an_unknown_machine_is_told_from_the_one_that_was_meant(
    make_machine: MakeMachine, arguments: tuple[str, ...]
) -> None:
    make_machine("resizer")

    code, fault, _ = refused(*arguments)

    assert (code, fault) == (
        Exit.UNKNOWN,
        "no machine 'resiser'; did you mean 'resizer'?",
    )


def test_a_definition_is_told_from_a_machine(definition: MachineDefinition) -> None:
    _, fault, _ = refused("machinestate", "sorter")

    assert fault.endswith("make the machine with: python manage.py runmachine sorter")
