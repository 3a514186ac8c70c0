"""The door of the inboxes: what may come in, and where it is put.

Three ways lead here. A host accepts frames for machines that it runs (``accept``); a machine's
step sends an event (``send_from_machine``); anybody else inserts the row himself
(``sending.py``). All apply the same bounds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

from machines.core.errors import MachineError
from machines.core.schemas import parsed_payload
from machines.core.snapshot import Event
from machines.core.storable import holds_nul
from machines.models import MACHINE_NAME_PATTERN, Machine
from machines.models import Event as EventRecord

if TYPE_CHECKING:
    from machines.runtime.group import Group
    from machines.runtime.live import Live
    from machines.runtime.requests import Submit
    from machines.runtime.rows import EventRow

MAX_PAYLOAD_BYTES = 256 << 10  # as JSON; the context's limit too
MAX_PENDING_EVENTS = 10_000  # of one machine; over it the sender is refused
ROWS_AT_ONCE = 500  # of a query by id; SQLite takes at most 999 parameters of old
MAX_NAME_LENGTH = 200  # characters of an event's type, a key, a source, a job id
_MACHINE_NAME = re.compile(MACHINE_NAME_PATTERN)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class Refused(MachineError):  # noqa: N818 - reads as what happened
    """An event that is not accepted; nothing was written."""


class UnknownTarget(Refused):
    """An event for a name that is neither a machine nor a definition."""


def checked_type(event_type: object) -> str:
    """A name for an event from outside, or Refused."""
    name = checked_name("type", event_type)
    if not name:
        raise Refused("type: an event needs a name")
    if name.startswith("timeout("):
        raise Refused(f"type: {name!r} is a timer's name; nobody can send it")
    return name


def checked_name(where: str, value: object) -> str:
    """A short text without control characters, or Refused."""
    if value == "":
        return ""
    if not isinstance(value, str):
        raise Refused(f"{where}: {value!r:.100} is not a text")
    if len(value) > MAX_NAME_LENGTH:
        raise Refused(f"{where}: {len(value)} characters; at most {MAX_NAME_LENGTH} are taken")
    if _CONTROL.search(value):
        raise Refused(f"{where}: {value!r:.100} has a control character")
    return value


def checked_target(value: object) -> str:
    """A machine's name, or Refused."""
    if not isinstance(value, str) or not _MACHINE_NAME.fullmatch(value):
        raise Refused(
            f"target: {value!r:.100} is no machine's name; it starts with a letter and has up to"
            " 63 letters, digits, _ and -"
        )
    return value


def encoded_payload(payload: Any) -> bytes | None:
    """The payload as JSON, None for none; Refused if it is too large or no JSON."""
    if payload is None:
        return None
    try:
        encoded = orjson.dumps(payload)
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused(f"payload: not JSON: {error}") from error
    if len(encoded) > MAX_PAYLOAD_BYTES:
        raise Refused(f"payload: {len(encoded)} bytes; at most {MAX_PAYLOAD_BYTES} are taken")
    if holds_nul(encoded):
        raise Refused("payload: it has a NUL character, which no database keeps")
    return encoded


def accept(group: Group, submit: Submit) -> None:
    """Take an event in for a machine of this host; it is judged in this group if it can be."""
    live = group.machines.get(submit.machine)
    if live is None:
        refuse(group, submit, "unknown", f"no machine named {submit.machine!r} runs here")
        return
    if submit.keyed and _answer_duplicate(group, live, submit):
        return
    if len(live.waiting) >= MAX_PENDING_EVENTS:
        refuse(group, submit, "full", full_inbox(live.name))
        return
    row = group.add_event(
        live.name,
        submit.type,
        submit.raw_payload,
        source=submit.source,
        job_id=submit.job_id,
        actor=submit.actor,
        key=submit.key,
    )
    event = _event(row, submit.payload)
    group.watch(live, row.id, submit.reply, until_ended=submit.wait)
    if live.ended:
        _answer_for_ended(group, live, event)
        return
    live.waiting.add(event)
    group.touch(live)


def send_from_machine(
    group: Group, source: str, *, target: str, event_type: str, payload: Any, job_id: str
) -> None:
    """Put an event that a machine's step sends into the inbox of its target."""
    target, event_type = checked_target(target), checked_type(event_type)
    payload = parsed_payload(payload)
    raw = encoded_payload(payload)
    checked_name("job_id", job_id)
    live = group.machines.get(target)
    if live is not None and not live.ended:
        if len(live.waiting) >= MAX_PENDING_EVENTS:
            raise Refused(full_inbox(target))
        row = group.add_event(target, event_type, raw, source=source, job_id=job_id, actor=source)
        live.waiting.add(_event(row, payload))
        group.touch(live)
        return
    if pending_count(target) >= MAX_PENDING_EVENTS:
        raise Refused(full_inbox(target))
    row = group.add_event(target, event_type, raw, source=source, job_id=job_id, actor=source)
    found = Machine.objects.select_related("process").filter(name=target).first()
    status = live.status if live is not None else found.status if found is not None else ""
    if status == Machine.Status.FINISHED:
        group.rows.end_event(row.id, "ignored", f"machine {target!r} is finished", group.now)
    elif found is not None and found.process is not None and found.process.is_here:
        group.after.ring_hosts.add(found.process.pid)


def clear(group: Group, target: str, event_types: tuple[str, ...]) -> int:
    """End a machine's pending events of these types without judging them; how many."""
    live = group.machines.get(target)
    if live is not None and not live.ended:
        cleared = list(live.waiting.named(event_types))
        group.touch(live, play=False)
        for event in cleared:
            group.end_event(live, event, "processed", "cleared")
        return len(cleared)
    pending = EventRecord.objects.filter(
        target=target, type__in=event_types, status=EventRecord.Status.PENDING
    )
    return pending.update(
        status=EventRecord.Status.PROCESSED, reason="cleared", processed_at=group.now
    )


def look(group: Group) -> None:
    """Let the events that others wrote for our machines wait with the rest.

    Pending rows are found by what they are, never from a cursor: ids may be committed late.
    """
    ours = Machine.objects.filter(process_id=group.process_id).values("name")
    pending = EventRecord.objects.filter(target__in=ours, status=EventRecord.Status.PENDING)
    new = [
        event_id
        for event_id, target in pending.order_by("id").values_list("id", "target")
        if (live := group.machines.get(target)) is not None
        and not live.ended
        and event_id not in live.waiting
    ]
    for start in range(0, len(new), ROWS_AT_ONCE):
        for record in EventRecord.objects.filter(id__in=new[start : start + ROWS_AT_ONCE]).order_by(
            "id"
        ):
            live = group.machines[record.target]
            live.waiting.add(event_of(record))
            group.touch(live)


def event_of(record: EventRecord) -> Event:
    """An event on record as the core sees it."""
    return Event(
        record.type,
        at=record.created_at,
        id=record.pk,
        payload=record.payload,
        job_id=record.job_id,
        source=record.source,
    )


def pending_count(target: str) -> int:
    """How many events wait for that name."""
    return EventRecord.objects.filter(target=target, status=EventRecord.Status.PENDING).count()


def full_inbox(target: str) -> str:
    """What a sender hears when a machine has too much to do."""
    return f"the inbox of {target!r} is full: {MAX_PENDING_EVENTS} events wait already"


def refuse(group: Group, submit: Submit, code: str, why: str) -> None:
    """Answer that nothing was written."""
    group.after.replies.append((submit.reply, {"ok": False, "code": code, "error": why}))


def _event(row: EventRow, payload: Any) -> Event:
    return Event(
        row.type,
        at=row.created_at,
        id=row.id,
        payload=payload,
        job_id=row.job_id,
        source=row.source,
    )


def _answer_duplicate(group: Group, live: Live, submit: Submit) -> bool:
    group.rows.flush()
    found = group.dialect.fetch(
        "SELECT id, status, reason FROM machines_event WHERE target = ? AND key = ?",
        (live.name, submit.key),
    )
    if not found:
        return False
    event_id, status, reason = found[0]
    if status == "pending":
        group.watch(live, event_id, submit.reply, until_ended=submit.wait)
    else:
        group.answer(submit.reply, live, event_id, status, reason)
    return True


def _answer_for_ended(group: Group, live: Live, event: Event) -> None:
    """A finished machine ignores it and says so; a stopped one gets it when it runs again."""
    if live.status == Machine.Status.FINISHED:
        group.end_event(live, event, "ignored", f"machine {live.name!r} is finished")
