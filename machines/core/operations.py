"""The operations of guards, each with a bound on what it costs and makes."""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from machines.core.errors import ExpressionError

MAX_RESULT_LENGTH = 256 * 1024  # characters or items: as large as a whole context
MAX_INTEGER_BITS = 1024  # of a product

TYPE_NAMES: Mapping[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    tuple: "a list",
    dict: "a mapping",
}

Operation = Callable[[Any, Any], Any]


def describe(value: Any) -> str:
    """What a value is called in a YAML file: ``a text``, ``null``."""
    return TYPE_NAMES.get(type(value), type(value).__name__)


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, str | list | tuple) and len(left) + len(right) > MAX_RESULT_LENGTH:
        raise OverflowError
    return left + right


def _multiply(left: Any, right: Any) -> Any:
    if type(left) is int and type(right) is int:
        if left.bit_length() + right.bit_length() > MAX_INTEGER_BITS:
            raise OverflowError
    elif isinstance(left, str) and isinstance(right, int):
        if len(left) * right > MAX_RESULT_LENGTH:
            raise OverflowError
    else:
        # A list times a number is refused: nested ones would take longer than the age of a host.
        _require_numbers(left, right)
    return left * right


def _remainder(left: Any, right: Any) -> Any:
    # For texts this would be formatting, with a width that no limit sees.
    _require_numbers(left, right)
    return left % right


def _require_numbers(*values: Any) -> None:
    if not all(isinstance(value, int | float) for value in values):
        raise TypeError


ARITHMETIC: Mapping[type[ast.operator], tuple[str, Operation]] = {
    ast.Add: ("+", _add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", _multiply),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", _remainder),
}

COMPARISONS: Mapping[type[ast.cmpop], tuple[str, Operation]] = {
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.In: ("in", lambda left, right: left in right),
    ast.NotIn: ("not in", lambda left, right: left not in right),
    ast.Is: ("is", operator.is_),
    ast.IsNot: ("is not", operator.is_not),
}


def operation_error(
    text: str, symbol: str, operands: tuple[Any, Any], error: Exception
) -> ExpressionError:
    """Why the operation ``symbol`` of the expression ``text`` failed, in the words of YAML."""
    left, right = map(describe, operands)
    if isinstance(error, ZeroDivisionError):
        return ExpressionError(f"{text}: divides by zero")
    if isinstance(error, OverflowError | RecursionError):
        return ExpressionError(f"{text}: the result of {symbol!r} is too large for a guard")
    return ExpressionError(f"{text}: {symbol!r} does not fit {left} and {right}")
