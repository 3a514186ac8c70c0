"""The story of a rehearsal: what happened, in order, as values."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from jobqueue.presentation import utc_text


class How(Enum):
    """Where the answer of an action came from."""

    PERFORMED = "performed"  # it was done as a host does it, in memory
    SCRIPT = "script"  # somebody wrote it down
    ASSUMED = "assumed"  # nobody said anything: its usual answer, or one that chance chose


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A step, or with ``status`` a change of status that stays where it is.

    ``transition`` is its index in the file, None for the entry and a change of status.
    """

    machine: str
    at: datetime
    seq: int
    event: str
    source: str | None
    target: str
    guard: tuple[tuple[int, Any], ...] = ()
    transition: int | None = None
    status: str = ""
    before_at: datetime | None = None

    def __str__(self) -> str:
        if self.status:
            return f"{self.target} is {self.status}"
        arrow = f"--{self.event}-->" if self.event else "-->"
        return f"{self.source} {arrow} {self.target}" if self.source else f"{arrow} {self.target}"

    def as_json(self) -> dict[str, Any]:
        """The step as ``history`` has it, with its machine."""
        elapsed = None if self.before_at is None else self.at - self.before_at
        return {
            "machine": self.machine,
            "seq": self.seq,
            "event": self.event or None,
            "source": self.source,
            "target": self.target,
            "at": utc_text(self.at),
            "guard": [list(tried) for tried in self.guard] or None,
            "ms": None if elapsed is None else round(elapsed / timedelta(milliseconds=1), 3),
        }


@dataclass(frozen=True, slots=True)
class NotTaken:
    """An event that was judged or refused and took no transition; ``status`` as on record."""

    machine: str
    at: datetime
    event: str
    state: str
    reason: str
    status: str = "ignored"
    outside: bool = True

    def __str__(self) -> str:
        return f"{self.event!r} {self.status}: {self.reason}"


@dataclass(frozen=True, slots=True)
class ActionDone:
    """An action that ended, with its answer. ``stopped``: its state was left while it ran."""

    machine: str
    at: datetime
    state: str
    type: str
    how: How
    attempt: int = 1
    event: str = ""
    error: str = ""
    stopped: bool = False

    def __str__(self) -> str:
        if self.stopped:
            return f"{self.type} stopped: {self.state} was left"
        said = f"failed: {self.error}" if self.error else f"answered {self.event or 'nothing'}"
        return f"{self.type} {said}"


@dataclass(frozen=True, slots=True)
class LineLogged:
    """A line of the log."""

    machine: str
    at: datetime
    level: str
    text: str

    def __str__(self) -> str:
        return f"{self.level}: {self.text}"


@dataclass(frozen=True, slots=True)
class EventSent:
    """An event that a machine sent."""

    machine: str
    at: datetime
    target: str
    event: str
    payload: Any = None
    job_id: str = ""

    def __str__(self) -> str:
        return f"sent {self.event!r} to {self.target}"


Entry = StepTaken | NotTaken | ActionDone | LineLogged | EventSent


def steps_of(entries: Iterable[Entry], machine: str | None = None) -> Iterator[StepTaken]:
    """The steps among ``entries``, without changes of status; of every machine if None."""
    for entry in entries:
        if isinstance(entry, StepTaken) and not entry.status and machine in (None, entry.machine):
            yield entry


def assumptions(entries: Iterable[Entry]) -> Mapping[tuple[str, str, str, str], int]:
    """How often each answer was assumed: (machine, state, type, answer) to a count."""
    counts: dict[tuple[str, str, str, str], int] = {}
    for entry in entries:
        if isinstance(entry, ActionDone) and entry.how is How.ASSUMED and not entry.stopped:
            answer = entry.event or ("error" if entry.error else "nothing")
            key = (entry.machine, entry.state, entry.type, answer)
            counts[key] = counts.get(key, 0) + 1
    return counts
