"""Custom actions: what an author writes them with, and how one is performed.

A class in a file (see ``files``), or a function that an installed app registers in its
``actions.py``::

    @action("greet", settings=(Setting("whom", ValueKind.TEXT, required=True),))
    async def greet(context):
        context["greeting"] = f"Hello {context.config['whom']}"
        return "greeted"
"""

import asyncio
import copy
import inspect
import logging
import reprlib
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import orjson
from django.apps import apps

from machines.actions.base import ActionType, WorkCall, Worked, WorkServices
from machines.actions.declared import CustomActionError, checked, declared, named
from machines.actions.settings import Settings
from machines.actions.threads import in_thread
from machines.core.errors import MachineError
from machines.core.settling import Outcome
from machines.core.signatures import Raises, Setting, Signature

logger = logging.getLogger("machines.actions")
Executable = Callable[["ActionContext"], Any]

_registered: dict[str, ActionType] = {}


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

    ``config`` holds the settings, placeholders filled in. A class may declare its ``settings``,
    the events it ``raises`` and the keys of the context it ``sets``; its docstring is the summary.
    """

    settings: ClassVar[tuple[Setting, ...]] = ()
    raises: ClassVar[tuple[Raises, ...]] = ()
    sets: ClassVar[tuple[str, ...]] = ()
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
        """Do the work; return the name of an event, or None.

        What it raises becomes ``error``. To return ``error`` is a failure too; its message is
        what the action put under ``last_error`` in the context.
        """


def action(
    name: str,
    *,
    settings: tuple[Setting, ...] = (),
    raises: tuple[Raises, ...] = (),
    sets: tuple[str, ...] = (),
) -> Callable[[Executable], Executable]:
    """Register a function as an action type for every machine; CustomActionError if it is wrong."""

    def register(function: Executable) -> Executable:
        signature = declared(
            name,
            summary=function.__doc__,
            settings=settings,
            raises=raises,
            sets=sets,
            origin=_home(function),
            where=f"{function.__module__}: @action({name!r}): ",
        )

        async def work(call: WorkCall) -> Worked:
            return await perform(lambda _config: function, signature, call)

        _registered[name] = ActionType(name, work=work, signature=signature)
        return function

    return register


def registered_types() -> tuple[ActionType, ...]:
    """The action types that installed apps registered."""
    return tuple(_registered.values())


def _home(function: Executable) -> str:
    app = apps.get_containing_app_config(function.__module__)
    return f"module {function.__module__}" if app is None else f"app {app.name}"


async def perform(
    make: Callable[[Mapping[str, Any]], Executable], signature: Signature, call: WorkCall
) -> Worked:
    """One run of custom work; ``make`` gives what is executed, for the settings of the run."""
    config = checked(signature, call.settings)
    before = {**call.job, **call.context, **_engine_names(call.names)}
    context = ActionContext(copy.deepcopy(before), call.services, config)
    seconds = call.settings.seconds("timeout", 0, positive=True)
    try:
        async with asyncio.timeout(seconds or None):
            event = await _outcome(make, context, call.output)
    except TimeoutError:
        return Worked(Outcome(error=f"timed out after {seconds:g} s"))
    changes = {
        key: _as_json(call.action.type, key, value)
        for key, value in context.items()
        if _differs(before, key, value)
    }
    if event is None:
        return Worked(Outcome(changes=changes))
    if not isinstance(event, str):
        raise CustomActionError(
            f"{call.action.type}: execute() returned {event!r}; it must be an event's name or None"
        )
    error = ""
    if event in _failures(signature, call.settings):
        error = _own_words(before, context) or f"execute() returned {event!r}"
    name = named(signature, event, call.settings)
    return Worked(Outcome(event=name, changes=changes, error=error))


async def _outcome(
    make: Callable[[Mapping[str, Any]], Executable],
    context: ActionContext,
    output: Callable[[bytes], None],
) -> Any:
    """What it returns. What it raises is an error of its own, whatever it raises.

    The loop would take StopIteration, SystemExit, a cancellation or TimeoutError for its own.
    """
    task = asyncio.current_task()
    try:
        return await _executed(make(context.config), context)
    except asyncio.CancelledError as error:
        if task is not None and task.cancelling():
            raise
        raise CustomActionError("CancelledError: what it waited for was cancelled") from error
    except MachineError:
        raise
    except (Exception, SystemExit) as error:
        output(_traced(error))
        text = f"{type(error).__name__}: {error}"
        raise CustomActionError(text.removesuffix(": ")) from error


async def _executed(execute: Executable, context: ActionContext) -> Any:
    if inspect.iscoroutinefunction(execute):
        return await execute(context)
    event, raised = await in_thread(lambda: _caught(execute, context))
    if raised is not None:
        raise raised
    return await event if inspect.isawaitable(event) else event


def _caught(execute: Executable, context: ActionContext) -> tuple[Any, BaseException | None]:
    """What it returns, or what it raises: a future cannot hold StopIteration."""
    try:
        return execute(context), None
    except BaseException as error:  # noqa: BLE001 - raised again in the loop
        return None, error


def _traced(error: BaseException) -> bytes:
    """The traceback of ``error``, from the author's own code on."""
    found = error.__traceback__
    while found is not None and found.tb_frame.f_globals.get("__package__") == __package__:
        found = found.tb_next
    lines = traceback.format_exception(type(error), error, found)
    return "".join(lines).encode(errors="replace")


def _differs(before: Mapping[str, Any], key: str, value: Any) -> bool:
    """True also where Python finds values equal that are not the same in JSON: 0 and false."""
    return key not in before or repr(before[key]) != repr(value)


def _as_json(action_type: str, key: str, value: Any) -> Any:
    """``value`` as it is read after a restart: a tuple is a list, a date is a text."""
    try:
        return orjson.loads(orjson.dumps({key: value}))[key]
    except TypeError as error:
        raise CustomActionError(
            f"{action_type}: execute() left {reprlib.repr(value)} under {key!r} in the context;"
            f" JSON cannot hold it: {error}"
        ) from error


def _failures(signature: Signature, settings: Settings) -> set[str | None]:
    """What an action may return to say that it failed: ``error``, and what that is called."""
    of_its_own = {raises.event for raises in signature.raises if raises.key == "error"}
    return {"error", named(signature, "error", settings), *of_its_own}


def _own_words(before: Mapping[str, Any], context: ActionContext) -> str:
    """The ``last_error`` that the action itself left, also if it is what an earlier one said."""
    said = context.get("last_error")
    # The copy of a text is the text itself, so another object was put there.
    return said if isinstance(said, str) and said is not before.get("last_error") else ""


def _engine_names(names: Mapping[str, Any]) -> dict[str, Any]:
    return {name: names[name] for name in ("machine_name", "current_state", "event_data")}
