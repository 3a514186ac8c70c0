"""Which words of a bash command are code: there, no placeholder may stand.

A program that runs one of its arguments is a second interpreter. How the common ones read their
options is a table; what a table does not know for certain is refused.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from machines.core.bash_words import (
    EXPANSION,
    OUTSIDE,
    PLACE,
    Command,
    Lead,
    Word,
    refuse,
)

_ARGUMENT = """hand it over as an argument, as in: bash -c 'echo "$1"' _ {key}"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """How a program finds code among its words.

    ``code``, ``values`` and ``glued`` are the letters of options that are followed by code, by a
    value, or by a value in the same word only. ``before`` counts the words before its script;
    None: the first word is a file. ``rest``: all words after those are code. ``single``: nothing
    after its script is code.
    """

    code: str = ""
    values: str = ""
    glued: str = ""
    before: int | None = None
    rest: bool = False
    single: bool = False


_SHELL = Interpreter("c", "oO", single=True)
_INTERPRETERS: tuple[tuple[re.Pattern[str], Interpreter], ...] = tuple(
    (re.compile(pattern), interpreter)
    for pattern, interpreter in (
        (r"r?(ba|da|z|pdk|k|mk|a|fi|c|tc)?sh", _SHELL),
        (r"(python|pypy)[\d.]*", Interpreter("cm", "WXQ", single=True)),
        (r"perl[\d.]*", Interpreter("eE", "I", "MmFiCDx0")),
        (r"ruby[\d.]*", Interpreter("e", "rIC", "iEFKTWx0")),
        (r"node|nodejs|deno|bun", Interpreter("ep", "r")),
        (r"php[\d.]*", Interpreter("rBRE", "dczf")),
        (r"lua[\d.]*|luajit", Interpreter("e", "l")),
        (r"Rscript|osascript|tclsh|expect", Interpreter("ec")),
        (r"[gmn]?awk", Interpreter("ef", "vFiE", before=0)),
        (r"g?sed", Interpreter("ef", "l", "i", before=0)),
        (r"jq|yq", Interpreter("f", "L", before=0)),
        (r"psql", Interpreter("cf", "hpUdvoFRPTL", before=1)),
        (r"mysql|mariadb", Interpreter("e", "hPDS", "up", before=1)),
        (r"sqlite3", Interpreter("c", before=1)),
        (r"ssh", Interpreter("", "BbcDEeFIiJLlmoOpQRSWw", before=1, rest=True)),
        (r"su|runuser|script", Interpreter("c", "gGsuwTEIOB", before=3)),
        (r"watch|parallel", Interpreter("", "nj", before=0, rest=True)),
    )
)
_UNKNOWN = Interpreter("ce")
_LONG_CODE = frozenset(
    {"--eval", "--command", "--execute", "--expression", "--print", "--exec", "--source", "--run"}
)
_LONG_VALUES: Mapping[str, int] = {
    "--rcfile": 1, "--init-file": 1, "--require": 1, "--import": 1, "--loader": 1,
    "--user": 1, "--arg": 2, "--argjson": 2, "--slurpfile": 2, "--rawfile": 2,
}  # fmt: skip

# Programs that run the rest of their words: letters of options with a value, words in between.
_WRAPPERS: Mapping[str, tuple[str, int]] = {
    "sudo": ("ugpCDhRrTtU", 0), "doas": ("uC", 0), "env": ("uC", 0), "nice": ("n", 0),
    "timeout": ("ks", 1), "xargs": ("IdEnLPsa", 0), "ionice": ("cnp", 0), "stdbuf": ("ioe", 0),
    "setsid": ("", 0), "nohup": ("", 0), "exec": ("a", 0), "command": ("", 0), "builtin": ("", 0),
    "chroot": ("", 1), "coproc": ("", 0), "flock": ("wE", 1), "taskset": ("", 1),
    "strace": ("oespPEau", 0), "unshare": ("", 0), "nsenter": ("t", 0), "busybox": ("", 0),
}  # fmt: skip

# Builtins whose words are code, or names that bash may compute with.
_EVALUATING = frozenset({
    "eval", "source", ".", "trap", "alias", "let", "unset", "read", "readarray", "mapfile",
    "getopts", "compgen", "complete", "bind", "enable", "fc", "function",
})  # fmt: skip
_DECLARING = frozenset({
    "declare", "typeset", "local", "export", "readonly",
})  # fmt: skip
# Only these take words that merely look like a program: all else is searched for interpreters.
_HARMLESS = frozenset({
    "echo", "printf", "grep", "egrep", "fgrep", "cat", "ls", "cp", "mv", "rm", "mkdir",
    "rmdir", "touch", "cd", "test", "[", "[[", "case", "for", "select", "ln", "head", "tail",
    "wc", "sort", "uniq", "cut", "tr", "basename", "dirname", "which", "type", "hash",
    "return", "exit",
})  # fmt: skip
# bash computes with these, or runs what they hold.
_EVALUATED_NAMES = frozenset({
    "PS0", "PS1", "PS2", "PS3", "PS4", "PROMPT_COMMAND", "BASH_ENV", "ENV", "OPTIND",
    "RANDOM", "SRANDOM", "SECONDS", "LINENO", "HISTCMD", "BASHPID", "EPOCHSECONDS",
    "EPOCHREALTIME", "BASH_XTRACEFD", "IFS", "SHELLOPTS", "BASHOPTS", "LD_PRELOAD",
})  # fmt: skip
_ARITHMETIC_TESTS = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})
_NAME_TESTS = frozenset({"-v", "-R"})


class CodeFinder:
    """Checks the commands of one template; raises TemplateError for a placeholder in code.

    ``filled`` are the variables that hold values, ``evaluated`` the texts that bash computes with.
    """

    def __init__(self, evaluated: list[str]) -> None:
        self.filled: dict[str, Word] = {}
        self.evaluated = evaluated

    def check(self, commands: list[Command]) -> None:
        """Check all commands of a template, then the ways of its variables."""
        for command in commands:
            for word in command.assignments:
                self._assignment(word)
            if command.words:
                self._words(command.words, command)
        names = set(re.findall(r"[A-Za-z_]\w*", " ".join(self.evaluated)))
        for name, word in self.filled.items():
            if name in names:
                where = f"in the variable {name}, with which bash computes"
                raise refuse(word.spots[0].placeholder, where, "compare it with [ ], or use awk -v")

    def _words(self, words: list[Word], command: Command) -> None:
        """``words`` are a whole simple command, or what a wrapper makes of its rest."""
        if not words:
            return
        first = words[0]
        if first.spots:
            self._refuse(first, "as the name of a command", "choose it with case … in … esac")
        name = first.text.rpartition("/")[2]
        if EXPANSION in name:
            self._interpreter(_UNKNOWN, words[1:], command)
        elif interpreter := _interpreter(name):
            self._interpreter(interpreter, words[1:], command)
        elif name in _WRAPPERS:
            self._wrapper(name, words, command)
        elif rule := _RULES.get(name):
            rule(self, words)
        elif name not in _HARMLESS:
            self._search(words, command)

    def _refuse(self, word: Word, where: str, hint: str) -> None:
        if word.spots:
            raise refuse(word.spots[0].placeholder, where, hint)

    def _code(self, word: Word, where: str) -> None:
        self._refuse(word, where, _ARGUMENT)
        self.evaluated.extend(word.variables)

    def _search(self, words: list[Word], command: Command) -> None:
        """An unknown program may run what it is given: docker exec, find -exec."""
        for place, word in enumerate(words[1:], 1):
            name = word.text.rpartition("/")[2]
            if word.text in ("-exec", "-execdir", "-ok", "-okdir"):
                self._words(words[place + 1 :], command)
            elif _interpreter(name) or name in ("eval", "xargs", "env"):
                self._words(words[place:], command)
                return

    # Second interpreters

    def _interpreter(self, kind: Interpreter, words: list[Word], command: Command) -> None:
        expecting, values, position, code = False, 0, 0, False
        for word in words:
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
        flag = kind is _SHELL and word.text.startswith("-") and "s" in word.text
        if flag or word.text in ("-", "/dev/stdin", "/dev/fd/0"):
            self._standard_input(command)

    def _standard_input(self, command: Command) -> None:
        for word in command.here_strings:
            self._refuse(word, "in what a second interpreter reads", _ARGUMENT)
        if command.fed is not None:
            raise refuse(command.fed, "in what is piped to a second interpreter", _ARGUMENT)

    def _positional(self, kind: Interpreter, word: Word, position: int, *, code: bool) -> None:
        """Check a word that is no option; ``code``: the script stood in an option before."""
        if code:
            return
        if kind.before is None or position < kind.before:
            if kind is not _UNKNOWN:
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
            return word.text in _LONG_CODE, _LONG_VALUES.get(word.text, 0)
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
        values, between = _WRAPPERS[name]
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
        rest = words[place:]
        if name == "xargs" and rest and command.fed is not None and _interpreter(rest[0].text):
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
        if not word.spots:
            return
        name = word.assigned
        if not name:
            self._refuse(word, "in the index of a list", OUTSIDE)
        if name in _EVALUATED_NAMES:
            self._refuse(word, f"in the variable {name}, which bash evaluates", "use another name")
        self.filled.setdefault(name, word)

    def _evaluating(self, words: list[Word]) -> None:
        for word in words[1:]:
            self._refuse(word, f"in the words of {words[0].text!r}", OUTSIDE)
            self.evaluated.extend(word.variables)
        if words[0].text == "let":
            self.evaluated.extend(word.text for word in words[1:])

    def _declaring(self, words: list[Word]) -> None:
        options = "".join(word.text for word in words[1:] if word.text[:1] in ("-", "+"))
        computing = set(options) & set("inaA")
        for word in words[1:]:
            if word.spots and (computing or not word.assigned):
                self._refuse(word, f"in the words of {words[0].text!r}", OUTSIDE)
            self._assignment(word)
            if computing:
                self.evaluated.append(word.text.replace("-", " "))

    def _loop(self, words: list[Word]) -> None:
        for word in words[1:2]:
            self._refuse(word, "as the name of a variable", OUTSIDE)
        for word in words[3:]:
            if word.spots:
                self.filled.setdefault(words[1].text, word)

    def _printf(self, words: list[Word]) -> None:
        rest = words[1:]
        if rest and rest[0].text.startswith("-v"):
            target = rest[0] if len(rest[0].text) > 2 else rest[min(1, len(rest) - 1)]
            self._refuse(target, "as the name of a variable", OUTSIDE)
            for word in rest:
                if word.spots:
                    self.filled.setdefault(target.text.removeprefix("-v"), word)
        elif rest and rest[0].text.startswith(PLACE):
            self._refuse(rest[0], "as the format of printf", "write printf '%s' {key}")

    def _wait(self, words: list[Word]) -> None:
        if any(word.text.startswith("-") for word in words):
            self._evaluating(words)

    def _test(self, words: list[Word]) -> None:
        for before, word in pairwise(words):
            if before.text in _NAME_TESTS:
                self._refuse(word, f"after {before.text}", OUTSIDE)
            if before.spots:
                self._refuse(word, "after another, with no operator between", "put = between")

    def _double_test(self, words: list[Word]) -> None:
        for before, word in pairwise(words):
            if before.text in _NAME_TESTS:
                self._refuse(word, f"after {before.text}", OUTSIDE)
            if before.text in _ARITHMETIC_TESTS:
                self._computed(word, before.text)
            if word.text in _ARITHMETIC_TESTS:
                self._computed(before, word.text)

    def _computed(self, word: Word, operator: str) -> None:
        self._refuse(word, f"beside {operator} inside [[ ]]", f"write [ … {operator} … ]")
        self.evaluated.extend((*word.variables, word.text))


def _interpreter(name: str) -> Interpreter | None:
    return next((kind for pattern, kind in _INTERPRETERS if pattern.fullmatch(name)), None)


_RULES: Mapping[str, Callable[[CodeFinder, list[Word]], None]] = {
    **dict.fromkeys(_EVALUATING, CodeFinder._evaluating),
    **dict.fromkeys(_DECLARING, CodeFinder._declaring),
    **dict.fromkeys(("for", "select"), CodeFinder._loop),
    **dict.fromkeys(("test", "["), CodeFinder._test),
    "[[": CodeFinder._double_test,
    "printf": CodeFinder._printf,
    "wait": CodeFinder._wait,
}
