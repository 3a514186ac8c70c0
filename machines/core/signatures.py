"""Signatures: what a type of action takes, raises and leaves behind, as data.

A type says it once, beside its code. The validator checks a file against it, rehearsals answer
from it, ``listactions``, the JSON Schema and the reference are written from it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from machines.core.definition import Action


class Kind(Enum):
    """When an action is performed, and how often after a crash."""

    EFFECT = "effect"  # within the transaction that records it: exactly once
    WAIT = "wait"  # runs nothing; ends by a deadline, a ring or a result
    WORK = "work"  # outside, on record before it starts: at least once


class ValueKind(Enum):
    """What a setting holds, in the words of an author."""

    ANY = "anything"
    TEXT = "a text"
    NUMBER = "a number"
    INTEGER = "a whole number"
    BOOLEAN = "true or false"
    SECONDS = "a number of seconds, or a time such as 5s or 10m"
    TEXTS = "a text or a list of texts"
    LIST = "a list"
    MAPPING = "a mapping"
    EVENT = "the name of an event"
    EVENTS = "a mapping whose values are names of events"
    KEY = "a key of the context"
    NAMES = "a list of names to hand over, such as [a, b.c as d]"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. ``writes``: it names a key of the context that the action sets.

    ``default`` is None where leaving it out means something of its own. ``aliases`` are other
    names for it.
    """

    name: str
    kind: ValueKind = ValueKind.ANY
    description: str = ""
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    writes: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Raises:
    """An event that an action may return.

    ``event``: its name if the file gives none; None: it is raised only if the file names it.
    ``key``: the setting in which the file names it; empty: it cannot be renamed.
    ``failure``: it says that the action failed. ``usual``: what a rehearsal answers with.
    """

    event: str | None
    key: str = ""
    when: str = ""
    failure: bool = False
    usual: bool = False


MAPPED = "error_mappings"  # the setting whose values name events
FAILS = Raises("error", "error", "it fails", failure=True)
# What a failure may leave in the context, whatever the type.
ERROR_KEYS = (
    "last_error", "last_error_action", "last_error_exit_code", "last_error_command",
    "last_error_status", "last_error_body",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signature:
    """A type of action. ``raises`` is in the order of the reference, without ``FAILS``.

    ``can_fail``: ``error`` is raised too. ``sets``: keys of the context that it always sets.
    ``claims``: it makes a job the current one. ``open``: it may set any key and takes any
    setting (a custom action that declares nothing). ``ends``: nothing follows it in its round.
    """

    name: str
    kind: Kind
    summary: str = ""
    settings: tuple[Setting, ...] = ()
    raises: tuple[Raises, ...] = ()
    sets: tuple[str, ...] = ()
    can_fail: bool = True
    claims: bool = False
    open: bool = False
    ends: bool = False
    origin: str = "built in"

    def setting(self, name: str) -> Setting | None:
        """The setting of that name, also by one of its aliases; None if there is none."""
        for setting in self.settings:
            if name == setting.name or name in setting.aliases:
                return setting
        return None

    def all_raises(self) -> tuple[Raises, ...]:
        """``raises`` and, if it can fail, the event of a failure."""
        return (*self.raises, FAILS) if self.can_fail else self.raises

    def writes(self, action: Action) -> tuple[str, ...]:
        """The keys of the context that ``action``, as written, sets when it succeeds.

        Names with placeholders in them are left as written.
        """
        given = (_given(setting, action.settings) for setting in self.settings if setting.writes)
        return (*self.sets, *(key for key in given if key))

    def events(self, action: Action) -> dict[str, Raises]:
        """The events that ``action``, as written, may return, each with why.

        Names with placeholders in them are left as written.
        """
        found: dict[str, Raises] = {}
        for raises in self.all_raises():
            for name in _named(raises, action.settings):
                found.setdefault(name, raises)
        return found


def mapped_events(given: Any) -> dict[str, str]:
    """A mapping of codes to names of events, also from JSON text; empty for anything else."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            return {}
    if not isinstance(given, Mapping):
        return {}
    return {str(code): str(name) for code, name in given.items()}


def _given(setting: Setting, settings: Mapping[str, Any]) -> str:
    values = (settings.get(name) for name in (setting.name, *setting.aliases))
    return str(next((value for value in values if value is not None), setting.default) or "")


def _named(raises: Raises, settings: Mapping[str, Any]) -> tuple[str, ...]:
    given = settings.get(raises.key) if raises.key else None
    if given is None and raises.key == "error":
        given = settings.get("failure")
    if raises.key == MAPPED:
        return tuple(mapped_events(given).values())
    if given is not None:
        return (str(given),)
    return () if raises.event is None else (raises.event,)


# What every action takes, whatever its type; ``loading`` reads these.
COMMON_KEYS = (
    "type", "params", "description", "success", "error", "failure", "timeout", "retry",
    "repeatable", "every", "run_policy", "on_crash",
)  # fmt: skip
