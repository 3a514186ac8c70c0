"""What a machine does next, and what an action that ended does to it."""

import pytest

from machines.core import decisions
from machines.core.decisions import IDLE, NEW_ROUND, REST, Decision, Judge, Perform, decide
from machines.core.definition import Definition, State, Transition
from machines.core.expressions import Guard
from machines.core.loading import load
from machines.core.snapshot import Event
from machines.core.turn import OF_STATE, Turn, Wait
from machines.core.waiting import Waiting
from tests.core.deciding import (
    FIRST,
    GO,
    JOBS,
    ROUND,
    SLEEPING,
    WORKING,
    at,
    machine,
    passed,
    sent,
    shown,
    waiting_for,
    woken,
)

# -- the order of things

WHEN_DONE = "{from: a, to: b, guard: done}"
ALWAYS = "{from: a, to: b}"


@pytest.mark.parametrize(
    ("turn", "decision"),
    [
        (Turn(), "judge go"),
        (ROUND, "perform (-1, 0)"),
        (Turn(todo=((0, 0, 1), (OF_STATE, 0, 2))), "perform (0, 0)"),
        (WORKING, "rest"),
        (SLEEPING, "judge go"),
        (Turn(again=True), "judge go"),  # an event is older than the next round
        (Turn(checked=(JOBS,)), "judge go"),
    ],
)
def test_an_event_is_judged_when_no_work_runs_and_no_action_is_due(
    turn: Turn, decision: str
) -> None:
    definition = machine("{from: a, to: b, event: go, actions: [{type: log}]}")

    assert shown(decide(definition, at("a", turn), waiting_for(sent(0)))) == decision


@pytest.mark.parametrize("turn", [Turn(), ROUND, WORKING, SLEEPING])
def test_an_event_that_interrupts_is_judged_whatever_is_done(turn: Turn) -> None:
    definition = machine("{from: a, to: b, event: go, interrupt: true}")

    assert shown(decide(definition, at("a", turn), waiting_for(sent(0)))) == "interrupt go"


@pytest.mark.parametrize(
    ("line", "interrupts"),
    [
        (GO, False),
        ("{from: '*', to: b, event: go}", True),
        ("{from: '*', to: b, event: go, interrupt: false}", False),
        ("{from: '*', to: a, event: go}", False),
        ("{from: '*', to: a, event: go, reenter: true}", True),
        ("{from: '*', event: go}", False),
        ("{from: a, to: a, event: go, interrupt: true}", False),
        ("{from: a, to: b, event: go, interrupt: true, guard: n}", True),
        ("{from: a, to: b, event: go, interrupt: true, guard: 'not n'}", False),
        ("{from: a, to: b, event: go, interrupt: true, guard: absent}", False),
    ],
)
def test_only_a_transition_that_leaves_the_state_interrupts(line: str, interrupts: bool) -> None:
    decision = decide(machine(line), at("a", WORKING, n=1), waiting_for(sent(0)))

    assert shown(decision) == ("interrupt go" if interrupts else "rest")


@pytest.mark.parametrize(
    ("transitions", "events", "decision"),
    [
        # The first match decides, not a later one.
        (
            (GO, "{from: '*', to: c, event: go}"),
            (sent(0),),
            "rest",
        ),
        (
            ("{from: a, event: go, guard: absent}", "{from: '*', to: c, event: go}"),
            (sent(0),),
            "interrupt go",
        ),
        # The oldest of those that interrupt; the others are held, however old.
        (
            (GO, "{from: '*', to: c, event: [stop, halt]}"),
            (sent(0), sent(1, "halt"), sent(2, "stop")),
            "interrupt halt",
        ),
        (
            ("{from: '*', to: c, event: stop}", "{from: a, to: b, after: 5s}"),
            (sent(1, "stop"), passed(0, 1)),
            "interrupt timeout",
        ),
        (
            ("{from: '*', to: c, event: stop}", "{from: a, to: b, after: 5s}"),
            (sent(1, "stop"), passed(2, 1)),
            "interrupt stop",
        ),
        (
            ("{from: '*', to: c, event: stop}", "{from: a, to: b, after: 5s}"),
            (sent(1, "stop"), passed(1, 1)),
            "interrupt timeout",
        ),
        # A deadline that does not interrupt lets a later one do so.
        (
            ("{from: a, to: b, after: 5s, interrupt: false}", "{from: a, to: c, after: 6s}"),
            (passed(5, 0), passed(6, 1)),
            "interrupt timeout",
        ),
        (("{from: a, to: a, after: 5s}",), (passed(5, 0),), "rest"),
        (("{from: a, after: 5s}",), (passed(5, 0),), "rest"),
        # A guard is asked at the deadline: where it does not hold, the timer is spent.
        (
            ("{from: a, to: b, after: 5s, guard: absent}",),
            (passed(5, 0),),
            "interrupt timeout",
        ),
        # So does an event whose guard does not hold.
        (
            ("{from: '*', to: c, event: stop, guard: payload.now}",),
            (sent(0, "stop"), sent(1, "stop", {"now": True})),
            "interrupt stop",
        ),
        # A due repeat or retry never interrupts.
        ((GO,), (woken(0),), "rest"),
    ],
)
def test_the_oldest_whose_first_match_interrupts_goes_first(
    transitions: tuple[str, ...], events: tuple[Event, ...], decision: str
) -> None:
    definition = machine(*transitions)

    assert shown(decide(definition, at("a", WORKING), waiting_for(*events))) == decision


def test_an_event_interrupts_by_what_it_brings_into_the_context() -> None:
    definition = load(
        "initial_state: a\nstates: [a, b]\nactions: {a: [{type: work}]}\n"
        "events: {stop: {context_map: {why: payload.why}}}\n"
        "transitions: [{from: '*', to: b, event: stop, guard: \"why == 'fire'\"}]\n",
        origin="test.yaml",
    )
    stop = sent(0, "stop", {"why": "fire"})

    assert decide(definition, at("a", WORKING), waiting_for(stop)) == Judge(stop, interrupts=True)


@pytest.mark.parametrize(
    ("transitions", "turn", "events", "decision"),
    [
        ((ALWAYS, GO), Turn(), (sent(0),), "judge automatic 0"),
        ((ALWAYS, GO), ROUND, (sent(0),), "perform (-1, 0)"),
        ((ALWAYS, GO), WORKING, (sent(0),), "rest"),
        ((ALWAYS, GO), SLEEPING, (sent(0),), "judge automatic 0"),
        ((GO, WHEN_DONE), Turn(), (sent(0),), "judge go"),
        ((WHEN_DONE, "{from: '*', to: c}"), Turn(), (), "judge automatic 1"),
        (("{from: a, to: b, guard: n}", ALWAYS), Turn(), (), "judge automatic 0"),
        ((ALWAYS, "{from: '*', to: c, event: go}"), Turn(), (sent(0),), "interrupt go"),
        ((GO, "{from: a, to: a, after: 5s}"), Turn(), (sent(1), passed(0, 1)), "judge timeout"),
        ((GO, "{from: a, to: a, after: 5s}"), Turn(), (sent(1), passed(2, 1)), "judge go"),
        ((GO,), Turn(), (sent(1), woken(0)), "judge wake_up"),
        ((GO,), Turn(), (sent(0, "unheard_of"), sent(1)), "judge unheard_of"),
    ],
)
def test_at_rest_an_automatic_transition_comes_before_the_oldest_that_waits(
    transitions: tuple[str, ...], turn: Turn, events: tuple[Event, ...], decision: str
) -> None:
    definition = machine(*transitions)

    assert shown(decide(definition, at("a", turn, n=1), waiting_for(*events))) == decision


@pytest.mark.parametrize(
    ("turn", "decision"),
    [
        (Turn(), REST),
        (Turn(again=True), NEW_ROUND),
        (Turn(again=True, worked=True), NEW_ROUND),
        (Turn(checked=(JOBS,)), IDLE),
        (Turn(checked=(JOBS,), again=True), IDLE),
        (Turn(checked=(JOBS,), again=True, worked=True), NEW_ROUND),
        (Turn(checked=(JOBS,), worked=True), REST),
        (Turn(checked=(JOBS,), idle=True), REST),
        (Turn(checked=(JOBS,), idle=True, again=True), NEW_ROUND),
        (SLEEPING, REST),
        (Turn(waits=(Wait(FIRST),), again=True), REST),
        (Turn(waits=(Wait(FIRST),), checked=(JOBS,)), REST),
    ],
)
def test_the_end_of_a_round_is_rest_another_round_or_idle(turn: Turn, decision: Decision) -> None:
    assert decide(machine(GO), at("a", turn), Waiting()) is decision


@pytest.mark.parametrize(
    ("turn", "transitions", "decision"),
    [
        (Turn(), (GO,), "finish"),
        (Turn(again=True), (GO,), "finish"),
        (Turn(checked=(JOBS,)), (GO,), "finish"),
        (ROUND, (GO,), "perform (-1, 0)"),
        (WORKING, (GO,), "rest"),
        (SLEEPING, (GO,), "judge go"),
        (Turn(), (ALWAYS,), "judge automatic 0"),
        (Turn(), ("{from: '*', to: b, event: go}",), "finish"),
    ],
)
def test_a_final_state_finishes_the_machine_when_its_round_is_over(
    turn: Turn, transitions: tuple[str, ...], decision: str
) -> None:
    definition = machine(*transitions, states="{a: {final: true}, b: {}}")

    assert shown(decide(definition, at("a", turn), waiting_for(sent(0)))) == decision


# -- rounds


def test_a_new_round_begins_at_the_top_and_forgets_what_the_last_one_saw() -> None:
    ended = Turn(again=True, checked=(JOBS,), worked=True, idle=True, quiet=True, changed=("n",))

    begun = decisions.new_round(machine(GO), at("a", ended, n=1))

    assert begun.turn == Turn(todo=((OF_STATE, 0, 2),), quiet=True, changed=("n",))
    assert begun.context == {"n": 1}


def test_a_new_round_of_a_state_without_actions_is_empty() -> None:
    assert decisions.new_round(machine(GO), at("b", Turn(again=True))).turn == Turn()


def test_an_idle_machine_asks_for_another_round_only_when_rung() -> None:
    idle = decisions.idle(at("a", Turn(checked=(JOBS,), again=True)))
    rung = decisions.rung(idle)

    assert idle.turn == Turn(checked=(JOBS,), idle=True, quiet=True)
    assert decide(machine(GO), idle, Waiting()) is REST
    assert decide(machine(GO), rung, Waiting()) is NEW_ROUND


def test_a_ring_changes_nothing_for_a_machine_that_is_not_idle() -> None:
    busy = at("a", ROUND)

    assert decisions.rung(busy) is busy


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (((OF_STATE, 0, 2),), ((OF_STATE, 1, 2),)),
        (((OF_STATE, 1, 2),), ()),
        (((0, 0, 1), (OF_STATE, 0, 2)), ((OF_STATE, 0, 2),)),
        (((0, 0, 2), (OF_STATE, 0, 2)), ((0, 1, 2), (OF_STATE, 0, 2))),
    ],
)
def test_take_up_leaves_the_actions_that_follow(
    before: tuple[tuple[int, int, int], ...], after: tuple[tuple[int, int, int], ...]
) -> None:
    taken = decisions.take_up(at("a", Turn(todo=before, attempt=3)))

    assert taken.turn == Turn(todo=after, attempt=1)


def test_perform_names_the_action_and_its_attempt() -> None:
    definition = machine("{from: b, to: a, event: go, actions: [{type: log}, {type: bell}]}")

    own = decide(definition, at("a", Turn(todo=((0, 1, 2),))), Waiting())
    again = decide(definition, at("a", Turn(todo=((OF_STATE, 0, 2),), attempt=3)), Waiting())

    assert own == Perform((0, 1), definition.transitions[0].actions[1], 1)
    assert again == Perform(FIRST, definition.states["a"].actions[0], 3)


def test_a_backlog_that_does_not_interrupt_is_judged_by_its_guards_once() -> None:
    evaluated: list[object] = []

    def count(_names: object) -> bool:
        evaluated.append(None)
        return False

    stop = Transition(0, ("*",), "b", ("go",), guard=Guard("counted", (), count), interrupts=True)
    states = {name: State(name) for name in ("a", "b")}
    definition = Definition("test", "a", states, (stop,))
    waiting = waiting_for(*(sent(number) for number in range(1, 101)))
    snapshot = at("a", WORKING)

    decided = {decide(definition, snapshot, waiting) for _ in range(50)}

    assert decided == {REST}
    assert len(evaluated) == 100
