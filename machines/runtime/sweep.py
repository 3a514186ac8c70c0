"""What a host asks the database now and then, in case a ring was lost: two questions, no writes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from jobqueue.models import Job

from machines.core.snapshot import Subscription
from machines.models import Event, Machine
from machines.runtime.live import Live


def something_waits(process_id: int, lives: Mapping[str, Live]) -> bool:
    """True if the inboxes of a process's machines hold more than their memory, or wishes wait."""
    ours = Machine.objects.filter(process_id=process_id)
    held = sum(len(live.waiting) for live in tuple(lives.values()))
    pending = Event.objects.filter(target__in=ours.values("name"), status=Event.Status.PENDING)
    return pending.count() != held or ours.exclude(wanted="").exists()


def subscriptions(lives: Mapping[str, Live]) -> dict[str, tuple[Subscription, ...]]:
    """What each idle machine looked for and did not find."""
    return {
        name: live.snapshot.turn.checked
        for name, live in tuple(lives.items())
        if live.runs and live.snapshot.turn.idle
    }


def to_wake(idle: Mapping[str, tuple[Subscription, ...]], now: datetime) -> list[str]:
    """The machines for which a job of a kind that they looked for is ready."""
    if not any(entry[0] == "jobs" for checked in idle.values() for entry in checked):
        return []
    kinds = set(Job.objects.ready(now).values_list("job_type", "machine_type").distinct())
    return [
        name
        for name, checked in idle.items()
        if any(_matches(entry, kind) for entry in checked for kind in kinds)
    ]


def _matches(entry: Subscription, kind: tuple[str, str]) -> bool:
    if entry[0] != "jobs":
        return False
    return all(want in ("*", have) for want, have in zip(entry[1:], kind, strict=True))
