"""What an action that ended does to its machine: events, waits, failures, repetitions."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from machines.core import settling
from machines.core.decisions import NEW_ROUND, Perform, decide
from machines.core.engine import MAX_CONTEXT_BYTES
from machines.core.settling import LONGEST_DELAY_SECONDS, Outcome, Settled
from machines.core.snapshot import Deadline, Event, Kind, Snapshot
from machines.core.turn import OF_STATE, Turn, Wait
from machines.core.waiting import Waiting
from tests.core.deciding import (
    BEHIND,
    FIRST,
    GO,
    JOBS,
    NOON,
    SLEEPING,
    WORKING,
    at,
    machine,
    sent,
    woken,
)

# -- what came of an action


def settled(
    outcome: Outcome,
    *,
    action: str = "{type: work}",
    snapshot: Snapshot | None = None,
    attempt: int = 1,
    chance: float = 0.5,
    worked: bool = False,
) -> Settled:
    definition = machine(GO, action=action)
    performed = Perform(FIRST, definition.states["a"].actions[0], attempt)
    return settling.settle(
        definition,
        at("a", WORKING) if snapshot is None else snapshot,
        performed,
        outcome,
        now=NOON,
        chance=chance,
        worked=worked,
    )


def test_an_action_that_returns_nothing_only_ends() -> None:
    assert settled(Outcome()) == Settled(at("a", replace(WORKING, work=None)))


def test_the_event_an_action_returns_is_judged_with_what_it_changed() -> None:
    after = settled(Outcome("done", {"n": 2, "m": 3}), snapshot=at("a", n=1))

    assert after.event == Event("done", Kind.RESULT)
    assert after.snapshot.context == {"n": 2, "m": 3}
    assert after.snapshot.turn.changed == ("n", "m")


@pytest.mark.parametrize(
    ("outcome", "worked", "turn", "steps"),
    [
        (Outcome(), False, Turn(), 7),
        (Outcome(), True, Turn(worked=True), 0),
        (Outcome(nothing=JOBS, job={}), False, Turn(checked=(JOBS,)), 7),
        (Outcome(job={"id": 1}), False, Turn(), 0),
    ],
)
def test_work_and_a_claimed_job_are_something_from_outside(
    outcome: Outcome, worked: bool, turn: Turn, steps: int
) -> None:
    after = settled(outcome, snapshot=replace(at("a"), instant_steps=7), worked=worked).snapshot

    assert replace(after.turn, worked=after.turn.worked and worked) == turn
    assert after.instant_steps == steps


@pytest.mark.parametrize(("job", "layer"), [(None, {"id": 1}), ({}, {}), ({"id": 2}, {"id": 2})])
def test_the_layer_of_the_job_stays_until_the_next_claim(
    job: Mapping[str, Any] | None, layer: Mapping[str, Any]
) -> None:
    assert settled(Outcome(job=job), snapshot=replace(at("a"), job={"id": 1})).snapshot.job == layer


def test_what_a_repeated_check_does_not_find_is_kept_once() -> None:
    snapshot = at("a", Turn(checked=(JOBS,), idle=True))

    assert settled(Outcome(nothing=JOBS), snapshot=snapshot).snapshot.turn.checked == (JOBS,)


def test_checks_of_several_kinds_are_all_subscribed_to() -> None:
    snapshot = at("a", Turn(checked=(JOBS,)))

    checked = settled(Outcome(nothing=("events", "go")), snapshot=snapshot).snapshot.turn.checked

    assert checked == (JOBS, ("events", "go"))


def test_a_check_in_no_round_does_not_make_the_round_idle() -> None:
    definition = machine("{from: a, to: a, event: go, actions: [{type: check}]}")
    performed = Perform((0, 0), definition.transitions[0].actions[0], 1)
    looped = at("a", Turn(again=True))

    checked = settling.settle(
        definition, looped, performed, Outcome(nothing=JOBS), now=NOON, chance=0.5
    )

    assert decide(definition, checked.snapshot, Waiting()) is NEW_ROUND


def test_a_wait_rests_until_its_deadline_and_then_raises_its_event() -> None:
    definition = machine(GO)
    slept = settled(Outcome(delay=timedelta(seconds=9)))
    snapshot = replace(slept.snapshot, instant_steps=7)

    awake = settling.wake(definition, snapshot, woken(9), NOON)

    assert slept.event is None
    assert slept.snapshot.turn == SLEEPING
    assert slept.deadline == Deadline("wake_up", NOON + timedelta(seconds=9), action=FIRST)
    assert awake.event == Event("wake_up", Kind.RESULT)
    assert awake.snapshot.turn == Turn(todo=BEHIND)
    assert awake.snapshot.instant_steps == 0


def test_a_wait_may_name_its_event() -> None:
    definition = machine(GO, action="{type: sleep, success: morning}")

    awake = settling.wake(definition, at("a", SLEEPING), woken(9), NOON)

    assert awake.event == Event("morning", Kind.RESULT)


def test_a_repeatable_wait_begins_again_after_its_end() -> None:
    definition = machine(GO, action="{type: sleep, every: 2s}")

    awake = settling.wake(definition, at("a", SLEEPING), woken(9), NOON)

    assert awake.deadline == Deadline("repeat", NOON + timedelta(seconds=2), action=FIRST)


def test_of_several_waits_only_the_one_whose_deadline_passed_is_over() -> None:
    other = Wait((0, 0), behind=((0, 1, 2),))
    sleeping = Turn(waits=(*SLEEPING.waits, other))

    awake = settling.wake(machine(GO), at("a", sleeping), woken(9), NOON)

    assert awake.snapshot.turn == Turn(waits=(other,), todo=BEHIND)


def test_an_action_that_waits_again_waits_once_and_loses_nothing_behind_it() -> None:
    again = settled(
        Outcome(delay=timedelta(seconds=9)),
        snapshot=at("a", Turn(waits=SLEEPING.waits, todo=((0, 0, 1),))),
    )

    assert again.snapshot.turn.waits == (Wait(FIRST, behind=((0, 0, 1), *BEHIND)),)


def test_wake_refuses_what_is_no_deadline_of_an_action() -> None:
    with pytest.raises(ValueError, match="not a deadline of an action: Event"):
        settling.wake(machine(GO), at("a"), sent(0), NOON)


# -- failures


@pytest.mark.parametrize(
    ("action", "named", "event"),
    [
        ("{type: work}", None, "error"),
        ("{type: work, error: broken}", None, "broken"),
        ("{type: work, failure: broken}", None, "broken"),
        ("{type: work, failure: second, error: first}", None, "first"),
        ("{type: work, error: broken}", "bad_input", "bad_input"),
    ],
)
def test_a_failure_raises_its_event_and_says_why(
    action: str, named: str | None, event: str
) -> None:
    failed = settled(
        Outcome(named, {"last_error_exit_code": 2}, error="no such file"), action=action
    )

    assert failed.event == Event(event, Kind.RESULT)
    assert failed.snapshot.context == {
        "last_error": "no such file", "last_error_action": "work", "last_error_exit_code": 2,
    }  # fmt: skip


def test_a_change_that_would_burst_the_context_is_not_applied_and_fails() -> None:
    failed = settled(Outcome("done", {"text": "x" * MAX_CONTEXT_BYTES}), snapshot=at("a", n=1))

    assert failed.event == Event("error", Kind.RESULT)
    assert failed.snapshot.context == {
        "n": 1,
        "last_error": "the context would be 262161 bytes; at most 262144 are kept",
        "last_error_action": "work",
    }


def test_a_full_context_has_not_even_room_for_the_words_of_the_failure() -> None:
    full = at("a", text="x" * (MAX_CONTEXT_BYTES - 11))

    failed = settled(Outcome("done", {"n": 1}), snapshot=full, action="{type: work, error: full}")

    assert failed.event == Event("full", Kind.RESULT)
    assert failed.snapshot.context == full.context


# -- retry and repetition

RETRY = "{type: work, retry: {attempts: 5, delay: 2s, backoff: 3%s}}"


@pytest.mark.parametrize(
    ("more", "attempt", "chance", "seconds"),
    [
        ("", 1, 0.5, 2),
        ("", 2, 0.5, 6),
        ("", 4, 0.5, 54),
        (", max_delay: 10s", 2, 0.5, 6),
        (", max_delay: 10s", 4, 0.5, 10),
        (", jitter: true", 1, 0.0, 1),
        (", jitter: true", 1, 0.5, 1.5),
        (", jitter: true", 1, 1.0, 2),
        (", max_delay: 10s, jitter: true", 4, 0.0, 5),
    ],
)
def test_a_failure_is_tried_again_after_a_delay_that_grows(
    more: str, attempt: int, chance: float, seconds: float
) -> None:
    failed = settled(Outcome(error="broken"), action=RETRY % more, attempt=attempt, chance=chance)

    assert failed.event is None
    assert failed.snapshot.context == {}
    assert failed.snapshot.turn == Turn(waits=(Wait(FIRST, attempt, retry=True, behind=BEHIND),))
    due_at = NOON + timedelta(seconds=seconds)
    assert failed.deadline == Deadline("retry", due_at, action=FIRST)


@pytest.mark.parametrize("attempt", [100, 100_000])
def test_a_delay_without_a_limit_is_never_longer_than_a_year(attempt: int) -> None:
    action = "{type: work, retry: {attempts: 1000000, delay: 2s, backoff: 3}}"

    failed = settled(Outcome(error="broken"), action=action, attempt=attempt)

    assert failed.deadline is not None
    assert failed.deadline.due_at == NOON + timedelta(seconds=LONGEST_DELAY_SECONDS)


def test_the_last_attempt_fails() -> None:
    failed = settled(Outcome(error="broken"), action=RETRY % "", attempt=5)

    assert failed.event == Event("error", Kind.RESULT)
    assert failed.deadline is None


def test_a_retry_is_the_next_attempt_of_the_same_action() -> None:
    wait = Turn(waits=(Wait(FIRST, 2, retry=True, behind=BEHIND),))

    again = settling.wake(machine(GO), at("a", wait), woken(9), NOON)

    assert again.event is None
    assert again.snapshot.turn == Turn(todo=((OF_STATE, 0, 1), (OF_STATE, 1, 2)), attempt=3)


REPEATED = "{type: work, every: 2s, retry: {attempts: 2}}"


@pytest.mark.parametrize(
    ("outcome", "attempt", "deadline"),
    [
        (Outcome(), 1, "repeat"),
        (Outcome("done"), 1, "repeat"),
        (Outcome(error="broken"), 1, "retry"),
        (Outcome(error="broken"), 2, "repeat"),
    ],
)
def test_a_repeatable_action_runs_again_after_its_end(
    outcome: Outcome, attempt: int, deadline: str
) -> None:
    after = settled(outcome, action=REPEATED, attempt=attempt)

    assert after.deadline is not None
    assert after.deadline.name == deadline
    assert after.deadline.action == FIRST
    if deadline == "repeat":
        assert after.deadline.due_at == NOON + timedelta(seconds=2)


def test_an_action_of_a_transition_is_not_repeated() -> None:
    definition = machine("{from: b, to: a, event: go, actions: [{type: work, every: 2s}]}")
    performed = Perform((0, 0), definition.transitions[0].actions[0], 1)

    after = settling.settle(definition, at("a"), performed, Outcome(), now=NOON, chance=0.5)

    assert after == Settled(at("a"))


@pytest.mark.parametrize("turn", [Turn(), Turn(waits=(Wait((OF_STATE, 1)),))])
def test_a_repetition_is_that_one_action_again(turn: Turn) -> None:
    definition = machine(GO, action=REPEATED)

    again = settling.wake(definition, at("a", turn), woken(2), NOON)

    assert (again.event, again.deadline) == (None, None)
    assert again.snapshot.turn == replace(turn, todo=((OF_STATE, 0, 1),))


@pytest.mark.parametrize("turn", [Turn(), Turn(waits=(Wait(FIRST, 2, retry=True, behind=BEHIND),))])
def test_a_repetition_or_a_retry_is_a_timer_and_begins_the_count_of_steps_anew(turn: Turn) -> None:
    snapshot = replace(at("a", turn), instant_steps=7)

    assert settling.wake(machine(GO), snapshot, woken(2), NOON).snapshot.instant_steps == 0
