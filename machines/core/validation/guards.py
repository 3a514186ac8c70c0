"""Guards: those whose value is certain, without a look at any context."""

import ast
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from machines.core.errors import ExpressionError
from machines.core.expressions import Guard
from machines.core.loading.faults import shown
from machines.core.validation import codes
from machines.core.validation.facts import Facts
from machines.core.validation.problems import Findings


def check_guards(facts: Facts, findings: Findings) -> None:
    """Guards that can never hold."""
    for transition in facts.definition.transitions:
        if transition.guard is not None and never_holds(transition.guard):
            findings.add(
                codes.GUARD_NEVER_HOLDS,
                transition.place,
                f"transitions[{transition.index}].guard:"
                f" {shown(transition.guard.source)} never holds",
            )


def always_holds(guard: Guard | None) -> bool:
    """True if the guard holds whatever the context is; none at all always holds."""
    return guard is None or (not guard.names and _constant(guard))


def never_holds(guard: Guard) -> bool:
    """True if the guard is false, or raises, whatever the context is. In doubt it is not."""
    if not guard.names:
        return not _constant(guard)
    return ("and" in guard.source or "or" in guard.source) and _never(guard.source)


def _constant(guard: Guard) -> bool:
    try:
        return bool(guard.evaluate({}))
    except ExpressionError:
        return False


@lru_cache(maxsize=1024)
def _never(source: str) -> bool:
    text = source.strip()
    return _is_false(ast.parse(f"({text}\n)" if "\n" in text else text, mode="eval").body)


def _is_false(node: ast.expr) -> bool:
    """True if the expression is false or raises, whatever its names stand for."""
    if isinstance(node, ast.BoolOp):
        if isinstance(node.op, ast.Or):
            return all(map(_is_false, node.values))
        return any(map(_is_false, node.values)) or _contradicts(node.values)
    if isinstance(node, ast.IfExp):
        return _is_false(node.body) and _is_false(node.orelse)
    if isinstance(node, ast.Name):
        return node.id in ("false", "null")
    return isinstance(node, ast.Constant) and not node.value


def _contradicts(nodes: Iterable[ast.expr]) -> bool:
    """True if simple comparisons of one thing with constants cannot all be true."""
    equal: dict[str, Any] = {}
    least: dict[str, _Bound] = {}
    most: dict[str, _Bound] = {}
    for what, operator, value in filter(None, map(_comparison, nodes)):
        if operator is ast.Eq and equal.setdefault(what, value) != value:
            return True
        if isinstance(value, str):
            continue
        if operator in _FROM_BELOW:
            low = (value, _FROM_BELOW[operator])
            least[what] = max(least.get(what, low), low)
        if operator in _FROM_ABOVE:
            high = (value, _FROM_ABOVE[operator])
            most[what] = min(most.get(what, high), high)
    return any(what in most and low > most[what] for what, low in least.items())


_Bound = tuple[float, int]  # a number, and 1 or -1 if it is not reached itself
_FROM_BELOW: Mapping[type[ast.cmpop], int] = {ast.Eq: 0, ast.GtE: 0, ast.Gt: 1}
_FROM_ABOVE: Mapping[type[ast.cmpop], int] = {ast.Eq: 0, ast.LtE: 0, ast.Lt: -1}


def _comparison(node: ast.expr) -> tuple[str, type[ast.cmpop], Any] | None:
    """What is compared, how, and with which text or number; None if it is anything else."""
    if not (isinstance(node, ast.Compare) and len(node.ops) == 1):
        return None
    right = node.comparators[0]
    if not isinstance(right, ast.Constant) or type(right.value) not in (str, int, float):
        return None
    return ast.dump(node.left), type(node.ops[0]), right.value
