"""Scenarios: what a test of a machine does and expects, as values with their places."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from machines.core.definition import Definition, Place
from machines.core.signatures import Signature
from machines.rehearsal.script import Line

ANYTHING = "..."  # in a list of steps, states or actions: any number of others


@dataclass(frozen=True, slots=True)
class OneEvent:
    """An event to send; ``machine`` is None for the first."""

    event: str
    payload: Any = None
    job_id: str = ""
    machine: str | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """Let events arrive together."""

    place: Place
    events: tuple[OneEvent, ...]


@dataclass(frozen=True, slots=True)
class Pass:
    """Let time pass."""

    place: Place
    seconds: float


@dataclass(frozen=True, slots=True)
class AddJobs:
    """Put jobs into the queue: the columns of each, and after how many seconds it is ready."""

    place: Place
    jobs: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is expected: ``what`` names it, ``wanted`` is its value."""

    place: Place
    what: str
    wanted: Any


@dataclass(frozen=True, slots=True)
class Expect:
    """What must be true now; ``machine`` is None for the first."""

    place: Place
    checks: tuple[Check, ...]
    machine: str | None = None


ScenarioStep = Send | Pass | AddJobs | Expect


@dataclass(frozen=True, slots=True)
class Cast:
    """A machine that takes part: its definition, the path of its file, and its name."""

    definition: Definition
    file: str
    name: str
    signatures: Mapping[str, Signature] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One test: who takes part, how it begins, what actions answer, and what happens."""

    name: str
    place: Place
    cast: tuple[Cast, ...]
    context: Mapping[str, Any] = field(default_factory=dict)
    jobs: tuple[Mapping[str, Any], ...] = ()
    lines: tuple[Line, ...] = ()
    steps: tuple[ScenarioStep, ...] = ()


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A file of tests."""

    origin: str
    scenarios: tuple[Scenario, ...]
