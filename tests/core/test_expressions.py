"""Guards: what they allow, what they give, and that none of them can do harm."""

import re
from typing import Any

import pytest

from machines.core.errors import ExpressionError
from machines.core.expressions import compile_guard

NAMES: dict[str, Any] = {
    "count": 5,
    "share": 0.5,
    "name": "big",
    "ready": False,
    "nothing": None,
    "items": [1, 2, 3],
    "pair": (1, 2),
    "payload": {"user": {"name": "Ann"}, "kind": "big", "items": [{"id": 7}], "odd key": 1},
    "long": "x" * 200_000,
    "odd": {1, 2},
    "huge": 10**300,
    "edge": 2**1024 - 1,
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("count > 3", True),
        ("count >= 5 and count <= 5 and count < 6", True),
        ("count == 5.0", True),
        ("count != 5", False),
        ("1 < count < 3 < nonsense", False),
        ("1 < count < 9", True),
        ("count > len(items)", True),
        ("name == 'big' or nonsense", True),
        ("ready or name", "big"),
        ("ready and nonsense", False),
        ("not ready", True),
        ("nothing is null", True),
        ("nothing is None", True),
        ("count is not null", True),
        ("ready is false", True),
        ("true is ready", False),
        ("True and true", True),
        ("null", None),
        ("payload.user.name == 'Ann'", True),
        ("payload['odd key']", 1),
        ("payload.items[0].id", 7),
        ("items[-1]", 3),
        ("name[0]", "b"),
        ("'nn' in payload.user.name", True),
        ("2 in items and 4 not in items", True),
        ("name in ['small', 'big']", True),
        ("name in (name, 'x')", True),
        ("items == [1, count - 3, 3]", True),
        ("'user' in payload", True),
        ("len(items) + len(payload) + len(name) + len(pair)", 12),
        ("-count + +count", 0),
        ("(count + 1) * 2 / 4 - 1", 2.0),
        ("count // 2 + count % 3", 4),
        ("share * 2 == 1", True),
        ("'a' + name * 2", "abigbig"),
        ("items + [4]", [1, 2, 3, 4]),
        ("1 if ready else 2", 2),
        ("1 if count else nonsense", 1),
        ("count > 3\n  and ready == false  # as long as\n  and name == 'big'", True),
        ("  count  ", 5),
    ],
)
def test_guard_gives(source: str, value: Any) -> None:
    result = compile_guard(source).evaluate(NAMES)

    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", "an empty guard"),
        ("  \n ", "an empty guard"),
        ("count >", "count > 3 and payload"),
        ("count = 3", "instead of '=' write '=='"),
        ("a && b", "instead of '&&' write 'and'"),
        ("a || b", "instead of '||' write 'or'"),
        ("!a", "instead of '!' write 'not'"),
        ("a\0b", "guard"),
        ("a == '\ud800'", "cannot be read"),
        ("a" * 2001, "2001 characters; at most 2000"),
        ("+".join("a" * 30) + "+[" + ",".join("a" * 190) + "]", "more than 200 parts"),
        ("+".join("a" * 60), "deeper than 40"),
        ("-" * 1990 + "1", "guard"),
        ("(" * 900 + "1" + ")" * 900, "guard"),
        ("[" * 150 + "]" * 150, "deeper than 40"),
        ("2 ** 3", "only + - * / // % calculate"),
        ("a << 3", "only + - * / // % calculate"),
        ("~a", "write 'not'"),
        ("b'x'", "is no text, number"),
        ("...", "is no text, number"),
        ("1j", "is no text, number"),
        (f"{10**400}", "more than 1024 bits"),
        ("items[1:2]", "items[0]"),
        ("items[1, 2]", "items[0]"),
        ("name.upper()", "only len() can be called"),
        ("open('x')", "only len() can be called"),
        ("len()", "len(items)"),
        ("len(a, b)", "len(items)"),
        ("len(obj=a)", "len(items)"),
        ("count is 5", "write '=='"),
        ("(a := 1)", "set_context"),
        ("{1, 2}", "write a list"),
        ("f'{a}'", "join texts with +"),
        ("{'a': 1}", "not allowed"),
        ("lambda: 1", "not allowed"),
        ("[a for a in items]", "not allowed"),
        ("a in [*items]", "not allowed"),
        ("await a", "not allowed"),
    ],
)
def test_compile_guard_refuses(source: str, reason: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(reason)):
        compile_guard(source)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("nonsense > 3", "nothing is named 'nonsense' here; there is count, edge, "),
        ("payload.nobody", "payload has no key 'nobody'; there is items, kind, odd key, user"),
        ("payload['x']", "payload has no key 'x'; there is items"),
        ("payload.user.name.first", "payload.user.name is a text, so it has no key 'first'"),
        ("name.__class__", "name is a text, so it has no key '__class__'"),
        ("nothing.a", "nothing is null, so it has no key 'a'"),
        ("items[3]", "items is a list of 3, so it has no item 3"),
        ("items['a']", "items is a list of 3, so it has no item 'a'"),
        ("payload[items]", "so it has no item [1, 2, 3]"),
        ("count[0]", "count is a number, so it has no item 0"),
        ("count > 'a'", "count > 'a': '>' does not fit a number and a text"),
        ("count > name", "'>' does not fit a number and a text"),
        ("1 < count < name", "'<' does not fit a number and a text"),
        ("2 in nothing", "'in' does not fit a number and null"),
        ("2 not in count", "'not in' does not fit a number and a number"),
        ("count + name", "'+' does not fit a number and a text"),
        ("name + count", "'+' does not fit a text and a number"),
        ("items - 1", "'-' does not fit a list and a number"),
        ("items * 2", "'*' does not fit a list and a number"),
        ("odd * 2", "'*' does not fit set and a number"),
        ("'%99999999d' % count", "'%' does not fit a text and a number"),
        ("count / 0", "count / 0: divides by zero"),
        ("count % 0", "divides by zero"),
        ("long + long", "the result of '+' is too large"),
        ("long * 2", "the result of '*' is too large"),
        ("'x' * count * 1000000", "the result of '*' is too large"),
        ("huge * huge", "the result of '*' is too large"),
        ("huge * huge / share", "the result of '*' is too large"),
        ("edge + share", "the result of '+' is too large"),
        ("-name", "a text has no sign"),
        ("len(count)", "count is a number, so it has no length"),
    ],
)
def test_evaluate_says_why_there_is_no_value(source: str, reason: str) -> None:
    guard = compile_guard(source)

    with pytest.raises(ExpressionError, match=re.escape(reason)):
        guard.evaluate(NAMES)


def test_evaluate_says_why_when_there_are_no_names() -> None:
    guard = compile_guard("count > 3")

    with pytest.raises(ExpressionError, match=r"^nothing is named 'count' here$"):
        guard.evaluate({})


def test_comparing_endlessly_nested_values_is_an_error() -> None:
    first: list[Any] = []
    second: list[Any] = []
    for nested in (first, second):
        nested.append(nested)

    with pytest.raises(ExpressionError, match="too large"):
        compile_guard("a == b").evaluate({"a": first, "b": second})


def test_nested_chains_read_each_operand_once() -> None:
    chain = "a"
    for _ in range(15):
        chain = f"0 <= ({chain}) <= 1"

    assert compile_guard(chain).evaluate({"a": 0}) is True


def test_guard_names_the_roots_that_it_reads() -> None:
    guard = compile_guard(
        "payload.user.name == true and len(items) > count[key].x or null is false"
    )

    assert guard.names == ("count", "items", "key", "payload")


def test_guards_with_one_source_are_equal_and_show_only_that() -> None:
    guard = compile_guard("a > 1")

    assert guard == compile_guard("a > 1")
    assert hash(guard) == hash(compile_guard("a > 1"))
    assert guard != compile_guard("a > 2")
    assert repr(guard) == "Guard(source='a > 1', names=('a',))"
