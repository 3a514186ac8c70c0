"""Placeholders: ``{key}`` in the settings of an action, and what stands in for them.

One pass over values, never over keys. Whatever is not exactly a placeholder (the shell's ``${x}``,
awk, JSON, empty braces) stays as it is, and so does a placeholder that nothing is known of.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

_PATH = r"[^\W\d][\w-]*(?:\.[\w-]+)*"
_FILTER = rf"""default:\s*(?:'[^'{{}}]*'|"[^"{{}}]*")|{_PATH}"""
# A brace directly after $ belongs to the shell.
_PLACEHOLDER = re.compile(rf"(?<!\$)\{{({_PATH})((?:\s*\|\s*(?:{_FILTER}))*)\}}")
_ONE_FILTER = re.compile(rf"\|\s*({_FILTER})")
_INDEX = re.compile(r"[0-9]{1,9}")
_LENGTH = "length"


class Unknown(Enum):
    """What a text that is nothing but an unknown or null placeholder becomes."""

    AS_WRITTEN = "as written"
    NULL = "null"  # in payloads: a receiver must not mistake {key} for a value


@dataclass(frozen=True, slots=True)
class Filter:
    """One ``|…``: ``length``, ``default`` with its text, ``or`` with the path to fall back to."""

    name: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """``text`` as written, with braces; ``path`` as dictionary keys and list indexes."""

    text: str
    path: tuple[str, ...]
    filters: tuple[Filter, ...] = ()

    @property
    def root(self) -> str:
        """The name that is looked up first."""
        return self.path[0]

    @property
    def roots(self) -> tuple[str, ...]:
        """Every name it may read: its own and those of its fallbacks, in that order."""
        others = (f.argument.partition(".")[0] for f in self.filters if f.name == "or")
        return (self.root, *others)


Part = str | Placeholder


def interpolate(
    value: Any, names: Mapping[str, Any], *, unknown: Unknown = Unknown.AS_WRITTEN
) -> Any:
    """Fill the placeholders of all texts in ``value``; a new value, or the same if it has none.

    A text that is one placeholder becomes the value with its type. In other text, texts and
    numbers stand as they are, booleans and containers as JSON. ``names`` is never changed, but
    values taken from it are shared, not copied.
    """
    if isinstance(value, str):
        return _fill(value, names, unknown) if "{" in value else value
    if isinstance(value, Mapping):
        return {key: interpolate(item, names, unknown=unknown) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [interpolate(item, names, unknown=unknown) for item in value]
    return value


def _fill(text: str, names: Mapping[str, Any], unknown: Unknown) -> Any:
    parts = parse(text)
    if len(parts) == 1 and isinstance(parts[0], Placeholder):
        known, value = resolve(parts[0], names)
        if known:
            return value
        return None if unknown is Unknown.NULL else text
    return "".join(_shown(part, names) for part in parts)


def _shown(part: Part, names: Mapping[str, Any]) -> str:
    if isinstance(part, str):
        return part
    known, value = resolve(part, names)
    return as_text(value) if known else part.text


def as_text(value: Any) -> str:
    """A value inside other text: texts and numbers as they are, all else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def resolve(placeholder: Placeholder, names: Mapping[str, Any]) -> tuple[bool, Any]:
    """Whether it has a value, and the value. Null and absent are both no value."""
    value = _walk(placeholder.path, names)
    for step in placeholder.filters:
        value = _filtered(step, value, names)
    return value is not None, value


def _filtered(step: Filter, value: Any, names: Mapping[str, Any]) -> Any:
    if step.name == _LENGTH:
        return len(value) if isinstance(value, str | list | tuple | Mapping) else None
    if value is not None:
        return value
    return step.argument if step.name == "default" else lookup_path(step.argument, names)


def lookup_path(path: str, value: Any) -> Any:
    """What stands at ``payload.user.0.name`` in ``value``; None if nothing does."""
    return _walk(tuple(path.split(".")), value)


def _walk(path: tuple[str, ...], value: Any) -> Any:
    for key in path:
        if isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, list | tuple) and _INDEX.fullmatch(key):
            value = value[int(key)] if int(key) < len(value) else None
        else:
            return None
    return value


def placeholders(value: Any) -> tuple[Placeholder, ...]:
    """Every placeholder in ``value``, nested ones too, in the order in which they stand."""
    return tuple(_each_placeholder(value))


def _each_placeholder(value: Any) -> Iterator[Placeholder]:
    if isinstance(value, str):
        yield from (part for part in parse(value) if isinstance(part, Placeholder))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _each_placeholder(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _each_placeholder(item)


@lru_cache(maxsize=4096)
def parse(text: str) -> tuple[Part, ...]:
    """Split a text into literal texts, none empty, and placeholders; ``""`` has no parts."""
    parts: list[Part] = []
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        parts += [text[end : match.start()], _placeholder(match)]
        end = match.end()
    parts.append(text[end:])
    return tuple(part for part in parts if part)


def _placeholder(match: re.Match[str]) -> Placeholder:
    filters = (_filter(found) for found in _ONE_FILTER.findall(match[2]))
    return Placeholder(match[0], tuple(match[1].split(".")), tuple(filters))


def _filter(written: str) -> Filter:
    name, colon, argument = written.partition(":")
    if colon:
        return Filter("default", argument.strip()[1:-1])
    return Filter(_LENGTH) if name == _LENGTH else Filter("or", written)
