"""Section 3.2 of the language: events on record, from acceptance to their end."""

from typing import Any

import orjson
import pytest

from machines.core.engine import MAX_CONTEXT_BYTES
from machines.models import Event, Machine
from tests.machines.conftest import Runner
from tests.machines.language.absence import comes

DOOR = """
initial_state: a
events:
  go: {context_map: {user: payload.user, text: payload.text}}
  strict: {payload: {type: object, required: [n]}}
transitions:
  - {from: a, to: b, event: [go, strict]}
  - {from: b, to: c, event: go, guard: "user == 'Ann'"}
"""


async def reasons() -> list[tuple[str, str, str]]:
    rows = Event.objects.order_by("id").values_list("type", "status", "reason")
    return [row async for row in rows]


async def test_each_event_ends_processed_ignored_or_failed_with_its_reason(run: Runner) -> None:
    async with run(DOOR) as machine:
        for event, payload in (("strict", {}), ("go", {"user": "Eve"}), ("go", {}), ("no", None)):
            await machine.send(event, payload=payload)

    assert await reasons() == [
        ("strict", "failed", "payload: 'n' is a required property"),
        ("go", "processed", ""),
        ("go", "ignored", "no guard holds for 'go' in state 'b': transitions[1]: False"),
        ("no", "ignored", "no transition for 'no' in state 'b'"),
    ]


@pytest.mark.parametrize(
    ("payload", "kept"),
    [
        ('{"user": "Ann"}', {"user": "Ann"}),
        ("[1, 2]", [1, 2]),
        ("5", 5),
        ('"quoted"', "quoted"),
        ("null", None),
        ("true", True),
        ("plain words", {"text": "plain words"}),
        ("{broken", {"text": "{broken"}),
        ("", {"text": ""}),
        ({"text": "{}"}, {"text": "{}"}),
    ],
)
async def test_a_payload_given_as_json_text_is_parsed_and_other_text_stays_under_text(
    run: Runner, payload: Any, kept: Any
) -> None:
    text = (
        "initial_state: a\ntransitions: [{from: a, to: b, event: go}]\n"
        'actions: {b: [{type: set_context, key: data, value: "{event_data}"}]}\n'
    )
    async with run(text) as machine:
        await machine.send("go", payload=payload, source="me", job_id="j1")
        row = await machine.until(lambda row: "data" in row.context, "the data")

    assert row.context["data"] == {"type": "go", "payload": kept, "job_id": "j1", "source": "me"}
    assert (await Event.objects.aget()).payload == kept


async def test_event_data_is_the_same_after_a_restart(run: Runner) -> None:
    text = DOOR + 'actions: {c: [{type: set_context, key: data, value: "{event_data.payload}"}]}\n'
    later = "  - {from: b, to: c, after: 200ms}\nactions:"
    text = text.replace("actions:", later)
    async with run(text) as machine:
        await machine.send("go", payload={"user": "Eve", "extra": 7})
    async with run(text) as machine:
        row = await machine.until(lambda row: "data" in row.context, "the data")

    assert row.context["data"] == {"user": "Eve", "extra": 7}


async def test_an_event_that_failed_is_event_data_neither_now_nor_after_a_restart(
    run: Runner,
) -> None:
    show = '{type: set_context, key: seen, value: "{event_data.type}"}'
    text = DOOR + f"  - {{from: b, after: 300ms, actions: [{show}]}}\n"
    async with run(text) as machine:
        await machine.send("go", payload={"user": "Eve"})
        assert (await machine.send("strict", payload={}))["status"] == "failed"
    async with run(text) as machine:
        row = await machine.until(lambda row: "seen" in row.context, "the timer")

    assert row.context["seen"] == "go"


async def test_timers_start_and_results_have_no_event_row(run: Runner) -> None:
    text = """
initial_state: a
transitions:
  - {from: a, event: start}
  - {from: a, to: b, event: done}
  - {from: b, to: c, after: 50ms}
  - {from: c, to: d}
actions: {a: [{type: log, message: hello, success: done}]}
"""
    async with run(text) as machine:
        await machine.reaches("d")

        assert await machine.events() == []
        names = [event for event, _source, _target in await machine.steps()]
        assert names == ["start", "start", "done", "timeout(0.05)", ""]


async def test_an_event_for_a_finished_machine_is_ignored_at_once_and_so_is_what_is_pending(
    run: Runner,
) -> None:
    text = """
initial_state: a
states: {a: , done: {final: true, actions: [{type: bash, command: sleep 0.2}]}}
transitions: [{from: a, to: done, event: go}, {from: done, to: a, event: back}]
"""
    async with run(text, "initial_state: x\n") as machine:
        await machine.send("go")
        await machine.send("back")
        await machine.until(lambda row: row.status == Machine.Status.FINISHED, "its end")
        await machine.send("go")

    finished = "machine 'machine' is finished"
    assert await reasons() == [
        ("go", "processed", ""),
        ("back", "ignored", finished),
        ("go", "ignored", finished),
    ]


async def test_what_came_while_the_machine_was_down_is_judged_in_the_order_of_acceptance(
    run: Runner,
) -> None:
    text = """
initial_state: a
transitions: [{from: a, to: b, event: one}, {from: b, to: a, event: two}]
"""
    async with run(text):
        pass
    for event in ("one", "two", "one"):
        await comes(event)

    async with run(text) as machine:
        await machine.pending(0)
        steps = [event for event, source, target in await machine.steps() if source != target]

    assert steps == ["start", "one", "two", "one"]


async def test_an_event_is_written_down_before_anyone_hears_accepted(run: Runner) -> None:
    text = "initial_state: a\nactions: {a: [{type: bash, command: sleep 60}]}\n"
    async with run(text) as machine:
        await machine.until(lambda row: "work" in row.turn, "work")
        answer = await machine.send("go", payload={"n": 1})

        event = await Event.objects.aget(pk=answer["event"])
        await machine.send({"control": "stop"})
    assert (answer["status"], event.status, event.payload) == ("accepted", "pending", {"n": 1})


async def test_a_full_context_stays_within_its_limit_when_a_map_would_burst_it(
    run: Runner,
) -> None:
    full = {"large": "x" * (MAX_CONTEXT_BYTES - 60)}
    async with run(DOOR, context=full) as machine:
        await machine.send("go", payload={"user": "y" * 100})
        row = await machine.reaches("b")

    assert len(orjson.dumps(row.context)) <= MAX_CONTEXT_BYTES
