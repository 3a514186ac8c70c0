"""The step function, one rule of the language after the other."""

from dataclasses import replace
from typing import Any

import pytest

from machines.core import engine
from machines.core.engine import MAX_CONTEXT_BYTES, START, step
from machines.core.snapshot import Event, Kind, Snapshot
from machines.core.turn import OF_STATE, Turn
from tests.core.stepping import LATER, NOON, at, due, machine, timer

# -- the start


def test_begin_enters_the_initial_state_with_its_round_and_its_timers() -> None:
    definition = machine(
        "{from: a, to: b, after: 5s}",
        more="context: {count: 1, mode: slow}\nactions: {a: [{type: log}, {type: log}]}\n",
    )

    begun = engine.begin(definition, "worker", {"mode": "fast"}, NOON)

    assert (begun.event, begun.source, begun.target, begun.left) == (START, None, "a", True)
    assert begun.changes == {"count": 1, "mode": "fast"}
    assert begun.deadlines == (due(0, 5, "timeout(5)"),)
    assert begun.snapshot == Snapshot(
        "worker",
        ("a",),
        {"count": 1, "mode": "fast"},
        Turn(todo=((OF_STATE, 0, 2),)),
        entered_at=NOON,
    )


def test_begin_without_context_actions_or_timers_is_at_rest() -> None:
    begun = engine.begin(machine("{from: a, to: b, event: go}"), "worker", {}, NOON)

    assert (begun.changes, begun.deadlines, begun.snapshot.turn) == (None, (), Turn())


def test_start_is_judged_as_any_event_but_stays_out_of_event_data() -> None:
    definition = machine("{from: a, to: b, event: start}")
    begun = engine.begin(definition, "worker", {}, NOON)

    first = step(definition, begun.snapshot, START, NOON)

    assert first.target == "b"
    assert first.snapshot.event_data == {}


# -- the first match in file order


@pytest.mark.parametrize(
    ("transitions", "taken"),
    [
        (("{from: a, to: b, event: go}", "{from: a, to: c, event: go}"), 0),
        (("{from: '*', to: b, event: go}", "{from: a, to: c, event: go}"), 0),
        (("{from: a, to: c, event: go}", "{from: '*', to: b, event: go}"), 0),
        (("{from: b, to: c, event: go}", "{from: '*', to: b, event: go}"), 1),
        (("{from: a, to: b, event: stop}", "{from: [b, a], to: c, event: [x, go]}"), 1),
        (("{from: a, event: go, guard: 'n > 3'}", "{from: a, to: b, event: go}"), 1),
        (("{from: a, event: go, guard: 'n < 3'}", "{from: a, to: b, event: go}"), 0),
        (("{from: a, to: b, event: go, guard: 'absent > 3'}", "{from: '*', event: go}"), 1),
        (("{from: a, to: b, after: 5s}", "{from: a, to: c}"), None),
        (("{from: b, to: c, event: go}", "{from: a, to: b, event: Go}"), None),
    ],
)
def test_step_takes_the_first_match(transitions: tuple[str, ...], taken: int | None) -> None:
    definition = machine(*transitions)

    found = step(definition, at("a", n=2), Event("go"), NOON)

    assert (found.taken and found.taken.index) == taken
    assert engine.first_match(definition, at("a", n=2), Event("go")) == found.taken


def test_step_says_why_an_event_is_ignored() -> None:
    ignored = step(machine("{from: b, to: c, event: go}"), at("a"), Event("go"), LATER)

    assert ignored.taken is None
    assert ignored.reason == "no transition for 'go' in state 'a'"
    assert (ignored.source, ignored.target, ignored.left, ignored.deadlines) == (
        None, "a", False, (),
    )  # fmt: skip


def test_step_tells_the_values_of_guards_that_do_not_hold() -> None:
    definition = machine(
        "{from: a, to: b, event: go, guard: 'n - 2'}",
        "{from: '*', to: c, event: go, guard: 'absent > 3'}",
    )

    ignored = step(definition, at("a", n=2), Event("go"), NOON)

    assert ignored.guards[0] == (0, 0)
    assert ignored.guards[1][0] == 1
    assert ignored.guards[1][1].startswith("error: ")
    assert "absent" in ignored.guards[1][1]
    assert ignored.reason.startswith(
        "no guard holds for 'go' in state 'a': transitions[0]: 0, transitions[1]: "
    )


def test_step_records_the_guards_it_tried_up_to_the_one_that_held() -> None:
    definition = machine(
        "{from: a, to: b, event: go, guard: 'n > 9'}",
        "{from: a, to: c, event: go, guard: 'n'}",
        "{from: a, to: a, event: go, guard: 'n'}",
    )

    assert step(definition, at("a", n=3), Event("go"), NOON).guards == ((0, False), (1, 3))


def test_a_long_reason_is_cut() -> None:
    definition = machine(*["{from: a, to: b, event: go, guard: ready}"] * 100)

    ignored = step(definition, at("a", ready=False), Event("go"), NOON)

    assert len(ignored.guards) == 100
    assert len(ignored.reason) == 2_000


@pytest.mark.parametrize(
    ("guard", "holds"),
    [
        ("payload.size > 3", True),
        ("event.type == 'go'", True),
        ("event.payload.size == 4 and event.job_id == '7' and event.source == 'cli'", True),
        ("event_data.payload.size == 4", True),
        ("machine_name == 'worker' and current_state == 'a'", True),
        ("n == 2", True),
        ("current_job.job_id == 'j'", True),
        ("job_type == 'resize'", True),
        ("secret.token == 'x'", False),
    ],
)
def test_a_guard_sees_the_event_the_engine_the_context_and_the_job(guard: str, holds: bool) -> None:
    definition = machine(f'{{from: a, to: b, event: go, guard: "{guard}"}}')
    job = {"job_type": "resize", "n": 99, "current_job": {"job_id": "j"}}
    event = Event("go", payload={"size": 4}, job_id="7", source="cli")

    taken = step(definition, replace(at("a", n=2), job=job), event, NOON).taken

    assert (taken is not None) is holds


def test_the_payload_of_an_event_without_one_is_empty_for_a_guard() -> None:
    definition = machine("{from: a, to: b, event: go, guard: 'len(payload) == 0'}")

    assert step(definition, at("a"), Event("go"), NOON).target == "b"


# -- what an event leaves behind


def test_event_data_is_that_of_the_last_outside_event_even_if_ignored() -> None:
    definition = machine("{from: a, to: b, event: go}")

    ignored = step(definition, at("a"), Event("ping", payload=[1], source="cli"), NOON)

    assert ignored.snapshot.event_data == {
        "type": "ping", "payload": [1], "job_id": None, "source": "cli",
    }  # fmt: skip


@pytest.mark.parametrize(
    "event", [Event("go", Kind.RESULT), timer(0), Event("", Kind.AUTOMATIC, transition=1)]
)
def test_an_internal_event_changes_neither_event_data_nor_the_mapped_context(event: Event) -> None:
    definition = machine(
        "{from: a, to: b, event: [go, timeout(5)]}",
        "{from: a, to: b}",
        more="events: {go: {context_map: {kind: type}, payload: {type: object}}}\n",
    )
    snapshot = replace(at("a"), received=Event("ping"))

    taken = step(definition, snapshot, event, NOON)

    assert taken.target == "b"
    assert taken.snapshot.received == Event("ping")
    assert taken.snapshot.context == {}


MAPPED = """\
events:
  go: {context_map: {user: payload.user.name, kind: type, job: job_id, gone: payload.gone}}
"""


@pytest.mark.parametrize("name", ["go", "ignored"])
def test_context_map_copies_what_is_there_before_guards_and_also_when_ignored(name: str) -> None:
    definition = machine(
        f"{{from: a, to: b, event: {name}, guard: \"user == 'ada'\"}}", more=MAPPED
    )
    payload = {"user": {"name": "ada"}, "gone": None}

    found = step(definition, at("a", user="eve", gone=1), Event("go", payload=payload), NOON)

    assert (found.target == "b") is (name == "go")
    assert found.snapshot.context == {"user": "ada", "kind": "go", "gone": 1}
    if name == "go":
        assert found.changes == {"user": "ada", "kind": "go"}
        assert found.snapshot.turn.changed == ()
    else:
        assert found.changes is None
        assert found.snapshot.turn.changed == ("user", "kind")


def test_first_match_sees_what_the_event_would_bring_with_it() -> None:
    definition = machine(
        "{from: a, to: b, event: go, guard: \"user == 'ada' and event_data.type == 'go'\"}",
        more=MAPPED,
    )

    match = engine.first_match(definition, at("a"), Event("go", payload={"user": {"name": "ada"}}))

    assert match is definition.transitions[0]


def test_an_event_whose_map_finds_nothing_leaves_the_context_as_it_was() -> None:
    definition = machine(
        "{from: a, to: b, event: go}", more="events: {go: {context_map: {user: payload.user}}}\n"
    )
    snapshot = at("a", n=1)

    assert step(definition, snapshot, Event("go"), NOON).snapshot.context is snapshot.context


def test_a_map_that_would_burst_the_context_is_not_applied_and_asks_for_an_error() -> None:
    definition = machine(
        "{from: a, to: b, event: go}", more="events: {go: {context_map: {text: payload}}}\n"
    )

    found = step(definition, at("a", n=1), Event("go", payload="x" * MAX_CONTEXT_BYTES), NOON)

    assert found.target == "b"
    assert found.snapshot.context == {"n": 1}
    assert found.error == (
        f"the context would be {MAX_CONTEXT_BYTES + 17} bytes; at most {MAX_CONTEXT_BYTES} are kept"
    )


def test_an_ignored_event_also_asks_for_an_error_if_its_map_would_burst_the_context() -> None:
    definition = machine(
        "{from: b, to: a, event: go}", more="events: {go: {context_map: {text: payload}}}\n"
    )

    found = step(definition, at("a"), Event("go", payload="x" * MAX_CONTEXT_BYTES), NOON)

    assert found.taken is None
    assert found.error.startswith("the context would be ")


def test_a_payload_that_breaks_its_schema_touches_nothing() -> None:
    definition = machine(
        "{from: a, to: b, event: go}",
        more="events: {go: {context_map: {kind: type}, payload: {type: object}}}\n",
    )
    snapshot = replace(at("a"), instant_steps=3)

    failed = step(definition, snapshot, Event("go", payload=7), NOON)

    assert (failed.fault, failed.taken, failed.target) == (failed.reason, None, "a")
    assert failed.reason == "payload: 7 is not of type 'object'"
    assert failed.snapshot is snapshot


def test_a_payload_that_keeps_its_schema_is_judged() -> None:
    definition = machine(
        "{from: a, to: b, event: go}", more="events: {go: {payload: {type: object}}}\n"
    )

    found = step(definition, at("a"), Event("go", payload={}), NOON)

    assert (found.fault, found.target) == ("", "b")


# -- names and context


def test_names_are_layers_of_the_engine_the_context_and_the_job() -> None:
    snapshot = replace(
        at("a", machine_name="fake", n=1), job={"n": 2, "size": 3}, received=Event("go")
    )

    names = engine.names(snapshot, {"token": "x"})

    assert dict(names) == {
        "machine_name": "worker", "current_state": "a", "event_data": Event("go").as_data(),
        "secret": {"token": "x"}, "n": 1, "size": 3, "current_job": None,
    }  # fmt: skip


def test_names_of_a_machine_that_has_not_begun_have_no_state() -> None:
    assert engine.names(Snapshot("worker"))["current_state"] is None


@pytest.mark.parametrize(
    ("context", "fault"),
    [
        ({}, ""),
        ({"text": "x" * (MAX_CONTEXT_BYTES - 11)}, ""),
        (
            {"text": "x" * (MAX_CONTEXT_BYTES - 10)},
            "the context would be 262145 bytes; at most 262144 are kept",
        ),
        ({"n": object()}, "the context holds what JSON cannot: Type is not JSON serializable"),
        ({"n": 1 << 70}, "the context holds what JSON cannot: Integer exceeds 64-bit range"),
        ({1: "n"}, "the context holds what JSON cannot: Dict key must be str"),
        ({"n": "\ud800"}, "the context holds what JSON cannot: str is not valid UTF-8"),
    ],
)
def test_context_fault_says_what_cannot_be_kept(context: dict[str, Any], fault: str) -> None:
    found = engine.context_fault(context)

    assert found.startswith(fault)
    assert bool(found) is bool(fault)


def test_changed_notes_each_key_once_in_the_order_of_its_first_change() -> None:
    snapshot = at("a", Turn(changed=("n",)), n=1)

    twice = engine.changed(snapshot, {"n": 3, "m": 2}, {"m": 2, "n": 3})

    assert twice.context == {"n": 3, "m": 2}
    assert twice.turn.changed == ("n", "m")
