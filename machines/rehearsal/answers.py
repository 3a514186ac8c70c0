"""Answers: what an action is said to come to where it does not run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from machines.core.definition import Action
from machines.core.engine import names
from machines.core.errors import TemplateError
from machines.core.interpolation import as_text, interpolate
from machines.core.settling import Outcome
from machines.core.shell import lift
from machines.core.signatures import FAILS, MAPPED, Signature, mapped_events
from machines.core.snapshot import Snapshot

SUCCESS, ERROR = "success", "error"  # mean the usual event and the failure, whatever their names
FAILED = "the rehearsal answers that it fails"
MAX_COMMAND = 2_000  # characters of ``last_error_command``, as in a host


@dataclass(frozen=True, slots=True)
class Answer:
    """What an action comes to.

    ``event``: what it returns; ``nothing``: no event at all; neither: its usual event.
    ``error``: it fails, with this text. ``changes``: keys of the context that it sets.
    ``takes_seconds``: how long it runs; None: as long as work does in this rehearsal.
    ``exit_code``: of a command, which says the event. ``output``: what ``store_as`` keeps; None
    is nothing.
    """

    event: str | None = None
    nothing: bool = False
    error: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    takes_seconds: float | None = None
    exit_code: int | None = None
    output: Any = None


USUAL = Answer()


def usual_event(signature: Signature, action: Action) -> str | None:
    """The event that ``action`` is assumed to return; None if it returns none.

    That is the one its signature calls usual, else its first that is no failure. A custom action
    that declares nothing returns ``success``, under the name that the file gives it.
    """
    possible = signature.events(action)
    for name, raises in possible.items():
        if raises.usual:
            return name
    for name, raises in possible.items():
        if not raises.failure:
            return name
    if signature.open and not signature.raises:
        return str(action.settings.get("success") or SUCCESS)
    return None


def possible_answers(signature: Signature, action: Action) -> dict[str, bool]:
    """Every event that may be answered, with whether it is a failure."""
    usual = usual_event(signature, action)
    found = {} if usual is None else {usual: False}
    for name, raises in signature.events(action).items():
        found.setdefault(name, raises.failure)
    return found


def outcome_of(answer: Answer, action: Action, signature: Signature, snapshot: Snapshot) -> Outcome:
    """What an answer does to its machine."""
    code = answer.exit_code
    if code:
        return _failed_command(answer, code, action, snapshot)
    failure = _failure_of(answer, action, signature)
    if failure is not None:
        if action.type == "bash":
            return _failed_command(answer, 1, action, snapshot, failure)
        event = None if failure == ERROR else _filled(failure, snapshot)
        return Outcome(event=event, error=answer.error or FAILED, changes=answer.changes)
    try:
        changes = {**_stored(answer, action), **answer.changes}
    except ValueError as error:
        return Outcome(error=f"its output is not JSON: {error}")
    return Outcome(event=_event_of(answer, action, signature, snapshot), changes=changes)


def _failure_of(answer: Answer, action: Action, signature: Signature) -> str | None:
    """The name of the failure that is answered, None if it is none."""
    event = answer.event
    if event is None:
        return ERROR if answer.error else None
    raises = signature.events(action).get(event)
    if raises == FAILS or (raises is None and event == ERROR):
        return ERROR
    return event if answer.error or (raises is not None and raises.failure) else None


def _event_of(
    answer: Answer, action: Action, signature: Signature, snapshot: Snapshot
) -> str | None:
    if answer.nothing:
        return None
    event = answer.event
    if event is None or (event == SUCCESS and event not in signature.events(action)):
        event = usual_event(signature, action)
    return None if event is None else _filled(event, snapshot)


def _failed_command(
    answer: Answer, code: int, action: Action, snapshot: Snapshot, event: str = ERROR
) -> Outcome:
    named = mapped_events(action.settings.get(MAPPED))
    name = named.get(str(code)) if event == ERROR and answer.exit_code else event
    changes = {
        "last_error_exit_code": code,
        "last_error_command": _command(action, snapshot)[:MAX_COMMAND],
        **answer.changes,
    }
    why = f"exit code {code}" if code > 0 else f"ended by signal {-code}"
    return Outcome(
        event=None if name in (None, ERROR) else name, error=answer.error or why, changes=changes
    )


def _command(action: Action, snapshot: Snapshot) -> str:
    argv = action.settings.get("argv")
    if argv is not None:
        return json.dumps(interpolate(argv, names(snapshot)))
    command = str(action.settings.get("command", ""))
    try:
        return lift(command).fill(names(snapshot)).command
    except TemplateError:
        return command


def _stored(answer: Answer, action: Action) -> dict[str, Any]:
    """What ``store_as`` keeps of the output. Raises ValueError if it is to be JSON and is not."""
    key = action.settings.get("store_as")
    if answer.output is None or key is None:
        return {}
    output = answer.output
    if action.type == "bash" and isinstance(output, str):
        text = output.rstrip("\n")
        output = json.loads(text) if action.settings.get("parse") == "json" else text
    return {str(key): output}


def _filled(name: str, snapshot: Snapshot) -> str:
    return as_text(interpolate(name, names(snapshot)))
