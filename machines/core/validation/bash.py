"""bash: what the loader lets pass, and is risky all the same."""

import re
from collections.abc import Iterator
from itertools import pairwise

from machines.core.bash_programs import find_interpreter
from machines.core.definition import Action
from machines.core.interpolation import placeholders
from machines.core.loading.faults import shown
from machines.core.validation import codes
from machines.core.validation.facts import Facts, Site
from machines.core.validation.problems import Findings

# What follows runs the rest of its line as code; inside single quotes it is left alone.
_RUNS = r"""(?:\beval|\b(?:ba|da|z|k)?sh\s+-c)\s[^\n;|&'\\]*\$\{?(\w+)"""
_EVALUATED = re.compile(_RUNS)


def check_bash(facts: Facts, findings: Findings) -> None:
    """Values that become code."""
    for site in facts.sites:
        if site.action.type == "bash" and site.takes("command"):
            _check_code(site, findings)


def is_code_of_its_own(action: Action) -> bool:
    """True if code in some other language, such as awk's, stands among the arguments."""
    return action.type == "bash" and any(True for _ in _code_words(_argv(action)))


def _argv(action: Action) -> list[str]:
    """The words of a program that is run without a shell; those that are no text are empty."""
    argv = action.settings.get("argv")
    words = argv if isinstance(argv, list) else []
    return [word if isinstance(word, str) else "" for word in words]


def _check_code(site: Site, findings: Findings) -> None:
    argv = _argv(site.action)
    for word in _code_words(argv):
        for placeholder in placeholders(word)[:1]:
            _add(site, placeholder.text, f"stands in code for {shown(argv[0])}", findings)
            return
    command, env = site.action.settings.get("command"), site.action.settings.get("env")
    if not isinstance(command, str) or not isinstance(env, dict):
        return
    for found in _EVALUATED.finditer(command):
        value = env.get(found[1])
        if isinstance(value, str) and placeholders(value):
            _add(site, f"${found[1]}", "is run as code by the command", findings)
            return


def _add(site: Site, what: str, why: str, findings: Findings) -> None:
    findings.add(
        codes.VALUE_AS_CODE, site.action.place, f"{site.where}: {shown(what)}: its value {why}"
    )


def _code_words(words: list[str]) -> Iterator[str]:
    """The words that the program takes for code, not for the name of a file with code."""
    interpreter = find_interpreter(words[0].rpartition("/")[2]) if words else None
    if interpreter is None:
        return
    letters = "".join(letter for letter in interpreter.code if letter not in "fm")
    option = re.compile(rf"-[A-Za-z]*[{letters}]") if letters else None
    for before, word in pairwise(words[1:]):
        if option is not None and option.fullmatch(before):
            yield word
    if interpreter.before == 0 and len(words) > 1 and not words[1].startswith("-"):
        yield words[1]
