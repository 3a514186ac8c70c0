"""Whole scenarios on a virtual clock: the pure core, played as the runtime plays it."""

from collections.abc import Callable
from datetime import timedelta

from machines.core.settling import Outcome
from tests.core.player import FAILS, NO_JOBS, Player, Takes

# -- scenarios


def test_a_backlog_of_50_events_does_the_work_of_all_50_states() -> None:
    text = "initial_state: s0\ntransitions:\n"
    text += "".join(f"  - {{from: s{i}, to: s{(i + 1) % 50}, event: next}}\n" for i in range(50))
    text += "actions:\n" + "".join(f"  s{i}: [{{type: work}}]\n" for i in range(50))
    player = Player(text, {"work": Takes(2)})

    player.send(*["next"] * 50)
    player.advance(102)

    assert player.state == "s0"
    assert player.ended == [("next", "processed")] * 50
    assert (player.begun, len(player.done)) == (51, 51)


POLLING = """\
initial_state: waiting
transitions:
  - {from: waiting, to: waiting, event: no_jobs}
  - {from: waiting, to: processing, event: new_job}
  - {from: processing, to: waiting, event: job_done}
  - {from: waiting, to: waiting, event: poke}
  - {from: waiting, event: note, actions: [{type: note}]}
actions:
  waiting: [{type: log}, {type: check_database_queue}]
  processing: [{type: bash}]
"""


def claims(jobs: list[int]) -> Callable[[Player], Outcome]:
    return lambda player: Outcome("new_job", job={"id": jobs.pop(0)}) if jobs else NO_JOBS


def test_polling_goes_idle_and_wakes_when_rung() -> None:
    jobs: list[int] = []
    bash = Takes(1, Outcome("job_done"))
    player = Player(POLLING, {"check_database_queue": claims(jobs), "bash": bash})

    player.advance(3_600)
    player.ring()
    looked = player.done.copy()
    jobs.extend([1, 2, 3])
    player.ring()
    player.advance(10)

    assert looked == ["log", "check_database_queue"] * 2
    assert player.done[4:] == ["log", "check_database_queue", "bash"] * 3 + looked[:2]
    assert player.snapshot.turn.idle
    assert player.snapshot.turn.checked == (("jobs", "", ""),)


def test_an_idle_machine_looks_again_after_a_self_loop_but_not_after_an_internal_one() -> None:
    player = Player(POLLING, {"check_database_queue": NO_JOBS})

    player.send("note")
    noted = player.done.copy()
    player.send("poke")

    assert noted == ["log", "check_database_queue", "note"]
    assert player.done[3:] == ["log", "check_database_queue"]


def test_an_idle_machine_is_rung_only_while_it_is_idle() -> None:
    player = Player(POLLING, {"check_database_queue": claims([1]), "bash": Takes(5)})

    player.ring()

    assert player.state == "processing"
    assert player.done == ["log", "check_database_queue"]


POPPING = """\
initial_state: popping
transitions:
  - {from: popping, to: popping, event: item_popped, actions: [{type: spawn}]}
  - {from: popping, to: completed, event: list_empty}
actions: {popping: [%s{type: pop}]}
"""


def pops(player: Player) -> Outcome:
    left = player.snapshot.context.get("items", [1, 2, 3])
    if not left:
        return Outcome("list_empty")
    return Outcome("item_popped", {"items": left[1:]}, took=True)


def test_a_loop_that_pops_runs_its_own_actions_once_for_each_item() -> None:
    player = Player(POPPING % "", {"pop": pops})

    assert player.done == ["pop", "spawn"] * 3 + ["pop"]
    assert player.status == "finished"


def test_a_loop_that_pops_goes_on_although_another_check_found_nothing() -> None:
    check = Outcome("no_events", nothing=("events", "stop"))

    player = Player(POPPING % "{type: check_events}, ", {"pop": pops, "check_events": check})

    assert player.status == "finished"
    assert player.done == ["check_events", "pop", "spawn"] * 3 + ["check_events", "pop"]


def test_a_loop_that_claims_goes_on_although_another_check_found_nothing() -> None:
    text = """\
initial_state: spawning
transitions:
  - {from: spawning, to: spawning, event: new_job, actions: [{type: start_fsm}]}
  - {from: spawning, to: spawning, event: no_jobs}
actions: {spawning: [{type: check_events}, {type: check_database_queue}]}
"""
    check = Outcome("no_events", nothing=("events", "stop"))

    player = Player(text, {"check_events": check, "check_database_queue": claims([1, 2, 3])})

    assert player.done.count("start_fsm") == 3
    assert player.snapshot.turn.idle


def test_a_stop_interrupts_work_and_what_else_waits_does_not() -> None:
    player = Player(
        """\
initial_state: working
transitions:
  - {from: working, to: other, event: go}
  - {from: "*", to: stopping, event: stop}
  - {from: stopping, to: other, event: cleaned}
actions: {working: [{type: work}, {type: log}], stopping: [{type: clean}]}
""",
        {"work": Takes(60), "clean": Takes(1, Outcome("cleaned"))},
    )

    player.send("go", "go")
    player.advance(5)
    player.send("stop")
    player.advance(60)

    assert player.done == ["clean"]
    assert player.ended == [("stop", "processed"), ("go", "ignored"), ("go", "ignored")]
    assert player.state == "other"


def test_a_timeout_interrupts_work_at_its_time_and_a_self_loop_waits_for_rest() -> None:
    player = Player(
        """\
initial_state: working
transitions:
  - {from: working, to: working, after: 2s}
  - {from: working, to: failed, after: 25s}
actions: {working: [{type: work}]}
""",
        {"work": Takes(10)},
    )

    player.advance(24)
    begun = player.begun
    player.advance(2)

    assert begun == 3  # at 0, and after the loops at 10 and 20
    assert player.steps[-1] == "working --timeout(25)--> failed"
    assert player.done == ["work", "work"]


def test_a_failure_is_tried_again_with_growing_delays_and_then_raised() -> None:
    player = Player(
        """\
initial_state: working
transitions: [{from: "*", to: failed, event: error}]
actions: {working: [{type: work, retry: {attempts: 3, delay: 2s, backoff: 2}}]}
""",
        {"work": lambda player: Takes(1, Outcome(error=f"broken at {player.seconds:g} s"))},
    )

    player.advance(9)
    tried = (player.begun, player.state)
    player.advance(0.5)

    assert tried == (3, "failed")  # begun at 0, 3 and 8
    assert player.snapshot.context == {"last_error": "broken at 8 s", "last_error_action": "work"}


def test_a_repeatable_action_runs_every_two_seconds_until_its_state_is_left() -> None:
    player = Player(
        """\
initial_state: beating
transitions: [{from: beating, to: still, event: stop}]
actions: {beating: [{type: beat, every: 2s}, {type: log}]}
""",
        {"beat": Takes(1)},
    )

    player.advance(9.5)
    player.send("stop")  # it waits for the work that began after 9 s
    player.advance(100)

    assert player.done == ["beat", "log", "beat", "beat", "beat"]  # begun at 0, 3, 6 and 9
    assert player.state == "still"


def test_a_self_loop_lets_the_round_go_on_and_leaving_skips_the_rest() -> None:
    player = Player(
        """\
initial_state: a
transitions:
  - {from: a, to: a, event: stay, actions: [{type: own}]}
  - {from: a, to: b, event: leave, actions: [{type: way}, {type: way}]}
actions:
  a: [{type: stays}, {type: log}, {type: leaves}, {type: skipped}]
  b: [{type: arrived}]
""",
        {"stays": Outcome("stay"), "leaves": Outcome("leave")},
    )

    assert player.done == ["stays", "own", "log", "leaves", "way", "way", "arrived"]
    assert player.steps == ["None --start--> a", "a --stay--> a", "a --leave--> b"]


def test_an_error_in_a_self_loop_is_not_repeated() -> None:
    player = Player(
        """\
initial_state: a
transitions: [{from: a, to: a, event: error}]
actions: {a: [{type: fails}, {type: log}]}
""",
        {"fails": FAILS},
    )

    assert player.done == ["fails", "log"]


def test_an_error_that_nobody_handles_lets_the_next_action_run() -> None:
    player = Player(
        "initial_state: a\nactions: {a: [{type: fails}, {type: log}]}\n", {"fails": FAILS}
    )

    assert player.done == ["fails", "log"]
    assert player.status == "running"


SLEEPING = """\
initial_state: a
transitions:
  - {from: a, event: ping, actions: [{type: pong}]}
  - {from: a, to: b, event: wake_up}
actions: {a: [%s{type: sleep}, {type: log}]}
"""


def test_a_machine_that_sleeps_answers_and_goes_on_when_it_wakes() -> None:
    player = Player(SLEEPING % "", {"sleep": Outcome(delay=timedelta(hours=1))})

    player.advance(10)
    player.send("ping")
    answered = player.done.copy()
    player.advance(3_600)

    assert answered == ["sleep", "pong"]
    assert player.done == ["sleep", "pong"]  # waking left the state, so the rest was skipped
    assert player.state == "b"


def test_a_repeatable_action_is_repeated_while_another_sleeps() -> None:
    sleep = Outcome(delay=timedelta(seconds=5))
    player = Player(SLEEPING % "{type: beat, every: 2s}, ", {"sleep": sleep})

    player.advance(4.5)

    assert player.done == ["beat", "sleep", "beat", "beat"]


def test_the_round_goes_on_after_a_sleep_that_moves_nothing() -> None:
    text = "initial_state: a\nactions: {a: [{type: sleep}, {type: log}, {type: sleep}]}\n"
    player = Player(text, {"sleep": Outcome(delay=timedelta(seconds=5))})

    player.advance(11)

    assert player.done == ["sleep", "log", "sleep"]
    assert player.snapshot.turn.over


def test_the_actions_of_a_final_state_run_once_and_then_the_machine_is_finished() -> None:
    player = Player(
        """\
initial_state: a
transitions:
  - {from: a, to: completed, event: go}
  - {from: completed, to: completed, event: again}
actions: {completed: [{type: work}, {type: loops}, {type: log}]}
""",
        {"work": Takes(1), "loops": Outcome("again")},
    )

    player.send("go")
    player.advance(60)

    assert player.done == ["work", "loops", "log"]
    assert player.status == "finished"


def test_an_event_of_a_final_state_may_move_it_on() -> None:
    player = Player(
        """\
initial_state: a
states: {a: {final: true, actions: [{type: moves}, {type: log}]}, b: {}}
transitions: [{from: a, to: b, event: onwards}]
""",
        {"moves": Outcome("onwards")},
    )

    assert (player.state, player.status, player.done) == ("b", "running", ["moves"])


def test_a_result_is_judged_before_an_older_event_and_an_automatic_one_at_rest() -> None:
    player = Player(
        """\
initial_state: a
transitions:
  - {from: a, to: b, event: go}
  - {from: a, to: a, event: counted}
  - {from: a, to: c, guard: "n == 1"}
actions: {a: [{type: work}, {type: log}]}
""",
        {"work": Takes(1, Outcome("counted", {"n": 1}))},
    )

    player.send("go")
    player.advance(5)

    assert player.steps[1:] == ["a --counted--> a", "a ----> c"]
    assert player.done == ["work", "log"]
    assert player.ended == [("go", "ignored")]


def test_a_cycle_with_nothing_from_outside_is_a_fault() -> None:
    player = Player(
        """\
initial_state: a
metadata: {max_instant_steps: 20}
transitions: [{from: a, to: b}, {from: b, to: a}]
"""
    )

    assert player.status == "faulted"
    assert len(player.steps) == 22  # the entry, 20 that may be, and the one too many


def test_a_repetition_is_no_cycle_however_long_it_goes_on() -> None:
    player = Player(
        """\
initial_state: a
metadata: {max_instant_steps: 20}
transitions: [{from: a, event: beaten}]
actions: {a: [{type: beat, every: 1s}]}
""",
        {"beat": Outcome("beaten")},
    )

    player.advance(100)

    assert (player.status, player.done.count("beat")) == ("running", 101)
