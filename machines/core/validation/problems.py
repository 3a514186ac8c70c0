"""Problems: what the validator says, and where it is collected."""

import difflib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from itertools import islice

from machines.core.definition import Place

MAX_COMPARISONS = 1_000  # names compared for "did you mean" in one file: some 20 ms
MAX_KNOWN = 200  # names compared with one word
MAX_OF_ONE_CODE = 500  # problems of one file; more would be read by nobody
MAX_COMPARED = 40  # characters; a longer name is no slip of the pen


class Severity(Enum):
    """How bad a problem is."""

    ERROR = "error"  # it cannot do what is written
    WARNING = "warning"  # it does not do what was probably meant
    INFO = "info"  # worth knowing


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of problem: its stable number and name, what it means, and what to do about it."""

    code: str
    name: str
    severity: Severity
    meaning: str
    hint: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of one file."""

    code: str
    severity: Severity
    place: Place
    message: str
    hint: str


class Findings:
    """The problems found so far in one file."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._counts: Counter[str] = Counter()
        self._comparisons_left = MAX_COMPARISONS

    def add(self, code: Code, place: Place, message: str, *, hint: str = "") -> None:
        """Note a problem; ``hint`` is what to do here, if that is not what the code says."""
        if self.full(code):
            return
        self._counts[code.code] += 1
        self._found.append(Problem(code.code, code.severity, place, message, hint or code.hint))

    def full(self, code: Code) -> bool:
        """True if so many problems of ``code`` are noted that no more will be."""
        return self._counts[code.code] >= MAX_OF_ONE_CODE

    def near(self, word: str, known: Iterable[str]) -> str:
        """``; did you mean 'worker'?``, or nothing if nothing is close."""
        if len(word) > MAX_COMPARED or not self._comparisons_left:
            return ""
        names = list(islice(known, min(MAX_KNOWN, self._comparisons_left)))
        self._comparisons_left -= len(names)
        short = [name for name in names if len(name) <= MAX_COMPARED]
        found = difflib.get_close_matches(word, short, n=1)
        return f"; did you mean {found[0]!r}?" if found else ""

    def sorted(self) -> tuple[Problem, ...]:
        """All of them, in the order of the file."""
        return tuple(sorted(dict.fromkeys(self._found), key=_order))


def _order(problem: Problem) -> tuple[int, int, str, str]:
    return (problem.place.line, problem.place.column, problem.code, problem.message)
