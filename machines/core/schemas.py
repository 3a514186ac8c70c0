"""Payloads: how they are read, and their schemas, as an event's declaration gives them."""

import functools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


_VALUES = frozenset({"const", "enum", "default", "examples"})  # keys that hold values, no schemas


def parsed_payload(payload: Any) -> Any:
    """A payload given as JSON text is parsed; other text stays under the key ``text``."""
    if not isinstance(payload, str):
        return payload
    try:
        return orjson.loads(payload)
    except ValueError:
        return {"text": payload}


def payload_fault(schema: Mapping[str, Any], payload: Any) -> str:
    """Why ``payload`` breaks ``schema``, or an empty text if it does not."""
    try:
        error = next(_validator(orjson.dumps(schema)).iter_errors(payload), None)
    except RecursionError:
        return "payload: it is nested too deeply to be checked against its schema"
    if error is None:
        return ""
    where = ".".join(["payload", *(str(part) for part in error.absolute_path)])
    return f"{where}: {error.message}"[:500]


def schema_fault(schema: Mapping[str, Any]) -> str:
    """Why ``schema`` is no JSON Schema, or an empty text."""
    from jsonschema import Draft202012Validator as Draft

    rules = Draft(Draft.META_SCHEMA, format_checker=Draft.FORMAT_CHECKER)
    error = next(rules.iter_errors(schema), None)
    if error is None:
        return next(
            filter(None, (_reference_fault(schema, ref) for ref in _references(schema))), ""
        )
    where = "".join(f"{part}: " for part in error.absolute_path)
    return f"no JSON Schema: {where}{error.message}"[:500]


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for key, item in node.items():
            if key not in _VALUES:
                yield from _references(item)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def _reference_fault(schema: Mapping[str, Any], reference: str) -> str:
    """Why a reference leads nowhere: nothing is ever fetched, and a circle has no end."""
    seen: list[str] = []
    found: Any = {"$ref": reference}
    while isinstance(found, Mapping) and isinstance(found.get("$ref"), str):
        at = found["$ref"]
        if at in seen:
            return f"no JSON Schema: $ref {reference!r} leads in a circle"
        seen.append(at)
        if not at.startswith("#"):
            return f"no JSON Schema: $ref {at!r} is elsewhere; write what it means into $defs"
        if at != "#" and not at.startswith("#/"):
            return "" if at[1:] in _anchors(schema) else _nowhere(at)
        found = _pointed_at(schema, at[1:])
        if found is None:
            return _nowhere(at)
    return ""


def _nowhere(reference: str) -> str:
    return f"no JSON Schema: $ref {reference!r} leads to nothing in this schema"


def _anchors(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(_anchors, node))
    if not isinstance(node, Mapping):
        return set()
    own = {node[key] for key in ("$anchor", "$dynamicAnchor") if isinstance(node.get(key), str)}
    return own.union(*(_anchors(item) for key, item in node.items() if key not in _VALUES))


def _pointed_at(schema: Any, pointer: str) -> Any:
    """What a JSON pointer (RFC 6901) names, None if nothing does."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(schema, list) and key.isdecimal() and int(key) < len(schema):
            schema = schema[int(key)]
        elif isinstance(schema, Mapping) and key in schema:
            schema = schema[key]
        else:
            return None
    return schema


@functools.lru_cache(maxsize=512)
def _validator(schema: bytes) -> "Validator":
    # Imported when the first schema is met: it costs a tenth of a second.
    from jsonschema import Draft202012Validator

    return Draft202012Validator(orjson.loads(schema))
