"""Findings: what can go wrong in a machine, each with the shortest sequence that leads there."""

from dataclasses import dataclass

from machines.core.definition import Place
from machines.rehearsal.moves import Move

ERROR, WARNING, INFO = "error", "warning", "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """What can go wrong. ``path``: all moves that lead there, silent ones too.

    ``cycle``: those that are then made again and again.
    """

    code: str
    severity: str
    message: str
    place: Place
    path: tuple[Move, ...] = ()
    cycle: tuple[Move, ...] = ()

    @property
    def sequence(self) -> tuple[str, ...]:
        """``path`` in words, without what goes without saying."""
        return tuple(move.text for move in self.path if move.shown)

    @property
    def depends_on(self) -> tuple[str, ...]:
        """The names whose values are not known and were assumed to be what leads there."""
        moves = (*self.path, *self.cycle)
        found = {name for move in moves for each in move.assumed for name in each.names}
        return tuple(sorted(found))
