"""Metadata: free keys, of which two mean something to the engine."""

import re
from typing import Any

from machines.core.loading.faults import shown
from machines.core.loading.values import Value

_MACHINE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


def read_metadata(value: Value) -> dict[str, Any]:
    """The mapping; ``machine_name`` and ``max_instant_steps`` are in it only if they are right."""
    fields = value.json_fields("a mapping")
    found = {key: field.json() for key, field in fields.items()}
    if "machine_name" in fields and not _is_machine_name(fields["machine_name"]):
        del found["machine_name"]
    if "max_instant_steps" in fields and fields["max_instant_steps"].number(1, whole=True) is None:
        del found["max_instant_steps"]
    return found


def _is_machine_name(value: Value) -> bool:
    name = value.name("a machine")
    if name is None:
        return False
    if _MACHINE_NAME.fullmatch(name):
        return True
    value.fault(
        f"{shown(name)} is no machine name; it begins with a letter and goes on with at most 62"
        " letters, digits, _ or -"
    )
    return False
