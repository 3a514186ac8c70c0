"""Chance: answers and events that a seed chooses among those that are possible.

The same seed makes the same choices in the same order, so a story can be told again.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from machines.core.definition import Action, Definition
from machines.core.signatures import Signature
from machines.rehearsal.answers import Answer, possible_answers
from machines.rehearsal.happenings import Happening
from machines.rehearsal.player import Player
from machines.rehearsal.rehearsal import Rehearsal
from machines.rehearsal.scenario import OneEvent

USUAL_SHARE = 0.6  # of the answers; the others are drawn from all that are possible
ENDING_SHARE = 0.1  # how often an event may come that ends a machine, while others are due
LONGEST_WORK_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 5.0  # between two events
MOST_EVENTS = 20  # of a story whose events nobody wrote down


@dataclass(frozen=True, slots=True)
class Choice:
    """What may come from outside: an event, or a job (its type, that of its machine).

    ``ends``: it leads to an end.
    """

    player: Player
    event: str = ""
    job: tuple[str, str] | None = None
    ends: bool = False


class Chance:
    """Answers, times and events drawn from one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a story to be told again, no secret
        self._events_left = MOST_EVENTS

    def answer(self, action: Action, signature: Signature) -> Answer:
        """See Guesses."""
        draw = self._random
        takes = round(draw.uniform(0, LONGEST_WORK_SECONDS), 1)
        if draw.random() < USUAL_SHARE:
            return Answer(takes_seconds=takes)
        possible = sorted(possible_answers(signature, action))
        event = draw.choice(possible) if possible else None
        return Answer(event=event, takes_seconds=takes)

    def jitter(self) -> float:
        """See Guesses."""
        return self._random.random()

    def happening(self, rehearsal: Rehearsal) -> Happening | None:
        """What comes next from outside; None if nothing comes now, or enough has come."""
        choices = [
            choice
            for player in rehearsal.players.values()
            if not player.ended
            for choice in _choices(player)
        ]
        going_on = [choice for choice in choices if not choice.ends]
        may_end = self._random.random() < ENDING_SHARE or rehearsal.next_at() is None
        if self._events_left == 0 or not (going_on or (choices and may_end)):
            return None
        self._events_left -= 1
        at = rehearsal.seconds + round(self._random.uniform(0.1, LONGEST_PAUSE_SECONDS), 1)
        choice = self._random.choice(going_on or choices)
        if choice.job is not None:
            job_type, machine_type = choice.job
            return Happening(at, jobs=({"job_type": job_type, "machine_type": machine_type},))
        payload = self._payload(choice.player, choice.event)
        return Happening(at, OneEvent(choice.event, payload, machine=choice.player.name))

    def _payload(self, player: Player, event: str) -> Any:
        declaration = player.definition.events.get(event)
        schema = None if declaration is None else declaration.payload_schema
        return None if schema is None else self._value(schema)

    def _value(self, schema: Any) -> Any:
        """A value of the kind that a schema describes; what it says beyond that may be broken."""
        draw = self._random
        if not isinstance(schema, Mapping):  # true or false
            return None
        if schema.get("enum"):
            return draw.choice(list(schema["enum"]))
        kind = schema.get("type", "object")
        if kind == "object":
            properties = schema.get("properties", {})
            return {key: self._value(properties.get(key, {})) for key in schema.get("required", ())}
        values: Mapping[str, Any] = {
            "integer": draw.randint(0, 9),
            "number": round(draw.uniform(0, 9), 1),
            "string": draw.choice(("red", "green", "blue")),
            "boolean": draw.random() < 0.5,
            "array": [],
        }
        return values.get(kind) if isinstance(kind, str) else None


def _choices(player: Player) -> list[Choice]:
    """What may come now: events that the state handles and no action of it raises, and jobs."""
    definition, state = player.definition, player.state
    own: set[str] = {"start"}
    for action in definition.states[state].actions:
        signature = player.stage.signatures.get(action.type)
        if signature is not None:
            own |= signature.events(action).keys()
    events = [
        Choice(player, event, ends=_ends(definition, state, event))
        for event in definition.handled_events(state)
        if event not in own
    ]
    looked_for = [looked[1:] for looked in player.snapshot.turn.checked if looked[0] == "jobs"]
    jobs = [
        Choice(player, job=("any" if kind == "*" else kind, "" if machine == "*" else machine))
        for kind, machine in looked_for
    ]
    return [*events, *jobs]


def _ends(definition: Definition, state: str, event: str) -> bool:
    targets = (transition.target for transition in definition.candidates(state, event))
    return any(target is not None and definition.is_final(target) for target in targets)
