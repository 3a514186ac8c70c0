"""What happens to the machines of a simulation from outside: read from a file of events.

A file is a YAML list, or one JSON object a line. Each entry says when (``after:`` the one before
it, or ``at:`` a time since the beginning; neither: with the one before) and what: ``event:`` or
``job:``. An entry may be ``answers:`` instead, as in a test.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from machines.core.errors import DefinitionError, Fault
from machines.core.loading.faults import Faults
from machines.core.loading.scan import scan
from machines.core.loading.values import Value
from machines.rehearsal.scenario import Cast, OneEvent
from machines.rehearsal.scenario_answers import read_answers
from machines.rehearsal.scenario_steps import read_jobs
from machines.rehearsal.script import Line

_KEYS = ("after", "at", "event", "payload", "job_id", "machine", "job", "answers")
_KINDS = ("event", "job", "answers")
_LISTED = "- "
_FIRST_CHARACTER = re.compile(r"(?:\s|#.*\n)*(\S)")


@dataclass(frozen=True, slots=True)
class Happening:
    """An event or jobs, so many seconds after the beginning."""

    at_seconds: float
    event: OneEvent | None = None
    jobs: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Happenings:
    """All of a file: what happens, the earliest first, and what actions answer."""

    events: tuple[Happening, ...] = ()
    lines: tuple[Line, ...] = ()


def read_happenings(text: str | bytes, *, origin: str, cast: Sequence[Cast]) -> Happenings:
    """What stands in a file of events; raise one DefinitionError with all faults it has."""
    wrapped, lines, columns = _wrapped(text)
    try:
        return _read(wrapped, origin, cast)
    except DefinitionError as error:
        raise DefinitionError(
            origin, (_moved_back(fault, lines, columns) for fault in error.faults)
        ) from None


def _wrapped(text: str | bytes) -> tuple[str | bytes, int, int]:
    """The text as a mapping of YAML, and how many lines and columns were put before it."""
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError:
            return text, 0, 0  # which the scan refuses
    found = _FIRST_CHARACTER.match(text)
    first = found[1] if found else ""
    if first == "{":
        listed = "".join(
            f"{_LISTED}{line}" if line.strip() else line for line in text.splitlines(keepends=True)
        )
        return f"events:\n{listed}", 1, len(_LISTED)
    if first == "[":  # in a mapping it may not begin in the first column
        return "events:\n" + "".join(f" {line}" for line in text.splitlines(keepends=True)), 1, 1
    if first not in {"-", ""}:
        return text, 0, 0
    return f"events:\n{text}", 1, 0


def _read(text: str | bytes, origin: str, cast: Sequence[Cast]) -> Happenings:
    faults = Faults(origin)
    root = Value(scan(text, faults).root, "", faults)
    fields = root.fields(("events",), "a mapping")
    if "events" not in fields:
        root.fault("events is missing; a file of events is a list, each - {after: 5s, event: go}")
        faults.raise_any()
    events: list[Happening] = []
    lines: list[Line] = []
    at = 0.0
    for item in fields["events"].items("a list of events, each - {after: 5s, event: new_job},"):
        entry = item.fields(_KEYS, "an event, such as {after: 5s, event: new_job},")
        at = _time(entry, at)
        if len([kind for kind in _KINDS if kind in entry]) != 1:
            item.fault(f"an entry has one of {', '.join(_KINDS)}")
        elif "answers" in entry:
            lines.extend(read_answers(entry["answers"], cast))
        elif "job" in entry:
            events.append(Happening(at, jobs=read_jobs(entry["job"])))
        else:
            events.append(Happening(at, _event(entry, cast)))
    faults.raise_any()
    return Happenings(tuple(sorted(events, key=lambda each: each.at_seconds)), tuple(lines))


def _time(entry: Mapping[str, Value], before: float) -> float:
    if "at" in entry:
        if "after" in entry:
            entry["after"].fault("at stands here too; keep one of the two")
        return entry["at"].seconds() or 0.0
    return before + (entry["after"].seconds() or 0.0 if "after" in entry else 0.0)


def _event(entry: Mapping[str, Value], cast: Sequence[Cast]) -> OneEvent:
    machine = entry["machine"].text("the name of a machine") if "machine" in entry else None
    names = [member.name for member in cast]
    if machine is not None and machine not in names:
        value = entry["machine"]
        hint = value.faults.hint(machine, names, "the machines are")
        value.fault(f"no machine {machine!r} takes part{hint}")
    return OneEvent(
        event=entry["event"].name("an event") or "",
        payload=entry["payload"].json() if "payload" in entry else None,
        job_id=entry["job_id"].text() or "" if "job_id" in entry else "",
        machine=machine,
    )


def _moved_back(fault: Fault, lines: int, columns: int) -> Fault:
    """The fault as the author sees it, who did not write what was put before."""
    if not lines:
        return fault
    return replace(
        fault,
        line=max(1, fault.line - lines),
        column=max(1, fault.column - columns),
        message=fault.message.removeprefix("events").removeprefix(": "),
    )
