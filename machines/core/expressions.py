"""Guards: a small language of expressions, compiled to closures when a file is loaded.

What a guard may say is an allow-list of Python's expression syntax: comparison, arithmetic,
``and``/``or``/``not``, indexing, attribute by dot (a mapping's key, never an attribute of a Python
object), lists, ``len()``, ``a if b else c``. Nothing is ever handed to ``eval``. The cost of one
evaluation is bounded by the size of the source and of the values it reads.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from machines.core.errors import ExpressionError
from machines.core.operations import (
    ARITHMETIC,
    COMPARISONS,
    MAX_INTEGER_BITS,
    TYPE_NAMES,
    Operation,
    describe,
    operation_error,
)

MAX_SOURCE_LENGTH = 2_000  # characters; a longer condition belongs into an action
MAX_NODES = 200  # parts of one expression
MAX_DEPTH = 40  # far below Python's recursion limit, far above what a person writes

# What a guard sees before it sees the context.
ENGINE_NAMES = frozenset(
    {"payload", "event", "machine_name", "current_state", "event_data", "secret"}
)
CONSTANT_NAMES: Mapping[str, Any] = {"true": True, "false": False, "null": None}

Names = Mapping[str, Any]
_Compiled = Callable[[Names], Any]


@dataclass(frozen=True, slots=True)
class Guard:
    """A compiled expression; two with the same source are equal.

    ``names`` are the root names it reads, sorted: of ``payload.user.name`` that is ``payload``.
    ``evaluate`` gives the value of the expression, or raises ExpressionError, saying why it has
    none. ``plain``: none of them is an event's or the engine's, so the context may be all it reads.
    """

    source: str
    names: tuple[str, ...] = field(compare=False)
    evaluate: _Compiled = field(repr=False, compare=False)
    plain: bool = field(default=False, repr=False, compare=False)


def compile_guard(source: str) -> Guard:
    """Compile an expression, or raise ExpressionError that says what would be right."""
    if len(source) > MAX_SOURCE_LENGTH:
        raise ExpressionError(
            f"a guard of {len(source)} characters; at most {MAX_SOURCE_LENGTH} are allowed"
        )
    tree = _parse(source)
    _refuse_large(tree)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    compiled = _compile(tree)
    read = names - CONSTANT_NAMES.keys() - {"len"}
    return Guard(source, tuple(sorted(read)), compiled, read.isdisjoint(ENGINE_NAMES))


def _parse(source: str) -> ast.expr:
    text = source.strip()
    if not text:
        raise ExpressionError("an empty guard; leave the key out, or write one such as 'count > 3'")
    try:
        # In brackets, so that an expression may go over several lines of the file.
        return ast.parse(f"({text}\n)" if "\n" in text else text, mode="eval").body
    except SyntaxError as error:
        raise ExpressionError(f"guard {source!r}: {error.msg}{_hint(text)}") from None
    except (ValueError, MemoryError, RecursionError):
        raise ExpressionError(
            "a guard that cannot be read: nested too deeply, or with characters that are no text"
        ) from None


def _hint(text: str) -> str:
    for found, right in (("&&", "and"), ("||", "or"), ("!", "not"), ("=", "==")):
        if found in text.replace("!=", "").replace("==", ""):
            return f"; instead of {found!r} write {right!r}"
    return "; write a comparison such as 'count > 3 and payload.kind == \"big\"'"


def _refuse_large(tree: ast.expr) -> None:
    """Walk without recursion, so that no source can exhaust the stack of what follows."""
    pending: list[tuple[ast.AST, int]] = [(tree, 1)]
    count = 0
    while pending:
        node, depth = pending.pop()
        count += isinstance(node, ast.expr)
        if count > MAX_NODES:
            raise ExpressionError(f"a guard of more than {MAX_NODES} parts; make it simpler")
        if depth > MAX_DEPTH:
            raise ExpressionError(f"a guard nested deeper than {MAX_DEPTH}; make it simpler")
        pending.extend((child, depth + 1) for child in ast.iter_child_nodes(node))


def _compile(node: ast.expr) -> _Compiled:
    compiler = _COMPILERS.get(type(node))
    if compiler is None:
        instead = _INSTEAD.get(type(node), "compare, calculate, or use and, or, not, len()")
        raise ExpressionError(f"{ast.unparse(node)!r} is not allowed in a guard; {instead}")
    return compiler(node)


# Leaves: constants, names, keys


def _compile_constant(node: ast.Constant) -> _Compiled:
    value = node.value
    if type(value) not in TYPE_NAMES:
        raise ExpressionError(f"{ast.unparse(node)!r} is no text, number, true, false or null")
    if type(value) is int and value.bit_length() > MAX_INTEGER_BITS:
        raise ExpressionError(f"a number of more than {MAX_INTEGER_BITS} bits in a guard")
    return lambda names: value


def _compile_name(node: ast.Name) -> _Compiled:
    name = node.id
    if name in CONSTANT_NAMES:
        constant = CONSTANT_NAMES[name]
        return lambda names: constant

    def read_name(names: Names) -> Any:
        try:
            return names[name]
        except KeyError:
            raise ExpressionError(f"nothing is named {name!r} here{_listed(names)}") from None

    return read_name


def _compile_attribute(node: ast.Attribute) -> _Compiled:
    read_owner, key, owner_text = _compile(node.value), node.attr, ast.unparse(node.value)

    def read_key(names: Names) -> Any:
        owner = read_owner(names)
        try:
            if type(owner) is dict or isinstance(owner, Mapping):
                return owner[key]
        except KeyError:
            raise ExpressionError(f"{owner_text} has no key {key!r}{_listed(owner)}") from None
        raise ExpressionError(
            f"{owner_text} is {describe(owner)}, so it has no key {key!r}; only a mapping has keys"
        )

    return read_key


def _compile_subscript(node: ast.Subscript) -> _Compiled:
    if isinstance(node.slice, ast.Slice | ast.Tuple):
        raise ExpressionError(
            f"{ast.unparse(node)!r} takes a part of a list; take one item, such as items[0]"
        )
    read_owner, read_index = _compile(node.value), _compile(node.slice)
    owner_text = ast.unparse(node.value)

    def read_item(names: Names) -> Any:
        owner, index = read_owner(names), read_index(names)
        if not isinstance(owner, list | tuple | str | Mapping):
            raise ExpressionError(
                f"{owner_text} is {describe(owner)}, so it has no item {index!r:.60}"
            )
        try:
            return owner[index]
        except KeyError:
            raise ExpressionError(
                f"{owner_text} has no key {index!r:.60}{_listed(owner)}"
            ) from None
        except (IndexError, TypeError):
            raise ExpressionError(
                f"{owner_text} is {describe(owner)} of {len(owner)}, "
                f"so it has no item {index!r:.60}"
            ) from None

    return read_item


def _listed(owner: Any) -> str:
    keys = sorted(str(key) for key in owner)
    return f"; there is {', '.join(keys[:10])}{', …' * (len(keys) > 10)}"[:200] if keys else ""


def _compile_list(node: ast.List | ast.Tuple) -> _Compiled:
    readers = tuple(_compile(element) for element in node.elts)
    if all(isinstance(element, ast.Constant) for element in node.elts):
        constant = [read({}) for read in readers]
        return lambda names: constant
    return lambda names: [read(names) for read in readers]


def _compile_call(node: ast.Call) -> _Compiled:
    if not isinstance(node.func, ast.Name) or node.func.id != "len":
        raise ExpressionError(
            f"{ast.unparse(node)!r} calls {ast.unparse(node.func)!r}; only len() can be called"
        )
    if len(node.args) != 1 or node.keywords:
        raise ExpressionError(f"{ast.unparse(node)!r}: len() takes one value, such as len(items)")
    read, text = _compile(node.args[0]), ast.unparse(node.args[0])

    def length(names: Names) -> int:
        value = read(names)
        if isinstance(value, str | list | tuple | Mapping):
            return len(value)
        raise ExpressionError(f"{text} is {describe(value)}, so it has no length")

    return length


# Operations


def _compile_arithmetic(node: ast.BinOp) -> _Compiled:
    if type(node.op) not in ARITHMETIC:
        raise ExpressionError(f"{ast.unparse(node)!r}: only + - * / // % calculate in a guard")
    symbol, operation = ARITHMETIC[type(node.op)]
    read_left, read_right, text = _compile(node.left), _compile(node.right), ast.unparse(node)

    def calculate(names: Names) -> Any:
        left, right = read_left(names), read_right(names)
        try:
            return operation(left, right)
        except (TypeError, ZeroDivisionError, OverflowError) as error:
            raise operation_error(text, symbol, (left, right), error) from None

    return calculate


def _compile_unary(node: ast.UnaryOp) -> _Compiled:
    read, text = _compile(node.operand), ast.unparse(node)
    if isinstance(node.op, ast.Not):
        return lambda names: not read(names)
    if isinstance(node.op, ast.Invert):
        raise ExpressionError(f"{text!r}: '~' is not allowed in a guard; write 'not'")
    sign = -1 if isinstance(node.op, ast.USub) else 1

    def signed(names: Names) -> Any:
        value = read(names)
        if isinstance(value, int | float):
            return sign * value
        raise ExpressionError(f"{text}: {describe(value)} has no sign; a number has")

    return signed


def _compile_comparison(node: ast.Compare) -> _Compiled:
    operands = [node.left, *node.comparators]
    for kind, left, right in zip(node.ops, operands, operands[1:], strict=False):
        if isinstance(kind, ast.Is | ast.IsNot) and not (_is_single(left) or _is_single(right)):
            raise ExpressionError(
                f"{ast.unparse(node)!r}: 'is' compares with null, true or false only; write '=='"
            )
    text = ast.unparse(node)
    steps = [
        (_compile_test(kind, text), _compile(operand))
        for kind, operand in zip(node.ops, node.comparators, strict=True)
    ]
    if len(steps) > 1:
        return _compile_chain(_compile(node.left), steps)
    if isinstance(node.comparators[0], ast.Constant):
        return _compile_pair_with_constant(node, text)
    compare, read_left, read_right = steps[0][0], _compile(node.left), steps[0][1]
    return lambda names: compare(read_left(names), read_right(names))


def _compile_test(kind: ast.cmpop, text: str) -> Operation:
    symbol, operation = COMPARISONS[type(kind)]

    def compare(left: Any, right: Any) -> Any:
        try:
            return operation(left, right)
        except (TypeError, RecursionError) as error:
            raise operation_error(text, symbol, (left, right), error) from None

    return compare


def _compile_pair_with_constant(node: ast.Compare, text: str) -> _Compiled:
    """The most common guard, ``name == constant``, with as few calls as possible."""
    symbol, operation = COMPARISONS[type(node.ops[0])]
    read_left, right = _compile(node.left), _compile(node.comparators[0])({})

    def compare(names: Names) -> Any:
        left = read_left(names)
        try:
            return operation(left, right)
        except (TypeError, RecursionError) as error:
            raise operation_error(text, symbol, (left, right), error) from None

    return compare


def _compile_chain(read_first: _Compiled, steps: list[tuple[Operation, _Compiled]]) -> _Compiled:
    """``a < b < c`` with ``b`` read once; twice would double the cost at every nesting."""

    def compare_chain(names: Names) -> Any:
        left, result = read_first(names), True
        for compare, read_right in steps:
            right = read_right(names)
            result = compare(left, right)
            if not result:
                break
            left = right
        return result

    return compare_chain


def _is_single(node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        return node.id in CONSTANT_NAMES
    return isinstance(node, ast.Constant) and (node.value is None or type(node.value) is bool)


def _compile_choice(node: ast.BoolOp) -> _Compiled:
    """``and`` and ``or`` give the operand that decided, as in Python."""
    join = _both if isinstance(node.op, ast.And) else _either
    *first, folded = [_compile(value) for value in node.values]
    for reader in reversed(first):
        folded = join(reader, folded)
    return folded


def _both(left: _Compiled, right: _Compiled) -> _Compiled:
    return lambda names: left(names) and right(names)


def _either(left: _Compiled, right: _Compiled) -> _Compiled:
    return lambda names: left(names) or right(names)


def _compile_conditional(node: ast.IfExp) -> _Compiled:
    test, yes, no = _compile(node.test), _compile(node.body), _compile(node.orelse)
    return lambda names: yes(names) if test(names) else no(names)


_COMPILERS: Mapping[type[ast.expr], Callable[[Any], _Compiled]] = {
    ast.Constant: _compile_constant,
    ast.Name: _compile_name,
    ast.Attribute: _compile_attribute,
    ast.Subscript: _compile_subscript,
    ast.List: _compile_list,
    ast.Tuple: _compile_list,
    ast.Call: _compile_call,
    ast.BinOp: _compile_arithmetic,
    ast.UnaryOp: _compile_unary,
    ast.Compare: _compile_comparison,
    ast.BoolOp: _compile_choice,
    ast.IfExp: _compile_conditional,
}

_INSTEAD: Mapping[type[ast.expr], str] = {
    ast.Set: "write a list: [a, b]",
    ast.JoinedStr: "join texts with +",
    ast.NamedExpr: "to compare, write '=='; to set a value, use the action set_context",
}
