"""What counts as plain JSON at the door of the queue.

Python's JSON takes more than JSON allows (NaN, keys that are numbers), PostgreSQL takes less
(no NUL, no half of a surrogate pair), and a reader in another language must get what was sent.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from jobqueue.errors import JobError

MAX_JSON_BYTES = 256 << 10  # encoded; the bound of an event's payload too
MAX_REASON_CHARACTERS = 10_000  # of an error; its output is kept elsewhere
MAX_DEPTH = 32  # containers within containers; far below where readers of JSON give up


def checked_json(value: Any, name: str) -> Any:
    """Return ``value`` unchanged if it is plain JSON of a bounded size, else raise JobError.

    ``name`` is what the message calls the value.
    """
    _check(value, name, MAX_DEPTH)
    try:
        size = len(orjson.dumps(value))
    except orjson.JSONEncodeError as error:  # an integer over 64 bits
        raise JobError(f"{name}: not plain JSON: {error}") from error
    if size > MAX_JSON_BYTES:
        raise JobError(f"{name}: {size:,} bytes of JSON; at most {MAX_JSON_BYTES:,} are taken")
    return value


def checked_text(value: Any, where: str) -> str:
    """Return ``value`` if it is a text that every database can hold, else raise JobError."""
    if not isinstance(value, str):
        raise JobError(f"{where}: {value!r:.80} is {_kind(value)}; a text belongs here")
    if "\0" in value:
        raise JobError(f"{where}: {value!r:.80} holds a NUL character; leave it out")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise JobError(
            f"{where}: {value!r:.80} holds half of a surrogate pair; it is no valid text"
        ) from error
    return value


def storable_text(text: str) -> str:
    """``text`` with what no database can hold replaced, cut to a bounded length.

    For texts that come from running programs, which nobody is there to correct.
    """
    whole = text.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    return whole[:MAX_REASON_CHARACTERS]


def _check(value: Any, where: str, depth: int) -> None:
    if value is None or isinstance(value, bool | int):
        return
    if isinstance(value, str):
        checked_text(value, where)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise JobError(f"{where}: JSON has no {value}; give a number or null")
    elif isinstance(value, dict | list | tuple):
        if depth == 0:
            raise JobError(f"{where:.80}: more than {MAX_DEPTH} levels deep; make it flatter")
        for place, part in _parts(value, where):
            _check(part, place, depth - 1)
    else:
        raise JobError(
            f"{where}: a value {_kind(value)} is not plain JSON; give a text, number, true, false,"
            " null, list or object"
        )


def _parts(
    container: Mapping[Any, Any] | list[Any] | tuple[Any, ...], where: str
) -> Iterator[tuple[str, Any]]:
    if isinstance(container, Mapping):
        for key, part in container.items():
            yield f"{where}.{checked_text(key, f'a key of {where}')}", part
    else:
        for index, part in enumerate(container):
            yield f"{where}[{index}]", part


def _kind(value: Any) -> str:
    return f"of type {type(value).__name__}"
