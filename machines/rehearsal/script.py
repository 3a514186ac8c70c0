"""A script: which answers are written down for which actions, and which of them are used up."""

from dataclasses import dataclass, field

from machines.core.definition import NOWHERE, Place
from machines.core.turn import OF_STATE, ActionRef
from machines.rehearsal.answers import Answer


@dataclass(frozen=True, slots=True)
class Target:
    """Which actions are meant: what is None may be anything. ``index`` counts within the state."""

    machine: str | None = None
    state: str | None = None
    type: str | None = None
    index: int | None = None

    def matches(self, machine: str, state: str, action_type: str, ref: ActionRef) -> bool:
        """True if that action is meant."""
        return (
            self.machine in (None, machine)
            and self.state in (None, state)
            and self.type in (None, action_type)
            and (self.index is None or ref == (OF_STATE, self.index))
        )

    @property
    def rank(self) -> tuple[bool, bool, bool]:
        """How closely it looks: of two that match, the higher one is heard."""
        return (self.index is not None, self.state is not None, self.machine is not None)


@dataclass(frozen=True, slots=True)
class Line:
    """The answers for some actions: one for ``always``, or one after the other, then no more."""

    target: Target
    answers: tuple[Answer, ...]
    always: bool = False
    place: Place = NOWHERE


@dataclass(slots=True)
class Script:
    """The lines of a script, the closest first, and how many answers of each were given."""

    lines: tuple[Line, ...] = ()
    _given: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Put the closest lines first."""
        self.lines = tuple(sorted(self.lines, key=lambda line: line.target.rank, reverse=True))

    def answer(self, machine: str, state: str, action_type: str, ref: ActionRef) -> Answer | None:
        """The next answer for an action; None if the script says nothing of it."""
        for number, line in enumerate(self.lines):
            if not line.target.matches(machine, state, action_type, ref):
                continue
            given = self._given.get(number, 0)
            if given < len(line.answers):
                self._given[number] = 0 if line.always else given + 1
                return line.answers[given]
        return None
