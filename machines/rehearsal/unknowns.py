"""Values that nobody knows yet: a payload, the data of a job, what a command prints.

``UNKNOWN`` passes through placeholders and contexts like any text. Whoever looks at it (compares,
counts, branches) gets ``Depends``: a guard that does may hold or not, and both are explored.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn, TypeVar

from machines.core.definition import Definition, EventDeclaration, Transition
from machines.core.expressions import Guard
from machines.core.snapshot import Event

T = TypeVar("T")
MARK = "\ue000"  # private use: stands in no text that a person writes
_LOOKS_AT_TYPE = re.compile(r"\bis\b|-")  # what a value cannot notice being asked


class Depends(BaseException):
    """What is asked depends on a value that is not known.

    No error of what asks: it has to get past everything that turns exceptions into outcomes.
    """


def _depends(*_operands: Any) -> NoReturn:
    raise Depends


class _Unknown(str):
    """Any value at all. It is a text and a mapping, so that nothing turns it away unseen."""

    __slots__ = ()
    __hash__ = str.__hash__
    lower = _depends

    def __getitem__(self, _key: Any) -> Any:
        return UNKNOWN

    def get(self, _key: Any, _default: Any = None) -> Any:
        """A part of it is as unknown."""
        return UNKNOWN


class _Something(_Unknown):
    """Any value but null."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return False if other is None else _depends()

    def __ne__(self, other: object) -> bool:
        return True if other is None else _depends()


for _name in (
    "eq", "ne", "lt", "le", "gt", "ge", "bool", "len", "iter", "contains", "float", "int",
    "add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "floordiv", "rfloordiv",
    "mod", "rmod",
):  # fmt: skip
    setattr(_Unknown, f"__{_name}__", _depends)
Mapping.register(_Unknown)
UNKNOWN = _Unknown(MARK)
SOMETHING = _Something(MARK)


class _AnyJob(dict[str, Any]):
    """The layer of names of a job: its data may have any key."""

    __slots__ = ()

    def __missing__(self, _key: str) -> Any:
        return UNKNOWN

    def __contains__(self, _key: object) -> bool:
        return True


ANY_JOB: Mapping[str, Any] = _AnyJob(current_job=SOMETHING)


class AnyPayload(Event):
    """An event from outside of which only the name is known."""

    __slots__ = ()

    def as_data(self) -> dict[str, Any]:
        """See Event."""
        return {"type": self.name, "payload": UNKNOWN, "job_id": UNKNOWN, "source": UNKNOWN}


def known(value: Any) -> Any:
    """``value`` with UNKNOWN in the place of every text that an unknown one was written into."""
    if isinstance(value, str):
        return UNKNOWN if type(value) is not str or MARK in value else value
    if isinstance(value, list):
        items = [known(item) for item in value]
        return value if all(map(operator.is_, items, value)) else items
    if isinstance(value, dict):
        parts = {key: known(item) for key, item in value.items()}
        return value if all(parts[key] is value[key] for key in parts) else parts
    return value


@dataclass(frozen=True, slots=True)
class Assumption:
    """That a guard whose value is not known holds, or does not."""

    transition: int
    source: str
    holds: bool
    names: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """``if payload.n > 3``."""
        return f"{'if' if self.holds else 'unless'} {self.source}"


class Oracle:
    """Answers for guards whose value is not known, so that every combination is tried once."""

    def __init__(self) -> None:
        self._script: list[bool] = []
        self._made: list[Assumption] = []
        self._given = 0

    def holds(self, transition: int, guard: Guard) -> bool:
        """Whether to assume that it holds; the same for one guard all through one branch."""
        for made in self._made:
            if made.transition == transition:
                return made.holds
        position = len(self._made) - self._given
        value = self._script[position] if position < len(self._script) else False
        self._made.append(Assumption(transition, guard.source, value, guard.names))
        return value

    def branches(
        self, run: Callable[[], T], given: tuple[Assumption, ...] = ()
    ) -> list[tuple[T, tuple[Assumption, ...]]]:
        """What ``run`` gives under every combination of answers, where ``given`` stands already."""
        found: list[tuple[T, tuple[Assumption, ...]]] = []
        self._script, self._given = [], len(given)
        while True:
            self._made = [*given]
            found.append((run(), tuple(self._made)))
            script = [made.holds for made in self._made[self._given :]]
            while script and script[-1]:
                script.pop()
            if not script:
                return found
            script[-1] = True
            self._script = script


def opened(definition: Definition, oracle: Oracle) -> Definition:
    """``definition`` with guards that ask ``oracle`` for what is not known.

    Payloads are not checked and not mapped into the context: nothing is known of them.
    """
    transitions = tuple(_opened(transition, oracle) for transition in definition.transitions)
    events = {name: EventDeclaration(name) for name in definition.events}
    return replace(definition, transitions=transitions, events=events)


def _opened(transition: Transition, oracle: Oracle) -> Transition:
    guard = transition.guard
    if guard is None:
        return transition
    index = transition.index
    careful = guard.names if _LOOKS_AT_TYPE.search(guard.source) else ()

    def evaluate(names: Mapping[str, Any]) -> bool:
        try:
            if any(type(names.get(name)) is _Unknown for name in careful):
                _depends()
            return bool(guard.evaluate(names))
        except Depends:
            return oracle.holds(index, guard)

    return replace(transition, guard=Guard(guard.source, guard.names, evaluate))
