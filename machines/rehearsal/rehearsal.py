"""A rehearsal: machines on one virtual clock, played until they rest, and time that passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any

from machines.core.definition import Definition
from machines.core.errors import MachineError
from machines.rehearsal.player import Player
from machines.rehearsal.stage import Stage
from machines.rehearsal.story import steps_of

MAX_MOVES = 50_000  # decisions with no time between them: nothing that is meant takes so many
SHOWN_STEPS = 6


class Restless(MachineError):  # noqa: N818 - reads as what happened
    """Machines that go round and round without any time passing."""


def name_of(definition: Definition, file: str) -> str:
    """What a machine is called that is run from ``file`` and given no name."""
    return str(definition.metadata.get("machine_name") or PurePath(file).stem)


@dataclass(slots=True)
class Rehearsal:
    """Machines that are played together; ``stage`` is what they share."""

    stage: Stage
    began_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        """The clock stands where the stage says."""
        self.began_at = self.stage.now

    @property
    def seconds(self) -> float:
        """How much time has passed."""
        return (self.stage.now - self.began_at).total_seconds()

    @property
    def players(self) -> Mapping[str, Player]:
        """The machines by name, in the order in which they came."""
        return self.stage.players

    def add(self, definition: Definition, name: str) -> Player:
        """Let a machine take part. Raises MachineError if another has its name."""
        player = Player(self.stage, definition, name)
        if player.name in self.stage.players:
            raise MachineError(f"two machines are called {player.name!r}; name one otherwise")
        self.stage.players[player.name] = player
        return player

    def begin(self, context: Mapping[str, Any] | None = None) -> None:
        """Let every machine begin and play; ``context`` is added to that of each file."""
        for player in self.players.values():
            player.begin(context or {})
        self.play()

    def add_job(self, columns: Mapping[str, Any]) -> None:
        """Put a job into the queue; ``after`` among its columns: in so many seconds it is ready."""
        given = dict(columns)
        after = given.pop("after", None)
        now = self.stage.now
        run_at = None if after is None else now + timedelta(seconds=after)
        self.stage.queue.add(now=now, run_at=run_at, **given)

    def play(self) -> None:
        """Let everybody play until all rest; work that takes no time ends too.

        Raises Restless if they never do.
        """
        moves = self._moves()
        self._play_ready(moves)
        while (at := self.next_at()) is not None and at <= self.stage.now:
            self._hear()
            self._play_ready(moves)

    def advance(self, seconds: float) -> None:
        """Let time pass; whatever is due happens at its time."""
        until = self.stage.now + timedelta(seconds=seconds)
        while (at := self.next_at()) is not None and at <= until:
            self.go_to(at)
        self.stage.now = until

    def go_to(self, at: datetime) -> None:
        """Let it be ``at``, if it is not later already, and play what is due then."""
        self.stage.now = max(at, self.stage.now)
        self._hear()
        self.play()

    def next_at(self) -> datetime | None:
        """When something happens by itself next; None if everybody rests for good."""
        times = [player.next_at() for player in self.players.values()]
        if any(player.snapshot.turn.idle for player in self.players.values() if not player.ended):
            times.append(self.stage.queue.next_at(self.stage.now))
        return min((at for at in times if at is not None), default=None)

    @property
    def steps(self) -> int:
        """How many steps were taken so far."""
        return self.stage.steps

    def _hear(self) -> None:
        for player in self.players.values():
            player.hear()

    def _play_ready(self, moves_before: int) -> None:
        stage = self.stage
        self._touch_those_with_news()
        while stage.to_play:
            player = stage.to_play.pop(next(iter(stage.to_play)))
            player.play()
            if not stage.to_play:
                self._touch_those_with_news()
            if self._moves() - moves_before > MAX_MOVES:
                raise Restless(self._why_restless())

    def _touch_those_with_news(self) -> None:
        """Machines play on for which another put or ended a job."""
        for player in self.players.values():
            if player.has_news:
                self.stage.touch(player)

    def _moves(self) -> int:
        return sum(player.moves for player in self.players.values())

    def _why_restless(self) -> str:
        last = [f"{step.machine}: {step}" for step in steps_of(self.stage.story)][-SHOWN_STEPS:]
        return "this never comes to rest, and no time passes in it: " + "; ".join(last)
