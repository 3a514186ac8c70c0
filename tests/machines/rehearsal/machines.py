"""Machines for rehearsals: small ones, each about one thing, and what happens to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from machines.rehearsal.answers import Answer


@dataclass(frozen=True)
class Sent:
    """An event for the first machine."""

    event: str
    payload: Any = None


@dataclass(frozen=True)
class Job:
    """A job for the queue."""

    job_type: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Passed:
    """So much time passes, in which something is due."""

    seconds: float


@dataclass(frozen=True)
class Case:
    """A machine, the answers of its work as they are in truth, and what happens."""

    name: str
    yaml: str
    happens: tuple[Sent | Job | Passed, ...] = ()
    answers: Mapping[str, Answer | tuple[Answer, ...]] = field(default_factory=dict)
    other: str = ""
    keeps: tuple[str, ...] = ()  # keys of the context that hold the time of day
