"""What programs and servers answer, as values that the context can hold exactly."""

import json
import re
from typing import Any

import orjson

_LONG_NUMBER = re.compile(rb"[0-9]{19}")
_WHOLE_NUMBERS = range(-(2**63), 2**64)  # what databases and other languages read back exactly


def read_json(text: bytes) -> Any:
    """The value of a JSON text. Of a key given twice the last one counts.

    Raises ValueError for what is no JSON, as NaN or 1e999, and for a whole number over 64 bits,
    which would come back as another one.
    """
    value = orjson.loads(text)
    if _LONG_NUMBER.search(text):
        json.loads(text, parse_int=_whole_number)
    return value


def _whole_number(written: str) -> int:
    # More digits than Python reads at once are too many in any case.
    if len(written) > 20 or int(written) not in _WHOLE_NUMBERS:
        raise ValueError(f"the number {written:.30} is over 64 bits; answer with it as a text")
    return int(written)
