"""Codes of what only an exploration finds, by playing all that may happen."""

from collections.abc import Mapping

from machines.core.validation.codes import CODES
from machines.core.validation.problems import Code, Severity

_FOUND = (
    ("deadlock", Severity.ERROR, "The machine may come to where nothing ever happens again."),
    ("livelock", Severity.ERROR, "The machine may go round in a circle with nothing from outside."),
    ("too-many-steps", Severity.ERROR, "A chain of steps may exceed max_instant_steps."),
    ("failing-loop", Severity.WARNING, "Work that fails may be begun again without any delay."),
    ("unreachable-state", Severity.WARNING, "Nothing that can happen leads to this state."),
    ("transition-never-taken", Severity.WARNING, "Nothing that can happen takes this transition."),
    ("action-never-run", Severity.WARNING, "Nothing that can happen leads to this action."),
    ("never-finishes", Severity.INFO, "Nothing that can happen leads to a final state."),
    ("event-ignored", Severity.INFO, "An event that other states handle is ignored in this one."),
    ("event-lost-at-end", Severity.INFO, "An event may wait still when the machine finishes."),
    ("explored-in-part", Severity.INFO, "There is more that may happen than was looked at."),
)
_HINT = "The shortest way there stands with it."

EXPLORED: Mapping[str, Code] = {
    name: Code(f"SM8{number:02}", name, severity, meaning, _HINT)
    for number, (name, severity, meaning) in enumerate(_FOUND, start=1)
}
ALL_CODES: Mapping[str, Code] = {**CODES, **{code.code: code for code in EXPLORED.values()}}
