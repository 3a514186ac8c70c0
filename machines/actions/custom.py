"""Custom actions: classes in a folder of the author's, and functions in installed apps.

A folder is searched with its sub-folders for ``<type>_action.py``, which holds a class
``<PascalType>Action``. An installed app registers functions in its ``actions.py``::

    @action("greet")
    async def greet(context):
        context["greeting"] = f"Hello {context.config['whom']}"
        return "greeted"
"""

import asyncio
import copy
import hashlib
import inspect
import logging
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from machines.actions.base import ActionType, WorkCall, Worked, WorkServices
from machines.core.errors import MachineError
from machines.core.settling import Outcome

logger = logging.getLogger("machines.actions")
Executable = Callable[["ActionContext"], Any]

_registered: dict[str, Executable] = {}


class CustomActionError(MachineError):
    """A custom action that cannot be loaded."""


class ActionContext(dict[str, Any]):
    """What a custom action sees: the context and, beside it, the job and the engine's names.

    It is a copy. Keys that the action sets or changes are merged into the machine's context when
    it has ended. ``services`` reaches inboxes and jobs; ``config`` holds the action's settings.
    """

    def __init__(
        self, values: Mapping[str, Any], services: WorkServices, config: Mapping[str, Any]
    ) -> None:
        super().__init__(values)
        self.services = services
        self.config = config


class BaseAction(ABC):
    """The base of an author's actions; override ``execute``, plain or async.

    ``config`` holds the settings, placeholders filled in.
    """

    logger: ClassVar[logging.Logger] = logger

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = dict(config)

    def get_config_value(self, key: str, default: Any = None) -> Any:
        """A setting, also from under ``params``; ``default`` if it is left out."""
        if key in self.config:
            return self.config[key]
        return self.config.get("params", {}).get(key, default)

    def get_machine_name(self, context: Mapping[str, Any]) -> str:
        """The name of the machine that performs the action."""
        return str(context["machine_name"])

    @abstractmethod
    async def execute(self, context: ActionContext) -> str | None:
        """Do the work; return the name of an event, or None. What it raises becomes ``error``."""


def action(name: str) -> Callable[[Executable], Executable]:
    """Register a function as an action type for every machine."""

    def register(function: Executable) -> Executable:
        _registered[name] = function
        return function

    return register


def registered_types() -> tuple[ActionType, ...]:
    """The action types that installed apps registered."""
    return tuple(
        ActionType(name, work=_work_of_function(function)) for name, function in _registered.items()
    )


def types_in(folder: Path) -> tuple[ActionType, ...]:
    """The action types of a folder and its sub-folders.

    Raises CustomActionError if the folder is not there, or a file of it cannot be used.
    """
    if not folder.is_dir():
        raise CustomActionError(f"the folder of actions {str(folder)!r} does not exist")
    return tuple(_load(path) for path in sorted(folder.rglob("*_action.py")))


def _load(path: Path) -> ActionType:
    name = path.stem.removesuffix("_action")
    class_name = "".join(part.capitalize() for part in name.split("_")) + "Action"
    found = getattr(_import(path), class_name, None)
    if not (inspect.isclass(found) and callable(getattr(found, "execute", None))):
        raise CustomActionError(f"{path}: no class {class_name!r} with execute() in this file")
    return ActionType(name, work=_work_of_class(found), origin=path)


def _import(path: Path) -> ModuleType:
    name = f"machine_action_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    loader = SourceFileLoader(name, str(path))
    module = ModuleType(name)
    module.__file__ = str(path)
    module.__loader__ = loader
    sys.modules[name] = module  # dataclasses look up the module of their class there
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise CustomActionError(f"{path}: {type(error).__name__}: {error}") from error
    return module


def _work_of_class(found: type[Any]) -> Callable[[WorkCall], Any]:
    async def work(call: WorkCall) -> Worked:
        performer = found({**call.settings.as_mapping(), "type": call.action.type})
        return await _execute(performer.execute, call)

    return work


def _work_of_function(function: Executable) -> Callable[[WorkCall], Any]:
    async def work(call: WorkCall) -> Worked:
        return await _execute(function, call)

    return work


async def _execute(execute: Executable, call: WorkCall) -> Worked:
    before = {**call.job, **call.context, **_engine_names(call.names)}
    context = ActionContext(copy.deepcopy(before), call.services, call.settings.as_mapping())
    async with asyncio.timeout(call.settings.number("timeout", 0) or None) as limit:
        event = await _outcome(execute, context, limit)
    changes = {key: value for key, value in context.items() if _differs(before, key, value)}
    if event is not None and not isinstance(event, str):
        raise CustomActionError(
            f"{call.action.type}: execute() returned {event!r}; it must be an event's name or None"
        )
    # `success` and `error` are names for what the file calls it.
    if event in {"success", "error"}:
        event = call.settings.event(event, event)
    return Worked(Outcome(event=event, changes=changes))


async def _outcome(execute: Executable, context: ActionContext, limit: asyncio.Timeout) -> Any:
    """What ``execute`` returns. What it raises is an error of its own, whatever it raises.

    The loop would take StopIteration, SystemExit, a cancellation or TimeoutError for its own.
    """
    task = asyncio.current_task()
    try:
        if inspect.iscoroutinefunction(execute):
            return await execute(context)
        event, raised = await asyncio.to_thread(_caught, execute, context)
        if raised is not None:
            raise raised
        return await event if inspect.isawaitable(event) else event
    except asyncio.CancelledError as error:
        if task is not None and task.cancelling():
            raise
        raise CustomActionError("CancelledError: what it waited for was cancelled") from error
    except (TimeoutError, StopIteration, SystemExit) as error:
        raise CustomActionError(f"{type(error).__name__}: {error}") from error


def _caught(execute: Executable, context: ActionContext) -> tuple[Any, BaseException | None]:
    """What it returns, or what it raises: a future cannot hold StopIteration."""
    try:
        return execute(context), None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - raised again in the loop
        return None, error


def _differs(before: Mapping[str, Any], key: str, value: Any) -> bool:
    """True also where Python finds values equal that are not the same in JSON: 0 and false."""
    if key not in before:
        return True
    return bool(before[key] != value) or repr(before[key]) != repr(value)


def _engine_names(names: Mapping[str, Any]) -> dict[str, Any]:
    return {name: names[name] for name in ("machine_name", "current_state", "event_data")}
