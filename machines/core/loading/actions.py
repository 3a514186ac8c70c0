"""Actions: a list of work in the file, to Action values with raw settings."""

from collections.abc import Mapping

from machines.core.definition import Action, Retry
from machines.core.errors import TemplateError
from machines.core.interpolation import placeholders
from machines.core.loading.faults import MAX_SHOWN
from machines.core.loading.nodes import MapNode, ScalarNode
from machines.core.loading.values import Value, optional_text
from machines.core.shell import lift

DEFAULT_EVERY_SECONDS = 1.0  # how often a repeatable action runs that names no interval
REPEAT_POLICY = "repeat_per_tick"

_WANTED = "a list of actions, each '- type: …',"
_SETTINGS = "a mapping of settings"
_RETRY_KEYS = ("attempts", "delay", "backoff", "max_delay", "jitter")
_OWN_KEYS = ("type", "description", "repeatable", "every", "run_policy", "retry", "on_crash")


def read_actions(value: Value) -> tuple[Action, ...]:
    """The actions of a state or transition, without those that have a fault."""
    found = (_action(item) for item in value.items(_WANTED))
    return tuple(action for action in found if action is not None)


def _action(value: Value) -> Action | None:
    fields = _merged_fields(value)
    if fields is None:
        return None
    kind = fields["type"].name("an action type") if "type" in fields else None
    if "type" not in fields:
        value.fault("type is missing; say what to do, such as type: log")
    settings = {key: field for key, field in fields.items() if key not in _OWN_KEYS}
    if kind == "bash":
        _check_bash(settings)
    action = Action(
        type=kind or "",
        settings={key: field.json() for key, field in settings.items()},
        description=optional_text(fields, "description"),
        every_seconds=_every(fields),
        retry=_retry(fields["retry"]) if "retry" in fields else None,
        rerun_on_crash=_rerun_on_crash(fields),
        place=value.place,
    )
    return action if kind else None


def _merged_fields(value: Value) -> dict[str, Value] | None:
    """All keys of an action, those under ``params`` first, so that flat ones win."""
    if value.written is not None:
        value.fault(f"an action is a mapping; write {{type: {value.written[:MAX_SHOWN]}}}")
        return None
    if not isinstance(value.node, MapNode):
        value.wrong("an action, such as {type: log},")
        return None
    flat = value.json_fields(_SETTINGS)
    params = flat.pop("params", None)
    inner = params.json_fields(_SETTINGS) if params else {}
    if "type" in inner:
        inner.pop("type").fault("type stands beside params, not in it")
    return inner | flat


def _check_bash(settings: Mapping[str, Value]) -> None:
    if "command" in settings:
        _check_command(settings["command"])
    for key in ("command", "argv"):
        if key in settings:
            _refuse_secrets(settings[key], key)


def _refuse_secrets(value: Value, key: str) -> None:
    for found in placeholders(value.json()):
        if "secret" in found.roots:
            value.fault(
                f"{found.text} in {key} could be seen in the list of processes; hand it over with"
                f" env: {{TOKEN: {found.text!r}}}"
            )


def _check_command(command: Value) -> None:
    template = command.node.value if isinstance(command.node, ScalarNode) else None
    if not isinstance(template, str):
        command.wrong("the command as a text in quotes")
        return
    try:
        lift(template)
    except TemplateError as error:
        command.fault(str(error))


def _every(fields: Mapping[str, Value]) -> float | None:
    """The interval of an action that repeats; naming one is enough to make it repeat."""
    every = _interval(fields["every"]) if "every" in fields else None
    repeats: bool | None = "every" in fields or _repeat_policy(fields)
    if "repeatable" in fields:
        repeats = fields["repeatable"].boolean()
    return (every or DEFAULT_EVERY_SECONDS) if repeats else None


def _interval(value: Value) -> float | None:
    seconds = value.seconds()
    if seconds == 0:
        value.fault("an interval of 0 would never rest; the least is 1ms")
    return seconds


def _repeat_policy(fields: Mapping[str, Value]) -> bool:
    if "run_policy" not in fields:
        return False
    value = fields["run_policy"]
    if value.written != REPEAT_POLICY:
        value.wrong(f"{REPEAT_POLICY} (or no run_policy at all)")
    return True


def _retry(value: Value) -> Retry | None:
    fields = value.fields(_RETRY_KEYS, "a mapping such as {attempts: 5, delay: 2s}")
    if not isinstance(value.node, MapNode):
        return None
    if "attempts" not in fields:
        value.fault("attempts is missing; say how often to try, such as {attempts: 5}")
        return None
    attempts = fields["attempts"].number(1, whole=True)
    delay = fields["delay"].seconds() if "delay" in fields else None
    backoff = fields["backoff"].number(1, whole=False) if "backoff" in fields else None
    return Retry(
        attempts=int(attempts or 1),
        delay_seconds=1.0 if delay is None else delay,
        backoff=float(backoff or 1),
        max_delay_seconds=fields["max_delay"].seconds() if "max_delay" in fields else None,
        jitter=bool(fields["jitter"].boolean()) if "jitter" in fields else False,
    )


def _rerun_on_crash(fields: Mapping[str, Value]) -> bool:
    if "on_crash" not in fields:
        return True
    value = fields["on_crash"]
    if value.written not in ("rerun", "fail"):
        value.wrong("rerun or fail")
    return value.written != "fail"
