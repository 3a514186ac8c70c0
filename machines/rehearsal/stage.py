"""The stage: what the machines of one rehearsal share - clock, queue, script, story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from machines.actions.base import ActionType
from machines.core.definition import Action
from machines.core.signatures import Signature
from machines.rehearsal.answers import USUAL, Answer
from machines.rehearsal.jobs import JobQueue
from machines.rehearsal.script import Script
from machines.rehearsal.story import Entry

if TYPE_CHECKING:
    from machines.rehearsal.player import Player

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)  # when a rehearsal begins that is told nothing else
EVEN = 0.5  # what stands for a random number where nothing is left to chance


class Types(Protocol):
    """Which action types there are; a Registry is one."""

    def get(self, name: str) -> ActionType | None:
        """The type of that name, or None."""

    def signatures(self) -> dict[str, Signature]:
        """What each type takes and raises, by its name."""

    def suggestion(self, name: str) -> str:
        """What to say of a type that there is not."""


class Guesses(Protocol):
    """Who answers where the script says nothing."""

    def answer(self, action: Action, signature: Signature) -> Answer:
        """What the action comes to."""

    def jitter(self) -> float:
        """A number from 0 to 1, for the delay of a retry."""


class Usually:
    """Everything goes as usual."""

    def answer(self, _action: Action, _signature: Signature) -> Answer:
        """See Guesses."""
        return USUAL

    def jitter(self) -> float:
        """See Guesses."""
        return EVEN


@dataclass(slots=True)
class Stage:
    """What the machines share; ``players`` by name. ``work_takes``: if nobody says how long."""

    types: Types
    now: datetime = NOON
    script: Script = field(default_factory=Script)
    guesses: Guesses = field(default_factory=Usually)
    work_takes: timedelta = timedelta(0)
    queue: JobQueue = field(default_factory=JobQueue)
    story: list[Entry] = field(default_factory=list)
    players: dict[str, Player] = field(default_factory=dict)
    to_play: dict[str, Player] = field(default_factory=dict)
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    events: int = 0
    steps: int = 0

    def __post_init__(self) -> None:
        """Ask the types once for their signatures."""
        self.signatures = self.types.signatures()

    def touch(self, player: Player) -> None:
        """Let a machine play that has something to do."""
        self.to_play[player.name] = player

    def new_event_id(self) -> int:
        """The number of an event that is accepted."""
        self.events += 1
        return self.events
