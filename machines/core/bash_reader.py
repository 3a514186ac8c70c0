"""Read a bash command that has placeholders: its simple commands, words and quotes.

Not a shell, but as much of one as it takes to know where each placeholder stands. Whatever is
not understood for certain is refused, so that a mistake here can cost a template, never a machine.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from machines.core.bash_quotes import BashQuotes
from machines.core.bash_words import (
    EXPANSION,
    OUTSIDE,
    PLACE,
    Command,
    Quotes,
    Word,
    refuse,
)
from machines.core.errors import TemplateError
from machines.core.interpolation import Part, Placeholder

_OPENERS = frozenset({"if", "then", "else", "elif", "do", "while", "until", "!", "{", "time"})
_BLANKS = (" ", "\t", "\n", "")
_ELEMENT = re.compile(r"[A-Za-z_]\w*\[.*\]\+?=", re.DOTALL)
_REDIRECTIONS = ("<<<", "<<-", "<<", "<&", "<>", "<", "&>>", "&>", ">>", ">|", ">&", ">")


@dataclass(slots=True)
class Level:
    """What is being read between one pair of brackets."""

    command: Command = field(default_factory=Command)
    word: Word | None = None
    redirection: str = ""
    cases: int = 0
    pattern: bool = False  # between ``in`` or ``;;`` and ``)`` of a case
    test: bool = False  # between [[ and ]]
    array: bool = False

    def current(self) -> Word:
        """The word that is being read."""
        if self.word is None:
            self.word = Word()
        return self.word


class BashReader(BashQuotes):
    """Reads a whole template; afterwards ``spots`` and ``commands`` are complete."""

    def __init__(self, parts: tuple[Part, ...]) -> None:
        super().__init__(parts)
        self._fed: Placeholder | None = None
        self._heredocs: list[tuple[Word, bool, Word]] = []
        self._readers: dict[str, Callable[[Level], None]] = {
            " ": self._blank,
            "\t": self._blank,
            "\n": self._newline,
            "#": self._comment,
            "\\": self._escape,
            "'": self._single,
            '"': self._double,
            "$": self._dollar,
            "`": self._backticks,
            "<": self._redirect,
            ">": self._redirect,
            "&": self._ampersand,
            "|": self._pipe,
            ";": self._semicolon,
            "(": self._open,
            ")": self._close,
        }

    def read(self) -> None:
        """Read all of it; raise TemplateError where it is not safe or not understood."""
        self._level("")

    # Levels, commands, words

    def _level(self, closer: str, *, array: bool = False) -> Command:
        """Read commands up to ``closer``, which is taken; return the last one."""
        self._descend()
        if self._heredocs:
            raise TemplateError("a command with a bracket on the line of a heredoc; move it")
        level = Level(array=array, command=Command(fed=self._fed))
        while (item := self._peek()) != "":
            if item == closer and not (level.pattern or level.test):
                break
            self._step(level, item)
        self._end_word(level)
        if self._take() != closer or (closer and self._heredocs):
            raise TemplateError("a command with an opening bracket that is never closed; close it")
        last = level.command
        self._end_command(level)
        self._depth -= 1
        return last

    def _step(self, level: Level, item: Part) -> None:
        if isinstance(item, Placeholder):
            self._fill(level.current(), Quotes.BARE)
        elif level.test and item in "()<>&|;\n":
            self._test_operator(level)
        elif reader := self._readers.get(item):
            reader(level)
        else:
            level.current().add(str(self._take()), bare=True)

    def _end_word(self, level: Level) -> None:
        word, level.word = level.word, None
        if word is None:
            return
        if level.redirection:
            self._end_redirection(level, word)
        elif level.pattern:
            if word.bare and word.text == "esac":
                level.pattern = False
                level.cases -= 1
        elif level.test:
            level.command.words.append(word)
            level.test = not (word.bare and word.text == "]]")
        elif level.command.words or level.array or not self._is_prefix(level, word):
            self._add_word(level, word)

    def _is_prefix(self, level: Level, word: Word) -> bool:
        """Take what stands before the command itself; False if ``word`` is the command."""
        if word.assigned or _ELEMENT.match(word.text):
            level.command.assignments.append(word)
            return True
        if not word.bare:
            return False
        level.test = word.text == "[["
        if word.text == "esac":
            level.cases -= 1
        return word.text in _OPENERS

    def _add_word(self, level: Level, word: Word) -> None:
        words = level.command.words
        words.append(word)
        if len(words) == 3 and words[0].text == "case" and word.text == "in" and not level.array:
            self._end_command(level)
            level.pattern = True
            level.cases += 1

    def _end_redirection(self, level: Level, word: Word) -> None:
        operator, level.redirection = level.redirection, ""
        if operator == "<<<":
            level.command.here_strings.append(word)
        elif operator in ("<<", "<<-"):
            if word.spots:
                raise refuse(word.spots[0].placeholder, "in the delimiter of a heredoc", OUTSIDE)
            body = Word()
            level.command.here_strings.append(body)
            self._heredocs.append((word, operator == "<<-", body))
        elif operator in (">&", "<&", "&>&") and word.spots:
            raise refuse(word.spots[0].placeholder, f"after {operator}", "name the file after '>'")

    def _end_command(self, level: Level) -> None:
        self._end_word(level)
        command = level.command
        if not level.array:
            self.commands.append(command)
        level.command = Command(fed=self._fed)
        level.redirection = ""

    # One method for each character that means something outside quotes

    def _blank(self, level: Level) -> None:
        self._end_word(level)
        self._take()

    def _newline(self, level: Level) -> None:
        self._end_word(level)
        if not (level.array or level.pattern):
            self._end_command(level)
        self._take()
        while self._heredocs:
            delimiter, strip, body = self._heredocs.pop(0)
            self._heredoc(delimiter, body, strip=strip)

    def _comment(self, level: Level) -> None:
        if level.word is not None:
            level.word.add(str(self._take()), bare=True)
            return
        while self._peek() not in ("", "\n"):
            if isinstance(self._peek(), Placeholder):
                self._fill(Word("#"), Quotes.BARE)
            else:
                self._take()

    def _escape(self, level: Level) -> None:
        self._take()
        item = self._take()
        if isinstance(item, Placeholder):
            raise refuse(item, "after a backslash", "take the backslash away")
        if item != "\n":
            level.current().add(item)
        elif self._items[max(self._at - 3, 0)] not in _BLANKS and self._peek() not in _BLANKS:
            raise TemplateError(
                "a command with a word broken over two lines; put a space before \\"
            )

    def _single(self, level: Level) -> None:
        word = level.current()
        word.add("")
        self._take()
        while (item := self._peek()) != "'":
            if isinstance(item, Placeholder):
                self._fill(word, Quotes.SINGLE)
            else:
                word.add(self._inside("'"))
        self._take()

    def _double(self, level: Level) -> None:
        self._double_quoted(level.current())

    def _backticks(self, level: Level) -> None:
        self._skip_quoted("`", "inside backticks")
        level.current().splits = True
        level.current().add(EXPANSION)

    def _dollar(self, level: Level) -> None:
        if self._starts("$'"):
            self._take()
            self._skip_quoted("'", "inside $'…'")
            level.current().add(EXPANSION)
        elif self._starts('$"'):
            self._take()
            self._without_placeholder(level.current(), 'inside $"…"', self._double_quoted)
        else:
            self._expand(level.current(), quoted=False)

    def _ampersand(self, level: Level) -> None:
        if self._starts("&>"):
            self._redirect(level)
            return
        self._end_command(level)
        self._take()

    def _pipe(self, level: Level) -> None:
        self._end_word(level)
        self._take()
        if level.pattern:
            return
        if self._peek() != "|" and self.spots:
            self._fed = self.spots[-1].placeholder
        self._end_command(level)
        if self._peek() in ("|", "&"):
            self._take()

    def _semicolon(self, level: Level) -> None:
        self._end_command(level)
        self._take()
        if level.cases and self._peek() in (";", "&"):
            level.pattern = True
            while self._peek() in (";", "&"):
                self._take()

    def _close(self, level: Level) -> None:
        if not level.pattern:
            raise TemplateError("a command with a closing bracket ')' too many; take it away")
        self._end_word(level)
        self._take()
        level.pattern = False

    def _open(self, level: Level) -> None:
        word = level.word
        if level.pattern and word is None:
            self._take()
        elif word is not None and word.assigned and word.bare and word.text.endswith("="):
            self._array(word)
        elif self._starts("((") and word is None:
            self._skip_double_arithmetic()
        elif self._starts("()"):
            self._take()
            self._take()
            self._end_command(level)
        elif word is None and not level.command.words:
            self._take()
            self._level(")")
        else:
            raise TemplateError("a command with a '(' inside a word; quote it")

    def _array(self, word: Word) -> None:
        self._take()
        elements = self._level(")", array=True).words
        for element in elements:
            if element.text.startswith("["):
                if element.spots:
                    raise refuse(element.spots[0].placeholder, "in the index of a list", OUTSIDE)
                self.evaluated += [element.text, *(f"${name}" for name in element.variables)]
            word.spots += element.spots
            word.variables |= element.variables
        word.add(EXPANSION)

    def _redirect(self, level: Level) -> None:
        if self._peek(1) == "(" and self._peek() != "&":
            self._take()
            self._substitution(level.current())
            return
        word = level.word
        if word is not None and word.bare and word.text.isdigit():
            level.word = None
        elif word is not None and word.text == PLACE:
            raise refuse(word.spots[0].placeholder, "before a redirection", "put a space between")
        self._end_word(level)
        operator = next(found for found in _REDIRECTIONS if self._starts(found))
        self._at += len(operator)
        level.redirection = operator

    def _test_operator(self, level: Level) -> None:
        if self._peek() in ("<", ">") and self._peek(1) == "(":
            raise TemplateError("a command with <( inside [[ ]]; use a file")
        self._end_word(level)
        if not level.test:
            return  # that word was ]], so this character is read again, as outside
        item = str(self._take())
        if item != "\n":
            level.command.words.append(Word(item, len(item)))
