"""What no database can hold: NUL in a text, and half of a surrogate pair."""

import re

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # escaped, not a text that writes of it


def storable(text: str) -> str:
    """``text`` with what cannot be kept replaced; for what programs say, which nobody corrects."""
    if "\0" not in text and text.isascii():
        return text
    return text.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def holds_nul(encoded: bytes) -> bool:
    """True if a text or a key of this JSON, as orjson writes it, holds a NUL."""
    return b"\\u0000" in encoded and _NUL.search(encoded) is not None
