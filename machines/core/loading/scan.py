"""The scan: refuse what should never become a tree, and read the comment lines that mean something.

Everything here is linear in the size of the text, and the tree is built from the parser's events
one by one: the C parser's own tree builder crashes the process on deeply nested brackets.
"""

import re
from collections.abc import Iterable

import yaml

from machines.core.definition import Place
from machines.core.errors import DefinitionError
from machines.core.loading.faults import Faults, shown
from machines.core.loading.nodes import Document, MapNode, ScalarNode
from machines.core.loading.tree import START, TreeBuilder, place_of

MAX_FILE_BYTES = 256 << 10

_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is 20 times as fast
_FORBIDDEN = re.compile(
    r"[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # those that YAML counts

_CONTEXT_WORDING = (
    ("scanning an alias", 'a bare * begins an alias; any state is written with quotes: "*"'),
    ("scanning an anchor", "a bare & begins an anchor; quote the text"),
    ("parsing a flow sequence", "the list that begins with '[' in line {line} is not closed"),
    ("parsing a flow mapping", "the mapping that begins with '{{' in line {line} is not closed"),
)
_PROBLEM_WORDING = (
    ("mapping values are not allowed", "a ': ' that begins no value here; quote the text if the"
     " colon belongs to it, else check the indentation"),
    ("entries are not allowed", "a '- ' that begins no list item here; begin the list on a line of"
     " its own"),
    ("unexpected end of stream", "the quote that opens in line {line} is not closed"),
    ("unknown escape character", "a backslash in double quotes begins an escape; double it, or use"
     " single quotes"),
    ("could not find expected ':'", "a key needs a ':' after it"),
    ("tag handle", "YAML tags are not read; write the value plainly"),
    ("tab character", "a tab stands here; YAML is indented with spaces"),
    ("expected key", "this belongs to no mapping or list; check the indentation and the quotes"),
    ("'-' indicator", "this is no list item; begin it with '- ', or check the indentation"),
    ("<block end>", "this belongs to no mapping or list; check the indentation and the quotes"),
    ("<document start>", "this stands after the end of the content; a file is one mapping"),
)  # fmt: skip


def scan(text: str | bytes, faults: Faults) -> Document:
    """The tree of the file; raise DefinitionError if there is none to speak of.

    Faults that do not hide the rest (duplicate keys, tags) are added to ``faults``.
    """
    content = _checked_text(text, faults)
    builder = TreeBuilder(faults)
    try:
        for event in yaml.parse(content, Loader=_PARSER):
            builder.take(event)
    except yaml.YAMLError as error:
        raise _syntax_error(error, content, faults) from None
    root = builder.root
    if root is None or (isinstance(root, ScalarNode) and root.value is None):
        raise faults.fatal(START, "the file is empty; a machine needs at least transitions")
    if not isinstance(root, MapNode):
        raise faults.fatal(
            root.place, "the top level must be a mapping: name, initial_state, transitions, …"
        )
    return Document(root, _headings(content, builder.long_scalars))


def _checked_text(text: str | bytes, faults: Faults) -> str:
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "replace"))
    if size > MAX_FILE_BYTES:
        raise faults.fatal(
            START, f"the file has {size:,} bytes; at most {MAX_FILE_BYTES:,} are allowed"
        )
    try:
        content = text.decode("utf-8") if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        place = _place_of(error.object[: error.start].decode("utf-8"))
        byte = error.object[error.start]
        raise faults.fatal(place, f"not UTF-8: byte 0x{byte:02x}; save the file as UTF-8") from None
    content = content.removeprefix("\ufeff")
    if found := _FORBIDDEN.search(content):
        place = _place_of(content[: found.start()])
        code = f"U+{ord(found[0]):04X}"
        raise faults.fatal(place, f"character {code} is not allowed in a YAML file; remove it")
    return content


def _place_of(before: str) -> Place:
    """The place right after the text ``before``."""
    lines = _LINE_BREAK.split(before)
    return Place(len(lines), len(lines[-1]) + 1)


def _syntax_error(error: yaml.YAMLError, content: str, faults: Faults) -> DefinitionError:
    place = place_of(getattr(error, "problem_mark", None))
    return faults.fatal(place, f"not valid YAML: {_wording(error, place, content)}")


def _wording(error: yaml.YAMLError, place: Place, content: str) -> str:
    problem = str(getattr(error, "problem", error))
    line = place_of(getattr(error, "context_mark", None)).line
    if "cannot start any token" in problem:
        return _stray_character(_LINE_BREAK.split(content)[place.line - 1][place.column - 1 :])
    for part, wording in _CONTEXT_WORDING:
        if part in str(getattr(error, "context", "")):
            return wording.format(line=line)
    for part, wording in _PROBLEM_WORDING:
        if part in problem:
            return wording.format(line=line)
    return problem


def _stray_character(rest: str) -> str:
    if rest.startswith("\t"):
        return "a tab stands here; YAML is indented with spaces"
    return f"{shown(rest[:1])} cannot begin a value; quote the text"


def _headings(content: str, long_scalars: Iterable[tuple[int, int]]) -> dict[int, str]:
    """The comment lines ``# === GROUP ===`` outside of texts, by line number from 1."""
    if "# ===" not in content:
        return {}
    inside = {line for first, last in long_scalars for line in range(first + 1, last)}
    headings = {}
    for number, line in enumerate(_LINE_BREAK.split(content), start=1):
        name = _heading(line.strip())
        if name and number not in inside:
            headings[number] = name
    return headings


def _heading(line: str) -> str:
    """The name in ``# === NAME ===``, or an empty text."""
    if not (line.startswith("# ===") and line.endswith("===")):
        return ""
    return line.removeprefix("# ").strip("=").strip()
