"""``bash``: a command for the shell, in which values are data and never code."""

import asyncio
import functools
import json
import os
from collections.abc import Mapping
from typing import Any

from machines.actions.base import ActionType, WorkCall, Worked
from machines.actions.processes import NotStarted, run
from machines.actions.settings import SettingError
from machines.core.interpolation import as_text
from machines.core.settling import Outcome
from machines.core.shell import ShellTemplate, lift
from machines.core.storable import storable

DEFAULT_TIMEOUT_SECONDS = 30.0
MAX_KEPT_BYTES = 64 << 10  # of what it prints
BASH = ("bash", "--noprofile", "--norc", "-c")


async def bash(call: WorkCall) -> Worked:
    """Run the command; its exit code says which event is raised."""
    settings = call.settings
    argv, lifted = _command(call)
    kept = bytearray()

    def take(piece: bytes) -> None:
        if len(kept) < MAX_KEPT_BYTES:
            kept.extend(piece[: MAX_KEPT_BYTES - len(kept)])
        call.output(piece)

    seconds = settings.number("timeout", DEFAULT_TIMEOUT_SECONDS)
    command = argv[-1] if argv[:-1] == BASH else json.dumps(argv)
    try:
        async with asyncio.timeout(seconds):
            code = await run(
                argv,
                env={**os.environ, **_environment(call), **lifted},
                cwd=settings.optional_text("cwd"),
                output=take,
            )
    except TimeoutError:
        return _failed(command, f"timed out after {seconds:g} s", None, None)
    except NotStarted as error:
        return _failed(command, f"could not be started: {error}", None, None)
    if code != 0:
        mapped = _mapped(settings.mapping("error_mappings"), code)
        return _failed(command, _why(code), code, mapped)
    return _done(call, bytes(kept))


def _command(call: WorkCall) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """The program with its arguments, and the values it finds in its environment."""
    argv = call.settings.get("argv")
    if argv is not None:
        if not isinstance(argv, list) or not argv:
            raise SettingError("bash: the setting 'argv' must be a list of words")
        return tuple(as_text(word) for word in argv), {}
    filled = _template(call.settings.required_text("command")).fill(call.names)
    return (*BASH, filled.command), filled.env


def _environment(call: WorkCall) -> dict[str, str]:
    given = {key: as_text(value) for key, value in call.settings.mapping("env").items()}
    return {
        **given,
        "SM_RUN_ID": call.token,
        "SM_ATTEMPT": str(call.attempt),
        "SM_MACHINE": call.machine,
    }


def _done(call: WorkCall, printed: bytes) -> Worked:
    changes: dict[str, Any] = {}
    store_as = call.settings.optional_text("store_as")
    if store_as:
        text = storable(printed.decode(errors="replace")).rstrip("\n")
        try:
            parsed = call.settings.text("parse") == "json"
            changes[store_as] = json.loads(text) if parsed else text
        except ValueError as error:
            return Worked(Outcome(error=f"its output is not JSON: {error}"), 0)
    event = call.settings.event("success", "job_done")
    return Worked(Outcome(event=event, changes=changes), 0)


def _failed(command: str, why: str, code: int | None, event: str | None) -> Worked:
    changes = {"last_error_exit_code": code, "last_error_command": command[:2000]}
    return Worked(Outcome(event=event, error=why, changes=changes), code)


def _mapped(mappings: Mapping[str, Any], code: int) -> str | None:
    for key, event in mappings.items():
        if str(key) == str(code):
            return str(event)
    return None


def _why(code: int) -> str:
    return f"exit code {code}" if code > 0 else f"ended by signal {-code}"


@functools.lru_cache(maxsize=1024)
def _template(command: str) -> ShellTemplate:
    return lift(command)


TYPES = (ActionType("bash", work=bash, raw_settings=frozenset({"command"})),)
