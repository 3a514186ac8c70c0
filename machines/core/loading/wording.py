"""Wording: what stands in the file, said to its author, and what is wrong with a name."""

import unicodedata

from machines.core.definition import ANY_STATE
from machines.core.loading.faults import MAX_SHOWN, shown
from machines.core.loading.nodes import ListNode, MapNode, Node, ScalarNode

MAX_NAME_LENGTH = 200  # characters; the columns of the database are as wide

_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})  # control, lone surrogate, line, paragraph


def describe(node: Node) -> str:
    """What stands there: ``'text'`` in quotes, a number or boolean as written, ``a list``."""
    if isinstance(node, ListNode):
        return "a list"
    if isinstance(node, MapNode):
        return "a mapping"
    if node.value is None:
        return "nothing"
    return shown(node.text) if isinstance(node.value, str) else node.text[:MAX_SHOWN]


def not_text(node: ScalarNode) -> str | None:
    """Why an unquoted word is no text for YAML and what to do, or None if it is text."""
    value = node.value
    if isinstance(value, str):
        return None
    if value is None:
        read_as = "null"
    else:
        read_as = str(value).lower() if isinstance(value, bool) else "a number"
    return f'{node.text[:MAX_SHOWN]} is read as {read_as}; quote it: "{node.text[:MAX_SHOWN]}"'


def key_fault(node: Node) -> str | None:
    """Why this is no key of a free mapping, or None if it is; a number stands as it is written."""
    if isinstance(node, ScalarNode) and (node.value is None or isinstance(node.value, bool)):
        return f"the key {not_text(node)}"
    return None


def name_fault(node: Node, kind: str) -> str | None:
    """Why this is not the name of ``kind`` (such as "a state"), or None if it is."""
    if not isinstance(node, ScalarNode) or node.value is None:
        return f"{describe(node)} stands here, where the name of {kind} is needed"
    if fault := not_text(node):
        return fault
    text = node.text
    if not text.strip():
        return f"the name of {kind} is empty"
    if len(text) > MAX_NAME_LENGTH:
        return f"a name of {len(text)} characters; at most {MAX_NAME_LENGTH} are allowed"
    if any(unicodedata.category(char) in _BREAKING for char in text):
        return f"{shown(text)}: a name may not hold control characters or line breaks"
    if text == ANY_STATE and kind == "a state":
        return "'*' means any state and stands only in from; name one state"
    return None
