"""Moves: what happens to a machine while it is explored, in words that can be followed."""

from dataclasses import dataclass
from enum import Enum

from machines.core.turn import ActionRef
from machines.rehearsal.unknowns import Assumption


class MoveKind(Enum):
    """Who moves."""

    GOES_ON = "goes on"  # the machine itself; nothing comes from outside
    SENT = "sent"  # an event arrives
    ANSWERED = "answered"  # an action comes to an end, or begins to wait
    TIME = "time"  # a deadline of a transition passes
    WOKEN = "woken"  # a wait of an action is over
    RESTS = "rests"  # nobody does: it hangs on guards whether there is anything to come
    RUNG = "rung"  # what an idle machine looked for may be there


@dataclass(frozen=True, slots=True)
class Move:
    """One move. ``name``: the event sent, the type of the action, the timer, what is looked for.

    ``event``: what an action answers, None for no event; ``fails``: that is a failure;
    ``waits``: it begins to wait instead; ``claims``: with a job. ``transition`` and
    ``action`` name the deadline.
    """

    kind: MoveKind
    name: str = ""
    event: str | None = None
    fails: bool = False
    waits: bool = False
    claims: bool = False
    silent: bool = False
    transition: int | None = None
    action: ActionRef | None = None
    assumed: tuple[Assumption, ...] = ()

    @property
    def text(self) -> str:
        """``bash answers error``; with what was assumed of guards in brackets."""
        words = _words(self)
        if not self.assumed:
            return words
        assumed = ", ".join(assumption.text for assumption in self.assumed)
        return f"{words} ({assumed})"

    @property
    def shown(self) -> bool:
        """False if it goes without saying."""
        return not self.silent or bool(self.assumed)


RINGS = {"jobs": "a job arrives", "finished": "a job ends"}  # by what was looked for
GOES_ON = Move(MoveKind.GOES_ON, silent=True)


_WITHOUT_NAME = {
    MoveKind.GOES_ON: "the machine goes on",
    MoveKind.RESTS: "nothing happens",
}


def _words(move: Move) -> str:
    if move.kind is MoveKind.SENT:
        return f"send {move.name}"
    if move.kind is MoveKind.ANSWERED:
        answer = move.event or "nothing"
        return f"{move.name} waits" if move.waits else f"{move.name} answers {answer}"
    if move.kind is MoveKind.WOKEN:
        return f"{move.name} is woken"
    if move.kind is MoveKind.RUNG:
        return RINGS[move.name]
    return move.name or _WITHOUT_NAME[move.kind]
