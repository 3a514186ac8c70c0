"""Which words of a bash command are code: there, no placeholder may stand.

A program that runs one of its arguments is a second interpreter. How the common ones read their
options is a table; what a table does not know for certain is refused.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise, product

from machines.core.bash_programs import (
    ARGUMENTS,
    ARITHMETIC_TESTS,
    DECLARING,
    EVALUATED_NAMES,
    EVALUATING,
    HARMLESS,
    LONG_CODE,
    LONG_VALUES,
    NAME_TESTS,
    READING,
    SHELL,
    UNKNOWN,
    WRAPPERS,
    Interpreter,
    find_interpreter,
)
from machines.core.bash_words import (
    EXPANSION,
    OUTSIDE,
    PLACE,
    Command,
    Lead,
    RefusedError,
    Word,
    refuse,
)
from machines.core.errors import TemplateError
from machines.core.interpolation import Placeholder

_ARGUMENT = """hand it over as an argument, as in: bash -c 'echo "$1"' _ {key}"""
_BETWEEN_BRACES = re.compile(r"[{},/]")
MAX_VANISHING = 6  # words of one command that may be none: 64 ways to read it

_EVALUATED = re.compile(r"[A-Za-z_]\w*|(?<=\$)[1-9@*]|(?<=\$\{)[1-9@*]")


class CodeFinder:
    """Checks the commands of one template; raises TemplateError for a placeholder in code.

    ``evaluated`` are the texts that bash computes with or runs. No variable that may hold a value
    may occur in them: ``n={x}; echo $((n))`` runs what stands in brackets in the value.
    """

    def __init__(self, evaluated: list[str], first: Placeholder) -> None:
        self.evaluated = evaluated
        self.filled = dict.fromkeys(ARGUMENTS, first)
        self.flows: list[tuple[str, Word]] = []

    def check(self, commands: list[Command]) -> None:
        """Check all commands of a template, then the ways of its variables."""
        for command in commands:
            for word in command.assignments:
                self._assignment(word)
            if command.words:
                self._command(command)
        self._follow_flows()
        names = EVALUATED_NAMES.union(_EVALUATED.findall(" ".join(self.evaluated)))
        for name, placeholder in self.filled.items():
            if name in names:
                where = f"in the variable {name}, with which bash computes"
                raise refuse(placeholder, where, 'put "$name" in quotes inside [ ]')

    def _follow_flows(self) -> None:
        """Until nothing changes: what is set from a filled variable is filled, too."""
        known = -1
        while known < len(self.filled):
            known = len(self.filled)
            for name, word in self.flows:
                sources = [self.filled[v] for v in word.variables if v in self.filled]
                if sources or word.spots:
                    placeholder = word.spots[0].placeholder if word.spots else sources[0]
                    self.filled.setdefault(name, placeholder)

    def _evaluate(self, word: Word) -> None:
        self.evaluated.append(word.text)
        self._read(word)

    def _read(self, word: Word) -> None:
        self.evaluated.extend(f"${name}" for name in word.variables)

    def _whole(self, word: Word) -> None:
        """Refuse an expansion without quotes, of which one more word may be an option or code."""
        if word.splits:
            if word.loose:
                self._refuse(word, "in an expansion without quotes", 'write "$( … )"')
            self._read(word)

    def _command(self, command: Command) -> None:
        """Check a simple command, also as it is when an expansion in it turns out empty."""
        words = command.words
        self._words(words, command)
        if words[0].text in HARMLESS:
            return
        self._braces(words)
        try:
            for reading in _shorter_readings(words):
                self._words(reading, command)
        except RefusedError as error:
            hint = 'write that as a word of its own, in quotes, as in "$name"'
            where = "behind an expansion that may be empty"
            raise refuse(error.placeholder, where, hint) from None

    def _braces(self, words: list[Word]) -> None:
        """Refuse braces that may become the words before a script, as in ``{sh,-c} {key}``."""
        filled = [place for place, word in enumerate(words) if word.spots]
        found = [word for word in words[: filled[-1] + 1] if word.braces] if filled else []
        name = words[0].text.rpartition("/")[2]
        runs = words[0].braces or EXPANSION in name or name in WRAPPERS or find_interpreter(name)
        parts = (part for word in found for part in _BETWEEN_BRACES.split(word.text))
        if found and (runs or any(map(find_interpreter, parts))):
            placeholder = words[filled[-1]].spots[0].placeholder
            raise refuse(placeholder, "behind braces that become several words", "write them out")

    def _words(self, words: list[Word], command: Command) -> None:
        """``words`` are a whole simple command, or what a wrapper makes of its rest."""
        if not words:
            return
        first = words[0]
        if first.spots:
            self._refuse(first, "as the name of a command", "choose it with case … in … esac")
        self._read(first)
        name = first.text.rpartition("/")[2]
        if EXPANSION in name or (first.pattern and name not in HARMLESS):
            self._interpreter(UNKNOWN, words[1:], command)
        elif interpreter := find_interpreter(name):
            self._interpreter(interpreter, words[1:], command)
        elif name in WRAPPERS:
            self._wrapper(name, words, command)
        elif rule := _RULES.get(name):
            rule(self, words)
        elif name not in HARMLESS:
            self._search(words, command)

    def _refuse(self, word: Word, where: str, hint: str) -> None:
        if word.spots:
            raise refuse(word.spots[0].placeholder, where, hint)

    def _code(self, word: Word, where: str) -> None:
        self._refuse(word, where, _ARGUMENT)
        self._read(word)

    def _search(self, words: list[Word], command: Command) -> None:
        """An unknown program may run what it is given: docker exec, find -exec."""
        for place, word in enumerate(words[1:], 1):
            name = word.text.rpartition("/")[2]
            if word.text in ("-exec", "-execdir", "-ok", "-okdir"):
                self._words(words[place + 1 :], command)
            elif find_interpreter(name) or name in ("eval", "xargs", "env"):
                self._words(words[place:], command)
                return

    # Second interpreters

    def _interpreter(self, kind: Interpreter, words: list[Word], command: Command) -> None:
        expecting, values, position, code = False, 0, 0, False
        for word in words:
            self._whole(word)
            if values:
                values -= 1
                self._value(kind, word)
            elif word.text[:1] in ("-", "+") and len(word.text) > 1:
                found, values = self._option(kind, word)
                expecting = expecting or found
                self._asks_for_standard_input(kind, word, command)
            elif expecting:
                self._code(word, "in the script of a second interpreter")
                if kind.single:
                    return
                expecting, code = False, not kind.rest
            else:
                self._positional(kind, word, position, code=code)
                if kind.before is None:
                    self._asks_for_standard_input(kind, word, command)
                    return
                position += 1
        if kind.before is None and not code:
            self._standard_input(command)

    def _value(self, kind: Interpreter, word: Word) -> None:
        if kind.rest and "=" in word.text:
            self._refuse(word, "in an option of a second interpreter", OUTSIDE)

    def _asks_for_standard_input(self, kind: Interpreter, word: Word, command: Command) -> None:
        flag = kind is SHELL and word.text.startswith("-") and "s" in word.text
        if flag or word.text in ("-", "/dev/stdin", "/dev/fd/0"):
            self._standard_input(command)

    def _standard_input(self, command: Command) -> None:
        for word in command.here_strings:
            self._code(word, "in what a second interpreter reads")
        if command.fed is not None:
            raise refuse(command.fed, "in what is piped to a second interpreter", _ARGUMENT)

    def _positional(self, kind: Interpreter, word: Word, position: int, *, code: bool) -> None:
        """Check a word that is no option; ``code``: the script stood in an option before."""
        if code:
            return
        if kind.before is None or position < kind.before:
            if kind is not UNKNOWN:
                self._file(word)
        elif position == kind.before or kind.rest:
            self._code(word, "in the script of a second interpreter")

    def _file(self, word: Word) -> None:
        if not word.text.startswith(PLACE):
            if word.text.startswith(EXPANSION):
                self._refuse(word, "in the script of a second interpreter", _ARGUMENT)
            return
        if word.text.startswith(PLACE * 2):
            self._refuse(word, "in the name of a script, behind another", "put / between them")
        word.spots[0].lead = Lead.STRICT

    def _option(self, kind: Interpreter, word: Word) -> tuple[bool, int]:
        """Whether code follows the option, and how many values follow it."""
        where = "in an option of a second interpreter"
        if word.text.startswith("--"):
            self._refuse(word, where, _ARGUMENT)
            return word.text in LONG_CODE, LONG_VALUES.get(word.text, 0)
        for place, letter in enumerate(word.text[1:], 2):
            if letter in kind.code:
                self._refuse(word, where, _ARGUMENT)
                return True, 0
            if letter in kind.glued:
                return False, 0
            if letter in kind.values:
                return False, int(place == len(word.text))
        self._refuse(word, where, _ARGUMENT)
        return False, 0

    # Programs that run the rest of their words

    def _wrapper(self, name: str, words: list[Word], command: Command) -> None:
        values, between = WRAPPERS[name]
        if name == "command" and len(words) > 1 and words[1].text in ("-v", "-V"):
            return
        place = 1
        while place < len(words):
            word = words[place]
            if word.assigned and name in ("env", "sudo", "doas"):
                self._assignment(word)
            elif word.text.startswith("-"):
                place += self._wrapper_option(word, values)
            elif between:
                between -= 1
            else:
                break
            place += 1
        for word in words[1:place]:
            self._whole(word)
        rest = words[place:]
        if name == "xargs" and rest and command.fed is not None and find_interpreter(rest[0].text):
            raise refuse(command.fed, "in what xargs hands to a second interpreter", OUTSIDE)
        self._words(rest, command)

    def _wrapper_option(self, word: Word, values: str) -> int:
        """How many words belong to the option besides itself."""
        letter = word.text[1:2]
        if letter and letter in values:
            return 0 if len(word.text) > 2 else 1
        self._refuse(word, "in an option of a program that runs another", OUTSIDE)
        return 0

    # Assignments and builtins

    def _assignment(self, word: Word) -> None:
        name = word.assigned
        if word.spots and not name:
            self._refuse(word, "in the index of a list", OUTSIDE)
        if name in EVALUATED_NAMES:
            self._refuse(word, f"in the variable {name}, which bash evaluates", "use another name")
        if "[" in word.text.partition("=")[0]:
            self._evaluate(word)
        self.flows.append((name, word))

    def _evaluating(self, words: list[Word]) -> None:
        for word in words[1:]:
            self._refuse(word, f"in the words of {words[0].text!r}", OUTSIDE)
            if words[0].text in READING:
                self.filled.setdefault(word.text, self.filled["1"])
            else:
                self._evaluate(word)

    def _declaring(self, words: list[Word]) -> None:
        options = "".join(word.text for word in words[1:] if word.text[:1] in ("-", "+"))
        computing = set(options) & set("inaA")
        for word in words[1:]:
            if word.spots and (computing or not word.assigned):
                self._refuse(word, f"in the words of {words[0].text!r}", OUTSIDE)
            self._assignment(word)
            if not word.assigned:
                self._read(word)
            if computing:
                self._evaluate(word)

    def _loop(self, words: list[Word]) -> None:
        for word in words[1:2]:
            self._refuse(word, "as the name of a variable", OUTSIDE)
        self.flows.extend((words[1].text, word) for word in words[3:])

    def _printf(self, words: list[Word]) -> None:
        rest = words[1:]
        if rest and rest[0].text.startswith("-v"):
            target = rest[0] if len(rest[0].text) > 2 else rest[min(1, len(rest) - 1)]
            self._refuse(target, "as the name of a variable", OUTSIDE)
            self.flows.extend((target.text.removeprefix("-v"), word) for word in rest)
            if not target.bare or "[" in target.text:
                self._evaluate(target)
        elif rest and rest[0].text.startswith((PLACE, EXPANSION)):
            self._refuse(rest[0], "as the format of printf", "write printf '%s' {key}")
            self._read(rest[0])

    def _wait(self, words: list[Word]) -> None:
        if any(word.text.startswith("-") for word in words):
            self._evaluating(words)

    def _test(self, words: list[Word]) -> None:
        for word in words:
            self._whole(word)
        for before, word in pairwise(words):
            if before.text in NAME_TESTS:
                self._name(before, word)
            if before.spots:
                self._refuse(word, "after another, with no operator between", "put = between")

    def _double_test(self, words: list[Word]) -> None:
        for before, word in pairwise(words):
            if before.text in NAME_TESTS:
                self._name(before, word)
            if before.text in ARITHMETIC_TESTS:
                self._computed(word, before.text)
            if word.text in ARITHMETIC_TESTS:
                self._computed(before, word.text)

    def _name(self, operator: Word, word: Word) -> None:
        self._refuse(word, f"after {operator.text}", OUTSIDE)
        self._evaluate(word)

    def _computed(self, word: Word, operator: str) -> None:
        self._refuse(word, f"beside {operator} inside [[ ]]", f"write [ … {operator} … ]")
        self._evaluate(word)


def _shorter_readings(words: list[Word]) -> Iterator[list[Word]]:
    """``words`` without one or more that may be nothing, and without what may be empty in them."""
    vanishing = [place for place, word in enumerate(words) if word.vanishes]
    if len(vanishing) > MAX_VANISHING:
        raise TemplateError(
            f"a command with more than {MAX_VANISHING} expansions without quotes; write them in"
            ' quotes, as in "$name"'
        )
    if not any(EXPANSION in word.text for word in words):
        return
    emptied = [replace(word, text=word.text.replace(EXPANSION, "")) for word in words]
    for kept in product((True, False), repeat=len(vanishing)):
        gone = {place for place, stays in zip(vanishing, kept, strict=True) if not stays}
        for reading in (words, emptied):
            yield [word for place, word in enumerate(reading) if place not in gone]


_RULES: Mapping[str, Callable[[CodeFinder, list[Word]], None]] = {
    **dict.fromkeys(EVALUATING, CodeFinder._evaluating),
    **dict.fromkeys(DECLARING, CodeFinder._declaring),
    **dict.fromkeys(("for", "select"), CodeFinder._loop),
    **dict.fromkeys(("test", "["), CodeFinder._test),
    "[[": CodeFinder._double_test,
    "printf": CodeFinder._printf,
    "wait": CodeFinder._wait,
}
