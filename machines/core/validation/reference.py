"""The reference of all problems, written from their table and an example of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from machines.core.validation.codes import CODES
from machines.core.validation.explored import EXPLORED
from machines.core.validation.problems import Code

THEMES: Mapping[str, str] = {
    "SM0": "Files",
    "SM1": "States",
    "SM2": "Events",
    "SM3": "Transitions",
    "SM4": "Loops",
    "SM5": "Actions",
    "SM6": "Names",
    "SM7": "Bash",
}

_BEGINNING = """\
# Problems

What `python manage.py validatemachines` says about a machine definition. An **error** means that
something written in the file cannot work, a **warning** that it will not do what was probably
meant; **info** is worth knowing. The command exits with 1 after errors, with `--strict` after
warnings too. A check that is not certain says nothing.

`--select` and `--ignore` take codes (`SM301`), their beginnings (`SM3`) and names
(`shadowed-transition`), with commas between them.

| code | name | severity | meaning |
|---|---|---|---|
"""

_EXPLORED = """
## Explored

With `--explore` everything that may happen is played, and the shortest way to each of these is
told. What depends on a payload, or on what work answers, is at most a warning.

| code | name | severity | meaning |
|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Example:
    """What a file with the problem looks like, what is said of it, and how it would be right."""

    wrong: str
    message: str
    right: str


def as_reference(examples: Mapping[str, Example]) -> str:
    """The page of all problems, in Markdown; ``examples`` has one for each code."""
    rows = "".join(
        f"| [{code.code}](#{code.code.lower()}-{code.name}) | `{code.name}` |"
        f" {code.severity.value} | {code.meaning} |\n"
        for code in CODES.values()
    )
    parts = [_BEGINNING, rows]
    for theme, codes in groupby(CODES.values(), key=_theme):
        parts.append(f"\n## {THEMES[theme]}\n")
        parts += [_entry(code, examples[code.code]) for code in codes]
    explored = [
        f"| {code.code} | `{code.name}` | {code.severity.value} | {code.meaning} |\n"
        for code in EXPLORED.values()
    ]
    return "".join([*parts, _EXPLORED, *explored])


def _theme(code: Code) -> str:
    return code.code[:3]


def _entry(code: Code, example: Example) -> str:
    return (
        f"\n### {code.code} {code.name}\n\n"
        f"{code.severity.value.capitalize()}. {code.meaning} {code.hint}\n\n"
        f"```yaml\n{example.wrong}```\n\n"
        f"```text\n{example.message}\n```\n\n"
        f"Right:\n\n```yaml\n{example.right}```\n"
    )
