"""What taking a transition does: rounds, timers, and the count of steps."""

from dataclasses import replace

import pytest

from machines.core import engine
from machines.core.engine import step
from machines.core.snapshot import Deadline, Event, Kind
from machines.core.turn import OF_STATE, Stretch, Turn, Wait, Work
from tests.core.stepping import LATER, NOON, OWN_WORK, at, due, machine, timer

# -- leaving, staying, entering again


ACTING = """\
actions:
  a: [{type: log}, {type: log}, {type: log}]
  b: [{type: log}, {type: log}]
"""


@pytest.mark.parametrize(
    ("line", "todo"),
    [
        ("{from: a, to: b, event: go}", ((OF_STATE, 0, 2),)),
        (
            "{from: a, to: b, event: go, actions: [{type: log}, {type: log}]}",
            ((0, 0, 2), (OF_STATE, 0, 2)),
        ),
        ("{from: a, to: c, event: go}", ()),
        ("{from: a, to: c, event: go, actions: [{type: log}]}", ((0, 0, 1),)),
        (
            "{from: a, to: a, reenter: true, event: go, actions: [{type: log}]}",
            ((0, 0, 1), (OF_STATE, 0, 3)),
        ),
    ],
)
def test_leaving_begins_the_round_of_the_state_entered(
    line: str, todo: tuple[Stretch, ...]
) -> None:
    definition = machine(line, more=ACTING)
    wait = replace(OWN_WORK, waits=(Wait((OF_STATE, 0)),), changed=("n",), again=True)

    left = step(definition, at("a", wait, n=1), Event("go"), LATER)

    assert left.left
    assert left.source == "a"
    assert left.snapshot.turn == Turn(todo=todo)
    assert left.snapshot.entered_at == LATER
    assert left.changes == {"n": 1}


def test_leaving_ends_running_work_and_keeps_context_and_job() -> None:
    definition = machine("{from: a, to: b, event: go, interrupt: true}")
    working = replace(at("a", Turn(work=Work((OF_STATE, 0), "token")), n=1), job={"id": 1})

    left = step(definition, working, Event("go"), LATER)

    assert left.snapshot.turn == Turn()
    assert (left.snapshot.context, left.snapshot.job) == ({"n": 1}, {"id": 1})


@pytest.mark.parametrize(
    ("line", "own", "again"),
    [
        ("{from: a, to: a, event: go}", (), True),
        ("{from: a, to: a, event: go, actions: [{type: log}]}", ((0, 0, 1),), True),
        ("{from: '*', to: a, event: go}", (), True),
        ("{from: a, event: go}", (), False),
        ("{from: a, event: go, actions: [{type: log}]}", ((0, 0, 1),), False),
    ],
)
def test_staying_lets_the_round_go_on_after_its_own_actions(
    line: str, own: tuple[Stretch, ...], again: bool
) -> None:
    definition = machine(line, more=ACTING)

    stayed = step(definition, at("a", OWN_WORK), Event("go"), LATER)

    assert (stayed.left, stayed.source, stayed.target) == (False, "a", "a")
    assert stayed.snapshot.turn == replace(OWN_WORK, todo=own + OWN_WORK.todo, again=again)
    assert stayed.snapshot.entered_at == NOON
    assert stayed.deadlines == ()


@pytest.mark.parametrize(
    ("event", "before", "again"),
    [
        (Event("go", Kind.RESULT), False, True),
        (Event("error", Kind.RESULT), False, False),
        (Event("error", Kind.RESULT), True, True),
        (Event("error"), False, False),
    ],
)
def test_a_self_loop_asks_for_another_round_but_not_on_error(
    event: Event, before: bool, again: bool
) -> None:
    definition = machine("{from: a, to: a, event: [go, error]}", more=ACTING)

    stayed = step(definition, at("a", Turn(again=before)), event, NOON)

    assert stayed.snapshot.turn.again is again


def test_staying_tells_what_changed_since_the_last_step_once() -> None:
    definition = machine("{from: a, event: go}")

    stayed = step(definition, at("a", Turn(changed=("n", "gone")), n=1), Event("go"), NOON)

    assert stayed.changes == {"n": 1, "gone": None}
    assert stayed.snapshot.turn.changed == ()


# -- timers

TIMED = (
    "{from: a, to: b, after: 5s}",
    "{from: '*', to: c, event: timeout(2m)}",
    "{from: a, to: a, event: [tick, timeout(1)]}",
    "{from: a, after: 500ms}",
    "{from: b, to: c, after: 1d, guard: ready}",
)


@pytest.mark.parametrize(
    ("state", "timers"),
    [
        ("a", {0: (5, "timeout(5)"), 1: (120, "timeout(2m)"), 2: (1, "timeout(1)"),
               3: (0.5, "timeout(0.5)")}),
        ("b", {1: (120, "timeout(2m)"), 4: (86_400, "timeout(86400)")}),
        ("c", {1: (120, "timeout(2m)")}),
    ],
)  # fmt: skip
def test_the_timers_of_a_state_count_from_its_entry(
    state: str, timers: dict[int, tuple[float, str]]
) -> None:
    expected = tuple(due(index, *timer) for index, timer in timers.items())

    assert engine.deadlines(machine(*TIMED), state, NOON) == expected


def test_entering_a_state_sets_its_timers_anew() -> None:
    definition = machine(*TIMED)

    entered = step(definition, at("a"), timer(0), LATER)

    assert entered.target == "b"
    assert entered.deadlines == (
        due(1, 120, "timeout(2m)", LATER),
        due(4, 86_400, "timeout(86400)", LATER),
    )


@pytest.mark.parametrize(
    ("event", "deadlines"),
    [
        (timer(2), (due(2, 1, "timeout(1)", LATER),)),  # only its own
        (Event("tick"), ()),  # no timer caused it
        (timer(3), ()),  # internal: it fires once
    ],
)
def test_a_self_loop_restarts_only_the_timer_that_caused_it(
    event: Event, deadlines: tuple[Deadline, ...]
) -> None:
    stayed = step(machine(*TIMED), at("a"), event, LATER)

    assert stayed.taken is not None
    assert not stayed.left
    assert stayed.deadlines == deadlines


def test_a_timer_whose_guard_is_false_is_spent() -> None:
    spent = step(machine(*TIMED), at("b", ready=False), timer(4), LATER)

    assert (spent.taken, spent.deadlines, spent.guards) == (None, (), ((4, False),))
    assert spent.reason == ("no guard holds for 'timeout(5)' in state 'b': transitions[4]: False")


def test_a_timer_of_another_state_is_ignored() -> None:
    ignored = step(machine(*TIMED), at("b"), timer(0), LATER)

    assert ignored.reason == "no transition for 'timeout(5)' in state 'b'"


def test_a_name_like_a_timeout_takes_no_timed_transition() -> None:
    assert step(machine(*TIMED), at("a"), Event("timeout(5)"), NOON).taken is None


def test_an_automatic_event_takes_the_transition_that_it_names() -> None:
    definition = machine("{from: a, to: b, guard: n}", "{from: a, to: c}")

    taken = step(definition, at("a", n=0), Event("", Kind.AUTOMATIC, transition=1), NOON)

    assert taken.target == "c"


# -- the counter of steps with nothing from outside


@pytest.mark.parametrize("line", ["{from: a, to: b, %s}", "{from: a, to: a, %s}"])
@pytest.mark.parametrize(
    ("event", "count"),
    [
        (Event("go"), 1),
        (Event("go", Kind.RESULT), 8),
        (Event("", Kind.AUTOMATIC, transition=1), 8),
        (timer(0), 0),
    ],
)
def test_instant_steps_counts_from_the_last_thing_from_outside(
    line: str, event: Event, count: int
) -> None:
    definition = machine(line % "event: [go, timeout(5)]", "{from: a, to: b}")

    taken = step(definition, replace(at("a"), instant_steps=7), event, NOON)

    assert taken.snapshot.instant_steps == count


def test_an_ignored_result_does_not_count_and_an_ignored_outside_event_begins_anew() -> None:
    definition = machine("{from: b, to: c, event: go}")
    snapshot = replace(at("a"), instant_steps=7)

    results = [step(definition, snapshot, event, NOON).snapshot.instant_steps
               for event in (Event("go", Kind.RESULT), Event("go"))]  # fmt: skip

    assert results == [7, 0]
