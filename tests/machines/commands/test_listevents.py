"""Listing events."""

from datetime import UTC, datetime, timedelta

import pytest

from machines.models import Event
from tests.machines.commands.conftest import MakeMachine, parsed, printed, talked

pytestmark = pytest.mark.django_db


def test_listevents_lists_the_newest_first() -> None:
    for number in range(3):
        Event.objects.create(key=str(number), target="m1", type=f"e{number}")

    shown = parsed("listevents", "--limit", "2")

    assert [event["type"] for event in shown] == ["e2", "e1"]


def test_listevents_shows_an_event_whole() -> None:
    at = datetime(2030, 1, 31, 18, 0, tzinfo=UTC)
    event = Event.objects.create(
        key="k",
        source="s",
        target="m1",
        type="go",
        payload={"a": 1},
        status="ignored",
        reason="no transition",
        created_at=at,
        processed_at=at + timedelta(milliseconds=5),
    )

    assert parsed("listevents") == [
        {
            "id": event.pk,
            "source": "s",
            "target": "m1",
            "type": "go",
            "payload": {"a": 1},
            "job_id": None,
            "status": "ignored",
            "reason": "no transition",
            "created_at": "2030-01-31T18:00:00.000Z",
            "processed_at": "2030-01-31T18:00:00.005Z",
        }
    ]


def test_listevents_filters(make_machine: MakeMachine) -> None:
    make_machine("m1")
    make_machine("m3")
    Event.objects.create(key="1", target="m1", type="a")
    Event.objects.create(key="2", target="m1", type="b", status="processed")
    Event.objects.create(key="3", target="m2", type="a")

    def found(*flags: str) -> list[str]:
        return [event["target"] + event["type"] for event in parsed("listevents", *flags)]

    assert found("--target", "m1") == ["m1b", "m1a"]
    assert found("--status", "pending") == ["m2a", "m1a"]
    assert found("--type", "a", "--target", "m2") == ["m2a"]
    assert found("--target", "m2", "--type", "b") == []
    assert found("--target", "m3") == []


def test_listevents_shows_people_a_table() -> None:
    Event.objects.create(key="1", target="m1", type="go")

    header, _, row = printed("listevents").splitlines()

    assert header.split()[:3] == ["id", "target", "type"]
    assert row.split()[1:3] == ["m1", "go"]


def test_listevents_says_that_there_are_none() -> None:
    assert talked("listevents") == "no events\n"
    assert parsed("listevents") == []
