"""What can go wrong in the core, said to a person."""

from collections.abc import Iterable
from dataclasses import dataclass


class MachineError(Exception):
    """The base of every error of this app; its text is meant for people."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Why a file does not load: where, what stands there, and what would be right."""

    line: int
    column: int
    message: str

    def located(self, origin: str) -> str:
        """``origin:line:column: message``, as editors and compilers write it."""
        return f"{origin}:{self.line}:{self.column}: {self.message}"


class DefinitionError(MachineError):
    """A file that cannot be run, with every fault in it, in the order of the file."""

    def __init__(self, origin: str, faults: Iterable[Fault]) -> None:
        self.origin = origin
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(fault.located(origin) for fault in self.faults))


class ExpressionError(MachineError):
    """A guard that cannot be compiled, or that raises when it is evaluated."""


class TemplateError(MachineError):
    """A text with placeholders that cannot be filled in safely."""
