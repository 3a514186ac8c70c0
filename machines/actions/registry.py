"""Which action types there are: built-in ones, those of installed apps, those of a folder."""

import difflib
import logging
from collections.abc import Mapping
from pathlib import Path

from django.utils.module_loading import autodiscover_modules

from machines.actions import bash, context, events, flow, jobs
from machines.actions.base import ActionType
from machines.actions.custom import registered_types, types_in
from machines.core.signatures import Kind, Signature

logger = logging.getLogger("machines.actions")

BUILT_IN: Mapping[str, ActionType] = {
    found.name: found for module in (bash, context, events, flow, jobs) for found in module.TYPES
}


class Registry:
    """The action types of one machine."""

    def __init__(self, actions_dirs: tuple[Path, ...] = ()) -> None:
        """Look through installed apps and folders. Raises CustomActionError for a faulty file."""
        autodiscover_modules("actions")
        self._types = dict(BUILT_IN)
        for found in registered_types():
            self._add(found, "an installed app")
        for folder in actions_dirs:
            for found in types_in(folder):
                self._add(found, str(found.origin))

    def get(self, name: str) -> ActionType | None:
        """The type of that name, or None."""
        return self._types.get(name)

    def signatures(self) -> dict[str, Signature]:
        """What each type takes and raises, by its name, in the order of their names."""
        return {
            name: found.signature or Signature(name, Kind.WORK, open=True)
            for name, found in sorted(self._types.items())
        }

    def suggestion(self, name: str) -> str:
        """``unknown action type 'bahs'; did you mean 'bash'?``"""
        close = difflib.get_close_matches(name, self._types, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return f"unknown action type {name!r}{hint}"

    def _add(self, found: ActionType, where: str) -> None:
        if found.name in BUILT_IN:
            logger.warning("%s overrides the built-in action %r", where, found.name)
        self._types[found.name] = found
