"""The schema of actions: what all of them take, and the settings of each type by its signature."""

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from machines.core.schema_words import (
    NAME,
    OPTIONAL_TEXT,
    PLACEHOLDER,
    SHAPES,
    Schema,
    described,
    listed,
    mapping,
    optional,
    reference,
)
from machines.core.signatures import Raises, Setting, Signature, ValueKind

_CUSTOM = "An action of your own: a class below actions_dir, or one of an installed app."
_EVENTS = {
    "success": "The event to raise when it is done.",
    "error": "The event to raise when it fails.",
    "failure": "Another name for error.",
}
_RETRY = mapping(
    {
        "attempts": {
            "type": "integer", "minimum": 1, "description": "How often it is tried at most.",
        },
        "delay": reference("time", "How long to wait before the second attempt."),
        "backoff": {
            "type": "number", "minimum": 1,
            "description": "By what each further wait is multiplied.",
        },
        "max_delay": reference("time", "The longest wait."),
        "jitter": {"type": "boolean", "description": "Vary the wait at random."},
    },
    required=["attempts"],
    type=["object", "null"],
)  # fmt: skip
_OWN = {
    "description": described("What it does, for people.", OPTIONAL_TEXT),
    "repeatable": {"type": "boolean", "description": "Run again every second in this state."},
    "every": {
        "description": "Run again after this time, counted from its last end.",
        "allOf": [reference("time")],
        "exclusiveMinimum": 0,
    },
    "run_policy": {"const": "repeat_per_tick", "description": "The same as repeatable: true."},
    "retry": reference("retry", "Try again when it fails."),
    "on_crash": {
        "enum": ["rerun", "fail"],
        "description": "What becomes of a run that a crash cut off; rerun if left out.",
    },
}
# The loader reads it, so a number or a list does not even load.
_COMMAND: Schema = {"properties": {"command": {"type": "string"}}}


def action_definitions(signatures: Mapping[str, Signature]) -> dict[str, Schema]:
    """The definitions ``actions``, ``action``, ``retry``, and two for each type."""
    found: dict[str, Schema] = {
        "actions": listed("action", "What is done, from top to bottom."),
        "action": _action(signatures),
        "own_keys": {"properties": dict(_OWN)},
        "retry": _RETRY,
    }
    for name, signature in signatures.items():
        found[f"settings_{name}"] = {"properties": _settings(signature)}
        found[f"action_{name}"] = _of_type(signature)
    return found


def _action(signatures: Mapping[str, Signature]) -> Schema:
    known = [{"const": name, "description": _summary(s)} for name, s in signatures.items()]
    params = {
        "description": "Settings may stand here or beside type; beside it they win.",
        "type": ["object", "null"],
        "properties": {"type": False},
        "allOf": [reference("own_keys")],
    }
    return {
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {
                "description": "What to do.",
                "anyOf": [*known, described(_CUSTOM, NAME)],
            },
            "params": params,
        },
        "allOf": [
            reference("own_keys"),
            *(
                {
                    "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
                    "then": reference(_pointed(f"action_{name}")),
                }
                for name in signatures
            ),
        ],
    }


def _of_type(signature: Signature) -> Schema:
    settings = reference(_pointed(f"settings_{signature.name}"))
    rules = [settings, *map(_needed, filter(_is_required, signature.settings))]
    if signature.name == "bash":
        rules += [_COMMAND, {"properties": {"params": _COMMAND}}]
    return {
        "description": _summary(signature),
        "properties": {"params": settings},
        "allOf": rules,
    }


def _is_required(setting: Setting) -> bool:
    return setting.required


def _needed(setting: Setting) -> Schema:
    """The setting is there by one of its names, flat or under ``params``."""
    names = (setting.name, *setting.aliases)
    flat = [{"required": [name]} for name in names]
    inner = [
        {"required": ["params"], "properties": {"params": {"type": "object", "required": [name]}}}
        for name in names
    ]
    return {"anyOf": [*flat, *inner]}


def _settings(signature: Signature) -> dict[str, Schema]:
    found = dict(_raised(signature.all_raises()))
    for setting in signature.settings:
        schema = _setting(setting)
        found[setting.name] = schema
        for alias in setting.aliases:
            found[alias] = described(f"Another name for {setting.name}.", _shape(setting))
    if signature.open:
        for key, description in _EVENTS.items():
            found.setdefault(key, _event(description))
    return found


def _raised(all_raises: Iterable[Raises]) -> Iterator[tuple[str, Schema]]:
    for raises in all_raises:
        if raises.key:
            usual = f"; {raises.event} if left out" if raises.event else ""
            yield raises.key, _event(f"The event to raise when {raises.when}{usual}.")
            if raises.key == "error":
                yield "failure", _event(_EVENTS["failure"])


def _event(description: str) -> Schema:
    return described(description, optional(SHAPES[ValueKind.EVENT]))


def _setting(setting: Setting) -> Schema:
    schema = described(_words(setting), _shape(setting))
    if isinstance(setting.default, str | int | float | bool | list | dict):
        schema["default"] = setting.default
    return schema


def _words(setting: Setting) -> str:
    """Its description as a sentence, and what it must be."""
    text = setting.description or setting.kind.value
    sentence = f"{text[:1].upper()}{text[1:].rstrip('.')}."
    if setting.description and setting.kind is not ValueKind.ANY:
        sentence += f" It is {setting.kind.value}."
    return sentence + (" Required." if setting.required else "")


def _shape(setting: Setting) -> Schema:
    shape = _choice(setting.choices) if setting.choices else SHAPES[setting.kind]
    if setting.choices and setting.kind in {ValueKind.TEXTS, ValueKind.LIST}:
        shape = {"anyOf": [shape, {"type": "array", "items": shape}]}
    return shape if setting.required else optional(shape)


def _choice(choices: tuple[str, ...]) -> Schema:
    """One of these words, in small letters or capitals, or a placeholder."""
    folded = "|".join(
        "".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() else re.escape(c) for c in word)
        for word in choices
    )
    any_case = {"type": "string", "pattern": f"^({folded})$"}
    return {"anyOf": [{"enum": list(choices)}, any_case, PLACEHOLDER]}


def _summary(signature: Signature) -> str:
    return signature.summary or _CUSTOM


def _pointed(name: str) -> str:
    """``name`` as it stands in a pointer."""
    return quote(name.replace("~", "~0").replace("/", "~1"))
