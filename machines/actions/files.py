"""Custom actions in files: found in folders, loaded once, in development loaded anew if changed.

A folder is searched with its sub-folders for ``<type>_action.py``, which holds a class
``<PascalType>Action``.
"""

import asyncio
import difflib
import hashlib
import inspect
import sys
from collections.abc import Mapping
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from django.conf import settings

from machines.actions.base import ActionType, WorkCall, Worked
from machines.actions.custom import Executable, perform
from machines.actions.declared import CustomActionError, declared
from machines.core.signatures import Signature

Stamp = tuple[int, int]  # when it was last written, in nanoseconds, and its size in bytes

_loaded: dict[Path, "ActionFile"] = {}  # by absolute path, for all machines of this process


def types_in(folder: Path) -> tuple[ActionType, ...]:
    """The action types of a folder and its sub-folders.

    Raises CustomActionError if the folder is not there, or a file of it cannot be used.
    """
    if not folder.is_dir():
        raise CustomActionError(f"the folder of actions {str(folder)!r} does not exist")
    return tuple(_type_in(path) for path in sorted(folder.rglob("*_action.py")))


def _type_in(path: Path) -> ActionType:
    found = _loaded.get(path.absolute())
    if found is None:
        found = _loaded[path.absolute()] = ActionFile(path)
    elif found.is_outdated():
        found.load()
    return ActionType(found.type, work=found.work, origin=path, signature=found.signature)


class ActionFile:
    """A file with a custom action, and what was last loaded from it."""

    signature: Signature

    def __init__(self, path: Path) -> None:
        """Load it. Raises CustomActionError if it cannot be used."""
        self.type = path.stem.removesuffix("_action")
        self._path = path
        self.load()

    def load(self) -> None:
        """Load it anew; what was loaded before stays if it cannot be used: CustomActionError."""
        stamp = self._stamp_on_disk()
        found = _class_in(_import(self._path), self.type, self._path)
        self.signature = declared(
            self.type,
            summary=found.__doc__,
            settings=getattr(found, "settings", ()),
            raises=getattr(found, "raises", ()),
            sets=getattr(found, "sets", ()),
            origin=str(self._path),
            where=f"{self._path}: {found.__name__}.",
        )
        self._class, self._stamp = found, stamp

    def is_outdated(self) -> bool:
        """True if it is to be loaded anew: in development only, and at the cost of one stat."""
        return settings.DEBUG and self._stamp_on_disk() != self._stamp

    async def work(self, call: WorkCall) -> Worked:
        """One run of the action."""
        if self.is_outdated():
            await asyncio.to_thread(self.load)
        return await perform(self._make, self.signature, call)

    def _make(self, config: Mapping[str, Any]) -> Executable:
        execute: Executable = self._class({**config, "type": self.type}).execute
        return execute

    def _stamp_on_disk(self) -> Stamp:
        try:
            found = self._path.stat()
        except OSError as error:
            raise CustomActionError(f"{self._path}: {error.strerror}") from error
        return found.st_mtime_ns, found.st_size


def _class_in(module: ModuleType, action_type: str, path: Path) -> type[Any]:
    name = "".join(part.capitalize() for part in action_type.split("_")) + "Action"
    found = getattr(module, name, None)
    if inspect.isclass(found) and _can_execute(found):
        return found
    own = [
        other
        for other, value in vars(module).items()
        if inspect.isclass(value) and _can_execute(value)
    ]
    close = difflib.get_close_matches(name, own, n=1)
    hint = f"; is {close[0]!r} meant to be it?" if close else ""
    raise CustomActionError(f"{path}: no class {name!r} with execute() in this file{hint}")


def _can_execute(found: type[Any]) -> bool:
    return callable(getattr(found, "execute", None)) and not inspect.isabstract(found)


class _Source(SourceFileLoader):
    """Compiles the source each time: bytecode on disk is told from new source by the second."""

    def get_code(self, fullname: str) -> CodeType:
        """See SourceLoader."""
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def _import(path: Path) -> ModuleType:
    name = f"machine_action_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    loader = _Source(name, str(path))
    module = ModuleType(name)
    module.__file__ = str(path)
    module.__loader__ = loader
    before = sys.modules.get(name)
    sys.modules[name] = module  # dataclasses look up the module of their class there
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before
        raise CustomActionError(f"{path}: {type(error).__name__}: {error}") from error
    return module
