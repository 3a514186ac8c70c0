"""Whatever machine is written, it is explored, and what is found is true.

A machine that is played at random never does what its exploration says that it never does.
"""

import random
from typing import Any

import orjson
import pytest

from machines.actions.registry import Registry
from machines.core.loading import load
from machines.rehearsal.exploration import explore
from tests.machines.rehearsal.replaying import check
from tests.machines.rehearsal.wandering import Wanderer

STATES = ("a", "b", "c", "completed")
EVENTS = ("x", "y", "error", "no_jobs", "success", "wake_up", "start")
ACTIONS: tuple[dict[str, Any], ...] = (
    {"type": "log", "message": "{n}"},
    {"type": "log", "success": "x"},
    {"type": "set_context", "key": "n", "value": 1},
    {"type": "set_context", "key": "n", "value": "{n}1"},
    {"type": "set_context", "key": "n", "value": "{printed}"},
    {"type": "add_to_list", "value": "{n}"},
    {"type": "pop_from_list", "success": "y", "empty": "x"},
    {"type": "bash", "command": "true", "store_as": "printed", "success": "y"},
    {"type": "bash", "command": "false", "retry": {"attempts": 2, "delay": "1s"}},
    {"type": "sleep", "duration": 2},
    {"type": "sleep", "duration": "{n}"},
    {"type": "check_database_queue", "success": "y"},
    {"type": "check_events", "event_types": ["y"]},
    {"type": "clear_events", "event_types": "x"},
    {"type": "complete_job"},
    {"type": "wait_for_jobs", "success": "x"},
    {"type": "send_event", "target_machine": "other", "event_type": "hello"},
    {"type": "stop_machine"},
    {"type": "log", "every": "3s", "success": "x"},
    {"type": "unheard_of"},
    {"type": "log", "success": "{printed|length}"},
    {"type": "activity_log", "message": "{current_job.id}", "success": "{n}"},
)
TRIGGERS: tuple[dict[str, Any], ...] = (
    {},
    {"after": "1s"},
    {"after": "4s"},
    *({"event": name} for name in EVENTS),
)
GUARDS = ("n", "not n", "n == 1", "len(items) < 2", "payload.n > 1", "current_job != null")


def written(seed: int) -> str:
    """A machine made at random, always the same for one seed."""
    chance = random.Random(seed)  # noqa: S311 - a generator of tests

    def actions(most: int) -> list[dict[str, Any]]:
        return [chance.choice(ACTIONS) for _ in range(chance.randint(0, most))]

    def transition() -> dict[str, Any]:
        made = {"from": chance.choice([*STATES, "*"]), **chance.choice(TRIGGERS)}
        if chance.random() < 0.8:
            made["to"] = chance.choice(STATES)
            made["reenter"] = chance.random() < 0.2
            if {"event", "after"} & made.keys():
                made["interrupt"] = chance.random() < 0.3
        if chance.random() < 0.4:
            made["guard"] = chance.choice(GUARDS)
        made["actions"] = actions(1)
        return made

    return orjson.dumps(
        {
            "initial_state": "a",
            "states": list(STATES),
            "metadata": {"max_instant_steps": 20},
            "events": {"y": {"context_map": {"n": "payload.n"}}},
            "transitions": [transition() for _ in range(chance.randint(1, 8))],
            "actions": {state: actions(2) for state in STATES},
        }
    ).decode()


@pytest.mark.parametrize("seed", range(120))
def test_every_finding_of_any_machine_can_be_replayed(seed: int) -> None:
    definition = load(written(seed), origin="random.yaml")
    registry = Registry()

    found = explore(definition, registry, limit=1_000)

    assert found == explore(definition, registry, limit=1_000)
    assert found.configurations <= 1_000
    for finding in found.findings:
        check(finding, definition, registry)


@pytest.mark.parametrize("seed", range(120))
def test_no_machine_does_what_an_exploration_says_it_never_does(seed: int) -> None:
    definition = load(written(seed), origin="random.yaml")
    registry = Registry()
    found = explore(definition, registry, limit=3_000)
    never = {(each.code, each.place) for each in found.findings}

    chance = random.Random(seed)  # noqa: S311 - a player of tests
    wanderer = Wanderer(definition, registry, chance)
    for _walk in range(10):
        wanderer.walk(60)

    states = definition.states
    entered = {("unreachable-state", states[name].place) for name in wanderer.entered}
    taken = {
        ("transition-never-taken", definition.transitions[index].place) for index in wanderer.taken
    }
    ended = {("action-never-run", place) for place in wanderer.performed}
    assert not (entered | taken | ended) & never
    assert not wanderer.finished or "never-finishes" not in {code for code, _place in never}
