"""What a literal may be."""

from typing import Any

import pytest

from machines.core.signatures import ValueKind
from machines.core.validation.kinds import fits


@pytest.mark.parametrize("kind", ValueKind)
def test_text_with_a_placeholder_may_be_anything(kind: ValueKind) -> None:
    assert fits(kind, "{a}")


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (ValueKind.ANY, ["", 1, True, [], {}], []),
        (ValueKind.TEXT, ["a", 1, 2.5], [True, [], {}]),
        (ValueKind.NUMBER, [1, 2.5, "3", "1e3"], ["a", True, [], {}, "inf", "nan"]),
        (ValueKind.INTEGER, [1, 2.0, "3"], [2.5, "2.5", "a", True, []]),
        (ValueKind.BOOLEAN, [True, "yes", "OFF", 1, 0, "0"], ["a", 2, [], {}]),
        (ValueKind.SECONDS, [1, 2.5, "3", "5s", "10m"], ["soon", True, [], {}]),
        (ValueKind.TEXTS, ["a", ["a", "b"], []], [True, [["a"]], {}]),
        (ValueKind.LIST, [[], [1], "[1]"], ["a", 1, {}, "{}"]),
        (ValueKind.MAPPING, [{}, {"a": 1}, '{"a": 1}'], ["a", 1, []]),
        (ValueKind.EVENT, ["a", 1], [True, [], {}]),
        (ValueKind.EVENTS, [{}, {"2": "a"}, '{"2": "a"}'], ["a", [], {"2": []}, {"2": True}]),
        (ValueKind.KEY, ["a", 1], [True, [], {}]),
        (ValueKind.NAMES, [["a", "a.b as c"], "a", {"a": "b"}], [True, [True]]),
    ],
)
def test_value_fits_its_kind(kind: ValueKind, right: list[Any], wrong: list[Any]) -> None:
    assert [value for value in right if not fits(kind, value)] == []
    assert [value for value in wrong if fits(kind, value)] == []


def test_text_that_is_no_json_is_no_list() -> None:
    assert not fits(ValueKind.LIST, "[" * 100_000)
