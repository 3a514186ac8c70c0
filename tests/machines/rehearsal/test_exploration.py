"""What an exploration finds in small machines, and by which sequence it gets there."""

import functools
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from machines.actions.registry import Registry
from machines.core.definition import Definition
from machines.core.loading import load
from machines.rehearsal.exploration import Exploration, explore
from machines.rehearsal.files import Shelf
from tests.machines.rehearsal.lines import as_lines
from tests.machines.rehearsal.replaying import check

EXAMPLES = sorted(
    path
    for path in Path(settings.BASE_DIR).glob("examples/**/*.yaml")
    if not path.name.endswith(".tests.yaml")
)
BASH = "{type: bash, command: 'true'}"


@functools.cache
def registry() -> Registry:
    return Registry()


def machine(*transitions: str, more: str = "") -> Definition:
    """A machine that begins in state a, with these transitions."""
    lines = "".join(f"  - {line}\n" for line in transitions)
    return load(f"initial_state: a\ntransitions:\n{lines}{more}", origin="small.yaml")


def explored(*transitions: str, more: str = "", limit: int = 10_000) -> Exploration:
    return explore(machine(*transitions, more=more), registry(), limit=limit)


def found(exploration: Exploration, *codes: str) -> list[str]:
    """Codes and sequences; with ``codes``, of those only."""
    return [
        f"{each.code}: {' · '.join(each.sequence)}"
        for each in exploration.findings
        if not codes or each.code in codes
    ]


GO = "{from: a, to: b, event: go}"
TABLE: dict[str, tuple[tuple[str, ...], str, list[str]]] = {
    "the end is reached": (("{from: a, to: completed, event: go}",), "", []),
    "a dead end": ((GO,), "", ["deadlock: send go", "event-ignored: send go · send go"]),
    "a guard that never holds": (
        (GO, "{from: b, to: completed, event: x, guard: done}"),
        "context: {done: false}",
        [
            "event-ignored: send x",
            "never-finishes: ",
            "deadlock: send go",
            "event-ignored: send go · send go",
            "transition-never-taken: ",
            "unreachable-state: ",
        ],
    ),
    "a branch by payload": (
        ("{from: a, to: b, event: go, guard: payload.big}",
         "{from: a, to: completed, event: go}"),
        "",
        ["deadlock: send go (if payload.big)",
         "event-ignored: send go (if payload.big) · send go"],
    ),
    "a list that is counted": (
        ("{from: a, to: a, event: put, guard: len(items) < 2, "
         "actions: [{type: add_to_list, value: 1}]}",
         "{from: a, to: b, guard: len(items) == 2}"),
        "context: {items: []}",
        ["deadlock: send put · send put", "event-ignored: send put · send put · send put"],
    ),
    "a list that is emptied": (
        ("{from: a, to: a, event: item_popped}", "{from: a, to: completed, event: list_empty}"),
        "context: {items: [1, 2]}\nactions: {a: [{type: pop_from_list}]}",
        [],
    ),
    "a failure": (
        ("{from: a, to: completed, event: job_done}", "{from: a, to: b, event: error}"),
        f"actions: {{a: [{BASH}]}}",
        ["deadlock: bash answers error"],
    ),
    "a claim": (
        ("{from: a, to: a, event: no_jobs}", "{from: a, to: b, event: new_job}"),
        "actions: {a: [{type: check_database_queue}]}",
        ["deadlock: check_database_queue answers new_job"],
    ),
    "a guard over the data of a job": (
        ("{from: a, to: a, event: no_jobs}", "{from: a, to: b, event: new_job}",
         "{from: b, to: completed, guard: size > 3}"),
        "actions: {a: [{type: check_database_queue}]}",
        ["deadlock: check_database_queue answers new_job · nothing happens (unless size > 3)"],
    ),
    "automatic transitions in a circle": (
        (GO, "{from: b, to: c}", "{from: c, to: b}"),
        "",
        ["livelock: send go"],
    ),
    "a round that asks for itself": (
        ("{from: a, to: a, event: success}",),
        "actions: {a: [{type: set_context, key: n, value: 1}]}",
        ["livelock: "],
    ),
    "a failure that is tried again at once": (
        ("{from: a, to: b, event: error}", "{from: b, to: a}"),
        f"actions: {{a: [{BASH}]}}",
        ["failing-loop: "],
    ),
    "a failure that is tried again after a pause": (
        ("{from: a, to: b, event: error}", "{from: b, to: a, after: 5s}"),
        f"actions: {{a: [{BASH}]}}",
        [],
    ),
    "the shorter of two timers": (
        ("{from: a, to: completed, after: 1s}", "{from: a, to: b, after: 2s}"),
        "",
        ["transition-never-taken: ", "unreachable-state: "],
    ),
    "a timer that ends a longer sleep": (
        ("{from: a, to: b, after: 1s}", "{from: a, to: completed, event: wake_up}"),
        "actions: {a: [{type: sleep, duration: 2}]}",
        ["deadlock: timeout(1)"],
    ),
    "a timer that no sleep lets pass": (
        ("{from: a, to: b, after: 3s}", "{from: a, to: completed, event: wake_up}"),
        "actions: {a: [{type: sleep, duration: 2}]}",
        ["transition-never-taken: ", "unreachable-state: "],
    ),
    "an event that waits for work which ends the machine": (
        ("{from: a, to: completed, event: job_done}",
         "{from: a, event: note, actions: [{type: log}]}"),
        f"actions: {{a: [{BASH}]}}",
        ["event-lost-at-end: send note · bash answers job_done"],
    ),
    "an event that interrupts work": (
        ("{from: a, to: b, event: halt, interrupt: true}", "{from: b, to: a, event: go}",
         "{from: a, to: completed, event: job_done}"),
        f"actions: {{a: [{BASH}]}}",
        ["event-ignored: bash answers error · send go", "event-ignored: send halt · send halt"],
    ),
    "an action behind one that leaves": (
        ("{from: a, to: completed, event: done}",),
        "actions: {a: [{type: log, success: done}, {type: log}]}",
        ["action-never-run: "],
    ),
    "more steps than a machine may take": (
        (GO, "{from: b, to: c}", "{from: c, to: d}", "{from: d, to: completed}"),
        "metadata: {max_instant_steps: 2}",
        ["too-many-steps: send go"],
    ),
    "a wait for jobs": (
        ("{from: a, to: completed, event: all_jobs_complete}", "{from: a, to: b, after: 10s}",
         "{from: b, to: completed, event: go}"),
        "actions: {a: [{type: wait_for_jobs}]}",
        ["event-ignored: wait_for_jobs answers no_jobs_tracked · send go"],
    ),
    "an event that an action looks for": (
        ("{from: a, to: a, event: no_events}", "{from: a, to: completed, event: go}"),
        "actions: {a: [{type: check_events, event_types: [go]}]}",
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("transitions", "more", "expected"), TABLE.values(), ids=TABLE)
def test_what_is_found_and_the_shortest_way_there(
    transitions: tuple[str, ...], more: str, expected: list[str]
) -> None:
    exploration = explored(*transitions, more=more)

    for each in exploration.findings:
        check(each, machine(*transitions, more=more), registry())
    assert found(exploration) == expected
    assert exploration.complete


def test_a_finding_is_told_in_lines() -> None:
    exploration = explored(
        "{from: a, to: b, event: error, guard: hopeless}",
        "{from: b, to: a}",
        more=f"context: {{hopeless: true}}\nactions: {{a: [{BASH}]}}",
    )

    lines = [as_lines(each) for each in exploration.findings]

    assert lines == [
        [
            "3:12: warning: a -> b -> a goes on without a pause for as long as an action fails: "
            "let it wait, by after or retry [failing-loop]",
            "    from the start",
            "    again and again: bash answers error",
        ]
    ]


def test_what_a_finding_depends_on_is_told() -> None:
    exploration = explored("{from: a, to: b, event: go, guard: payload.n > 1}", more="")

    lines = as_lines(exploration.findings[0])

    assert exploration.findings[0].severity == "warning"
    assert lines[1:] == ["    send go (if payload.n > 1)", "    depends on: payload"]


def test_a_name_that_nothing_in_the_file_sets_may_have_any_value() -> None:
    exploration = explored("{from: a, to: completed, guard: region == 'north'}", GO, more="")

    taken = found(exploration, "transition-never-taken", "unreachable-state")

    assert taken == []


def test_what_work_leaves_behind_may_have_any_value() -> None:
    exploration = explored(
        "{from: a, to: completed, event: job_done, guard: n > 1}",
        "{from: a, to: b, event: job_done}",
        more="context: {n: 0}\nactions: {a: [{type: bash, command: 'true', store_as: n}]}",
    )

    sequences = found(exploration, "deadlock", "unreachable-state")

    assert sequences == ["deadlock: bash answers job_done (unless n > 1)"]


ODD = """\
from machines.actions.custom import BaseAction

class OddAction(BaseAction):
    async def execute(self, context):
        return None
"""


def test_a_custom_action_may_raise_anything_and_set_any_key(tmp_path: Path) -> None:
    (tmp_path / "odd_action.py").write_text(ODD)
    definition = machine(
        "{from: a, to: b, event: whatever}",
        "{from: a, to: completed, event: error, guard: n == 1}",
        more="context: {n: 0}\nactions: {a: [{type: odd}]}",
    )

    exploration = explore(definition, Registry((tmp_path,)))

    assert found(exploration, "deadlock") == ["deadlock: odd answers whatever"]
    assert found(exploration, "unreachable-state", "transition-never-taken") == []


def test_a_tracked_job_that_ends_rings_an_idle_machine() -> None:
    exploration = explored(
        "{from: a, to: a, event: not_yet}",
        "{from: a, to: b, event: all_jobs_complete}",
        more="actions: {a: [{type: wait_for_jobs, pending: not_yet}]}\n"
        "context: {spawned_jobs: [one]}",
    )

    assert exploration.complete
    assert found(exploration) == ["deadlock: wait_for_jobs answers all_jobs_complete"]


def test_a_setting_that_is_not_known_may_be_anything() -> None:
    exploration = explored(
        "{from: a, to: a, event: wake_up}",
        "{from: a, to: completed, event: error}",
        more="actions: {a: [{type: sleep, duration: '{pause}'}, "
        "{type: stop_machine, target_machine: '{other}'}, {type: log, success: '{name_it}'}]}",
    )

    assert exploration.complete
    assert found(exploration) == []


def test_a_context_that_grows_without_end_is_given_up_on() -> None:
    exploration = explored(
        "{from: a, to: a, event: put, actions: [{type: add_to_list, value: 1}]}",
        "{from: a, to: completed, guard: len(items) > 1000}",
        more="context: {items: []}",
    )

    assert exploration.complete
    assert exploration.widened == ("items",)
    assert found(exploration) == []


def test_over_its_limit_an_exploration_does_not_say_what_never_happens() -> None:
    transitions = [
        f"{{from: a, to: a, event: put_{key}, guard: 'len({key}) < 9', "
        f"actions: [{{type: add_to_list, list_key: {key}, value: 1}}]}}"
        for key in "xyz"
    ]
    more = "context: {x: [], y: [], z: []}\nstates: [a, b]"

    over, under = (explored(*transitions, more=more, limit=limit) for limit in (500, 100_000))

    assert (over.complete, over.configurations, found(over)) == (False, 500, [])
    assert under.complete
    assert found(under, "unreachable-state") == ["unreachable-state: "]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_explored_and_nothing_goes_wrong_in_it(path: Path) -> None:
    shelf = Shelf()
    definition, types = _without_schemas(shelf.definition(path)), shelf.types(path)

    exploration = explore(definition, types)

    for each in exploration.findings:
        check(each, definition, types)
    assert exploration.complete
    assert {each.severity for each in exploration.findings} <= {"info"}


def _without_schemas(definition: Definition) -> Definition:
    """As it is explored: with events whose payload is as it should be; a replay's has nothing."""
    events = {
        name: replace(event, payload_schema=None) for name, event in definition.events.items()
    }
    return replace(definition, events=events)
