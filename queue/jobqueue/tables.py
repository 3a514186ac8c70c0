"""Rows as tables for people: relative times, nothing that could steer a terminal."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

UNBOUNDED_COLUMNS = 1 << 20  # wider than any row: a value has at most 256 KiB
WIDEST_CELL = 60  # columns, on a terminal
WIDEST_TABLE = 200  # columns; from here on even long words are folded
UNITS = (("day", 86_400), ("h", 3_600), ("min", 60), ("s", 1))  # seconds
STATUS_STYLES = {
    "pending": "yellow",
    "accepted": "yellow",
    "processing": "blue",
    "running": "blue",
    "processed": "green",
    "completed": "green",
    "failed": "red",
    "faulted": "red",
    "expired": "red",
    "ignored": "dim",
    "cancelled": "dim",
    "stopped": "dim",
}


@dataclass(frozen=True, slots=True)
class Page:
    """What a table is printed on."""

    now: datetime
    width: int | None  # columns of the terminal; None: no terminal, nothing is wrapped or cut
    colour: bool


def as_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], page: Page) -> str:
    """A table of ``columns``, which are keys of ``rows``."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    widest = None if page.width is None else WIDEST_CELL
    for index, column in enumerate(columns):
        # The first column names the thing, and is copied.
        table.add_column(_title(column), max_width=widest, overflow="fold", no_wrap=index == 0)
    for row in rows:
        table.add_row(*(_cell(column, row[column], page.now) for column in columns))
    return _rendered(table, page)


def as_card(row: Mapping[str, Any], page: Page) -> str:
    """One line for each key of ``row``."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for key, value in row.items():
        table.add_row(_title(key), _cell(key, value, page.now))
    return _rendered(table, page)


def relative_time(then: datetime, now: datetime) -> str:
    """How long ago, or in how long, in the largest unit that fits: "3 min ago", "in 2 days"."""
    elapsed = now - then
    seconds = int(abs(elapsed) / timedelta(seconds=1))
    for unit, size in UNITS:
        if seconds >= size:
            count = seconds // size
            plural = "s" if unit == "day" and count > 1 else ""
            length = f"{count} {unit}{plural}"
            return f"{length} ago" if elapsed > timedelta(0) else f"in {length}"
    return "now"


def printable(text: str) -> str:
    """``text`` with every character escaped that a terminal would obey rather than show."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def _rendered(table: Table, page: Page) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=page.colour, width=page.width or UNBOUNDED_COLUMNS)
    # A terminal too narrow for the longest words wraps the lines; a table would cut them.
    needed = Measurement.get(console, console.options.update(width=WIDEST_TABLE), table).minimum
    padding = 2 * len(table.columns)  # which the measure leaves out
    console.width = max(console.width, needed + padding)
    console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


def _title(key: str) -> str:
    return key.removesuffix("_at").replace("_", " ")


def _cell(key: str, value: Any, now: datetime) -> Text:
    if value is None or value == "":
        return Text("-", style="dim")
    if key.endswith("_at"):
        then = datetime.fromisoformat(value) if isinstance(value, str) else value
        return Text(relative_time(then, now))
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    style = STATUS_STYLES.get(text, "") if key == "status" else ""
    return Text(printable(text), style=style)
