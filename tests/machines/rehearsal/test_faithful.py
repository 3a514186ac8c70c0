"""A rehearsal is the machine: the same file and the same events, with a host and without one."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from jobqueue.intake import create_job

from machines.actions.registry import Registry
from machines.core.loading import load
from machines.models import Machine
from machines.rehearsal.answers import Answer
from machines.rehearsal.player import Player
from machines.rehearsal.rehearsal import Rehearsal
from machines.rehearsal.script import Line, Script, Target
from machines.rehearsal.stage import Stage
from machines.rehearsal.story import NotTaken, StepTaken
from tests.machines.conftest import Driver, Runner
from tests.machines.rehearsal.acting import ACTING
from tests.machines.rehearsal.machines import Case, Job, Passed, Sent
from tests.machines.rehearsal.moving import MOVING


@dataclass
class Rehearsed:
    """How a case goes in a rehearsal: the machine, and its count of steps after each happening."""

    player: Player
    rehearsal: Rehearsal
    counts: list[int] = field(default_factory=list)

    @property
    def steps(self) -> list[tuple[str, str | None, str]]:
        return [(step.event, step.source, step.target) for step in self._own_steps()]

    @property
    def refused(self) -> list[tuple[str, str]]:
        own = (e for e in self.rehearsal.stage.story if e.machine == self.player.name)
        return [(e.event, e.status) for e in own if isinstance(e, NotTaken) and e.outside]

    def note(self) -> None:
        self.counts.append(len(self._own_steps()))

    def _own_steps(self) -> list[StepTaken]:
        story = self.rehearsal.stage.story
        name = self.player.name
        return [e for e in story if isinstance(e, StepTaken) and e.machine == name]


def rehearse(case: Case) -> Rehearsed:
    lines = tuple(
        Line(Target(type=kind), (one,) if isinstance(one, Answer) else one, isinstance(one, Answer))
        for kind, one in case.answers.items()
    )
    rehearsal = Rehearsal(Stage(Registry(), script=Script(lines)))
    player = rehearsal.add(load(textwrap.dedent(case.yaml), origin="machine.yaml"), "machine")
    if case.other:
        rehearsal.add(load(textwrap.dedent(case.other), origin="other.yaml"), "wall")
    found = Rehearsed(player, rehearsal)
    rehearsal.begin()
    found.note()
    for happening in case.happens:
        if isinstance(happening, Sent):
            player.accept(happening.event, happening.payload)
            rehearsal.play()
        elif isinstance(happening, Job):
            rehearsal.add_job({"job_type": happening.job_type, "data": dict(happening.data)})
            rehearsal.play()
        else:
            rehearsal.advance(happening.seconds)
        found.note()
    return found


async def happen(machine: Driver, happening: Sent | Job | Passed) -> None:
    if isinstance(happening, Sent):
        payload: dict[str, Any] = (
            {} if happening.payload is None else {"payload": happening.payload}
        )
        assert (await machine.send(happening.event, **payload))["ok"]
    elif isinstance(happening, Job):
        await sync_to_async(create_job)(job_type=happening.job_type, data=dict(happening.data))


def timeless(case: Case, context: Mapping[str, Any]) -> dict[str, Any]:
    return {key: None if key in case.keeps else value for key, value in context.items()}


def has_taken(count: int, row: Machine) -> bool:
    return row.seq >= count


@pytest.mark.parametrize("case", [*MOVING, *ACTING], ids=lambda case: case.name)
async def test_rehearsal_goes_as_the_machine_goes(run: Runner, case: Case) -> None:
    rehearsed = rehearse(case)

    async with run(
        textwrap.dedent(case.yaml), *filter(None, [case.other and textwrap.dedent(case.other)])
    ) as machine:
        for count, happening in zip(rehearsed.counts, (*case.happens, None), strict=True):
            await machine.until(partial(has_taken, count), f"step {count}")
            if happening is not None:
                await happen(machine, happening)
        player = rehearsed.player
        stands = (player.status, player.state, timeless(case, player.snapshot.context))
        await machine.until(
            lambda row: (row.status, row.state, timeless(case, row.context)) == stands,
            f"what is {stands}",
        )
        steps, events = await machine.steps(), await machine.events()

    assert steps == rehearsed.steps
    assert [one for one in events if one[1] in {"ignored", "failed"}] == rehearsed.refused
