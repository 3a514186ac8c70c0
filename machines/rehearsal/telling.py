"""Telling: what one machine adds to the story, with its count of steps."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from machines.core.decisions import Perform
from machines.core.settling import Outcome
from machines.core.snapshot import Event, Kind
from machines.rehearsal.stage import Stage
from machines.rehearsal.story import ActionDone, EventSent, How, LineLogged, NotTaken, StepTaken

TRAIL = 8  # steps named when a machine is faulted


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the story to go back to."""

    seq: int
    step_at: datetime | None
    told: int
    steps: int


class Teller:
    """Adds to the story of a stage what happens to the machine ``name``."""

    def __init__(self, stage: Stage, name: str) -> None:
        self._stage = stage
        self._name = name
        self._seq = 0
        self._step_at: datetime | None = None
        self._trail: deque[StepTaken] = deque(maxlen=TRAIL)

    @property
    def trail(self) -> str:
        """The last steps in one line."""
        return "; ".join(str(taken) for taken in self._trail)

    def mark(self) -> Mark:
        """Remember how far the story is."""
        return Mark(self._seq, self._step_at, len(self._stage.story), self._stage.steps)

    def forget_since(self, mark: Mark) -> None:
        """Let what was told since then not have happened."""
        self._seq, self._step_at = mark.seq, mark.step_at
        self._stage.steps = mark.steps
        del self._stage.story[mark.told :]

    def step(
        self,
        event: str,
        source: str | None,
        target: str,
        guard: tuple[tuple[int, Any], ...] = (),
        transition: int | None = None,
        status: str = "",
    ) -> None:
        """Tell a step, or a change of status."""
        self._seq += 1
        now = self._stage.now
        step = StepTaken(
            self._name, now, self._seq, event, source, target, guard, transition, status,
            self._step_at,
        )  # fmt: skip
        self._step_at = now
        self._trail.append(step)
        self._stage.story.append(step)
        self._stage.steps += not status

    def not_taken(self, event: Event, state: str, reason: str, *, invalid: bool = False) -> None:
        """Tell an event that took no transition."""
        status = "failed" if invalid else "ignored"
        outside = event.kind is Kind.OUTSIDE
        self._stage.story.append(
            NotTaken(self._name, self._stage.now, event.name, state, reason, status, outside)
        )

    def action(
        self,
        decision: Perform,
        state: str,
        how: How,
        outcome: Outcome,
        event: Event | None = None,
        *,
        stopped: bool = False,
    ) -> None:
        """Tell the end of an action, with the event that it raised."""
        name = "" if event is None else event.name
        self._stage.story.append(
            ActionDone(
                self._name,
                self._stage.now,
                state,
                decision.action.type,
                how,
                decision.attempt,
                name,
                outcome.error,
                stopped,
            )
        )

    def line(self, level: str, text: str) -> None:
        """Tell a line of the log."""
        self._stage.story.append(LineLogged(self._name, self._stage.now, level, text))

    def sent(self, target: str, event: str, payload: Any, job_id: str) -> None:
        """Tell an event that was sent."""
        self._stage.story.append(
            EventSent(self._name, self._stage.now, target, event, payload, job_id)
        )
