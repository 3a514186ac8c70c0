"""The inbox of a machine that no host of this computer runs: rows, found when it comes up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from machines.core.schemas import parsed_payload
from machines.models import Event, Machine, Process
from machines.runtime import intake
from machines.runtime.bells import Ringer
from machines.runtime.intake import Refused
from machines.runtime.ownership import lives

Frame = dict[str, Any]
_Key = tuple[str, str]  # target, key


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of an event, as ``sendevent`` prints it."""

    event: int
    status: str
    running: bool
    machine: str
    state: str | None = None
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The object of the command line and the API."""
        return asdict(self)


def insert(frame: Frame) -> Reply:
    """Put one event into the inbox of its target. Raises Refused if that is full."""
    [answer] = insert_all([frame])
    if isinstance(answer, Refused):
        raise answer
    return answer


def insert_all(frames: Sequence[Frame]) -> list[Reply | Refused]:
    """Put events into inboxes in one transaction, in their order; what became of each.

    An event whose key is there already is that event. Owners that live are rung.
    """
    targets = {frame["target"] for frame in frames}
    with transaction.atomic():
        machines = {
            machine.name: machine
            for machine in Machine.objects.select_related("process").filter(name__in=targets)
        }
        known = _known(frames)
        room = {name: intake.MAX_PENDING_EVENTS - intake.pending_count(name) for name in targets}
        new: dict[_Key, Event] = {}
        for frame in frames:
            key = _key(frame)
            if key not in known and key not in new and room[key[0]] > 0:
                room[key[0]] -= 1
                new[key] = _event(frame, machines.get(key[0]))
        # Another sender may insert the same key meanwhile: then that one is the event.
        Event.objects.bulk_create(new.values(), ignore_conflicts=True)
        known |= _known(frames) if new else {}
    running = _ring({m.process for m in machines.values() if m.process is not None})
    return [_reply(frame, known.get(_key(frame)), machines, running) for frame in frames]


def _key(frame: Frame) -> _Key:
    return (frame["target"], frame["key"])


def _known(frames: Sequence[Frame]) -> dict[_Key, Event]:
    keys = {frame["key"] for frame in frames}
    targets = {frame["target"] for frame in frames}
    found = Event.objects.defer("payload").filter(target__in=targets, key__in=keys)
    return {(event.target, event.key): event for event in found}


def _event(frame: Frame, machine: Machine | None) -> Event:
    event = Event(
        key=frame["key"],
        source=frame["source"],
        target=frame["target"],
        type=frame["type"],
        payload=parsed_payload(frame["payload"]),
        job_id=frame["job_id"],
        actor=frame["actor"],
    )
    if machine is not None and machine.status == Machine.Status.FINISHED:
        event.status = Event.Status.IGNORED
        event.reason = f"machine {machine.name!r} is finished"
        event.processed_at = event.created_at
    return event


def _ring(processes: set[Process]) -> set[int]:
    """Ring those that live here; the ids of all that live."""
    now = timezone.now()
    living = {process for process in processes if lives(process, now)}
    with Ringer() as ringer:
        for process in living:
            if process.is_here:
                ringer.ring_host(process.pid)
    return {process.pk for process in living}


def _reply(
    frame: Frame, event: Event | None, machines: dict[str, Machine], running: set[int]
) -> Reply | Refused:
    target = frame["target"]
    if event is None:
        return Refused(intake.full_inbox(target))
    machine = machines.get(target)
    return Reply(
        event=event.pk,
        status="accepted" if event.status == Event.Status.PENDING else str(event.status),
        running=machine is not None and machine.process_id in running,
        machine=target,
        state=machine.state if machine is not None else None,
        reason=event.reason or None,
    )
