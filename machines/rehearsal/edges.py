"""Edges: what one move makes of a configuration, under every assumption that it needs."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from machines.core.turn import ActionRef
from machines.rehearsal.configurations import INSTANT, Configuration
from machines.rehearsal.hand import Hand
from machines.rehearsal.moves import Move, MoveKind
from machines.rehearsal.unknowns import Assumption, Depends, Oracle

_OWN = (MoveKind.GOES_ON, MoveKind.ANSWERED)

Given = tuple[Assumption, ...]


@dataclass(slots=True)
class Edge:
    """One way on. ``instant``: nothing from outside, no time and no work was needed.

    ``taken``: the indexes of transitions; ``performed``: the state and the action, if one was;
    ``guess``: it hangs on a value that is not known.
    """

    move: Move
    after: Configuration
    instant: bool
    taken: tuple[int, ...] = ()
    performed: tuple[str, ActionRef] | None = None
    guess: bool = False


class Edges:
    """Makes edges; ``gave_up``: some way on could not be told, since it was last set to False."""

    def __init__(self, oracle: Oracle, hand: Hand) -> None:
        self._oracle = oracle
        self._hand = hand
        self.gave_up = False

    def of(
        self,
        configuration: Configuration,
        move: Move,
        run: Callable[[Configuration], bool],
        given: Given = (),
    ) -> list[Edge]:
        """One edge for every way in which the guards that are not known may hold.

        ``run`` changes a copy of ``configuration``; False if the move cannot be made.
        """

        def play() -> tuple[Configuration | None, tuple[int, ...]]:
            after = Configuration(configuration.snapshot, configuration.timers, configuration.fresh)
            self._hand.forget()
            try:
                done = run(after)
            except Depends:
                self.gave_up, done = True, False
            return after if done else None, tuple(self._hand.taken)

        own = move.kind in _OWN
        return [
            Edge(
                replace(move, assumed=assumed) if assumed else move,
                after,
                own and after.snapshot.instant_steps >= INSTANT,
                taken,
                guess=bool(assumed),
            )
            for (after, taken), assumed in self._oracle.branches(play, given)
            if after is not None
        ]
