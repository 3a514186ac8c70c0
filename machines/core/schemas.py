"""Payload schemas: JSON Schema, as an event's declaration gives it."""

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


def payload_fault(schema: Mapping[str, Any], payload: Any) -> str:
    """Why ``payload`` breaks ``schema``, or an empty text if it does not."""
    error = next(_validator(orjson.dumps(schema)).iter_errors(payload), None)
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
        return ""
    where = "".join(f"{part}: " for part in error.absolute_path)
    return f"no JSON Schema: {where}{error.message}"[:500]


@functools.lru_cache(maxsize=512)
def _validator(schema: bytes) -> "Validator":
    # Imported when the first schema is met: it costs a tenth of a second.
    from jsonschema import Draft202012Validator

    return Draft202012Validator(orjson.loads(schema))
