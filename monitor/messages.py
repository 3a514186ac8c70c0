"""The messages of the live feed: one function for each, from a row to plain JSON.

Pages, endpoints and the feed use the same ones, so a thing has one shape everywhere.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from jobqueue.models import Job

from machines.models import Event, Machine, Run, Step, Timer
from monitor.presence import Pulse
from monitor.words import plain

Message = dict[str, Any]
MAX_SHOWN_OUTPUT = 8_192  # characters of a command's output in a message; the row has 64 KiB


def encode(message: Message) -> str:
    """A message as JSON text."""
    try:
        return orjson.dumps(message).decode()
    except TypeError:  # a context may hold a number beyond 64 bits, or half of a character
        return json.dumps(message)


def state_change(step: Step, machine: str) -> Message:
    """A step that ``machine`` took; source null is the entry, source = target a change
    of status.
    """
    return {
        "type": "state_change",
        "machine": machine,
        "seq": step.seq,
        "event": step.event,
        "source": step.source,
        "target": step.target,
        "transition": step.transition,
        "definition": step.definition_id,
        "at": step.at.isoformat(),
    }


def activity_log(run: Run, machine: str) -> Message:
    """A line of the log, or a piece of work as it stands; the same ``run.id`` replaces it."""
    return {
        "type": "activity_log",
        "machine": machine,
        "seq": run.seq,
        "level": run.level,
        "message": run.message,
        "at": run.started_at.isoformat(),
        "run": {
            "id": run.pk,
            "type": run.type,
            "attempt": run.attempt,
            "outcome": run.outcome,
            "output": plain(run.output[-MAX_SHOWN_OUTPUT:]),
            "exit_code": run.exit_code,
            "event": run.event,
            "ended_at": run.ended_at and run.ended_at.isoformat(),
        },
    }


def event_not_taken(event: Event) -> Message:
    """A log line for an event that no transition took, with the reason."""
    reason = f": {event.reason}" if event.reason else ""
    at = event.processed_at or event.created_at
    return {
        "type": "activity_log",
        "machine": event.target,
        "level": "error" if event.status == Event.Status.FAILED else "warning",
        "message": f"event {event.type} {event.status}{reason}",
        "at": at.isoformat(),
        "run": None,
    }


def machine_state(machine: Machine, pulse: Pulse) -> Message:
    """Where a machine stands; ``up`` is true while a live host runs it."""
    return {
        "type": "machine",
        "machine": machine.name,
        "definition": machine.definition_id,
        "state": machine.state,
        "status": machine.status,
        "up": pulse.is_up(machine),
        "seq": machine.seq,
        "fault": machine.fault,
        "job": machine.job.job_id if machine.job else None,
        "last_event": machine.last_event.type if machine.last_event else None,
        "entered_at": machine.entered_at and machine.entered_at.isoformat(),
    }


def machine_detail(machine: Machine, timers: Iterable[Timer], pulse: Pulse) -> Message:
    """``machine_state`` with context and pending timers, for those who look at this one."""
    return machine_state(machine, pulse) | {
        "context": machine.context,
        "timers": [{"name": t.name, "due_at": t.due_at.isoformat()} for t in timers],
    }


def job_counts(counts: Mapping[str, int]) -> Message:
    """How many jobs there are of each status."""
    return {
        "type": "job",
        "counts": {status: counts.get(status, 0) for status in Job.Status.values},
    }


def error(text: str) -> Message:
    """Something a person should know about the feed itself."""
    return {"type": "error", "message": text}
