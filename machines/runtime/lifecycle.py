"""How a machine comes in, goes on, is held and leaves: everything but its ordinary turns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jobqueue.models import Job

from machines.actions.jobs import job_names
from machines.core import decisions, engine
from machines.core.decisions import Perform
from machines.core.settling import Outcome
from machines.core.snapshot import EMPTY, Deadline, Event, Kind, Snapshot
from machines.core.turn import turn_from_json
from machines.core.waiting import Waiting
from machines.models import Event as EventRecord
from machines.models import Machine
from machines.runtime import background, intake, resume, turns
from machines.runtime.live import Ended, key_of
from machines.runtime.requests import Control, Due, Enter, Play

if TYPE_CHECKING:
    from machines.runtime.group import Group
    from machines.runtime.live import Live


# What a wish for a status asks of the owner.
_VERBS = {"paused": "pause", "running": "resume", "stopped": "stop"}


def load(live: Live) -> None:
    """Let a machine's memory be what the database says; its watchers keep waiting."""
    row = Machine.objects.select_related("last_event", "job").get(pk=live.id)
    live.snapshot = Snapshot(
        machine=row.name,
        states=tuple(row.states),
        context=row.context,
        turn=turn_from_json(row.turn),
        received=None if row.last_event is None else intake.event_of(row.last_event),
        job=job_names(row.job) if row.job is not None else EMPTY,
        entered_at=row.entered_at,
    )
    live.status, live.fault = row.status, row.fault
    live.seq = live.saved_seq = row.seq
    live.last_event_id = row.last_event_id
    live.job_pk, live.job_token = row.job_id, row.job_token
    live.active_at = row.active_at
    live.context_json = live.saved_row = None
    live.guards_told = set()
    live.waiting = Waiting()
    live.deadlines = {}
    for record in EventRecord.objects.filter(
        target=row.name, status=EventRecord.Status.PENDING
    ).order_by("id"):
        live.waiting.add(intake.event_of(record))
    for timer in row.timers.all():
        action = tuple(timer.action) if timer.action is not None else None
        deadline = Deadline(timer.name, timer.due_at, timer.transition, action)
        live.deadlines[key_of(deadline)] = (deadline, timer.pk)


def enter(group: Group, request: Enter) -> None:
    """Take a machine in; it begins, or goes on where it was."""
    live = request.live
    group.machines[live.name] = live
    group.touch(live)
    group.after.entered.append(live.name)
    if request.begins:
        _begin(group, live, request.context, request.job)
    else:
        resume.resume(group, live, moved=request.moved)


def go_on(group: Group, request: Play) -> None:
    """Go on with a machine, and with those of its waits whose end is there."""
    live = group.machines.get(request.machine)
    if live is None or live.ended:
        return
    if request.rung:
        live.snapshot = decisions.rung(live.snapshot)
    heard = {due.action for due in live.waiting.due()}
    for wait in live.snapshot.turn.waits:
        if wait.awaits in request.there and wait.action not in heard:
            live.waiting.add_due(Event("wake_up", Kind.WAKE, group.now, action=wait.action))
    group.touch(live)


def due(group: Group, request: Due) -> None:
    """A deadline passed, if it still stands."""
    live = group.machines.get(request.machine)
    deadline = request.deadline
    if live is None or live.ended or live.deadlines.get(key_of(deadline), (None, 0))[0] != deadline:
        return
    resume.let_wait(live, deadline)
    group.touch(live)


def ended(group: Group, request: Ended) -> None:
    """Work ended: put its run on record and, unless its state was left, settle it."""
    live = group.machines.get(request.machine)
    work = request.work
    if live is None:
        return
    current = live.snapshot.turn.work
    if current is None or current.token != work.token or live.ended:
        outcome = "stopped" if request.stopped else "stale"
        group.rows.end_run(
            work.token, (outcome, "its state was left", request.output, None, ""), group.now
        )
        return
    if request.stopped:  # the host goes down: the work is begun again by the next one
        group.rows.end_run(
            work.token, ("stopped", "its host went down", request.output, None, ""), group.now
        )
        return
    if live.paused:
        if request not in live.held:  # its group may have failed and come again
            live.held.append(request)
        return
    _settle_work(group, live, request)


def control(group: Group, request: Control) -> None:
    """Pause, resume or stop a machine, or let it do no new work."""
    live = group.machines.get(request.machine)
    if live is None:
        why = f"no machine named {request.machine!r} runs here"
        group.after.replies.append((request.reply, {"ok": False, "code": "unknown", "error": why}))
        return
    group.touch(live)
    if request.verb == "drain":
        live.draining = True
    elif request.verb == "pause" and live.runs:
        group.change_status(live, Machine.Status.PAUSED)
    elif request.verb == "resume" and live.paused:
        _go_on(group, live)
    elif request.verb == "stop" and not live.ended:
        _stop(group, live)
    elif request.verb == "leave":
        group.after.left.append(live.name)
        if not live.ended:
            _leave(group, live)
    states = live.snapshot.states
    group.after.replies.append(
        (
            request.reply,
            {
                "ok": True,
                "machine": live.name,
                "status": live.status,
                "state": states[0] if states else None,
                "pending": len(live.waiting),
            },
        )
    )


def obey_wishes(group: Group) -> None:
    """Do what others asked of our machines by writing ``wanted``."""
    asked = Machine.objects.filter(process_id=group.process_id).exclude(wanted="")
    for name, wanted in asked.values_list("name", "wanted"):
        control(group, Control(name, _VERBS.get(wanted, ""), lambda _said: None))
    asked.update(wanted="")


def _begin(group: Group, live: Live, context: Mapping[str, Any], job: Job | None) -> None:
    resume.lose_work(group, live)
    background.leave(group, live)
    live.held.clear()
    live.snapshot = Snapshot(live.name)
    live.last_event_id = None
    live.job_pk = None if job is None else job.pk
    live.job_token = "" if job is None else job.claim_token
    group.clear_deadlines(live)
    live.status, live.fault = Machine.Status.RUNNING, ""
    names = EMPTY if job is None else job_names(job)
    group.record(live, engine.begin(live.definition, live.name, context, group.now, job=names))
    turns.judge(group, live, engine.START)


def _settle_work(group: Group, live: Live, request: Ended) -> None:
    work = request.work
    action = decisions.action_at(live.definition, live.snapshot.state, work.action)
    worked = request.worked
    outcome = Outcome(error=request.error) if worked is None else worked.outcome
    perform = Perform(work.action, action, work.attempt)
    settled = turns.settled_work(group, live, perform, outcome)
    error = outcome.error or settled.refused
    group.rows.end_run(
        work.token,
        (
            "failed" if error else "done",
            error,
            request.output,
            None if worked is None else worked.exit_code,
            settled.event.name if settled.event is not None else outcome.event or "",
        ),
        group.now,
    )
    if error:
        group.after.lines.append((live.name, "error", f"{action.type}: {error}"))
    group.touch(live)
    turns.go_on(group, live, settled)


def _go_on(group: Group, live: Live) -> None:
    group.change_status(live, Machine.Status.RUNNING)
    held, live.held = live.held, []
    group.undo.append(lambda: setattr(live, "held", held))
    for request in held:
        ended(group, request)


def _stop(group: Group, live: Live) -> None:
    _hold(group, live)
    group.change_status(live, Machine.Status.STOPPED)
    group.after.gone.append((live.name, live.status))


def _leave(group: Group, live: Live) -> None:
    """Its host goes down. An instance stays under way, so that its starter's host takes it in."""
    if not live.started:
        _stop(group, live)
        return
    _hold(group, live)
    group.after.gone.append((live.name, "left"))


def _hold(group: Group, live: Live) -> None:
    """What runs and waits here ends; who waits for an event's end hears that it is accepted."""
    group.stop_work(live)
    group.answer_watchers(live)
    for key in live.deadlines:  # the rows stay: they are due when the machine goes on
        group.after.disarm.append((live.name, key))
