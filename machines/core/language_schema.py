"""The machine language as a JSON Schema (2020-12): what editors complete and check a file by.

It says what a schema can: keys, shapes, what excludes what. Whether states exist, guards compile
and values are safe in a shell, only the loader knows; a file that loads without a problem always
fits the schema.
"""

from collections.abc import Mapping
from typing import Any

from machines.core.action_schema import action_definitions
from machines.core.schema_words import (
    DURATION,
    NAME,
    NAME_RULES,
    OPTIONAL_TEXT,
    TEXT,
    TIME,
    Schema,
    described,
    fitting,
    listed,
    mapping,
    names,
    one_or_more,
    reference,
)
from machines.core.signatures import Signature

_MACHINE_NAME = "^[A-Za-z][A-Za-z0-9_-]{0,62}$"
_TIMEOUT = r"^\s*timeout\s*\("
_JSON_TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"]
_BOOLEAN = {"type": "boolean"}


def language_schema(signatures: Mapping[str, Signature]) -> dict[str, Any]:
    """The schema of a whole file; ``signatures`` are the types of action that it describes.

    Other types are allowed, as actions of one's own; settings that a type does not know too, for
    the validator only warns of them.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "State machine",
        "description": "A machine: its states, what moves it between them, and what it does there.",
        **mapping(_TOP),
        "allOf": [{"if": {"not": _has_waiting()}, "then": {"required": ["initial_state"]}}],
        "$defs": {**_DEFINITIONS, **action_definitions(signatures)},
    }


_TOP: dict[str, Schema] = {
    "name": described("What the machine is called, for people.", OPTIONAL_TEXT),
    "description": described("What the machine is for.", OPTIONAL_TEXT),
    "initial_state": reference(
        "state_name", "The state to begin in. May be left out if there is a state waiting."
    ),
    "states": names(
        "state_name",
        reference("state"),
        "All states: a list of names, or a mapping with what each holds. A comment"
        " '# === GROUP ===' groups what follows. Left out: those that transitions name.",
    ),
    "events": names(
        "name",
        reference("event"),
        "Events that the machine knows: a list of names, or a mapping that describes each."
        " Others work too.",
    ),
    "transitions": listed(
        "transition", "What may happen, in order: the first that matches is taken."
    ),
    "actions": {
        "description": "The work done in each state.",
        "type": ["object", "null"],
        "propertyNames": reference("state_name"),
        "additionalProperties": reference("actions"),
    },
    "metadata": {
        "description": "Keys of your own, and two that mean something.",
        "type": ["object", "null"],
        "properties": {
            "machine_name": {
                "description": "The name of the machine when no other is given.",
                "type": "string",
                **fitting(_MACHINE_NAME, "a letter and at most 62 letters, digits, _ or -"),
            },
            "version": {"description": "The version of the file, for people."},
            "max_instant_steps": {
                "description": "Steps with nothing from outside between them before the machine"
                " counts as going round in a circle; 100000 if left out.",
                "type": "integer",
                "minimum": 1,
            },
        },
    },
    "template": {
        "description": "true: many instances run from this file, shown on a board.",
        "type": "boolean",
    },
    "context": {
        "description": "The first values of the context.",
        "type": ["object", "null"],
    },
    "actions_dir": described(
        "The folder of your own actions, relative to this file.", OPTIONAL_TEXT
    ),
}

_EVENT_RULES: Schema = {
    **NAME_RULES,
    "if": {"type": "string", "pattern": rf"{_TIMEOUT}.*\)\s*$"},
    "then": fitting(rf"{_TIMEOUT}{DURATION}\)\s*$", "a time in brackets, such as timeout(5s)"),
}

_STATE = mapping(
    {
        "description": described("What the state means, for people.", OPTIONAL_TEXT),
        "actions": reference("actions", "The work done in this state."),
        "final": described("true: a machine that has done its work here is finished.", _BOOLEAN),
        "group": described("The group in which the state is drawn.", OPTIONAL_TEXT),
    },
    type=["object", "null"],
)

_EVENT = mapping(
    {
        "description": described("What the event means, for people.", OPTIONAL_TEXT),
        "context_map": {
            "description": "What is copied into the context: a key, and a path into event_data"
            " such as payload.user.name.",
            "type": ["object", "null"],
            "additionalProperties": TEXT,
        },
        "payload": {
            "description": "A JSON Schema that the payload must fit.",
            "type": ["object", "null"],
            "allOf": [reference("payload_schema")],
        },
    },
    type=["object", "null"],
)

# As much of JSON Schema as most payloads need; all other keywords are allowed unseen.
_PAYLOAD_SCHEMA: Schema = {
    "properties": {
        "type": {
            "description": "What it is.",
            "anyOf": [
                {"enum": _JSON_TYPES},
                {"type": "array", "minItems": 1, "items": {"enum": _JSON_TYPES}},
            ],
        },
        "description": {"type": "string"},
        "properties": {
            "description": "The schema of each key.",
            "type": "object",
            "additionalProperties": {
                "type": ["object", "boolean"],
                "allOf": [reference("payload_schema")],
            },
        },
        "required": {
            "description": "Keys that must be there.",
            "type": "array",
            "items": {"type": "string"},
        },
        "enum": {"description": "The values it may have.", "type": "array"},
        "$ref": {
            "description": "Another part of this schema.",
            "type": "string",
            **fitting("^#", "a place in this schema, such as #/$defs/name"),
        },
    },
}

_TRANSITION = mapping(
    {
        "from": one_or_more(
            "name", NAME_RULES, 'The state it leads from, a list of them, or "*" for any.'
        ),
        "to": reference(
            "state_name", "The state it leads to. Left out: its actions run, the state stays."
        ),
        "event": one_or_more(
            "event_name", _EVENT_RULES, "The event that it waits for, or a list of them."
        ),
        "guard": described(
            "A condition that must hold, such as count > 3 and payload.kind == 'big'.", TEXT
        ),
        "after": reference("time", "The time since the state was entered, such as 5s."),
        "actions": reference("actions", "What is done when it is taken."),
        "interrupt": described(
            "true: it does not wait until the work of the state is done, but stops it. Left out:"
            ' true for times and for events of from: "*".',
            _BOOLEAN,
        ),
        "reenter": described("true: the state is left and entered again.", _BOOLEAN),
        "description": described("What it means, for people.", OPTIONAL_TEXT),
    },
    required=["from"],
    allOf=[
        {"if": {"required": ["event"]}, "then": {"properties": {"after": False}}},
        {
            "if": {"properties": {"interrupt": {"const": True}}, "required": ["interrupt"]},
            "then": {
                "required": ["to"],
                "anyOf": [{"required": ["event"]}, {"required": ["after"]}],
            },
        },
        {
            "if": {"properties": {"reenter": {"const": True}}, "required": ["reenter"]},
            "then": {"required": ["to"]},
        },
    ],
)

_DEFINITIONS: dict[str, Schema] = {
    "name": NAME,
    "state_name": {
        "allOf": [reference("name")],
        **fitting(r"^(?!\*$)", "one state; '*' stands only in from"),
    },
    "event_name": {"type": "string", **_EVENT_RULES},
    "time": described(
        "A time such as 500ms, 5s, 10m, 1h, 1d, or a number of seconds; at most ten years.", TIME
    ),
    "state": _STATE,
    "event": _EVENT,
    "payload_schema": _PAYLOAD_SCHEMA,
    "transition": _TRANSITION,
}


def _has_waiting() -> Schema:
    """There is a state ``waiting``: it is declared, or with no states declared it is named."""
    named = {"anyOf": [{"const": "waiting"}, {"type": "array", "contains": {"const": "waiting"}}]}
    mentions = [{"required": [key], "properties": {key: named}} for key in ("from", "to")]
    declared = {
        "anyOf": [
            {"type": "object", "required": ["waiting"]},
            {"type": "array", "contains": {"const": "waiting"}},
        ]
    }
    undeclared = {
        "anyOf": [
            {"not": {"required": ["states"]}},
            {"properties": {"states": {"enum": [None, [], {}]}}},
        ]
    }
    transitions = {"type": "array", "contains": {"type": "object", "anyOf": mentions}}
    return {
        "anyOf": [
            {"required": ["states"], "properties": {"states": declared}},
            {
                "required": ["transitions"],
                "properties": {"transitions": transitions},
                "allOf": [undeclared],
            },
        ]
    }
