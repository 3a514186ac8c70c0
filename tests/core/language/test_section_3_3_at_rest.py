"""Section 3.3 of the language: what a machine at rest does next, idle rest, and repetitions."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from machines.core.settling import Outcome
from tests.core.player import NO_JOBS, Player, Takes

NO_EVENTS = Outcome("no_events", nothing=("events", "stop"))


def finds(jobs: list[int], *, empty: str = "no_jobs") -> Callable[[Player], Outcome]:
    nothing = Outcome(empty, nothing=("jobs", "*", "*"), job={})
    return lambda player: Outcome("new_job", job={"id": jobs.pop(0)}) if jobs else nothing


# -- the order of things


def test_an_automatic_transition_comes_before_events_and_timers_that_wait() -> None:
    player = Player(
        """\
initial_state: a
transitions:
  - {from: a, event: go, actions: [{type: never}]}
  - {from: a, after: 1s, actions: [{type: never}]}
  - {from: a, to: b, guard: n == 1}
actions: {a: [{type: work}]}
""",
        {"work": Takes(5, Outcome(changes={"n": 1}))},
    )

    player.send("go")
    player.advance(10)

    assert (player.state, player.done) == ("b", ["work"])


def test_waiting_events_and_due_timers_are_judged_by_acceptance_and_due_time() -> None:
    player = Player(
        """\
initial_state: a
transitions:
  - {from: a, event: go, actions: [{type: event}]}
  - {from: a, after: 3s, actions: [{type: timer3}]}
  - {from: a, after: 1s, actions: [{type: timer1}]}
actions: {a: [{type: work}]}
""",
        {"work": Takes(10)},
    )

    player.advance(2)
    player.send("go")
    player.advance(10)

    assert player.done == ["work", "timer1", "event", "timer3"]


def test_events_and_timers_that_wait_come_before_a_new_round() -> None:
    player = Player(
        """\
initial_state: a
transitions:
  - {from: a, to: a, event: again}
  - {from: a, event: go, actions: [{type: own}]}
actions: {a: [{type: work}, {type: log}]}
""",
        {"work": Takes(5, Outcome("again"))},
    )

    player.send("go")
    player.advance(6)

    assert player.done == ["work", "log", "own"]
    assert player.begun == 2


def test_a_wait_is_rest_and_a_new_round_waits_for_its_end() -> None:
    player = Player(
        """\
initial_state: a
transitions:
  - {from: a, to: a, event: poke}
  - {from: a, event: go, actions: [{type: own}]}
actions: {a: [{type: first}, {type: sleep}]}
""",
        {"sleep": Outcome(delay=timedelta(seconds=5))},
    )

    player.send("poke", "go")
    during = player.done.copy()
    player.advance(5)

    assert during == ["first", "sleep", "own"]
    assert player.done == ["first", "sleep", "own", "first", "sleep"]


# -- idle rest


@pytest.mark.parametrize("name", ["no_jobs", "nothing_here", "error", "start", "a"])
def test_a_round_that_found_nothing_is_not_replayed_whatever_its_events_are_called(
    name: str,
) -> None:
    player = Player(
        f"initial_state: a\ntransitions: [{{from: a, to: a, event: {name}}}]\n"
        "actions: {a: [{type: log}, {type: look}]}\n",
        {"look": finds([], empty=name)},
    )

    player.advance(3_600)
    slept = player.done.copy()
    player.ring()

    assert slept == ["log", "look"]
    assert player.done == slept * 2
    assert player.snapshot.turn.checked == (("jobs", "*", "*"),)


def test_a_ring_wakes_an_idle_machine_and_what_was_found_is_worked_on() -> None:
    jobs: list[int] = []
    player = Player(
        """\
initial_state: a
transitions:
  - {from: a, to: a, event: no_jobs}
  - {from: a, to: b, event: new_job}
  - {from: b, to: a, event: done}
actions: {a: [{type: look}], b: [{type: work}]}
""",
        {"look": finds(jobs), "work": Takes(1, Outcome("done"))},
    )

    jobs += [1, 2]
    player.ring()
    player.advance(10)

    assert player.done == ["look"] + ["look", "work"] * 2 + ["look"]
    assert player.snapshot.turn.idle


def test_a_round_that_held_work_is_replayed_although_it_found_nothing() -> None:
    player = Player(
        "initial_state: a\ntransitions: [{from: a, to: a, event: no_jobs}]\n"
        "actions: {a: [{type: look}, {type: work}]}\n",
        {"look": finds([]), "work": Takes(5)},
    )

    player.advance(14)

    assert player.begun == 3


def test_a_wait_is_no_work_so_a_round_that_found_nothing_and_slept_is_idle() -> None:
    player = Player(
        "initial_state: a\ntransitions: [{from: a, to: a, event: [no_jobs, wake_up]}]\n"
        "actions: {a: [{type: look}, {type: sleep}]}\n",
        {"look": finds([]), "sleep": Outcome(delay=timedelta(seconds=5))},
    )

    player.advance(60)

    assert player.done == ["look", "sleep"]
    assert player.snapshot.turn.idle


def test_an_idle_machine_subscribes_to_all_that_its_round_looked_for() -> None:
    player = Player(
        "initial_state: a\ntransitions: [{from: a, to: a, event: [no_jobs, no_events]}]\n"
        "actions: {a: [{type: look}, {type: check}]}\n",
        {"look": finds([]), "check": NO_EVENTS},
    )

    assert player.snapshot.turn.checked == (("jobs", "*", "*"), ("events", "stop"))


def test_an_event_wakes_an_idle_machine_and_is_judged() -> None:
    player = Player(
        """\
initial_state: a
transitions: [{from: a, to: a, event: no_events}, {from: a, to: b, event: stop}]
actions: {a: [{type: check}]}
""",
        {"check": NO_EVENTS},
    )

    player.send("stop")

    assert player.state == "b"


def test_a_self_loop_from_outside_lets_an_idle_machine_look_once_more() -> None:
    player = Player(
        "initial_state: a\ntransitions: [{from: a, to: a, event: [poke, no_jobs]}]\n"
        "actions: {a: [{type: look}]}\n",
        {"look": finds([])},
    )

    player.send("poke")
    player.send("poke")

    assert player.done == ["look"] * 3


def test_a_self_loop_of_a_timer_lets_an_idle_machine_poll_by_the_clock() -> None:
    player = Player(
        """\
initial_state: a
transitions: [{from: a, to: a, event: no_jobs}, {from: a, to: a, after: 10s}]
actions: {a: [{type: look}]}
""",
        {"look": finds([])},
    )

    player.advance(35)

    assert player.done == ["look"] * 4


# -- one action at a time, repetitions


def test_a_due_repetition_waits_for_rest() -> None:
    player = Player(
        "initial_state: a\nactions: {a: [{type: beat, every: 2s}, {type: work}]}\n",
        {"work": Takes(10)},
    )

    player.advance(9)
    during = player.done.copy()
    player.advance(2)

    assert during == ["beat"]
    assert player.done == ["beat", "work", "beat"]


def test_a_due_retry_waits_for_rest() -> None:
    tries = [Outcome(error="broken"), Outcome()]
    player = Player(
        """\
initial_state: a
transitions: [{from: a, event: go, actions: [{type: work}]}]
actions: {a: [{type: tries, retry: {attempts: 2, delay: 2s}}, {type: log}]}
""",
        {"tries": lambda player: tries.pop(0), "work": Takes(10)},
    )

    player.send("go")
    player.advance(9)
    during = player.done.copy()
    player.advance(1)

    assert during == ["tries"]
    assert player.done == ["tries", "work", "tries", "log"]


@pytest.mark.parametrize(
    ("written", "times"),
    [
        ("repeatable: true", 4),
        ("run_policy: repeat_per_tick", 4),
        ("every: 2s", 2),
        ("repeatable: true, every: 500ms", 7),
        ("repeatable: false, every: 2s", 1),
        ("description: once", 1),
    ],
)
def test_a_repeatable_action_runs_again_while_in_the_state(written: str, times: int) -> None:
    player = Player(f"initial_state: a\nactions: {{a: [{{type: beat, {written}}}]}}\n")

    player.advance(3.4)

    assert player.done == ["beat"] * times


def test_every_is_counted_from_the_last_end() -> None:
    player = Player(
        "initial_state: a\nactions: {a: [{type: beat, every: 2s}]}\n", {"beat": Takes(3)}
    )

    player.advance(12.5)

    assert (player.begun, len(player.done)) == (3, 2)  # begun at 0, 5 and 10


def test_the_result_of_a_repetition_moves_the_machine_and_that_ends_it() -> None:
    player = Player(
        """\
initial_state: a
transitions: [{from: a, to: b, event: found}]
actions: {a: [{type: look, every: 1s}]}
""",
        {"look": lambda player: Outcome("found" if player.seconds >= 3 else "nothing")},
    )

    player.advance(60)

    assert (player.state, len(player.done)) == ("b", 4)


def test_a_self_loop_of_a_repetition_runs_its_own_actions_and_hurries_nothing() -> None:
    player = Player(
        """\
initial_state: a
transitions: [{from: a, to: a, event: beaten, actions: [{type: own}]}]
actions: {a: [{type: beat, every: 1s}, {type: log}]}
""",
        {"beat": Outcome("beaten")},
    )

    player.advance(2)

    assert player.done == ["beat", "own", "log", "beat", "own", "beat", "own"]


def test_a_repetition_that_fails_is_repeated_all_the_same() -> None:
    player = Player(
        "initial_state: a\nactions: {a: [{type: beat, every: 1s}]}\n",
        {"beat": Outcome(error="broken")},
    )

    player.advance(3)

    assert player.done == ["beat"] * 4


# -- cycles


@pytest.mark.parametrize(
    "text",
    [
        "transitions: [{from: a, to: b}, {from: b, to: a}]\n",
        "transitions: [{from: a, to: a}]\n",
        "transitions: [{from: a, guard: 1 == 1, actions: [{type: log}]}]\n",
        "transitions: [{from: a, to: a, event: again}]\nactions: {a: [{type: loops}]}\n",
        "transitions: [{from: a, event: again, actions: [{type: loops}]}]\n"
        "actions: {a: [{type: loops}]}\n",
        "transitions: [{from: a, to: a, event: again, reenter: true}]\n"
        "actions: {a: [{type: loops}]}\n",
    ],
)
def test_more_than_max_instant_steps_with_nothing_from_outside_is_a_fault(text: str) -> None:
    player = Player(
        f"initial_state: a\nmetadata: {{max_instant_steps: 30}}\n{text}",
        {"loops": Outcome("again")},
    )

    assert player.status == "faulted"
    assert len(player.steps) == 32  # the entry, 30 that may be, and the one too many


@pytest.mark.parametrize(
    ("found", "status"),
    [(Takes(1, Outcome("again")), "running"), (Outcome("again", job={"id": 1}), "running")],
)
def test_work_and_a_claimed_job_begin_the_count_anew(found: Outcome | Takes, status: str) -> None:
    left = [found] * 50
    player = Player(
        """\
initial_state: a
metadata: {max_instant_steps: 20}
transitions: [{from: a, to: a, event: again}]
actions: {a: [{type: next}]}
""",
        {"next": lambda player: left.pop() if left else Outcome()},
    )

    player.advance(100)

    assert (player.status, len(player.steps)) == (status, 51)


def test_an_idle_poll_is_no_cycle() -> None:
    player = Player(
        "initial_state: a\nmetadata: {max_instant_steps: 5}\n"
        "transitions: [{from: a, to: a, event: no_jobs}]\nactions: {a: [{type: look}]}\n",
        {"look": NO_JOBS},
    )

    for _ in range(20):
        player.ring()

    assert player.status == "running"
