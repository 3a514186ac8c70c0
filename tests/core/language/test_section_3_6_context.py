"""Section 3.6 of the language: the context, its layers and its limit."""

from typing import Any

import pytest

from machines.core import engine
from machines.core.engine import MAX_CONTEXT_BYTES
from machines.core.interpolation import interpolate
from machines.core.settling import Outcome
from tests.core.player import Player

JOB = {"id": "j1", "job_id": "j1", "job_type": "parcel", "size": 2, "current_job": {"id": "j1"}}
NOTHING = Outcome("no_jobs", nothing=("jobs", "*", "*"), job={})


def claimed(*, given: dict[str, Any] | None = None, **job: Any) -> Player:
    return Player(
        "initial_state: a\ntransitions: [{from: a, to: b, event: new_job},"
        " {from: b, to: c, event: go}]\n"
        "actions: {a: [{type: claim}], b: [{type: end}], c: [{type: look}]}\n",
        {"claim": Outcome("new_job", job={**JOB, **job}), "look": NOTHING},
        given=given or {},
    )


def filled(player: Player, text: str) -> Any:
    return interpolate(text, engine.names(player.snapshot))


def test_names_are_looked_up_in_the_engine_then_the_context_then_the_job() -> None:
    mine = {"size": "mine", "machine_name": "mine", "current_state": "mine", "event_data": "mine"}

    player = claimed(given=mine, machine_name="job's", color="job's")

    names = "{machine_name} {current_state} {size} {color} {job_type} {current_job.id}"
    assert filled(player, names) == "worker b mine job's parcel j1"
    assert filled(player, "{event_data}") == {}


def test_the_layer_of_the_job_is_never_copied_into_the_context() -> None:
    player = claimed()

    assert player.context == {}


def test_the_layer_of_the_job_stays_until_the_next_claim_is_tried() -> None:
    player = claimed()
    before = filled(player, "{size}")

    player.send("go")  # whose action looks and finds none

    assert before == 2
    assert filled(player, "{size} {job_id}") == "{size} {job_id}"


def test_guards_read_the_same_layers_and_may_ask_for_a_job_that_is_not_there() -> None:
    text = (
        "initial_state: a\ntransitions: [{from: a, to: b, event: new_job, guard: size == 2},"
        " {from: b, to: c, event: go, guard: current_job == null}]\n"
        "actions: {a: [{type: claim}], b: [{type: look}]}\n"
    )
    player = Player(text, {"claim": Outcome("new_job", job=JOB), "look": NOTHING})

    player.send("go")

    assert player.state == "c"


def test_event_data_and_the_job_are_not_counted_in_the_size() -> None:
    large = "x" * (MAX_CONTEXT_BYTES - 1_000)
    player = claimed(given={"large": large}, data="y" * 10_000)

    player.send("go", payload="z" * 10_000)

    assert "last_error" not in player.context


@pytest.mark.parametrize(("spare", "target"), [(0, "b"), (-1, "failed")])
def test_a_context_of_256_kib_is_kept_and_one_byte_more_raises_error(
    spare: int, target: str
) -> None:
    size = MAX_CONTEXT_BYTES - len('{"n":1,"text":""}') - spare
    player = Player(
        """\
initial_state: a
transitions:
  - {from: "*", to: failed, event: error}
  - {from: a, to: b, event: success}
actions: {a: [{type: sets}]}
""",
        {"sets": Outcome("success", {"text": "x" * size})},
        given={"n": 1},
    )

    assert player.state == target
    assert ("text" in player.context) is (target == "b")


def test_a_change_that_is_too_large_leaves_every_key_of_its_action_as_it_was() -> None:
    player = Player(
        "initial_state: a\nactions: {a: [{type: sets}, {type: log}]}\n",
        {"sets": Outcome("success", {"small": 1, "text": "x" * MAX_CONTEXT_BYTES})},
        given={"small": 0},
    )

    assert player.context["small"] == 0
    assert "text" not in player.context
    assert "at most 262144 are kept" in player.context["last_error"]
    assert player.done == ["sets", "log"]


def test_a_failure_of_a_full_context_names_the_event_that_the_file_gives_it() -> None:
    player = Player(
        "initial_state: a\ntransitions: [{from: a, to: b, event: full}]\n"
        "actions: {a: [{type: sets, error: full}]}\n",
        {"sets": Outcome("success", {"text": "x" * MAX_CONTEXT_BYTES})},
    )

    assert player.state == "b"


def test_the_first_values_of_the_file_are_under_those_the_machine_begins_with() -> None:
    player = Player("initial_state: a\ncontext: {a: 1, b: {c: 2}}\n", given={"b": 3, "d": 4})

    assert player.context == {"a": 1, "b": 3, "d": 4}


def test_the_context_is_saved_with_its_step_which_tells_what_changed() -> None:
    player = Player(
        "initial_state: a\ntransitions: [{from: a, to: b, event: success}]\n"
        "actions: {a: [{type: sets}]}\n",
        {"sets": Outcome("success", {"n": 1})},
        given={"kept": 0},
    )

    assert player.judged[-1].changes == {"n": 1}
