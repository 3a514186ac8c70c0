"""Running scenarios: each on a stage of its own, up to the first expectation that fails."""

from __future__ import annotations

from dataclasses import dataclass

from jobqueue.errors import JobError

from machines.core.errors import MachineError
from machines.rehearsal.checking import Seen, failure_of
from machines.rehearsal.player import Player
from machines.rehearsal.rehearsal import Rehearsal
from machines.rehearsal.scenario import (
    AddJobs,
    Expect,
    Pass,
    Scenario,
    ScenarioStep,
    Send,
)
from machines.rehearsal.script import Script
from machines.rehearsal.stage import Stage, Types
from machines.rehearsal.story import Entry, StepTaken, steps_of

LAST_STEPS = 6  # shown of a test that failed


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a test failed: the line of its file, what was expected, what happened."""

    line: int
    expected: str
    happened: str
    last_steps: tuple[str, ...] = ()

    def located(self, origin: str) -> str:
        """The whole of it for a person, in several lines."""
        head = f"{origin}:{self.line}: expected {self.expected}, but {self.happened}"
        if not self.last_steps:
            return head
        return "\n".join([head, "  the last steps:", *(f"    {step}" for step in self.last_steps)])


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a test went; ``failure`` is None if it passed. ``story`` is all that happened."""

    origin: str
    scenario: Scenario
    failure: Failure | None
    story: tuple[Entry, ...]
    virtual_seconds: float

    @property
    def passed(self) -> bool:
        """True if everything was as expected."""
        return self.failure is None


def run(scenario: Scenario, origin: str, types: Types) -> Verdict:
    """Play a test until its end or its first failure."""
    rehearsal = Rehearsal(Stage(types, script=Script(scenario.lines)))
    play = _Play(rehearsal, scenario)
    failure = play.failure()
    story = tuple(rehearsal.stage.story)
    return Verdict(origin, scenario, failure, story, rehearsal.seconds)


class _Play:
    """One test under way. ``since``: where in the story the last thing was done to it."""

    def __init__(self, rehearsal: Rehearsal, scenario: Scenario) -> None:
        self._rehearsal = rehearsal
        self._scenario = scenario
        self._since = 0

    def failure(self) -> Failure | None:
        """What fails first, None if nothing does."""
        scenario = self._scenario
        line = scenario.place.line
        try:
            for member in scenario.cast:
                self._rehearsal.add(member.definition, member.name)
            for columns in scenario.jobs:
                self._rehearsal.add_job(columns)
            self._rehearsal.begin(scenario.context)
            for step in scenario.steps:
                line = step.place.line
                failure = self._do(step)
                if failure is not None:
                    return failure
        except (MachineError, JobError) as error:
            return Failure(line, "the machine to go on", str(error), self._last_steps())
        return None

    def _do(self, step: ScenarioStep) -> Failure | None:
        if isinstance(step, Expect):
            return self._check(step)
        self._since = len(self._rehearsal.stage.story)
        if isinstance(step, Pass):
            self._rehearsal.advance(step.seconds)
            return None
        if isinstance(step, Send):
            for one in step.events:
                player = self._player(one.machine)
                player.accept(one.event, one.payload, job_id=one.job_id)
        elif isinstance(step, AddJobs):
            for columns in step.jobs:
                self._rehearsal.add_job(columns)
        self._rehearsal.play()
        return None

    def _check(self, step: Expect) -> Failure | None:
        player = self._player(step.machine)
        story = self._rehearsal.stage.story
        seen = Seen(player, self._rehearsal.stage.queue, tuple(story[self._since :]))
        for check in step.checks:
            found = failure_of(check, seen)
            if found is not None:
                return Failure(check.place.line, *found, self._last_steps())
        return None

    def _player(self, name: str | None) -> Player:
        return self._rehearsal.players[name or self._scenario.cast[0].name]

    def _last_steps(self) -> tuple[str, ...]:
        several = len(self._scenario.cast) > 1
        steps = list(steps_of(self._rehearsal.stage.story))[-LAST_STEPS:]
        return tuple(self._shown(step, several=several) for step in steps)

    def _shown(self, step: StepTaken, *, several: bool) -> str:
        seconds = (step.at - self._rehearsal.began_at).total_seconds()
        who = f"{step.machine}: " if several else ""
        return f"+{seconds:g} s  {who}{step}"
