"""The values that say where a machine stands, and how its turn is saved."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from machines.core.snapshot import Event, Snapshot
from machines.core.turn import OF_STATE, Turn, Wait, Work, turn_as_json, turn_from_json

TODO = ((OF_STATE, 0, 2),)

positions = st.integers(0, 5)
refs = st.tuples(st.integers(OF_STATE, 5), positions)
stretches = st.tuples(st.integers(OF_STATE, 5), positions, positions)
attempts = st.integers(1, 100)
subscriptions = st.lists(st.text(), min_size=1, max_size=3).map(tuple)
waits = st.builds(Wait, refs, attempts, st.booleans(), st.lists(stretches, max_size=2).map(tuple))
turns = st.builds(
    Turn,
    todo=st.lists(stretches, max_size=3).map(tuple),
    work=st.none() | st.builds(Work, refs, st.text(), attempts),
    waits=st.lists(waits, max_size=2).map(tuple),
    attempt=attempts,
    again=st.booleans(),
    checked=st.lists(subscriptions, max_size=3).map(tuple),
    worked=st.booleans(),
    idle=st.booleans(),
    quiet=st.booleans(),
    changed=st.lists(st.text(), max_size=3).map(tuple),
)


@given(turns)
def test_a_turn_survives_being_saved(turn: Turn) -> None:
    assert turn_from_json(orjson.loads(orjson.dumps(turn_as_json(turn)))) == turn


def test_the_turn_of_a_rested_machine_is_saved_as_nothing() -> None:
    assert turn_as_json(Turn()) == {}
    assert turn_from_json({}) == Turn()


@pytest.mark.parametrize(
    ("turn", "resting", "over"),
    [
        (Turn(), True, True),
        (Turn(todo=TODO), False, False),
        (Turn(work=Work((OF_STATE, 0), "t")), False, False),
        (Turn(work=Work((OF_STATE, 0), "t"), todo=TODO), False, False),
        (Turn(waits=(Wait((OF_STATE, 0)),)), True, False),
        (Turn(waits=(Wait((OF_STATE, 0)),), todo=TODO), False, False),
        (Turn(waits=(Wait((OF_STATE, 0)),), work=Work((OF_STATE, 1), "t")), False, False),
    ],
)
def test_a_turn_knows_whether_it_rests_and_is_over(turn: Turn, resting: bool, over: bool) -> None:
    assert (turn.resting, turn.over) == (resting, over)


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (Event("ping"), {"type": "ping", "payload": None, "job_id": None, "source": None}),
        (
            Event("new_job", payload=[1], job_id="42", source="cli"),
            {"type": "new_job", "payload": [1], "job_id": "42", "source": "cli"},
        ),
    ],
)
def test_event_data_has_null_for_what_an_event_does_not_name(
    event: Event, data: dict[str, object]
) -> None:
    assert event.as_data() == data


def test_state_is_the_one_active_state_of_a_flat_machine() -> None:
    assert Snapshot("worker", states=("waiting",)).state == "waiting"
