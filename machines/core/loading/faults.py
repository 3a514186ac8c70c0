"""Faults: where everything that is wrong with a file is collected, in the words of its author."""

import difflib
from collections.abc import Collection

from machines.core.definition import Place
from machines.core.errors import DefinitionError, Fault

MAX_SHOWN = 60  # characters of an offending value in a message
MAX_LISTED = 12  # known names in a message; more would bury what it says
MAX_COMPARISONS = 20_000  # names compared for "did you mean" in one file: at most about a second
MAX_COMPARED = 40  # characters; a longer name is no slip of the pen, and comparing is quadratic


class Faults:
    """The faults found so far in the file ``origin``."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._found: list[Fault] = []
        self._comparisons_left = MAX_COMPARISONS

    def add(self, place: Place, message: str) -> None:
        """Note a fault and go on, so that all are told at once."""
        self._found.append(Fault(place.line, place.column, message))

    def fatal(self, place: Place, message: str) -> DefinitionError:
        """The error to raise for a fault after which nothing more can be read."""
        self.add(place, message)
        return DefinitionError(self.origin, self._found)

    def raise_any(self) -> None:
        """Raise DefinitionError with all faults, if there is one."""
        if self._found:
            raise DefinitionError(self.origin, self._found)

    def hint(self, word: str, known: Collection[str], kind: str) -> str:
        """What to say after an unknown ``word``: the nearest known one, else the known ones."""
        if len(known) <= self._comparisons_left and len(word) <= MAX_COMPARED:
            self._comparisons_left -= len(known)
            short = [name for name in known if len(name) <= MAX_COMPARED]
            if near := difflib.get_close_matches(word, short, n=1):
                return f"; did you mean {near[0]!r}?"
        if not known or len(known) > MAX_LISTED:
            return ""
        return f"; {kind}: {', '.join(known)}"


def shown(text: str) -> str:
    """``text`` quoted for a message, cut where it is long."""
    return repr(text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…")
