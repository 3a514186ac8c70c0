"""Showing the steps of a machine."""

from datetime import timedelta

import pytest
from django.utils import timezone

from machines.models import Machine, MachineDefinition, Step
from tests.machines.commands.conftest import MakeMachine, parsed, printed, refused, talked

pytestmark = pytest.mark.django_db


@pytest.fixture
def steps(make_machine: MakeMachine, definition: MachineDefinition) -> Machine:
    """A machine with four steps in the last hours, one of them an error, the last a fault."""
    machine = make_machine()
    now = timezone.now()
    taken: list[tuple[str, str | None, str, str, float]] = [
        ("", None, "waiting", "", 3.0),
        ("go", "waiting", "processing", "", 2.0),
        ("error", "processing", "failed", "", 1.5),
        ("", "failed", "failed", "faulted", 0.5),
    ]
    for seq, (event, source, target, status, hours) in enumerate(taken, 1):
        Step.objects.create(
            machine=machine,
            seq=seq,
            event=event,
            source=source,
            target=target,
            status=status,
            guard=[[0, True]] if event == "go" else None,
            definition=definition,
            at=now - timedelta(hours=hours),
        )
    return machine


def test_history_shows_steps_whole_the_oldest_first(steps: Machine) -> None:
    entry, move, *_ = parsed("history", "m1")

    assert entry["at"].endswith("Z")
    del entry["at"], move["at"]
    assert entry == {
        "seq": 1,
        "event": None,
        "source": None,
        "target": "waiting",
        "guard": None,
        "ms": None,
    }
    assert move == {
        "seq": 2,
        "event": "go",
        "source": "waiting",
        "target": "processing",
        "guard": [[0, True]],
        "ms": 3_600_000,
    }


@pytest.mark.parametrize(
    ("flags", "seqs", "first_ms"),
    [
        ([], [1, 2, 3, 4], None),
        (["--limit", "2"], [3, 4], 1_800_000),
        (["--hours", "1.75"], [3, 4], 1_800_000),
        (["--errors"], [3, 4], 1_800_000),
        (["--errors", "--hours", "1"], [4], 3_600_000),
        (["--hours", "2.5", "--limit", "9"], [2, 3, 4], 3_600_000),
    ],
)
def test_history_filters(
    steps: Machine, flags: list[str], seqs: list[int], first_ms: int | None
) -> None:
    shown = parsed("history", "m1", *flags)

    assert [step["seq"] for step in shown] == seqs
    assert shown[0]["ms"] == first_ms


def test_history_shows_people_a_table_with_changes_of_status(steps: Machine) -> None:
    lines = printed("history", "m1").splitlines()

    assert lines[0].split() == [
        "seq",
        "taken",
        "event",
        "source",
        "target",
        "guard",
        "status",
        "ms",
    ]
    assert "faulted" in lines[-1]
    assert "3 h ago" in lines[2]


def test_history_says_that_there_is_none(make_machine: MakeMachine) -> None:
    make_machine()

    assert talked("history", "m1") == "no such steps\n"
    assert parsed("history", "m1") == []


@pytest.mark.parametrize("hours", ["0", "-1", "x", "nan", "inf"])
def test_history_refuses_hours_that_are_none(steps: Machine, hours: str) -> None:
    _, fault, _ = refused("history", "m1", f"--hours={hours}")

    assert "is not a number of hours over 0" in fault
