"""Checking: what a test expects, held against what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from machines.core.interpolation import lookup_path
from machines.rehearsal.jobs import JobQueue
from machines.rehearsal.player import Player
from machines.rehearsal.scenario import ANYTHING, Check
from machines.rehearsal.story import (
    ActionDone,
    Entry,
    EventSent,
    LineLogged,
    NotTaken,
    steps_of,
)

MAX_SHOWN = 300  # characters of a value in a failure

Difference = tuple[str, str]  # what was expected, what happened


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check looks at: a machine, the queue, and what happened since it was last acted on."""

    player: Player
    queue: JobQueue
    since: tuple[Entry, ...]

    @property
    def own(self) -> Iterator[Entry]:
        """What happened to this machine."""
        return (entry for entry in self.since if entry.machine == self.player.name)


def failure_of(check: Check, seen: Seen) -> Difference | None:
    """What was expected and what happened; None if they agree."""
    return _CHECKS[check.what](check.wanted, seen)


def _state(wanted: str, seen: Seen) -> Difference | None:
    player = seen.player
    if player.state == wanted:
        return None
    ignored = "".join(f"; {entry}" for entry in seen.own if isinstance(entry, NotTaken))
    return f"the state {wanted!r}", f"it is {player.state!r}{ignored}"


def _status(wanted: str, seen: Seen) -> Difference | None:
    player = seen.player
    if player.status == wanted:
        return None
    why = f": {player.fault}" if player.fault else ""
    return f"it to be {wanted}", f"it is {player.status} in {player.state!r}{why}"


def _context(wanted: Mapping[str, Any], seen: Seen) -> Difference | None:
    context = seen.player.snapshot.context
    for key, value in wanted.items():
        found = context[key] if key in context else lookup_path(key, context)
        if found != value or isinstance(found, bool) != isinstance(value, bool):
            return f"{key} to be {_shown(value)}", f"it is {_shown(found)}"
    return None


def _steps(wanted: Sequence[str], seen: Seen) -> Difference | None:
    happened = [str(step) for step in steps_of(seen.own)]
    return _list_difference("the steps", wanted, happened)


def _states(wanted: Sequence[str], seen: Seen) -> Difference | None:
    happened = [step.target for step in steps_of(seen.own) if step.source != step.target]
    return _list_difference("the states", wanted, happened)


def _actions(wanted: Sequence[str], seen: Seen) -> Difference | None:
    happened = [
        entry.type for entry in seen.own if isinstance(entry, ActionDone) and not entry.stopped
    ]
    return _list_difference("the actions", wanted, happened)


def _sent(wanted: Sequence[Mapping[str, Any]], seen: Seen) -> Difference | None:
    happened = [entry for entry in seen.own if isinstance(entry, EventSent)]
    same = len(happened) == len(wanted) and all(
        _is_as_wanted(one, entry) for one, entry in zip(wanted, happened, strict=True)
    )
    if same:
        return None
    return f"it to send {_shown(wanted)}", f"it sent {_shown([_as_mapping(e) for e in happened])}"


def _ignored(wanted: Sequence[str], seen: Seen) -> Difference | None:
    happened = [entry for entry in seen.own if isinstance(entry, NotTaken)]
    names = {entry.event for entry in happened}
    missing = next((name for name in wanted if name not in names), None)
    if missing is None:
        return None
    return f"{missing!r} to be ignored", f"ignored were {', '.join(sorted(names)) or 'no events'}"


def _log(wanted: Sequence[str], seen: Seen) -> Difference | None:
    lines = [entry.text for entry in seen.own if isinstance(entry, LineLogged)]
    missing = next((text for text in wanted if not any(text in line for line in lines)), None)
    if missing is None:
        return None
    return f"a line of the log with {missing!r}", f"the lines are {_shown(lines)}"


def _jobs(wanted: Mapping[str, Any], seen: Seen) -> Difference | None:
    for job_id, status in wanted.items():
        found = seen.queue.status(job_id)
        if found != status:
            known = ", ".join(job.job_id for job in seen.queue.jobs) or "none"
            happened = (
                f"there is no such job; there are {known}" if found is None else f"it is {found}"
            )
            return f"job {job_id} to be {status}", happened
    return None


_CHECKS: Mapping[str, Callable[[Any, Seen], Difference | None]] = {
    "state": _state,
    "status": _status,
    "context": _context,
    "steps": _steps,
    "states": _states,
    "actions": _actions,
    "sent": _sent,
    "ignored": _ignored,
    "log": _log,
    "jobs": _jobs,
}


def _list_difference(
    what: str, wanted: Sequence[str], happened: Sequence[str]
) -> Difference | None:
    if _matches(wanted, happened):
        return None
    return f"{what} {_lines(wanted)}", f"there were {_lines(happened)}"


def _matches(wanted: Sequence[str], happened: Sequence[str]) -> bool:
    """True if the lists agree; ANYTHING stands for any number of items."""
    reachable = {0}  # how many of ``wanted`` may be used up so far
    for item in happened:
        reachable = _closed(reachable, wanted)
        stays = {at for at in reachable if at < len(wanted) and wanted[at] == ANYTHING}
        moves = {at + 1 for at in reachable if at < len(wanted) and wanted[at] == item}
        reachable = stays | moves
    return len(wanted) in _closed(reachable, wanted)


def _closed(reachable: set[int], wanted: Sequence[str]) -> set[int]:
    found = set(reachable)
    for at in sorted(reachable):
        end = at
        while end < len(wanted) and wanted[end] == ANYTHING:
            end += 1
            found.add(end)
    return found


def _as_mapping(entry: EventSent) -> dict[str, Any]:
    said = {"event": entry.event, "to": entry.target}
    optional = {"payload": entry.payload, "job_id": entry.job_id}
    return said | {key: value for key, value in optional.items() if value not in (None, "")}


def _is_as_wanted(wanted: Mapping[str, Any], entry: EventSent) -> bool:
    happened = _as_mapping(entry)
    return all(happened.get(key) == value for key, value in wanted.items())


def _lines(items: Sequence[str]) -> str:
    return "[" + ", ".join(items) + "]" if items else "none"


def _shown(value: Any) -> str:
    text = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS, default=str).decode()
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
