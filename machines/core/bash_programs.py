"""What is known of programs and builtins that run, or compute with, what they are given."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


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


SHELL = Interpreter("c", "oO", single=True)
INTERPRETERS: tuple[tuple[re.Pattern[str], Interpreter], ...] = tuple(
    (re.compile(pattern), interpreter)
    for pattern, interpreter in (
        (r"r?(ba|da|z|pdk|k|mk|a|fi|c|tc)?sh", SHELL),
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
UNKNOWN = Interpreter("ce")
LONG_CODE = frozenset(
    {"--eval", "--command", "--execute", "--expression", "--print", "--exec", "--source", "--run"}
)
LONG_VALUES: Mapping[str, int] = {
    "--rcfile": 1, "--init-file": 1, "--require": 1, "--import": 1, "--loader": 1,
    "--user": 1, "--arg": 2, "--argjson": 2, "--slurpfile": 2, "--rawfile": 2,
}  # fmt: skip

# Programs that run the rest of their words: letters of options with a value, words in between.
WRAPPERS: Mapping[str, tuple[str, int]] = {
    "sudo": ("ugpCDhRrTtU", 0), "doas": ("uC", 0), "env": ("uC", 0), "nice": ("n", 0),
    "timeout": ("ks", 1), "xargs": ("IdEnLPsa", 0), "ionice": ("cnp", 0), "stdbuf": ("ioe", 0),
    "setsid": ("", 0), "nohup": ("", 0), "exec": ("a", 0), "command": ("", 0), "builtin": ("", 0),
    "chroot": ("", 1), "coproc": ("", 0), "flock": ("wE", 1), "taskset": ("", 1),
    "strace": ("oespPEau", 0), "unshare": ("", 0), "nsenter": ("t", 0), "busybox": ("", 0),
}  # fmt: skip

# Builtins whose words are code, or names that bash may compute with.
EVALUATING = frozenset({
    "eval", "source", ".", "trap", "alias", "let", "unset", "read", "readarray", "mapfile",
    "getopts", "compgen", "complete", "bind", "enable", "fc", "function", "jobs",
})  # fmt: skip
READING = frozenset({"read", "readarray", "mapfile"})
DECLARING = frozenset({"declare", "typeset", "local", "export", "readonly"})
# Only these take words that merely look like a program: all else is searched for interpreters.
HARMLESS = frozenset({
    "echo", "printf", "grep", "egrep", "fgrep", "cat", "ls", "cp", "mv", "rm", "mkdir",
    "rmdir", "touch", "cd", "test", "[", "[[", "case", "for", "select", "ln", "head", "tail",
    "wc", "sort", "uniq", "cut", "tr", "basename", "dirname", "which", "type", "hash",
    "return", "exit",
})  # fmt: skip
# bash computes with these, or runs what they hold.
EVALUATED_NAMES = frozenset({
    "PS0", "PS1", "PS2", "PS3", "PS4", "PROMPT_COMMAND", "BASH_ENV", "ENV", "OPTIND",
    "RANDOM", "SRANDOM", "SECONDS", "LINENO", "HISTCMD", "BASHPID", "EPOCHSECONDS",
    "EPOCHREALTIME", "BASH_XTRACEFD", "SHELLOPTS", "BASHOPTS", "LD_PRELOAD",
})  # fmt: skip
# The arguments of functions, which may be values, and what read sets if it names nothing.
ARGUMENTS = (*"123456789@*", "REPLY", "MAPFILE")
ARITHMETIC_TESTS = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})
NAME_TESTS = frozenset({"-v", "-R"})


def find_interpreter(name: str) -> Interpreter | None:
    """How the program of that name finds code; None if it is not known to run any."""
    return next((kind for pattern, kind in INTERPRETERS if pattern.fullmatch(name)), None)
