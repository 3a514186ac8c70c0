"""Which action types there are: built-in ones, those of installed apps, those of a folder."""

import difflib
import logging
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.utils.module_loading import autodiscover_modules

from machines.actions import (
    background,
    bash,
    claims,
    context,
    events,
    flow,
    http,
    instances,
    jobs,
    tracking,
)
from machines.actions.base import ActionType
from machines.actions.custom import registered_types
from machines.actions.files import types_in
from machines.core.definition import Definition
from machines.core.signatures import Kind, Signature

logger = logging.getLogger("machines.actions")

_FAMILIES = (flow, bash, context, events, jobs, claims, tracking, instances, background, http)
BUILT_IN: Mapping[str, ActionType] = {
    found.name: found for family in _FAMILIES for found in family.TYPES
}

_told: set[tuple[str, str]] = set()  # who overrides which built-in type: said once, not by machine


def action_folders(beside: Path, *named: str | None) -> tuple[Path, ...]:
    """The folders that are named, the one that counts most last; empty names are passed over.

    Each is sought in the folder ``beside``, then in the working folder.
    """
    folders = ((beside / name, Path(name)) for name in named if name)
    return tuple(first if first.is_dir() else second for first, second in folders)


def folders_of(
    origin: Path | str, definition: Definition, actions_dir: str | None = None
) -> tuple[Path, ...]:
    """The folders of custom actions of a machine, the one that counts most last.

    ``origin`` is its file, "" if there is none; ``actions_dir`` what a person asks for.
    """
    beside = Path(origin).parent if origin else Path.cwd()
    return action_folders(beside, settings.SM_ACTIONS_DIR, definition.actions_dir, actions_dir)


def signature(found: ActionType) -> Signature:
    """What a type takes and raises; one that says nothing is open."""
    return found.signature or Signature(found.name, Kind.WORK, open=True)


class Registry:
    """The action types of one machine."""

    def __init__(self, actions_dirs: tuple[Path, ...] = ()) -> None:
        """Look through installed apps and folders. Raises CustomActionError for a faulty file."""
        autodiscover_modules("actions")
        self._types = dict(BUILT_IN)
        for found in registered_types():
            self._add(found)
        for folder in actions_dirs:
            for found in types_in(folder):
                self._add(found)

    def get(self, name: str) -> ActionType | None:
        """The type of that name, or None."""
        return self._types.get(name)

    def signatures(self) -> dict[str, Signature]:
        """What each type takes and raises, by its name, in the order of their names."""
        return {name: signature(found) for name, found in sorted(self._types.items())}

    def suggestion(self, name: str) -> str:
        """``unknown action type 'bahs'; did you mean 'bash'?``"""
        close = difflib.get_close_matches(name, self._types, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return f"unknown action type {name!r}{hint}"

    def _add(self, found: ActionType) -> None:
        self._types[found.name] = found
        origin = signature(found).origin
        if found.name in BUILT_IN and (origin, found.name) not in _told:
            _told.add((origin, found.name))
            logger.info("%s overrides the built-in action %r", origin, found.name)
