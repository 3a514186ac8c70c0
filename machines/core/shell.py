"""Commands for bash: placeholders become references to environment variables, never code.

``lift`` reads a template once, when its file is loaded, and refuses what cannot be made safe.
``ShellTemplate.fill`` gives the command and the environment that holds the values: whatever a
value is, the shell sees one word with exactly that value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from machines.core.bash_code import CodeFinder
from machines.core.bash_reader import BashReader
from machines.core.bash_words import Lead, Quotes
from machines.core.errors import TemplateError
from machines.core.interpolation import Placeholder, as_text, parse, resolve

MAX_TEXT_BYTES = 131_072  # of a variable or of the command: MAX_ARG_STRLEN of the Linux kernel

_NUMBER = re.compile(r"-(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_PLAIN = re.compile(r"\{[\w.-]+\}")
_REFERENCES: Mapping[Quotes, str] = {
    Quotes.BARE: '"${%s}"',
    Quotes.DOUBLE: "${%s}",
    Quotes.SINGLE: "'\"${%s}\"'",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A placeholder in its place: its variable, its quotes, whether it begins its word."""

    placeholder: Placeholder
    variable: str
    quotes: Quotes
    lead: Lead

    @property
    def text(self) -> str:
        """What stands in the command for its value."""
        return _REFERENCES[self.quotes] % self.variable


@dataclass(frozen=True, slots=True)
class Filled:
    """A command for ``bash -c`` and the variables that it needs in its environment."""

    command: str
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ShellTemplate:
    """A command that has been found safe. Two from the same source are equal."""

    source: str
    _parts: tuple[str | Reference, ...] = field(repr=False, compare=False)

    def fill(self, names: Mapping[str, Any]) -> Filled:
        """Look up the placeholders; unknown and null ones stay as written.

        Raise TemplateError for a value that no word can hold, or that would be an option.
        """
        env: dict[str, str] = {}
        command: list[str] = []
        leading = True
        for part in self._parts:
            if isinstance(part, str):
                command.append(part)
                continue
            known, value = resolve(part.placeholder, names)
            if not known and _PLAIN.fullmatch(part.placeholder.text):
                command.append(part.placeholder.text)
                leading = False
                continue
            text = as_text(value) if known else part.placeholder.text
            leading = part.lead in (Lead.FIRST, Lead.STRICT) or (part.lead is Lead.NEXT and leading)
            _check(part, text, leading=leading)
            leading = leading and not text
            env[part.variable] = text
            command.append(part.text)
        return Filled(_bounded("the command", "".join(command)), env)


def lift(template: str) -> ShellTemplate:
    """Read a template; raise TemplateError if a placeholder stands where no value is safe."""
    parts = parse(template)
    if not any(isinstance(part, Placeholder) for part in parts):
        return ShellTemplate(template, parts)  # type: ignore[arg-type]
    if "\0" in template or "\1" in template:
        raise TemplateError("a command with a control character; take it out")
    reader = BashReader(parts)
    reader.read()
    CodeFinder(reader.evaluated, reader.spots[0].placeholder).check(reader.commands)
    spots = iter(reader.spots)
    variables: dict[Placeholder, str] = {}
    lifted: list[str | Reference] = []
    for part in parts:
        if isinstance(part, str):
            lifted.append(part)
            continue
        spot = next(spots)
        variable = variables.setdefault(part, f"SM_P{len(variables) + 1}")
        lifted.append(Reference(part, variable, spot.quotes, spot.lead))
    return ShellTemplate(template, tuple(lifted))


def one_word(name: str, text: str, variable: str = "") -> str:
    """Return ``text`` if a program can be handed it as a word, or as the value of ``variable``.

    Raise TemplateError, in which ``name`` says what it is, for one that the system cannot hold.
    """
    if "\0" in text:
        raise TemplateError(f"{name}: its value has a NUL, which no argument can hold; remove it")
    _bounded(name, f"{variable}={text}" if variable else text)
    return text


def _check(reference: Reference, text: str, *, leading: bool) -> None:
    written = reference.placeholder.text
    one_word(written, text, reference.variable)
    if not (leading and text.startswith("-")):
        return
    if reference.lead is Lead.STRICT or not _NUMBER.fullmatch(text):
        raise TemplateError(
            f"{written}: its value {text!r:.60} begins with '-', so the command would take it for "
            f'an option; write ./{written}, or "{written}" if it may be one'
        )


def _bounded(name: str, text: str) -> str:
    try:
        size = len(text.encode()) + 1  # the kernel counts the NUL at the end
    except UnicodeEncodeError:
        raise TemplateError(f"{name}: holds half a character (a lone surrogate); mend it") from None
    if size > MAX_TEXT_BYTES:
        raise TemplateError(
            f"{name}: {size} bytes are more than the {MAX_TEXT_BYTES} that an argument can have; "
            "write it to a file and hand over its name"
        )
    return text
