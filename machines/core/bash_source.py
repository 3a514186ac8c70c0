"""Read the characters of a bash command, and pass over what no placeholder may stand in."""

import re

from machines.core.bash_words import EXPANSION, OUTSIDE, Command, Spot, Word, refuse
from machines.core.errors import TemplateError
from machines.core.interpolation import Part, Placeholder

MAX_DEPTH = 40  # of $( ), ${ } and the like inside each other

_NAME = re.compile(r"[A-Za-z_]\w*|[0-9*@#?$!-]")
_EXPANDED_NAME = re.compile(r"\$\{[#!]?(\w+)")
_READ = re.compile(r"\$\{?([A-Za-z_]\w*|[0-9@*])")
_COMPUTED = re.compile(r"\[|:[^-=?+]")  # an index, or an offset


class BashSource:
    """A place in a template. ``evaluated`` collects what the shell itself computes with."""

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self.spots: list[Spot] = []
        self.commands: list[Command] = []
        self.evaluated: list[str] = []
        self._items: list[Part] = []
        for part in parts:
            self._items += part if isinstance(part, str) else [part]
        self._at = 0
        self._depth = 0

    def _descend(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TemplateError(f"a command nested deeper than {MAX_DEPTH}; put it into a script")

    def _peek(self, ahead: int = 0) -> Part:
        place = self._at + ahead
        return self._items[place] if place < len(self._items) else ""

    def _take(self) -> Part:
        item = self._peek()
        self._at += 1
        return item

    def _starts(self, text: str) -> bool:
        return all(self._peek(i) == char for i, char in enumerate(text))

    def _inside(self, closer: str) -> str:
        item = self._take()
        if item == "":
            raise TemplateError(f"a command with an opening {closer} that is never closed")
        return str(item)

    def _since(self, start: int) -> str:
        return "".join(item for item in self._items[start : self._at] if isinstance(item, str))

    def _pass_over(self, where: str) -> str:
        """Take one item of a region in which no placeholder may stand."""
        item = self._take()
        if isinstance(item, Placeholder):
            raise refuse(item, where, OUTSIDE)
        if item == "":
            raise TemplateError(f"a command that ends {where}; close it")
        return item

    def _skip_quoted(self, closer: str, where: str) -> None:
        """From an opening quote to its end; a backslash takes its next character with it."""
        self._take()
        while (item := self._pass_over(where)) != closer:
            if item == "\\":
                self._pass_over(where)

    def _skip_arithmetic(self, opener: str, closer: str) -> None:
        """From an opening bracket to its end, inside which values would be evaluated."""
        start, depth = self._at, 0
        while True:
            item = self._pass_over("inside arithmetic")
            if item in "'\"`\\":
                raise TemplateError(
                    f"a command with {item} inside arithmetic; take it out of there"
                )
            depth += (item == opener) - (item == closer)
            if depth == 0:
                break
        self.evaluated.append(self._since(start))

    def _skip_double_arithmetic(self) -> None:
        self._skip_arithmetic("(", ")")
        if self._items[self._at - 2] != ")":
            raise TemplateError("a command with '((' that is not closed by '))'; write '( ('")

    def _variable(self, word: Word) -> None:
        """``$name``, or a dollar that is only itself; the dollar is taken already."""
        rest = ""
        for item in self._items[self._at : self._at + 100]:
            if not isinstance(item, str):
                break
            rest += item
        found = _NAME.match(rest)
        if found is None:
            word.add("$")
            return
        self._at += found.end()
        word.variables.add(found[0])
        word.spreads = word.spreads or found[0] == "@"
        word.add(EXPANSION)

    def _note_expansion(self, word: Word, text: str) -> None:
        """Remember what ``${…}`` reads, and whether it computes with it."""
        found = _EXPANDED_NAME.match(text)
        word.spreads = word.spreads or "@" in text
        if found:
            word.variables.add(found[1])
        if text.startswith("${!") or "@P" in text:
            self.evaluated.append(text)
        elif found and _COMPUTED.match(text, found.end()):
            self.evaluated.append(text[found.end() :])

    def _heredoc(self, delimiter: Word, body: Word, *, strip: bool) -> None:
        """Pass over the lines of a heredoc and the one that ends it."""
        continued = False
        while self._peek() != "":
            start = self._at
            while self._peek() not in ("", "\n"):
                self._pass_over("inside a heredoc")
            line = self._since(start)
            self._take()
            if not continued and (line.lstrip("\t") if strip else line) == delimiter.text:
                return
            if delimiter.bare:
                body.variables.update(_READ.findall(line))
            slashes = len(line) - len(line.rstrip("\\"))
            continued = delimiter.bare and slashes % 2 == 1
