"""What no database can hold is told from what only looks like it."""

import orjson
import pytest

from machines.core.engine import context_fault
from machines.core.storable import holds_nul, storable


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("plain\n", "plain\n"),
        ("é 😀 \ufffd", "é 😀 \ufffd"),
        ("a\0b", "a\ufffdb"),
        ("a\udcffb", "a?b"),
        ("\\u0000", "\\u0000"),
    ],
)
def test_a_text_is_kept_as_far_as_it_can_be(text: str, kept: str) -> None:
    assert storable(text) == kept


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("\0", True),
        ({"a\0": 1}, True),
        (["\\\0"], True),
        ("\\\\\0", True),
        ("\\u0000", False),
        ("C:\\\\u0000", False),
        ({"deep": ["u0000"]}, False),
    ],
)
def test_a_nul_is_told_from_a_text_that_writes_of_it(value: object, found: bool) -> None:
    assert holds_nul(orjson.dumps(value)) is found


def test_a_context_with_a_nul_cannot_be_kept() -> None:
    assert "NUL" in context_fault({"a": "\0"})
    assert context_fault({"a": "\\u0000"}) == ""
