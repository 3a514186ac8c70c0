"""Labels: what a person wrote, as a drawing shows it and Mermaid never reads it."""

import re

MAX_LABEL_LENGTH = 60  # characters; a longer name would push everything else off the page
# What Mermaid reads as nothing but text, inside quotes and after a colon.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _,()[]=/")
# Of what is left: the word that Mermaid obeys on any line, and Markdown's emphasis.
_MEANINGFUL = re.compile(r"(?i:d(?=irection))|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def one_line(text: str) -> str:
    """``text`` without line breaks and what cannot be seen; ``?`` if nothing is left."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split()) or "?"


def shortened(text: str, length: int) -> str:
    """``text`` on one line, of at most ``length`` characters; ``…`` stands for the rest."""
    line = one_line(text)
    return line if len(line) <= length else line[: length - 1] + "…"


def label(text: str, length: int = MAX_LABEL_LENGTH) -> str:
    """``text`` as Mermaid shows it and never reads it: shortened, one line, all else as codes."""
    line = shortened(text, length)
    escaped = "".join(c if c in _PLAIN or ord(c) > 127 else f"#{ord(c)};" for c in line)
    return _MEANINGFUL.sub(lambda found: f"#{ord(found[0])};", escaped)


def duration(seconds: float) -> str:
    """A delay for people: ``500 ms``, ``5 s``, ``10 min``, ``1 h``, ``2 d``."""
    if 0 < seconds < 1:
        return f"{seconds * 1000:g} ms"
    for size, unit in _UNITS:
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
