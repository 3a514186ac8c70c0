"""Which guards are certain."""

import pytest

from machines.core.expressions import compile_guard
from machines.core.validation.guards import always_holds, never_holds


@pytest.mark.parametrize(
    "source",
    [
        "false", "null", "0", "''", "1 > 2", "1 / 0", "not true", "x and false", "false and x",
        "x and 0", "x and null", "false or null and x", "x > 5 and x < 3", "x > 3 and x <= 3",
        "x == 1 and x == 2", "x == 'a' and x == 'b'", "x == 5 and x > 5", "x < 5 and x == 5",
        "x.y == 1 and y and x.y == 2", "null and x if y else false", "len(x) > 3 and len(x) < 2",
        "x > 5 and\n  x < 3",
    ],
)  # fmt: skip
def test_guard_that_never_holds(source: str) -> None:
    assert never_holds(compile_guard(source))


@pytest.mark.parametrize(
    "source",
    [
        "true", "x", "x > 1", "x or false", "x > 5 or x < 3", "x > 3 and x < 5",
        "x >= 3 and x <= 3", "x == 1 and y == 2", "x == 1 and x == 1.0", "x == 'a' and x > 3",
        "x != 1 and x != 2", "x == y and x == 2", "x < 5 and x < 3", "x in [1] and x in [2]",
        "not (x and false)", "x and y if z else false", "1 < x < 2 and x > 5", "x and true",
        "x > null and x < 3", "orange", "random > 3",
    ],
)  # fmt: skip
def test_guard_that_may_hold(source: str) -> None:
    assert not never_holds(compile_guard(source))


@pytest.mark.parametrize(
    ("source", "expected"), [("true", True), ("1 < 2", True), ("false", False), ("x", False)]
)
def test_guard_that_always_holds(source: str, expected: bool) -> None:
    assert always_holds(compile_guard(source)) is expected


def test_no_guard_always_holds() -> None:
    assert always_holds(None)
