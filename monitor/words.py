"""Durations and statuses as people say them."""

import re
from datetime import timedelta

from machines.models import Machine

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))

SIGNS = {
    "new": "○",
    "running": "●",
    "paused": "◐",
    "stopped": "■",
    "finished": "✓",
    "faulted": "▲",
    "down": "✕",
}


_TERMINAL_CODE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def plain(output: str) -> str:
    """What a command printed, without the codes that colour a terminal or move its cursor."""
    return _TERMINAL_CODE.sub("", output)


def span(duration: timedelta) -> str:
    """``3 min 12 s``: the two largest units that count; milliseconds below a second."""
    seconds = max(duration.total_seconds(), 0.0)
    if seconds < 1:
        return f"{int(seconds * 1000)} ms"
    rest = int(seconds)
    parts: list[str] = []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if parts or count:
            parts.append(f"{count} {unit}")
    return " ".join(part for part in parts[:2] if not part.startswith("0 "))


def shown_status(status: str, *, up: bool) -> str:
    """The status as a card names it: a running machine whose host is dead is ``down``."""
    return "down" if status == Machine.Status.RUNNING and not up else status
