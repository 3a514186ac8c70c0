"""A simulation from its beginning to its end: what happens, and time that passes until a limit."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from machines.rehearsal.chance import Chance
from machines.rehearsal.happenings import Happening
from machines.rehearsal.rehearsal import Rehearsal

MAX_SECONDS = 3_600.0  # of virtual time, if nobody says how long
MAX_STEPS = 1_000  # likewise
RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a simulation goes on that does not end by itself."""

    seconds: float = MAX_SECONDS
    steps: int = MAX_STEPS


def tell(
    rehearsal: Rehearsal,
    happenings: Iterable[Happening],
    limits: Limits,
    chance: Chance | None = None,
) -> str:
    """Play until all is over or a limit is reached; why it ended, for a person.

    ``chance`` thinks of what happens where ``happenings`` says nothing. Raises Restless.
    """
    left = deque(happenings)
    invents = chance is not None and not left
    while rehearsal.steps < limits.steps:
        if chance is not None and invents and not left:
            left.extend(filter(None, [chance.happening(rehearsal)]))
        at = _next_seconds(rehearsal, left)
        if at is None:
            return _how_they_stand(rehearsal, "rests")
        if at > limits.seconds:
            rehearsal.advance(limits.seconds - rehearsal.seconds)
            return f"{limits.seconds:g} s are over; {_how_they_stand(rehearsal)}"
        if left and left[0].at_seconds <= at:
            _let_happen(rehearsal, left.popleft())
        else:
            rehearsal.advance(at - rehearsal.seconds)
    return f"ended after {rehearsal.steps} steps; {_how_they_stand(rehearsal)}"


def _next_seconds(rehearsal: Rehearsal, left: deque[Happening]) -> float | None:
    times = [left[0].at_seconds] if left else []
    at = rehearsal.next_at()
    if at is not None:
        times.append((at - rehearsal.began_at).total_seconds())
    return min(times, default=None)


def _let_happen(rehearsal: Rehearsal, happening: Happening) -> None:
    rehearsal.advance(max(0.0, happening.at_seconds - rehearsal.seconds))
    if happening.event is not None:
        one = happening.event
        player = rehearsal.players[one.machine or next(iter(rehearsal.players))]
        player.accept(one.event, one.payload, job_id=one.job_id)
    for columns in happening.jobs:
        rehearsal.add_job(columns)
    rehearsal.play()


def _how_they_stand(rehearsal: Rehearsal, running: str = "is") -> str:
    return "; ".join(
        f"{player.name} {running if player.status == RUNNING else f'is {player.status}'}"
        f" in {player.state!r}"
        for player in rehearsal.players.values()
    )
