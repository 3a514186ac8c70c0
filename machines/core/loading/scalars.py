"""Scalars: what an unquoted YAML word means, and how long a written time is.

The words of YAML 1.1 (``yes``, ``on``, ``0x1f``) mean what they mean there. Whatever no JSON number
holds exactly as written stays text: dates, ``12:30``, ``007``, integers of more than 64 bits.
"""

import re

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    form: value
    for word, value in (
        ("true", True), ("yes", True), ("on", True),
        ("false", False), ("no", False), ("off", False),
    )
    for form in (word, word.capitalize(), word.upper())
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_BASED = re.compile(r"[-+]?0(b[01_]+|o[0-7_]+|x[0-9a-fA-F_]+)")
_FLOAT = re.compile(r"[-+]?([0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MAX_NUMBER_LENGTH = 80  # characters, underscores included; 64 binary digits with room to spare
_SMALLEST, _BEYOND = -(2**63), 2**64  # what JSON libraries and databases can hold

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)?")
_UNIT_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
MAX_DURATION_SECONDS = 3_650 * 86_400  # ten years; beyond, dates overflow sooner or later


def resolve(text: str) -> str | int | float | bool | None:
    """The value of an unquoted word."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if len(text) > _MAX_NUMBER_LENGTH or text[0] not in "+-.0123456789":
        return text
    return _number(text)


def _number(text: str) -> str | int | float:
    """A number, infinite or NaN where the text says so or where it is too large for a float."""
    if _INTEGER.fullmatch(text):
        return _exact(text, 10)
    if _BASED.fullmatch(text) and any(digit.isalnum() for digit in text.lstrip("+-")[2:]):
        return _exact(text.replace("_", ""), 0)
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def _exact(text: str, base: int) -> int | str:
    number = int(text.replace("_", ""), base)
    return number if _SMALLEST <= number < _BEYOND else text


def parse_duration(text: str) -> float | None:
    """The seconds of ``500ms``, ``5s``, ``10m``, ``1h``, ``1d`` or a bare number of seconds.

    None if it is no such thing, or longer than ten years.
    """
    found = _DURATION.fullmatch(text.strip()) if len(text) <= _MAX_NUMBER_LENGTH else None
    if found is None:
        return None
    seconds = float(found[1]) * _UNIT_SECONDS[found[2] or "s"]
    return seconds if seconds <= MAX_DURATION_SECONDS else None
