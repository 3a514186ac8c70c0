"""The settings of one action, filled in, asked for by name and type."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from machines.core.errors import MachineError
from machines.core.loading.scalars import MAX_DURATION_SECONDS, parse_duration
from machines.core.signatures import ValueKind

ALIASES = {"target_machine": "target", "event_type": "event", "error": "failure"}
LARGEST_NUMBER = 2**53  # either way; whole numbers are exact as floats up to there
TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}


class SettingError(MachineError):
    """A setting that is missing, or is not what its action needs."""


class Settings:
    """What stands under an action. A declared number or boolean may be given as text."""

    __slots__ = ("_type", "_values")

    def __init__(self, action_type: str, values: Mapping[str, Any]) -> None:
        self._type = action_type
        self._values = values

    def get(self, name: str, default: Any = None) -> Any:
        """The value as it is, also under its alias; ``default`` if it is left out or null."""
        value = self._values.get(name)
        if value is None and name in ALIASES:
            value = self._values.get(ALIASES[name])
        return default if value is None else value

    def as_mapping(self) -> Mapping[str, Any]:
        """All of them, as written."""
        return self._values

    def required(self, name: str) -> Any:
        """The value; SettingError if it is left out."""
        value = self.get(name)
        if value is None:
            raise SettingError(f"{self._type}: the setting {name!r} is missing")
        return value

    def text(self, name: str, default: str = "") -> str:
        """A text; numbers are written out. SettingError for anything else."""
        value = self.get(name, default)
        if isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        raise self._wrong(name, value, "a text")

    def required_text(self, name: str) -> str:
        """As ``text``, but it must be there and not be empty."""
        self.required(name)
        value = self.text(name)
        if not value:
            raise self._wrong(name, value, "a text that is not empty")
        return value

    def optional_text(self, name: str) -> str | None:
        """As ``text``, or None if it is left out."""
        return self.text(name) if self.get(name) is not None else None

    def number(self, name: str, default: float) -> float:
        """A number, also from text. SettingError for anything else."""
        value = self.get(name, default)
        try:
            number = value if isinstance(value, int) else float(value)
        except (TypeError, ValueError):
            raise self._wrong(name, value, "a number") from None
        if isinstance(value, bool) or not -LARGEST_NUMBER <= number <= LARGEST_NUMBER:
            raise self._wrong(name, value, "a number")
        return number

    def seconds(self, name: str, default: float, *, positive: bool = False) -> float:
        """A time: a number of seconds, or a text such as ``500ms``, ``5s``, ``10m`` or ``1h``.

        At most ten years. ``positive``: 0 is refused; ``default`` may be 0 all the same.
        """
        value = self.get(name)
        if value is None:
            return default
        found = parse_duration(value) if isinstance(value, str) else None
        try:
            seconds = self.number(name, default) if found is None else found
        except SettingError:
            raise self._wrong(name, value, ValueKind.SECONDS.value) from None
        if positive and seconds <= 0:
            raise self._wrong(name, value, "more than 0 seconds, such as 30 or 10m")
        if not 0 <= seconds <= MAX_DURATION_SECONDS:
            raise self._wrong(name, value, f"0 to {MAX_DURATION_SECONDS} seconds")
        return seconds

    def integer(self, name: str, default: int) -> int:
        """A whole number, also from text."""
        value = self.number(name, default)
        if value != int(value):
            raise self._wrong(name, value, "a whole number")
        return int(value)

    def boolean(self, name: str, *, default: bool = False) -> bool:
        """A boolean, also from ``true``, ``yes``, ``on``, ``1`` and their opposites."""
        value = self.get(name, default)
        if isinstance(value, bool):
            return value
        if str(value).lower() in TRUE:
            return True
        if str(value).lower() in _FALSE:
            return False
        raise self._wrong(name, value, "true or false")

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, or a single one, as a tuple; empty if it is left out."""
        value = self.get(name, ())
        if isinstance(value, str):
            return (value,)
        if isinstance(value, Sequence) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise self._wrong(name, value, "a text or a list of texts")

    def mapping(self, name: str) -> Mapping[str, Any]:
        """A mapping, also from JSON text; empty if it is left out."""
        value = self.get(name, {})
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                raise self._wrong(name, value, "a mapping") from None
        if isinstance(value, Mapping):
            return value
        raise self._wrong(name, value, "a mapping")

    def sequence(self, name: str) -> Sequence[Any]:
        """A list; empty if it is left out."""
        value = self.get(name, ())
        if isinstance(value, list | tuple):
            return value
        raise self._wrong(name, value, "a list")

    def of_kind(self, name: str, kind: ValueKind) -> Any:
        """The value as a declared kind: plain JSON, numbers and booleans also from text."""
        return _READ[kind](self, name)

    def event(self, key: str, default: str | None) -> str | None:
        """The event to raise: what ``key`` (``success``, ``error``, …) names, or ``default``."""
        value = self.get(key)
        return default if value is None else str(value)

    def _wrong(self, name: str, value: Any, expected: str) -> SettingError:
        shown = repr(value)
        shown = shown if len(shown) <= 200 else f"{shown[:200]}…"
        return SettingError(f"{self._type}: the setting {name!r} is {shown}; it must be {expected}")


_READ: Mapping[ValueKind, Callable[[Settings, str], Any]] = {
    ValueKind.ANY: Settings.get,
    ValueKind.TEXT: Settings.text,
    ValueKind.NUMBER: lambda settings, name: settings.number(name, 0),
    ValueKind.INTEGER: lambda settings, name: settings.integer(name, 0),
    ValueKind.BOOLEAN: Settings.boolean,
    ValueKind.SECONDS: lambda settings, name: settings.seconds(name, 0),
    ValueKind.TEXTS: lambda settings, name: list(settings.texts(name)),
    ValueKind.LIST: lambda settings, name: list(settings.sequence(name)),
    ValueKind.MAPPING: lambda settings, name: dict(settings.mapping(name)),
    ValueKind.EVENT: Settings.text,
    ValueKind.EVENTS: lambda settings, name: dict(settings.mapping(name)),
    ValueKind.KEY: Settings.text,
    ValueKind.NAMES: lambda settings, name: list(settings.texts(name)),
}
