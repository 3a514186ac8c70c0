"""The words of a bash command that has placeholders, as far as its safety depends on them."""

import re
from dataclasses import dataclass, field
from enum import Enum

from machines.core.errors import TemplateError
from machines.core.interpolation import Placeholder

PLACE = "\0"  # stands for a placeholder in the text of a word
EXPANSION = "\1"  # stands for what the shell itself expands

_PATTERN = re.compile(r"[*?]|\[.+\]", re.DOTALL)
_BRACES = re.compile(r"\{.*(,|\.\.).*\}", re.DOTALL)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(?:\[.*?\])?\+?=", re.DOTALL)


class Quotes(Enum):
    """The quotes in which a placeholder stands."""

    BARE = "bare"
    DOUBLE = "double"
    SINGLE = "single"


class Lead(Enum):
    """Whether a placeholder decides how its word begins: a dash would make it an option."""

    NOT = "not"
    FIRST = "first"
    NEXT = "next"  # if the placeholders before it in its word are empty
    STRICT = "strict"  # first in a place where even a number with a dash is an option


@dataclass(slots=True)
class Spot:
    """Where one placeholder stands."""

    placeholder: Placeholder
    quotes: Quotes
    lead: Lead = Lead.NOT


@dataclass(slots=True)
class Word:
    """A word without its quotes; ``bare_length`` is how far it begins without any."""

    text: str = ""
    bare_length: int = 0
    spots: list[Spot] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)
    splits: bool = False  # an expansion without quotes may become several words
    loose: bool = False  # and a placeholder stands inside of it
    spreads: bool = False  # an expansion of all elements of a list: also in quotes several, or none
    unquoted: str = ""  # what stands in no quotes, wherever in the word
    written: bool = False  # an empty pair of quotes is a word, too

    @property
    def bare(self) -> bool:
        """True if no part of it is quoted, expanded or filled in."""
        return self.bare_length == len(self.text)

    @property
    def vanishes(self) -> bool:
        """True if the shell may leave nothing of it, not even an empty word."""
        return (self.splits or self.spreads) and not self.text.strip(EXPANSION)

    @property
    def braces(self) -> bool:
        """True if the shell makes several words of it, as of ``{sh,-c}``."""
        return _BRACES.search(self.unquoted) is not None

    @property
    def pattern(self) -> bool:
        """True if the shell puts names of files in its place."""
        return _PATTERN.search(self.unquoted) is not None

    @property
    def assigned(self) -> str:
        """The name before ``=``, if it has the form of an assignment; else empty."""
        found = _ASSIGNMENT.match(self.text)
        return found[1] if found and found.end() <= self.bare_length else ""

    def add(self, text: str, *, bare: bool = False) -> None:
        """Append to the word."""
        if bare and self.bare and not self.written:
            self.bare_length += len(text)
        if bare:
            self.unquoted += text
        self.written = self.written or not bare
        self.text += text


@dataclass(slots=True)
class Command:
    """A simple command; ``here_strings`` are what ``<<<`` and ``<<`` hand to it.

    ``fed`` is a placeholder whose value a pipe before it may carry.
    """

    assignments: list[Word] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    here_strings: list[Word] = field(default_factory=list)
    fed: Placeholder | None = None


class RefusedError(TemplateError):
    """A placeholder that stands where a value would be code."""

    def __init__(self, placeholder: Placeholder, where: str, hint: str) -> None:
        self.placeholder = placeholder
        super().__init__(f"{placeholder.text} stands {where}: a value there could be run; {hint}")


def refuse(placeholder: Placeholder, where: str, hint: str) -> RefusedError:
    """The error for a placeholder that stands where a value would be code."""
    return RefusedError(placeholder, where, hint)


OUTSIDE = "set a variable from it before, as in name={key}, or hand it over as an argument"
