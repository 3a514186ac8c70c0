"""Words of the schema: the shapes that stand in many places of a file, as JSON Schema.

Only what editors have known since draft 7 is used: ``if``, ``anyOf``, ``pattern``, ``const``.
``patternErrorMessage`` is no part of JSON Schema; editors show it.
"""

from collections.abc import Mapping
from typing import Any

from machines.core.signatures import ValueKind

Schema = dict[str, Any]

MAX_NAME_LENGTH = 200  # characters, as the loader has it
MAX_DURATION_SECONDS = 3_650 * 86_400  # ten years, as the loader has it
DURATION = r"\s*[0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)?\s*"
_NO_CONTROL = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$"

_PLACEHOLDER = r"\{[^{}]+\}"
_NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
_BOOLEAN = r"^([tT]rue|[yY]es|[oO]n|1|[fF]alse|[nN]o|[oO]ff|0)$"

# What a name must be, wherever a text may stand.
NAME_RULES: Schema = {
    "maxLength": MAX_NAME_LENGTH,
    "allOf": [{"pattern": r"\S"}, {"pattern": _NO_CONTROL}],
}
NAME: Schema = {"type": "string", **NAME_RULES}
TEXT: Schema = {"type": ["string", "number", "boolean"]}
OPTIONAL_TEXT: Schema = {"type": ["string", "number", "boolean", "null"]}
PLACEHOLDER: Schema = {"type": "string", "pattern": _PLACEHOLDER}


def fitting(pattern: str, wanted: str) -> Schema:
    """A text fits ``pattern``; editors say what is ``wanted`` in its place."""
    return {"pattern": pattern, "patternErrorMessage": f"This must be {wanted}."}


def time(pattern: str) -> Schema:
    """A number of seconds, or a text that fits ``pattern``."""
    return {
        "type": ["number", "string"],
        "minimum": 0,
        "maximum": MAX_DURATION_SECONDS,
        **fitting(pattern, "a time such as 500ms, 5s, 10m, 1h, 1d, or a number of seconds"),
    }


TIME = time(f"^{DURATION}$")
_WORD: Schema = {"type": ["string", "number"]}
_TEXTS: Schema = {"type": ["string", "array"], "items": {"type": "string"}}
_MAPPING: Schema = {
    "type": ["object", "string"],
    **fitting(r"^\s*\{", "a mapping or a placeholder"),  # or a mapping as JSON text
}

# What a file may hold for each kind of setting; numbers and booleans also as text.
SHAPES: Mapping[ValueKind, Schema] = {
    ValueKind.ANY: {},
    ValueKind.TEXT: _WORD,
    ValueKind.NUMBER: {
        "type": ["number", "string"],
        **fitting(f"{_NUMBER}|{_PLACEHOLDER}", "a number or a placeholder"),
    },
    ValueKind.INTEGER: {
        "type": ["integer", "string"],
        **fitting(f"{_NUMBER}|{_PLACEHOLDER}", "a whole number or a placeholder"),
    },
    ValueKind.BOOLEAN: {
        "type": ["boolean", "integer", "string"],
        "minimum": 0,
        "maximum": 1,
        **fitting(f"{_BOOLEAN}|{_PLACEHOLDER}", "true, false or a placeholder"),
    },
    ValueKind.SECONDS: time(f"^{DURATION}$|{_PLACEHOLDER}"),
    ValueKind.TEXTS: _TEXTS,
    ValueKind.LIST: {
        "type": ["array", "string"],
        **fitting(r"^\s*[\[{]", "a list or a placeholder"),
    },
    ValueKind.MAPPING: _MAPPING,
    ValueKind.EVENT: {"type": "string", "minLength": 1},
    ValueKind.EVENTS: {**_MAPPING, "additionalProperties": _WORD},
    ValueKind.KEY: {"type": "string", "minLength": 1},
    ValueKind.NAMES: _TEXTS,
}


def described(description: str, schema: Schema) -> Schema:
    """``schema`` with what an editor shows beside the key."""
    return {"description": description, **schema}


def reference(name: str, description: str = "") -> Schema:
    """A pointer to one of the definitions."""
    pointer: Schema = {"$ref": f"#/$defs/{name}"}
    return described(description, pointer) if description else pointer


def optional(schema: Schema) -> Schema:
    """``schema``, or nothing after the key."""
    if not schema:
        return {}
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {**schema, "type": [*kinds, "null"]}


def listed(name: str, description: str, **more: Any) -> Schema:
    """A list of what the definition ``name`` says, or nothing after the key.

    Kinds stand beside each other instead of under ``anyOf``, so that a fault inside is told where
    it is.
    """
    return {
        "description": description, "type": ["array", "null"], "items": reference(name), **more,
    }  # fmt: skip


def names(name: str, value: Schema, description: str) -> Schema:
    """A list of names, a mapping of names to such values, or nothing after the key."""
    return {
        "description": description,
        "type": ["array", "object", "null"],
        "uniqueItems": True,
        "items": reference(name),
        "propertyNames": reference(name),
        "additionalProperties": value,
    }


def one_or_more(name: str, rules: Schema, description: str) -> Schema:
    """One name that fits ``rules``, or a list of them that is not empty."""
    return {
        "description": description,
        "type": ["string", "array"],
        "minItems": 1,
        "items": reference(name),
        **rules,
    }


def mapping(properties: Mapping[str, Schema], **more: Any) -> Schema:
    """A mapping that has these keys and no others; ``more`` may say otherwise."""
    return {
        "type": "object", "properties": dict(properties), "additionalProperties": False, **more,
    }  # fmt: skip
