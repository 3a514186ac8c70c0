"""One transaction of the journal: what it knows, and how it puts a machine's doings on record."""

from __future__ import annotations

import itertools
import os
import reprlib
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from machines.core.decisions import Perform
from machines.core.engine import names
from machines.core.snapshot import EMPTY, Deadline, Event, Step
from machines.core.storable import storable
from machines.core.turn import turn_as_json
from machines.runtime import background
from machines.runtime.dialects import Dialect
from machines.runtime.live import DeadlineKey, Live, Reply, key_of
from machines.runtime.requests import After
from machines.runtime.rows import EventRow, Rows, as_json

MAX_GUARD_CHARACTERS = 200  # of the value of a guard that is kept with a step
_counter = itertools.count()
_process = os.urandom(5).hex()


def new_key() -> str:
    """A key nobody has used, rising with time as a UUIDv7 does (so an index stays dense)."""
    return f"{time.time_ns() // 1_000_000:012x}{next(_counter):010x}{_process}"


class Group:
    """The work of one transaction. Thrown away, with all of its memory, if that fails."""

    def __init__(
        self,
        dialect: Dialect,
        machines: dict[str, Live],
        process_id: int,
        now: datetime,
        secrets: Mapping[str, str],
    ) -> None:
        self.dialect = dialect
        self.machines = machines
        self.process_id = process_id
        self.now = now
        self.secrets = secrets
        self.rows = Rows(dialect)
        self.after = After()
        self.to_play: dict[str, Live] = {}
        self.touched: dict[str, Live] = {}
        self._unsaved: dict[str, Live] = {}
        self.left_traces = False  # an effect of the present round wrote something
        self.undo: list[Callable[[], object]] = []  # what memory of its own has to take back
        self._saved: dict[str, tuple[Any, ...]] = {}
        self._watched: list[tuple[Live, int, Reply, bool]] = []
        self._answered: list[tuple[Live, int, list[Reply]]] = []

    def touch(self, live: Live, *, play: bool = True) -> None:
        """Say that a machine's memory changes here; ``play`` if it is to go on."""
        self.touched[live.name] = self._unsaved[live.name] = live
        if play:
            self.to_play[live.name] = live

    def mark(self, live: Live) -> None:
        """Say that the row of a machine that was touched may not be as its memory is."""
        self._unsaved[live.name] = live

    def names_of(self, live: Live, *, for_work: bool = False) -> Mapping[str, Any]:
        """What placeholders of this machine see; secrets are for work only, it is not stored."""
        return names(live.snapshot, self.secrets if for_work else EMPTY)

    # -- events

    def add_event(
        self,
        target: str,
        event_type: str,
        raw_payload: bytes | None,
        *,
        source: str = "",
        job_id: str = "",
        actor: str = "",
        key: str = "",
    ) -> EventRow:
        """Put a new event on record, pending."""
        row = EventRow(
            self.rows.new_id("machines_event"),
            key or new_key(),
            source,
            target,
            event_type,
            raw_payload,
            job_id,
            actor,
            self.now,
        )
        self.rows.add_event(row)
        return row

    def end_event(self, live: Live, event: Event, status: str, reason: str = "") -> None:
        """End an event that waited, and answer those who wait for its end."""
        if event.id is None:
            return
        live.waiting.discard(event)
        self.rows.end_event(event.id, status, reason, self.now)
        replies = live.watchers.pop(event.id, None)
        if replies is not None:
            self._answered.append((live, event.id, replies))
            for reply in replies:
                self.answer(reply, live, event.id, status, reason)

    def watch(self, live: Live, event_id: int, reply: Reply, *, until_ended: bool) -> None:
        """Answer when the event has ended; if not in this group, first that it is accepted.

        ``until_ended``: the end is told also if it comes later.
        """
        live.watchers.setdefault(event_id, []).append(reply)
        self._watched.append((live, event_id, reply, until_ended))

    def answer_accepted(self) -> None:
        """Tell senders whose events could not be judged in this group that they are accepted."""
        for live, event_id, reply, until_ended in self._watched:
            replies = live.watchers.get(event_id)
            if replies is None:
                continue
            self.answer(reply, live, event_id, "accepted")
            if not until_ended:
                replies.remove(reply)
            if not replies:
                del live.watchers[event_id]

    def answer_watchers(self, live: Live) -> None:
        """Tell those who wait for the end of an event that it will not come here."""
        for event_id, replies in live.watchers.items():
            self._answered.append((live, event_id, replies))
            for reply in replies:
                self.answer(reply, live, event_id, "accepted", running=False)
        live.watchers.clear()

    def undo_watchers(self) -> None:
        """Let everybody wait who waited before this group: it failed."""
        for take_back in self.undo:
            take_back()
        for live, event_id, replies in self._answered:
            live.watchers[event_id] = replies
        for live, event_id, reply, _until_ended in self._watched:
            replies = live.watchers.get(event_id, [])
            if reply in replies:
                replies.remove(reply)
            if not replies:
                live.watchers.pop(event_id, None)

    def answer(
        self,
        reply: Reply,
        live: Live,
        event_id: int,
        status: str,
        reason: str = "",
        *,
        running: bool = True,
    ) -> None:
        """Answer a sender after the commit, with the state as it is now."""
        states = live.snapshot.states
        said: dict[str, Any] = {
            "ok": True,
            "event": event_id,
            "status": status,
            "running": running and not live.ended,
            "machine": live.name,
            "state": states[0] if states else None,
        }
        if reason:
            said["reason"] = reason
        self.after.replies.append((reply, said))

    # -- steps

    def record(self, live: Live, step: Step) -> None:
        """Put a step on record and make it true: timers, and the work of a state that was left."""
        event = step.event
        if step.left:
            self.clear_deadlines(live)
            self.stop_work(live)
            background.leave(self, live)
            live.guards_told.clear()
        live.snapshot = step.snapshot
        self._add_step(
            live,
            event.name,
            event.id,
            step.source,
            step.target,
            step.taken.index if step.taken is not None else None,
            as_json([(i, _brief(value)) for i, value in step.guards]) if step.guards else None,
            as_json(step.changes) if step.changes else None,
            "",
        )
        live.trail.append((step.source, event.name, step.target))
        for deadline in step.deadlines:
            self.set_deadline(live, deadline)

    def change_status(self, live: Live, status: str, event: str = "", fault: str = "") -> None:
        """Put a change of status on record: a step that stays where it is."""
        fault = storable(fault)
        live.status, live.fault = status, fault
        state = live.snapshot.states[0] if live.snapshot.states else ""
        changes = as_json({"fault": fault}) if fault else None
        self._add_step(live, event, None, state, state, None, None, changes, status)

    def log(self, live: Live, level: str, message: str, kind: str = "log") -> None:
        """Keep a line of a machine, and show it after the commit."""
        self._add_line(live, kind, "done", level, message)

    def begin_run(self, live: Live, performed: Perform, token: str) -> None:
        """Put a run on record that is about to begin."""
        row = (
            live.id, live.seq, performed.ref[1], performed.action.type, performed.attempt, token,
            "running", "info", "", "", None, "", live.job_pk,
        )  # fmt: skip
        self.rows.add_run(row, self.now, None)

    def fail(
        self, live: Live, kind: str, message: str, *, position: int = 0, attempt: int = 1
    ) -> None:
        """Keep the failure of an effect, or of a guard."""
        self._add_line(live, kind, "failed", "error", message, position, attempt)

    def save(self, live: Live) -> None:
        """Let the machine's row follow its memory.

        One that is as it was saved is left alone if the transaction writes nothing else: a ring
        for nothing leaves no byte. Else it is written all the same, for it is the fence.
        """
        snapshot = live.snapshot
        row = (
            live.definition_id,
            as_json(snapshot.states),
            self._context_json(live),
            as_json(turn_as_json(snapshot.turn)),
            live.last_event_id,
            live.job_pk,
            live.job_token,
            live.status,
            live.fault,
            live.seq,
            self.dialect.time(snapshot.entered_at),
            self.dialect.time(live.active_at),
        )
        if row != live.saved_row or not self.rows.empty:
            self.rows.update_machine(live.id, (*row, live.id, live.saved_seq, live.epoch))
            self._saved[live.name] = row

    def flush(self) -> None:
        """Write what was collected, so that a query sees it."""
        for live in self._unsaved.values():
            self.save(live)
        self.rows.flush()
        for name, live in self._unsaved.items():
            live.saved_seq = live.seq
            live.saved_row = self._saved.get(name, live.saved_row)
        self._unsaved.clear()
        self.after.changed = self.after.changed or self.rows.written

    # -- deadlines and work

    def set_deadline(self, live: Live, deadline: Deadline) -> None:
        """Set a timer; one for the same transition or action is replaced."""
        self.spend_deadline(live, key_of(deadline))
        action = None if deadline.action is None else as_json(deadline.action)
        timer_id = self.rows.add_timer(
            (live.id, live.seq, deadline.name, deadline.transition, action), deadline.due_at
        )
        live.deadlines[key_of(deadline)] = (deadline, timer_id)
        self.after.arm.append((live.name, deadline))

    def spend_deadline(self, live: Live, key: DeadlineKey) -> None:
        """Remove a timer; nothing happens if there is none."""
        found = live.deadlines.pop(key, None)
        if found is not None:
            self.rows.delete_timer(found[1])
            self.after.disarm.append((live.name, key))
            self.after.arm = [entry for entry in self.after.arm if entry[1] is not found[0]]

    def clear_deadlines(self, live: Live) -> None:
        """Remove every timer of a machine."""
        live.waiting.clear_due()
        for key in tuple(live.deadlines):
            self.spend_deadline(live, key)

    def stop_work(self, live: Live) -> None:
        """End the running work of a machine after the commit; its result is not awaited."""
        work = live.snapshot.turn.work
        if work is None:
            return
        self.rows.end_run(work.token, ("stopped", "its state was left", "", None, ""), self.now)
        started = self.after.start_work
        self.after.start_work = [begun for begun in started if begun.work is not work]
        self.after.stop_work.append((live.name, work.token))

    # -- inside

    def _add_step(self, live: Live, event: str, event_id: int | None, *columns: Any) -> None:
        live.seq += 1
        live.active_at = self.now
        source, target, transition, guard, changes, status = columns
        self.rows.add_step(
            (
                live.id,
                live.seq,
                event,
                event_id,
                source,
                target,
                transition,
                guard,
                changes,
                status,
                live.definition_id,
            ),
            self.now,
        )

    def _add_line(
        self,
        live: Live,
        kind: str,
        outcome: str,
        level: str,
        message: str,
        position: int = 0,
        attempt: int = 1,
    ) -> None:
        row = (
            live.id, live.seq, position, kind, attempt, "", outcome, level, message, "", None, "",
            live.job_pk,
        )  # fmt: skip
        self.rows.add_run(row, self.now, self.now)
        self.after.lines.append((live.name, level, message))

    def _context_json(self, live: Live) -> str:
        # A context is never changed in place, so the same object has the same text.
        context = live.snapshot.context
        if live.context_json is None or live.context_json[0] is not context:
            live.context_json = (context, as_json(context))
        return live.context_json[1]


def _brief(value: Any) -> Any:
    """The value of a guard as it is kept: what is long, or no JSON, is shown in part."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float) or (isinstance(value, int) and -(2**63) <= value < 2**63):
        return value
    text = value if isinstance(value, str) else _shown(value)
    return storable(text[:MAX_GUARD_CHARACTERS])


def _shown(value: Any) -> str:
    try:
        return reprlib.repr(value)
    except RecursionError:
        return f"a {type(value).__name__} that is nested deeply"
