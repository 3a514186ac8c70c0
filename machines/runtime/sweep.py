"""What a host asks the database when it is rung, and now and then in case a ring was lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from jobqueue.models import Job

from machines.core.turn import Subscription
from machines.models import Event, Machine, Run
from machines.runtime.live import Live

JOBS, FINISHED, RUN = "jobs", "finished", "run"  # what a subscription begins with
NAMES_AT_ONCE = 500  # of a query; SQLite takes at most 999 parameters of old


def something_waits(process_id: int, lives: Mapping[str, Live]) -> bool:
    """True if the inboxes of a process's machines hold more than their memory, or wishes wait."""
    ours = Machine.objects.filter(process_id=process_id)
    held = sum(len(live.waiting) for live in tuple(lives.values()))
    at_work = ours.exclude(status__in=Machine.ENDED).values("name")
    pending = Event.objects.filter(target__in=at_work, status=Event.Status.PENDING)
    return pending.count() != held or ours.exclude(wanted="").exists()


def subscriptions(lives: Mapping[str, Live]) -> dict[str, tuple[Subscription, ...]]:
    """What each machine looked for in vain before it went idle, and what its waits await."""
    found = {name: _awaited(live) for name, live in tuple(lives.items()) if live.runs}
    return {name: awaited for name, awaited in found.items() if awaited}


def there(
    wanted: Mapping[str, tuple[Subscription, ...]], now: datetime
) -> dict[str, set[Subscription]]:
    """What of it is there, by machine; machines for which nothing is there are left out."""
    each = {entry for entries in wanted.values() for entry in entries}
    found = _ready(each, now) | _finished(each, now) | _ended(each)
    answers = {name: found.intersection(entries) for name, entries in wanted.items()}
    return {name: entries for name, entries in answers.items() if entries}


def _awaited(live: Live) -> tuple[Subscription, ...]:
    turn = live.snapshot.turn
    awaited = tuple(wait.awaits for wait in turn.waits if wait.awaits)
    return (*awaited, *turn.checked) if turn.idle else awaited


def _ready(wanted: Iterable[Subscription], now: datetime) -> set[Subscription]:
    """Those that look for a job of a kind that is ready."""
    sought = [entry for entry in wanted if entry[0] == JOBS]
    if not sought:
        return set()
    kinds = set(Job.objects.ready(now).values_list("job_type", "machine_type").distinct())
    return {entry for entry in sought if any(_matches(entry, kind) for kind in kinds)}


def _finished(wanted: Iterable[Subscription], now: datetime) -> set[Subscription]:
    """Those that wait for jobs of which one has ended, or until a time that has come."""
    tracking = [entry for entry in wanted if entry[0] == FINISHED]
    names = {name for entry in tracking for name in entry[2:]}
    live: set[str] = set()
    for some in _in_parts(names):
        live |= set(Job.objects.live().filter(job_id__in=some).values_list("job_id", flat=True))
    return {
        entry
        for entry in tracking
        # One that was removed does not come back either.
        if not live.issuperset(entry[2:]) or entry[1] <= now.isoformat()
    }


def _ended(wanted: Iterable[Subscription]) -> set[Subscription]:
    """Those that wait for the end of a run."""
    awaiting = [entry for entry in wanted if entry[0] == RUN]
    running: set[str] = set()
    for some in _in_parts({entry[1] for entry in awaiting}):
        runs = Run.objects.filter(token__in=some, outcome=Run.Outcome.RUNNING)
        running |= set(runs.values_list("token", flat=True))
    return {entry for entry in awaiting if entry[1] not in running}


def _in_parts(names: set[str]) -> Iterable[list[str]]:
    ordered = sorted(names)
    return (
        ordered[start : start + NAMES_AT_ONCE] for start in range(0, len(ordered), NAMES_AT_ONCE)
    )


def _matches(entry: Subscription, kind: tuple[str, str]) -> bool:
    return all(want in ("*", have) for want, have in zip(entry[1:], kind, strict=True))
