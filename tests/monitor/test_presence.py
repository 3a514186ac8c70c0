from datetime import timedelta

import pytest
from django.utils import timezone

from machines.models import Machine, Process
from monitor.presence import FORGET_AFTER, Presence, Pulse, forget_web_process
from tests.monitor.conftest import LiveHost

pytestmark = pytest.mark.django_db


def test_beat_keeps_one_row_up_to_date() -> None:
    presence, now = Presence(), timezone.now()

    for seconds in (0, 10, 20):
        presence.beat(now + timedelta(seconds=seconds))

    assert [row.heartbeat_at for row in Process.objects.all()] == [now + timedelta(seconds=20)]


def test_first_beat_forgets_web_processes_long_dead() -> None:
    now = timezone.now()
    Presence().beat(now)
    Process.objects.update(pid=1, heartbeat_at=now - FORGET_AFTER - timedelta(seconds=1))

    Presence().beat(now)

    assert Process.objects.get().pid != 1


def test_leave_removes_the_row() -> None:
    presence = Presence()
    presence.beat(timezone.now())

    presence.leave()

    assert not Process.objects.exists()


def test_forget_web_process_removes_the_row_of_this_process_only() -> None:
    Presence().beat(timezone.now())
    Process.objects.create(kind=Process.Kind.WEB, host="elsewhere", pid=1)

    forget_web_process()

    assert Process.objects.get().host == "elsewhere"


def test_machine_is_up_while_its_host_lives(kitchen: Machine, live_host: LiveHost) -> None:
    kitchen.process = live_host.process
    alive = Pulse(timezone.now()).is_up(kitchen)

    live_host.die()

    assert alive
    assert not Pulse(timezone.now()).is_up(kitchen)


def test_machine_without_host_is_not_up(kitchen: Machine) -> None:
    assert not Pulse(timezone.now()).is_up(kitchen)
