"""What the queue takes as JSON, and what it says to the rest."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jobqueue.errors import JobError
from jobqueue.plain_json import MAX_JSON_BYTES, checked_json, checked_text, storable_text


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -1,
        1.5,
        "",
        "żółw 🐢",
        [],
        {},
        (1, 2),
        {"a": [{"b": None}]},
        2**63,
        nested(32),
        "x" * (MAX_JSON_BYTES - 2),
    ],
)
def test_plain_json_comes_back_unchanged(value: Any) -> None:
    assert checked_json(value, "data") is value


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (float("nan"), "data: JSON has no nan; give a number or null"),
        ({"a": [1, float("inf")]}, "data.a[1]: JSON has no inf"),
        ({"a": float("-inf")}, "data.a: JSON has no -inf"),
        ({"a": "x\0"}, "data.a: 'x\\x00' holds a NUL character"),
        ({"x\0": 1}, "a key of data: 'x\\x00' holds a NUL character"),
        ({"a": "\ud800"}, "data.a: '\\ud800' holds half of a surrogate pair"),
        ({"\udfff": 1}, "a key of data: '\\udfff' holds half of a surrogate pair"),
        ({1: 2}, "a key of data: 1 is of type int; a text belongs here"),
        ({"a": {1, 2}}, "data.a: a value of type set is not plain JSON"),
        ({"a": datetime(2030, 1, 1, tzinfo=UTC)}, "data.a: a value of type datetime"),
        (b"x", "data: a value of type bytes"),
        (2**64, "data: not plain JSON: Integer exceeds 64-bit range"),
        (nested(33), "more than 32 levels deep; make it flatter"),
        (nested(5_000), "more than 32 levels deep"),
        ("x" * (MAX_JSON_BYTES - 1), "data: 262,145 bytes of JSON; at most 262,144 are taken"),
    ],
)
def test_anything_else_is_refused_and_named(value: Any, complaint: str) -> None:
    with pytest.raises(JobError) as refusal:
        checked_json(value, "data")

    assert complaint in str(refusal.value)


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_storable_text_is_always_taken(text: str) -> None:
    assert checked_text(storable_text(text), "reason") is not None
