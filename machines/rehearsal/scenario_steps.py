"""Reading the steps of a test: what is sent, how time passes, what is expected."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from machines.core.loading.nodes import ListNode, MapNode
from machines.core.loading.values import Value
from machines.rehearsal.scenario import (
    ANYTHING,
    AddJobs,
    Cast,
    Check,
    Expect,
    OneEvent,
    Pass,
    ScenarioStep,
    Send,
)

STATUSES = ("running", "finished", "faulted", "stopped")
_JOB_KEYS = (
    "job_id", "job_type", "machine_type", "source_job_id", "data", "priority", "after",
)  # fmt: skip
_SEND_KEYS = ("event", "payload", "job_id", "to")
_SENT_KEYS = ("event", "to", "payload", "job_id")
_STEP = re.compile(r"(?:(?P<source>.*\S)\s+)?--(?:(?P<event>.*)--)?>\s+(?P<target>.*\S)")
_STEP_KEYS = ("send", "wait", "job", "expect")


def read_steps(value: Value, cast: Sequence[Cast]) -> tuple[ScenarioStep, ...]:
    """The steps in order, without those that have a fault."""
    reader = _Steps(cast)
    found = (reader.step(item) for item in value.items("a list of steps, such as - send: new_job,"))
    return tuple(step for step in found if step is not None)


def read_jobs(value: Value) -> tuple[Mapping[str, Any], ...]:
    """Jobs for the queue: the columns of each; ``after`` in seconds."""
    items = value.items() if isinstance(value.node, ListNode) else [value]
    return tuple(_job(item) for item in items)


def _job(value: Value) -> dict[str, Any]:
    fields = value.fields(_JOB_KEYS, "a job, such as {job_type: demo, data: {a: 1}},")
    if "job_type" not in fields and isinstance(value.node, MapNode):
        value.fault("job_type is missing; it says what kind of job it is")
    found: dict[str, Any] = {}
    for key, field in fields.items():
        if key == "data":
            found[key] = field.json_mapping("a mapping")
        elif key == "priority":
            found[key] = int(field.number(1, whole=True) or 1)
        elif key == "after":
            found[key] = field.seconds()
        else:
            found[key] = field.text() or ""
    return found


class _Steps:
    """Reads the steps of a test in which ``cast`` takes part."""

    def __init__(self, cast: Sequence[Cast]) -> None:
        self._machines = [member.name for member in cast]
        self._states = {member.name: tuple(member.definition.states) for member in cast}
        self._checks: Mapping[str, Callable[[Value, str], Any]] = {
            "state": self._state,
            "status": _status,
            "context": lambda value, _machine: value.json_mapping("keys of the context"),
            "steps": lambda value, machine: [self._move(one, machine) for one in _listed(value)],
            "states": lambda value, machine: [self._passed(one, machine) for one in _listed(value)],
            "actions": lambda value, _machine: _texts(value),
            "sent": lambda value, _machine: [_sent(one) for one in _listed(value)],
            "ignored": lambda value, _machine: _texts(value),
            "log": lambda value, _machine: _texts(value),
            "jobs": lambda value, _machine: value.json_mapping("jobs and their statuses"),
        }

    def step(self, value: Value) -> ScenarioStep | None:
        if not isinstance(value.node, MapNode):
            value.wrong("a step, such as {send: new_job},")
            return None
        fields = value.fields(_STEP_KEYS, "a step")
        if len(fields) != 1:
            if fields or not value.node.pairs:
                value.fault(f"a step is one of {', '.join(_STEP_KEYS)}")
            return None
        (word, field), *_none = fields.items()
        if word == "send":
            return Send(value.place, tuple(self._event(one) for one in _listed(field)))
        if word == "wait":
            return Pass(value.place, field.seconds() or 0)
        if word == "job":
            return AddJobs(value.place, read_jobs(field))
        return self._expect(field)

    def _event(self, value: Value) -> OneEvent:
        if not isinstance(value.node, MapNode):
            return OneEvent(value.name("an event") or "")
        fields = value.fields(_SEND_KEYS, "an event")
        if "event" not in fields:
            value.fault("event is missing; name what is sent")
        return OneEvent(
            event=fields["event"].name("an event") or "" if "event" in fields else "",
            payload=fields["payload"].json() if "payload" in fields else None,
            job_id=fields["job_id"].text() or "" if "job_id" in fields else "",
            machine=self._machine(fields.get("to")),
        )

    def _machine(self, value: Value | None) -> str | None:
        if value is None:
            return None
        name = value.text("the name of a machine")
        if name is not None and name not in self._machines:
            hint = value.faults.hint(name, self._machines, "the machines are")
            value.fault(f"no machine {name!r} takes part{hint}")
            return None
        return name

    def _expect(self, value: Value) -> Expect | None:
        if not isinstance(value.node, MapNode):
            status = _status(value, "")
            return Expect(value.place, (Check(value.place, "status", status),))
        known = (*self._checks, "machine")
        fields = value.fields(known, "what is expected, such as {state: waiting},")
        machine = self._machine(fields.pop("machine", None))
        checks = tuple(
            Check(field.place, what, self._checks[what](field, machine or self._machines[0]))
            for what, field in fields.items()
        )
        if not checks:
            value.fault(f"nothing is expected; it may be {', '.join(self._checks)}")
        return Expect(value.place, checks, machine)

    def _state(self, value: Value, machine: str) -> str | None:
        name = value.name("a state")
        if name is not None:
            self._check_state(value, name, machine)
        return name

    def _passed(self, value: Value, machine: str) -> str | None:
        return ANYTHING if value.written == ANYTHING else self._state(value, machine)

    def _move(self, value: Value, machine: str) -> str:
        """A step as the story writes it."""
        text = value.text("a step such as 'waiting --new_job--> processing',") or ANYTHING
        if text == ANYTHING:
            return text
        found = _STEP.fullmatch(text.strip())
        if found is None:
            value.fault(
                f"{text!r} is no step; write it like 'waiting --new_job--> processing',"
                f" or {ANYTHING} for any number of others"
            )
            return text
        for state in (found["source"], found["target"]):
            if state is not None:
                self._check_state(value, state, machine)
        event = (found["event"] or "").strip()
        arrow = f"--{event}-->" if event else "-->"
        return " ".join(part for part in (found["source"], arrow, found["target"]) if part)

    def _check_state(self, value: Value, name: str, machine: str) -> None:
        states = self._states[machine]
        if name not in states:
            hint = value.faults.hint(name, states, "the states are")
            value.fault(f"no state {name!r} in {machine}{hint}")


def _status(value: Value, _machine: str) -> str | None:
    text = value.text("finished, faulted or a mapping such as {state: waiting},")
    if text is not None and text not in STATUSES:
        hint = value.faults.hint(text, STATUSES, "it may be")
        value.fault(f"{text!r} is no status{hint}; a state is expected by {{state: {text}}}")
    return text


def _listed(value: Value) -> list[Value]:
    return value.items() if isinstance(value.node, ListNode) else [value]


def _texts(value: Value) -> list[str]:
    return [text for one in _listed(value) if (text := one.text()) is not None]


def _sent(value: Value) -> dict[str, Any]:
    if not isinstance(value.node, MapNode):
        return {"event": value.name("an event")}
    fields = value.fields(_SENT_KEYS, "an event, such as {event: task, to: worker},")
    return {key: field.json() for key, field in fields.items()}
