"""What a host asks the database in case a ring was lost: what waits, and whom a job wakes."""

from datetime import UTC, datetime, timedelta

import pytest
from jobqueue.intake import create_job

from machines.core.snapshot import Event, Snapshot
from machines.core.turn import Subscription, Turn
from machines.models import Event as EventRecord
from machines.models import Machine, MachineDefinition, Process
from machines.runtime import sweep
from machines.runtime.live import Live

NOW = datetime(2030, 1, 1, tzinfo=UTC)
PARCELS: Subscription = ("jobs", "parcel", "*")


def live(
    name: str = "worker",
    *,
    checked: tuple[Subscription, ...] = (),
    idle: bool = True,
    status: str = "running",
) -> Live:
    """A machine in memory, of which only this matters."""
    snapshot = Snapshot(name, turn=Turn(checked=checked, idle=idle))
    return Live(0, name, None, 0, None, 0, snapshot, status)  # type: ignore[arg-type]


# -- inboxes and wishes


def on_record(process: Process, *, wanted: str = "", pending: int = 0) -> None:
    """The row of the worker, and events that wait for it."""
    definition = MachineDefinition.objects.create(name="d", version=1, sha256="0", source="")
    Machine.objects.create(name="worker", definition=definition, process=process, wanted=wanted)
    for number in range(pending):
        EventRecord.objects.create(key=str(number), target="worker", type="go")
    EventRecord.objects.create(key="old", target="worker", type="go", status="processed")
    EventRecord.objects.create(key="x", target="stranger", type="go")


@pytest.mark.parametrize(
    ("wanted", "pending", "held", "waits"),
    [
        ("", 0, 0, False),
        ("", 2, 2, False),
        ("", 2, 1, True),
        ("", 0, 1, True),
        ("stopped", 0, 0, True),
    ],
)
@pytest.mark.django_db
def test_something_waits_if_memory_and_inbox_differ_or_somebody_wishes(
    wanted: str, pending: int, held: int, waits: bool
) -> None:
    process = Process.objects.create(kind="host", host="here", pid=1)
    on_record(process, wanted=wanted, pending=pending)
    worker = live()
    for number in range(held):
        worker.waiting.add(Event("go", id=number + 1))

    assert sweep.something_waits(process.pk, {"worker": worker}) is waits


@pytest.mark.django_db
def test_what_waits_for_the_machines_of_another_host_is_not_ours() -> None:
    ours, theirs = (Process.objects.create(kind="host", host="here", pid=pid) for pid in (1, 2))
    on_record(theirs, wanted="stopped", pending=3)

    assert not sweep.something_waits(ours.pk, {})


# -- subscriptions


def test_idle_machines_that_run_are_subscribed_to_what_they_looked_for() -> None:
    lives = [
        live("idle", checked=(PARCELS,)),
        live("busy", checked=(PARCELS,), idle=False),
        live("paused", checked=(PARCELS,), status="paused"),
        live("finished", checked=(PARCELS,), status="finished"),
    ]

    found = sweep.subscriptions({entry.name: entry for entry in lives})

    assert found == {"idle": (PARCELS,)}


@pytest.mark.parametrize(
    ("subscription", "wakes"),
    [
        (("jobs", "*", "*"), True),
        (("jobs", "parcel", "*"), True),
        (("jobs", "*", "packer"), True),
        (("jobs", "parcel", "packer"), True),
        (("jobs", "letter", "*"), False),
        (("jobs", "letter", "packer"), False),
        (("jobs", "parcel", "painter"), False),
        (("jobs", "parcel", ""), False),
        (("events", "parcel", "packer"), False),
    ],
)
@pytest.mark.django_db
def test_a_job_wakes_those_who_looked_for_its_kind(subscription: Subscription, wakes: bool) -> None:
    create_job(job_type="parcel", machine_type="packer")

    # Another subscription to jobs, so that the question is asked at all.
    idle = {"other": (("jobs", "unheard_of", "*"),), "worker": (subscription,)}

    assert sweep.there(idle, NOW) == ({"worker": {subscription}} if wakes else {})


@pytest.mark.parametrize(
    ("machine_type", "subscription", "wakes"),
    [
        ("", ("jobs", "parcel", ""), True),
        ("", ("jobs", "*", ""), True),
        ("", ("jobs", "", "*"), False),
        ("packer", ("jobs", "*", ""), False),
    ],
)
@pytest.mark.django_db
def test_an_empty_kind_is_no_other_kind(
    machine_type: str, subscription: Subscription, wakes: bool
) -> None:
    create_job(job_type="parcel", machine_type=machine_type)

    found = sweep.there({"worker": (subscription,)}, NOW)

    assert found == ({"worker": {subscription}} if wakes else {})


@pytest.mark.django_db
def test_one_of_several_subscriptions_is_enough() -> None:
    create_job(job_type="parcel")
    idle = {"worker": (("events", "go"), ("jobs", "letter", "*"), PARCELS), "other": ()}

    assert sweep.there(idle, NOW) == {"worker": {PARCELS}}


@pytest.mark.django_db
def test_a_job_that_may_run_later_only_wakes_nobody_before() -> None:
    create_job(job_type="parcel", run_at=NOW + timedelta(seconds=1))
    idle = {"worker": (PARCELS,)}

    woken = [sweep.there(idle, NOW + timedelta(seconds=seconds)) for seconds in (0, 1)]

    assert woken == [{}, {"worker": {PARCELS}}]


@pytest.mark.parametrize("status", ["processing", "completed", "failed", "cancelled"])
@pytest.mark.django_db
def test_a_job_that_is_not_pending_wakes_nobody(status: str) -> None:
    job = create_job(job_type="parcel")
    type(job).objects.filter(pk=job.pk).update(status=status)

    assert sweep.there({"worker": (PARCELS,)}, NOW) == {}


def test_without_a_subscription_to_jobs_the_database_is_not_asked() -> None:
    # The test has no database: a query would raise.
    assert sweep.there({"worker": (("events", "go"),), "other": ()}, NOW) == {}
