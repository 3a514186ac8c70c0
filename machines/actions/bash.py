"""``bash``: a command for the shell, in which values are data and never code."""

import asyncio
import functools
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from machines.actions.answers import read_json
from machines.actions.base import ActionType, WorkCall, Worked
from machines.actions.processes import NotStarted, run
from machines.actions.settings import SettingError
from machines.core.errors import MachineError
from machines.core.interpolation import as_text, placeholders
from machines.core.settling import Outcome
from machines.core.shell import ShellTemplate, lift, one_word
from machines.core.signatures import Kind, Raises, Setting, Signature, ValueKind
from machines.core.storable import storable

DEFAULT_TIMEOUT_SECONDS = 30
MAX_STORED_BYTES = 64 << 10  # of what it prints
MAX_SHOWN_CHARACTERS = 2000  # of a command that failed, in the context
FORMATS = ("text", "json")
_TOO_LONG = (
    f"its output is more than the {MAX_STORED_BYTES:,} bytes that store_as takes; write it to a"
    " file and print the file's name"
)

_VARIABLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)
# bash or the loader of programs runs what these hold.
_CODE_VARIABLES = re.compile(r"BASH_ENV|ENV|PS4|SHELLOPTS|BASHOPTS|PROMPT_COMMAND|LD_.*")


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments, what is kept of it on record, and variables it needs."""

    argv: tuple[str, ...]
    shown: str
    env: Mapping[str, str]


async def perform(call: WorkCall) -> Worked:
    """As ``bash``, but what is refused before it begins is told as its failure."""
    try:
        return await bash(call)
    except MachineError as error:  # no exit code of an older command is to stand beside it
        written = call.action.settings.get("command") or call.action.settings.get("argv")
        return _failed(Command((), as_text(written), {}), str(error), None, None)


async def bash(call: WorkCall) -> Worked:
    """Run the command; its exit code says which event is raised. Raises MachineError."""
    settings = call.settings
    command = _command(call)
    environment = {**os.environ, **_environment(call), **command.env}
    mappings = settings.mapping("error_mappings")
    parse = _format(call)
    store_as = settings.optional_text("store_as")
    seconds = settings.seconds("timeout", DEFAULT_TIMEOUT_SECONDS, positive=True)
    stored = bytearray()

    def keep(piece: bytes) -> None:
        stored.extend(piece[: MAX_STORED_BYTES + 1 - len(stored)])
        call.output(piece)

    try:
        async with asyncio.timeout(seconds):
            code = await run(
                command.argv,
                env=environment,
                cwd=settings.optional_text("cwd"),
                output=keep if store_as else call.output,
                errors=call.output if store_as else None,
            )
    except TimeoutError:
        return _failed(command, f"timed out after {seconds:g} s", None, None)
    except NotStarted as error:
        return _failed(command, f"could not be started: {error}", None, None)
    if code != 0:
        return _failed(command, _why(code), code, _mapped(mappings, code))
    return _done(call, store_as, bytes(stored), parse)


def _command(call: WorkCall) -> Command:
    given = [name for name in ("command", "argv") if call.settings.get(name) is not None]
    if len(given) != 1:
        found = "both 'command' and 'argv' are" if given else "neither 'command' nor 'argv' is"
        raise SettingError(f"bash: {found} given; give one of them")
    _refuse_secrets(given[0], call.action.settings.get(given[0]))
    if given == ["argv"]:
        argv = _words(call.settings.get("argv"))
        return Command(argv, json.dumps(argv, ensure_ascii=False), {})
    filled = _template(call.settings.required_text("command")).fill(call.names)
    # Not from the PATH that `env:` may give to the command.
    shell = (shutil.which("bash") or "bash", "--noprofile", "--norc", "-c")
    return Command((*shell, filled.command), filled.command, filled.env)


def _words(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not given or given[0] in ("", None):
        raise SettingError(
            f"bash: the setting 'argv' is {given!r:.200}; it must be a list of words, the program"
            " first, such as [python, process.py]"
        )
    return tuple(one_word(f"argv[{place}]", as_text(word)) for place, word in enumerate(given))


def _refuse_secrets(name: str, written: Any) -> None:
    for placeholder in placeholders(written):
        if "secret" in placeholder.roots:
            raise SettingError(
                f"bash: {placeholder.text} in {name!r} could be read by every user of this"
                f" computer in its list of processes; hand it over with env: {{NAME:"
                f" '{placeholder.text}'}} and let the program read $NAME"
            )


def _environment(call: WorkCall) -> dict[str, str]:
    """The variables that the file gives to the command, and the engine's own."""
    given = {
        name: one_word(f"env: {name}", as_text(value), name)
        for name, value in call.settings.mapping("env").items()
        if _may_be_set(name, call.action.settings.get("env"))
    }
    return {
        **given,
        "SM_RUN_ID": call.token,
        "SM_ATTEMPT": str(call.attempt),
        "SM_MACHINE": call.machine,
    }


def _may_be_set(name: Any, written: Any) -> bool:
    """True, or SettingError for a name that is none, is the engine's, or would make a value code.

    ``written`` is the whole setting as it stands in the file.
    """
    if not (isinstance(name, str) and _VARIABLE.fullmatch(name)):
        raise SettingError(
            f"bash: env: {name!r:.80} is no name of a variable; it may have letters, digits and _"
        )
    if name.startswith("SM_"):
        raise SettingError(f"bash: env: {name} is the engine's, as all of SM_…; use another name")
    filled_in = not isinstance(written, Mapping) or placeholders(written.get(name))
    if filled_in and _CODE_VARIABLES.fullmatch(name):
        raise SettingError(
            f"bash: env: a value in {name} would be run; write it without a placeholder"
        )
    return True


def _format(call: WorkCall) -> str:
    parse = call.settings.text("parse", "text")
    if parse not in FORMATS:
        raise SettingError(f"bash: the setting 'parse' is {parse!r}; it may be text or json")
    return parse


def _done(call: WorkCall, store_as: str | None, printed: bytes, parse: str) -> Worked:
    changes: dict[str, Any] = {}
    if store_as and len(printed) > MAX_STORED_BYTES:
        return Worked(Outcome(error=_TOO_LONG), 0)
    if store_as and parse == "json":
        try:
            changes[store_as] = read_json(printed)
        except ValueError as error:
            return Worked(Outcome(error=f"its output is not JSON: {error}"), 0)
    elif store_as:
        changes[store_as] = storable(printed.decode(errors="replace")).rstrip("\n")
    event = call.settings.event("success", "job_done")
    return Worked(Outcome(event=event, changes=changes), 0)


def _failed(command: Command, why: str, code: int | None, event: str | None) -> Worked:
    changes = {
        "last_error_exit_code": code,
        "last_error_command": storable(command.shown[:MAX_SHOWN_CHARACTERS]),
    }
    failed = Outcome(event=event, error=why, changes=changes, expected=event is not None)
    return Worked(failed, code)


def _mapped(mappings: Mapping[str, Any], code: int) -> str | None:
    found = next((event for key, event in mappings.items() if str(key) == str(code)), None)
    return None if found is None else str(found)


def _why(code: int) -> str:
    return f"exit code {code}" if code > 0 else f"ended by signal {-code}"


@functools.lru_cache(maxsize=1024)
def _template(command: str) -> ShellTemplate:
    return lift(command)


SIGNATURE = Signature(
    "bash",
    Kind.WORK,
    "Run a command in the shell, or a program without one.",
    settings=(
        Setting("command", ValueKind.TEXT, "the command; placeholders in it are data, never code"),
        Setting(
            "argv", ValueKind.LIST, "instead of it: the program and its words, without a shell"
        ),
        Setting("env", ValueKind.MAPPING, "variables for its environment; the place for secrets"),
        Setting("cwd", ValueKind.TEXT, "the folder it runs in; left out: the host's"),
        Setting(
            "timeout",
            ValueKind.SECONDS,
            "how long it may take; then its whole process group is ended",
            default=DEFAULT_TIMEOUT_SECONDS,
        ),
        Setting("error_mappings", ValueKind.EVENTS, "exit codes and the events they raise"),
        Setting(
            "store_as",
            ValueKind.KEY,
            "where its standard output is kept, at most 64 KiB",
            writes=True,
        ),
        Setting("parse", ValueKind.TEXT, "what that output is", default="text", choices=FORMATS),
    ),
    raises=(
        Raises("job_done", "success", "exit code 0", usual=True),
        Raises(None, "error_mappings", "an exit code that the mapping names", failure=True),
    ),
)

TYPES = (
    ActionType("bash", work=perform, raw_settings=frozenset({"command"}), signature=SIGNATURE),
)
