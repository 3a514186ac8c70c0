"""Markdown: what a person wrote, as text that a page shows and never obeys; and tables of it."""

import re
from collections.abc import Iterable, Sequence

from machines.core.labels import one_line

# All that has a meaning inside a line; an underscore inside a word has none.
_MEANINGFUL = re.compile(r"[\\`*\[\]<>#~$|&{}]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_BLOCK = re.compile(r"^(?:([-+=])|(\d+)([.)]))")
_NEEDS_TEXT = re.compile(r"[`|\\]")  # a code span in a table could not hold these on every page


def plain(text: str) -> str:
    """``text`` on one line, for a cell or a heading: no markup, no links."""
    escaped = _MEANINGFUL.sub(r"\\\g<0>", one_line(text)) if text.strip() else ""
    return escaped.replace("://", "&#58;//").replace("www.", "www&#46;")


def code(text: str) -> str:
    """``text`` on one line, as code where that can be written."""
    line = one_line(text)
    return plain(line) if _NEEDS_TEXT.search(line) else f"`{line}`"


def codes(texts: Iterable[str]) -> str:
    """Several pieces of code, each once, in their order."""
    return ", ".join(code(text) for text in dict.fromkeys(texts))


def paragraphs(text: str) -> str:
    """``text`` with its lines and paragraphs, each line as plain text."""
    lines = (_BLOCK.sub(_escaped_block, plain(line)) for line in text.strip().splitlines())
    return "\n".join(lines)


def block(language: str, text: str) -> str:
    """``text`` as it is, in a fence that it cannot close."""
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are Markdown already; a column with nothing in it is left out."""
    kept = [index for index, _ in enumerate(columns) if any(row[index] for row in rows)]
    lines = [_line(columns[index] for index in kept), _line("---" for _ in kept)]
    lines += [_line(row[index] for index in kept) for row in rows]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped_block(found: re.Match[str]) -> str:
    return f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}"
