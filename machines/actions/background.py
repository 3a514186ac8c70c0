"""``run_task``: a function that the background workers perform, its outcome awaited durably."""

import re
from datetime import timedelta
from typing import Any

from machines.actions.base import ActionType, Call, TaskEnd
from machines.actions.settings import SettingError
from machines.core.settling import Outcome
from machines.core.signatures import Kind, Raises, Setting, Signature, ValueKind

DEFAULT_TIMEOUT_SECONDS = 300.0  # from when it is handed over: also with no worker at all it ends
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", re.ASCII)


def run_task(call: Call) -> Outcome:
    """Hand a function to the workers and wait; asked again, answer with what came of it."""
    seconds = call.settings.seconds("timeout", DEFAULT_TIMEOUT_SECONDS, positive=True)
    if not call.resumed:
        token = call.services.begin_task(
            _function(call), _arguments(call), dict(call.settings.mapping("kwargs")), seconds
        )
        return Outcome(awaits=("run", token), delay=timedelta(seconds=seconds))
    token = call.resumed[1]
    ended = call.services.task_end(token)
    if ended is None:
        why = f"timed out after {seconds:g} s"
        call.services.give_up_task(token, why)
        return Outcome(error=f"{call.settings.get('function')}: {why}")
    return _answer(call, ended)


def _answer(call: Call, ended: TaskEnd) -> Outcome:
    if ended.error:
        return Outcome(error=ended.error)
    store_as = call.settings.optional_text("store_as")
    changes = {store_as: ended.result} if store_as else {}
    return Outcome(event=call.settings.event("success", "success"), changes=changes)


def _function(call: Call) -> str:
    """The dotted path as the file has it: what arrives in an event never chooses the code."""
    name = call.settings.required_text("function")
    if not _DOTTED.fullmatch(name):
        raise SettingError(
            f"run_task: the setting 'function' is {name!r}; it must be a dotted path such as"
            " 'shop.tasks.send_invoice', without placeholders"
        )
    return name


def _arguments(call: Call) -> list[Any]:
    given = call.settings.get("args", [])
    if not isinstance(given, list):
        raise SettingError(f"run_task: the setting 'args' is {given!r:.100}; it must be a list")
    return given


TYPES = (
    ActionType(
        "run_task",
        perform=run_task,
        writes_tables=True,
        reads_record=True,
        raw_settings=frozenset({"function"}),
        null_settings=frozenset({"args", "kwargs"}),
        signature=Signature(
            "run_task",
            Kind.WAIT,
            "Let the background workers perform a Python function.",
            settings=(
                Setting(
                    "function", ValueKind.TEXT, "its dotted path, no placeholders", required=True
                ),
                Setting("args", ValueKind.LIST, "its arguments"),
                Setting("kwargs", ValueKind.MAPPING, "its arguments by name"),
                Setting(
                    "timeout",
                    ValueKind.SECONDS,
                    "how long to wait for its end",
                    default=DEFAULT_TIMEOUT_SECONDS,
                ),
                Setting("store_as", ValueKind.KEY, "where what it returns is kept", writes=True),
            ),
            raises=(Raises("success", "success", "it has returned", usual=True),),
        ),
    ),
)
