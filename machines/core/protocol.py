"""Frames of the control socket: one JSON object a line, in both directions.

A frame with ``type`` is an event; one with ``control`` a command to the host.
"""

from typing import TYPE_CHECKING, Any

import orjson

from machines.core.errors import MachineError

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    from machines.core.values import dataclass

MAX_FRAME_BYTES = 1 << 20  # newline included; a payload may be a quarter of it
CONTROLS = ("ping", "status", "pause", "resume", "stop")
_EVENT_KEYS = {"target", "type", "key", "source", "job_id", "actor", "payload", "wait"}
_CONTROL_KEYS = {"control", "target"}


class FrameError(MachineError):
    """A line that is no frame; nothing was done."""


@dataclass(frozen=True, slots=True)
class EventFrame:
    """An event to accept. ``wait_seconds``: hold the reply until it has ended, at most so long."""

    type: str
    target: str = ""
    payload: Any = None
    key: str = ""
    source: str = ""
    job_id: str = ""
    actor: str = ""
    wait_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ControlFrame:
    """A command to the host, about one machine or about itself."""

    control: str
    target: str = ""


def parse_frame(line: bytes, default_target: str = "") -> EventFrame | ControlFrame:
    """Read one line, or raise FrameError that says what would be right.

    ``default_target`` is meant where the frame names none.
    """
    try:
        found = orjson.loads(line)
    except ValueError as error:
        raise FrameError(f"not JSON: {error}; a frame is one JSON object on one line") from error
    if not isinstance(found, dict):
        raise FrameError(f"a {type(found).__name__} is no frame; a frame is a JSON object")
    if "control" in found:
        return _control(found, default_target)
    return _event(found, default_target)


def encode(message: dict[str, Any]) -> bytes:
    """A message as the line that carries it."""
    return orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE)


def _control(found: dict[str, Any], default_target: str) -> ControlFrame:
    _refuse_unknown(found, _CONTROL_KEYS)
    control = found["control"]
    if control not in CONTROLS:
        raise FrameError(f"control: {control!r:.100}; it may be {', '.join(CONTROLS)}")
    return ControlFrame(control, _text(found, "target") or default_target)


def _event(found: dict[str, Any], default_target: str) -> EventFrame:
    if "type" not in found:
        raise FrameError('a frame needs "type" (an event) or "control" (a command)')
    if not found.keys() <= _EVENT_KEYS:
        _refuse_unknown(found, _EVENT_KEYS)
    wait = found.get("wait")
    return EventFrame(
        _text(found, "type"),
        _text(found, "target") or default_target,
        found.get("payload"),
        _text(found, "key"),
        _text(found, "source"),
        _text(found, "job_id"),
        _text(found, "actor"),
        None if wait is None else _seconds(wait),
    )


def _seconds(wait: object) -> float:
    if isinstance(wait, bool) or not isinstance(wait, int | float):
        raise FrameError(f"wait: {wait!r:.100} is no number of seconds")
    if not 0 <= wait <= 86_400:
        raise FrameError(f"wait: {wait} seconds; it may be 0 to 86400")
    return wait


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name, "")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise FrameError(f"{name}: {value!r:.100} is not a text")
    return value


def _refuse_unknown(found: dict[str, Any], known: set[str]) -> None:
    unknown = found.keys() - known
    if unknown:
        names = ", ".join(sorted(repr(name)[:50] for name in unknown))
        raise FrameError(f"unknown keys {names}; a frame may have {', '.join(sorted(known))}")
