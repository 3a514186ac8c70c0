"""``start_fsm``: a machine starts another one, in its own host or in a process of its own."""

import re
from collections.abc import Mapping
from typing import Any

from machines.actions.base import ActionType, Call, WorkCall, Worked
from machines.actions.settings import SettingError, Settings
from machines.core.interpolation import lookup_path
from machines.core.settling import Outcome
from machines.core.signatures import Kind, Raises, Setting, Signature, ValueKind

_VARIABLE = re.compile(r"\s*([\w.-]+?)(?:\s+as\s+([^\W\d][\w-]*))?\s*")


def start_in_host(call: Call) -> Outcome:
    """Start an instance in this host, in the transaction of this step."""
    yaml_path, name, context = _order(call.settings, call.names)
    started = call.services.start_machine(yaml_path, name, context)
    return _started(call.settings, started.pid)


async def start_process(call: WorkCall) -> Worked:
    """Start an instance in a process of its own; it is ended with this host."""
    yaml_path, name, context = _order(call.settings, call.names)
    started = await call.services.start_process(yaml_path, name, context)
    return Worked(_started(call.settings, started.pid))


def _order(settings: Settings, names: Mapping[str, Any]) -> tuple[str, str | None, dict[str, Any]]:
    name = settings.optional_text("machine_name")
    variables = settings.texts("context_vars")
    return settings.required_text("yaml_path"), name, handed_over(variables, names)


def handed_over(variables: tuple[str, ...], names: Mapping[str, Any]) -> dict[str, Any]:
    """What ``a`` and ``a.b as c`` hand over; what is missing, or null, is left out.

    Without ``as`` the last part of the path is the name. Raises SettingError for other texts.
    """
    found: dict[str, Any] = {}
    for variable in variables:
        match = _VARIABLE.fullmatch(variable)
        if match is None:
            raise SettingError(
                f"start_fsm: context_vars has {variable!r}; write a name, or 'path.to.it as name'"
            )
        path, given = match.groups()
        value = None if path.split(".")[0] == "secret" else lookup_path(path, names)
        if value is not None:
            found[given or path.rpartition(".")[2]] = value
    return found


def _started(settings: Settings, pid: int) -> Outcome:
    store_pid = settings.optional_text("store_pid")
    changes = {store_pid: pid} if store_pid else {}
    return Outcome(event=settings.event("success", "success"), changes=changes)


TYPES = (
    ActionType(
        "start_fsm",
        perform=start_in_host,
        work=start_process,
        work_setting="process",
        writes_tables=True,
        reads_record=True,
        signature=Signature(
            "start_fsm",
            Kind.EFFECT,
            "Start an instance of a machine.",
            settings=(
                Setting(
                    "yaml_path",
                    ValueKind.TEXT,
                    "its file, sought beside this one, then in the working folder",
                    required=True,
                ),
                Setting("machine_name", ValueKind.TEXT, "its name; else that of its file"),
                Setting(
                    "context_vars",
                    ValueKind.NAMES,
                    "what its context begins with: names, or paths such as item.id as job_id;"
                    " a job held by this machine whose id is among them goes over to it",
                ),
                Setting("store_pid", ValueKind.KEY, "where the process id is kept", writes=True),
                Setting(
                    "process",
                    ValueKind.BOOLEAN,
                    "in a process of its own instead of this host",
                    default=False,
                ),
            ),
            raises=(Raises("success", "success", "it runs", usual=True),),
        ),
    ),
)
