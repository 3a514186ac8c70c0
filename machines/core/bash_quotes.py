"""Read what stands in quotes and behind a dollar in a bash command that has placeholders."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from machines.core.bash_source import BashSource
from machines.core.bash_words import (
    EXPANSION,
    OUTSIDE,
    PLACE,
    Command,
    Lead,
    Quotes,
    Spot,
    Word,
    refuse,
)
from machines.core.errors import TemplateError
from machines.core.interpolation import Placeholder


class BashQuotes(BashSource, ABC):
    """What adds to a word: placeholders, quotes, expansions."""

    @abstractmethod
    def _level(self, closer: str, *, array: bool = False) -> Command:
        """Read commands up to ``closer``, which is taken; return the last one."""

    def _fill(self, word: Word, quotes: Quotes) -> None:
        item = self._take()
        assert isinstance(item, Placeholder)  # noqa: S101 -- callers have looked
        spot = Spot(item, quotes)
        if not word.text.strip(PLACE):
            spot.lead = Lead.NEXT if word.text else Lead.FIRST
            if quotes is not Quotes.BARE:
                spot.lead = Lead.NOT
        word.add(PLACE)
        word.spots.append(spot)
        self.spots.append(spot)

    def _double_quoted(self, word: Word) -> None:
        word.add("")
        self._take()
        while (item := self._peek()) != '"':
            if isinstance(item, Placeholder):
                self._fill(word, Quotes.DOUBLE)
            elif item == "$":
                self._expand(word, quoted=True)
            elif item == "`":
                self._skip_quoted("`", "inside backticks")
                word.add(EXPANSION)
            else:
                self._double_literal(word)
        self._take()

    def _double_literal(self, word: Word) -> None:
        item = self._inside('"')
        if item != "\\":
            word.add(item)
            return
        following = self._peek()
        if isinstance(following, Placeholder):
            raise refuse(following, "after a backslash", "take the backslash away")
        item = self._inside('"')
        word.add(item if item in '$`"\\' else f"\\{item}" if item != "\n" else "")

    def _expand(self, word: Word, *, quoted: bool) -> None:
        """What begins with a dollar, outside single quotes."""
        before = len(self.spots)
        word.splits = word.splits or not quoted
        if self._starts("$\\\n"):
            raise TemplateError("a command with a line broken after '$'; put both on one line")
        if self._starts("$(("):
            self._take()
            self._skip_double_arithmetic()
        elif self._starts("$("):
            self._take()
            self._substitution(word)
            word.loose = word.loose or (not quoted and len(self.spots) > before)
        elif self._starts("$["):
            self._take()
            self._skip_arithmetic("[", "]")
        elif self._starts("${"):
            self._parameter(word, quoted=quoted)
        else:
            self._take()
            self._variable(word)
            return
        word.add(EXPANSION)

    def _substitution(self, word: Word) -> None:
        self._take()
        spots, commands = len(self.spots), len(self.commands)
        self._level(")")
        word.add(EXPANSION)
        word.spots += self.spots[spots:]
        for command in self.commands[commands:]:
            for inner in (*command.assignments, *command.words, *command.here_strings):
                word.variables |= inner.variables

    def _without_placeholder(self, word: Word, where: str, read: Callable[[Word], None]) -> None:
        before = len(self.spots)
        read(word)
        if len(self.spots) > before:
            raise refuse(self.spots[before].placeholder, where, OUTSIDE)

    def _parameter(self, word: Word, *, quoted: bool) -> None:
        """``${…}``: what it holds may be a pattern, an index or arithmetic."""
        self._descend()
        start, where = self._at, "inside ${…}"
        self._at += 2
        if self._peek() in (" ", "\n", "\t", "|"):
            raise TemplateError("a command with a blank after '${'; write $( … )")
        while self._peek() != "}":
            item = self._peek()
            if item == "'" and quoted:
                raise TemplateError('a command with \' inside "${…}"; set a variable before')
            if item == "'":
                self._skip_quoted("'", where)
            elif item == '"':
                self._without_placeholder(word, where, self._double_quoted)
            elif item == "$":
                self._without_placeholder(
                    word, where, lambda inner: self._expand(inner, quoted=quoted)
                )
            else:
                self._parameter_literal(where)
        self._take()
        self._depth -= 1
        self._note_expansion(word, self._since(start))

    def _parameter_literal(self, where: str) -> None:
        if self._peek() == "`":
            self._skip_quoted("`", where)
        elif self._pass_over(where) == "\\":
            self._pass_over(where)
