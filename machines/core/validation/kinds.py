"""Kinds of values: does a literal fit what a setting holds?"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from machines.core.interpolation import placeholders
from machines.core.loading.scalars import parse_duration
from machines.core.signatures import ValueKind

_BOOLEANS = frozenset({"true", "false", "yes", "no", "on", "off", "1", "0"})


def fits(kind: ValueKind, value: Any) -> bool:
    """True if ``value`` may be what ``kind`` asks for; a text with a placeholder always may."""
    return _FITS[kind](value) or (isinstance(value, str) and bool(placeholders(value)))


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        try:
            return math.isfinite(float(value))
        except ValueError:
            return False
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return _is_number(value) and float(value).is_integer()


def _is_text(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _is_boolean(value: Any) -> bool:
    return not isinstance(value, list | Mapping) and str(value).lower() in _BOOLEANS


def _is_time(value: Any) -> bool:
    return _is_number(value) or (isinstance(value, str) and parse_duration(value) is not None)


def _are_texts(value: Any) -> bool:
    return all(map(_is_text, value)) if isinstance(value, list) else _is_text(value)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping) or isinstance(_parsed(value), Mapping)


def _are_events(value: Any) -> bool:
    value = value if isinstance(value, Mapping) else _parsed(value)
    return isinstance(value, Mapping) and all(map(_is_text, value.values()))


def _is_list(value: Any) -> bool:
    return isinstance(value, list) or isinstance(_parsed(value), list)


def _parsed(value: Any) -> Any:
    """What a text is as JSON, which settings of lists and mappings may be given as."""
    try:
        return json.loads(value) if isinstance(value, str) else None
    except (ValueError, RecursionError):
        return None


_FITS: Mapping[ValueKind, Callable[[Any], bool]] = {
    ValueKind.ANY: lambda value: True,
    ValueKind.TEXT: _is_text,
    ValueKind.NUMBER: _is_number,
    ValueKind.INTEGER: _is_integer,
    ValueKind.BOOLEAN: _is_boolean,
    ValueKind.SECONDS: _is_time,
    ValueKind.TEXTS: _are_texts,
    ValueKind.LIST: _is_list,
    ValueKind.MAPPING: _is_mapping,
    ValueKind.EVENT: _is_text,
    ValueKind.EVENTS: _are_events,
    ValueKind.KEY: _is_text,
    ValueKind.NAMES: lambda value: isinstance(value, Mapping) or _are_texts(value),
}
