"""Section 4.3 of the language: each built-in type with its events and what it leaves behind.

A machine performs one action in state ``a``; whatever it raises, state ``b`` says which event.
"""

from dataclasses import replace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from jobqueue.intake import create_job
from jobqueue.models import Job

from machines.models import Event
from tests.machines.conftest import Driver, Runner

EVENTS = (
    "wake_up, job_done, error, event_sent, no_events, events_cleared, no_events_to_clear,"
    " in_expected_state, unexpected_state, not_running, new_job, no_jobs, success, job_created,"
    " item_popped, list_empty, continue, mine, bad_input"
)
ONE = f"""
initial_state: a
transitions:
  - {{from: a, to: b, event: [{EVENTS}]}}
  - {{from: a, to: nothing, event: raised_nothing}}
actions:
  a:
    - {{%s}}
    - {{type: log, message: end, success: raised_nothing}}
"""


async def raised(machine: Driver) -> str:
    """The event that the action raised; "" for none."""
    await machine.until(lambda row: row.state in {"b", "nothing"}, "an end")
    [name] = [event for event, source, target in await machine.steps() if source == "a" != target]
    return "" if name == "raised_nothing" else name


@pytest.mark.parametrize(
    ("action", "event"),
    [
        ("type: log, message: m", ""),
        ("type: log, message: m, success: mine", "mine"),
        ("type: log, message: m, level: loud", "error"),
        ("type: activity_log, message: m", "continue"),
        ("type: activity_log, message: m, level: warning, success: mine", "mine"),
        ("type: sleep, duration: 0.02", "wake_up"),
        ('type: sleep, duration: "{short}", success: mine', "mine"),
        ("type: sleep, duration: -1", "error"),
        ('type: bash, command: "exit 0"', "job_done"),
        ('type: bash, command: "exit 0", success: mine', "mine"),
        ('type: bash, command: "exit 1"', "error"),
        ('type: bash, command: "exit 2", error_mappings: {2: bad_input}', "bad_input"),
        ("type: bash, command: 'exit 2', error_mappings: {\"2\": bad_input}", "bad_input"),
        ('type: bash, command: "exit 3", error_mappings: {2: bad_input}, error: mine', "mine"),
        ("type: send_event, target: nobody, event: ping", "event_sent"),
        ("type: send_event, target_machine: nobody, event_type: ping, success: mine", "mine"),
        ("type: send_event, target: nobody, event: ping, fire_and_forget: true", ""),
        ('type: send_event, target: nobody, event: ping, fire_and_forget: "{yes}"', ""),
        ("type: send_event, target: nobody", "error"),
        ("type: send_event, target: no body, event: ping", "error"),
        ("type: check_events, event_types: ping", "no_events"),
        ("type: check_events, event_types: [ping, pong]", "no_events"),
        ("type: check_events", "error"),
        ("type: clear_events, event_types: ping", "no_events_to_clear"),
        ("type: clear_events, event_types: [ping], success: mine", "mine"),
        ("type: check_machine_state, target: nobody, expected_states: a", "not_running"),
        ("type: check_machine_state, target: machine, expected_states: [a, z]",
         "in_expected_state"),
        ("type: check_machine_state, target: machine, expected_states: [z]", "unexpected_state"),
        ("type: check_database_queue", "no_jobs"),
        ("type: check_database_queue, job_type: parcel, empty: mine", "mine"),
        ("type: complete_job", "error"),
        ("type: complete_job, job_id: nobody", "error"),
        ("type: fail_job, reason: because", "error"),
        ("type: create_job, job_type: parcel", "job_created"),
        ("type: create_job, job_type: parcel, success: mine", "mine"),
        ("type: create_job", "error"),
        ("type: set_context, key: k, value: 1", "success"),
        ("type: set_context, key: k, value: 1, success: mine", "mine"),
        ("type: set_context, value: 1", "error"),
        ("type: add_to_list, value: 1", "success"),
        ("type: pop_from_list", "list_empty"),
        ("type: pop_from_list, list_key: short", "list_empty"),  # no list
        ("type: pop_from_list, list_key: names", "item_popped"),
        ("type: pop_from_list, list_key: names, success: mine", "mine"),
        ("type: pop_from_list, list_key: no_names, empty: mine", "mine"),
        ("type: stop_machine, target: nobody", "error"),
        ("type: never_heard_of", "error"),
    ],
)  # fmt: skip
async def test_an_action_raises_the_event_of_its_type_or_the_one_that_is_named(
    run: Runner, action: str, event: str
) -> None:
    context = {"short": 0.02, "yes": "true", "names": ["x"], "no_names": []}
    async with run(ONE % action, context=context) as machine:
        assert await raised(machine) == event


@pytest.mark.parametrize(
    ("action", "changes"),
    [
        ("type: set_context, key: k, value: {a: [1, '{n}']}", {"k": {"a": [1, 3]}}),
        ('type: set_context, key: "k_{n}", value: "{n}"', {"k_3": 3}),
        ('type: set_context, key: k, value: ["5", "true"]', {"k": ["5", "true"]}),
        ("type: add_to_list, value: '{n}'", {"items": [3]}),
        ("type: add_to_list, list_key: names, value: y", {"names": ["x", "y"]}),
        ("type: add_to_list, list_key: n, value: y", {"n": ["y"]}),
        ("type: pop_from_list, list_key: names", {"names": [], "current_item": "x"}),
        ("type: pop_from_list, list_key: names, store_as: it", {"names": [], "it": "x"}),
        ("type: check_machine_state, target: machine, expected_states: z",
         {"unexpected_machine_state": "a"}),
        ('type: bash, command: "echo hello", store_as: out', {"out": "hello"}),
        ("type: bash, command: \"echo '[1, {}]'\", store_as: out, parse: json",
         {"out": [1, {}]}),
        ("type: bash, argv: [echo, 'a  b', '{n}'], store_as: out", {"out": "a  b 3"}),
    ],
)  # fmt: skip
async def test_an_action_leaves_in_the_context_what_its_type_says(
    run: Runner, action: str, changes: dict[str, Any]
) -> None:
    given = {"n": 3, "names": ["x"]}
    async with run(ONE % action, context=given) as machine:
        row = await machine.until(lambda row: row.state in {"b", "nothing"}, "an end")

    assert row.context == given | changes


async def test_an_unknown_placeholder_of_set_context_stays_as_written(run: Runner) -> None:
    async with run(ONE % 'type: set_context, key: k, value: "{unknown}"') as machine:
        row = await machine.reaches("b")

    assert row.context == {"k": "{unknown}"}


# -- inboxes


@pytest.mark.parametrize(
    ("payload", "sent"),
    [
        ('{n: "{n}", s: "<{n}>", not: "{unknown}", text: "<{unknown}>"}',
         {"n": 3, "s": "<3>", "not": None, "text": "<{unknown}>"}),
        ('"{whole}"', {"a": [1]}),
        ('"{unknown}"', None),
        ('"{event_data}"', None),
        ("[1, 2]", [1, 2]),
    ],
)  # fmt: skip
async def test_send_event_sends_a_mapping_or_one_placeholder_for_the_whole(
    run: Runner, payload: str, sent: Any
) -> None:
    action = f"type: send_event, target: nobody, event: ping, job_id: j1, payload: {payload}"
    async with run(ONE % action, context={"n": 3, "whole": {"a": [1]}}) as machine:
        await machine.reaches("b")

    event = await Event.objects.aget()
    expected = {} if payload == '"{event_data}"' else sent
    assert (event.payload, event.job_id, event.status) == (expected, "j1", "pending")


CHECKS = """
initial_state: waiting
transitions:
  - {from: waiting, to: looking, event: go}
  - {from: looking, event: noted, actions: [{type: log, message: own}]}
  - {from: looking, event: other, actions: [{type: log, message: other}]}
  - {from: looking, to: left, event: leave}
  - {from: looking, event: no_events, actions: [{type: log, message: none}]}
actions:
  looking:
    - {type: bash, command: "sleep 0.2"}
    - {type: check_events, event_types: [%s]}
    - {type: log, message: rest}
"""


@pytest.mark.parametrize(
    ("wanted", "sent", "lines"),
    [
        ("noted", ["other", "noted"], ["own", "rest", "other"]),
        ("noted", ["other"], ["none", "rest", "other"]),
        ("unheard", ["other", "unheard"], ["rest", "other"]),
        ("leave, noted", ["other", "noted", "leave"], ["own", "rest", "other"]),
        ("noted, leave", ["other", "leave", "noted"], []),
        ("noted", ["noted", "other", "noted"], ["own", "rest", "other", "own"]),
    ],
)
async def test_check_events_lets_the_event_itself_be_judged_next_before_the_rest_of_the_round(
    run: Runner, wanted: str, sent: list[str], lines: list[str]
) -> None:
    async with run(CHECKS % wanted) as machine:
        await machine.send("go")
        for event in sent:
            await machine.send(event)
        await machine.pending(0)
        await machine.send({"control": "status"})

        assert [run.message for run in await machine.runs() if run.type == "log"] == lines


async def test_clear_events_ends_them_processed_with_the_reason_cleared(run: Runner) -> None:
    action = "type: clear_events, event_types: [old, older], target: nobody"
    for number, event in enumerate(("old", "new", "older")):
        await Event.objects.acreate(key=str(number), target="nobody", type=event)

    async with run(ONE % action) as machine:
        assert await raised(machine) == "events_cleared"

    rows = Event.objects.order_by("id").values_list("type", "status", "reason")
    assert [row async for row in rows] == [
        ("old", "processed", "cleared"),
        ("new", "pending", ""),
        ("older", "processed", "cleared"),
    ]


# -- jobs


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", "j1"),
        (", job_type: parcel", "j1"),
        (", machine_type: van", "j2"),
        (", job_type: letter", "j3"),
        (", job_type: letter, machine_type: van", ""),
        (', job_type: "{kind}"', "j3"),
    ],
)
async def test_check_database_queue_claims_the_next_that_matches_exactly_what_is_given(
    run: Runner, wanted: str, found: str
) -> None:
    for job_id, kind, machine_type in (("j1", "parcel", ""), ("j2", "parcel", "van"),
                                       ("j3", "letter", "")):  # fmt: skip
        await sync_to_async(create_job)(job_type=kind, job_id=job_id, machine_type=machine_type)

    text = ONE % f"type: check_database_queue{wanted}"
    async with run(text, context={"kind": "letter"}) as machine:
        assert await raised(machine) == ("new_job" if found else "no_jobs")

    claimed = [job.job_id async for job in Job.objects.filter(claimed_by="machine")]
    assert claimed == ([found] if found else [])


@pytest.mark.parametrize("job_id", ["", ', job_id: "{id}"', ', job_id: "{current_job.job_id}"'])
@pytest.mark.parametrize(
    ("action", "status"),
    [("type: complete_job, result: {n: '{size}'}", "completed"),
     ("type: fail_job, reason: 'too {size}'", "failed")],
)  # fmt: skip
async def test_a_claimed_job_is_ended_however_its_id_is_written(
    run: Runner, job_id: str, action: str, status: str
) -> None:
    await sync_to_async(create_job)(job_type="parcel", job_id="j1", data={"size": 2})
    text = """
initial_state: a
transitions: [{from: a, to: b, event: new_job}, {from: b, to: c, event: success}]
actions: {a: [{type: check_database_queue}], b: [{%s}]}
"""
    async with run(text % (action + job_id)) as machine:
        await machine.reaches("c")

    job = await Job.objects.aget()
    assert job.status == status
    assert (job.result, job.error_message) in [({"n": 2}, ""), (None, "too 2")]


async def test_a_job_of_another_needs_no_token_and_who_ended_it_is_on_record(run: Runner) -> None:
    await sync_to_async(create_job)(job_type="parcel", job_id="j1")
    await sync_to_async(Job.objects.claim_next)(worker="other", now=timezone.now())

    async with run(ONE % "type: complete_job, job_id: j1") as machine:
        assert await raised(machine) == "success"

    job = await Job.objects.aget()
    assert (job.status, job.claimed_by, job.finished_by) == ("completed", "other", "machine")


async def test_create_job_takes_all_of_its_settings(run: Runner) -> None:
    action = (
        "type: create_job, job_type: parcel, job_id: 'j-{n}', machine_type: van,"
        " priority: '{n}', unique_key: u, data: {n: '{n}', not: '{unknown}'}"
    )
    async with run(ONE % action, context={"n": 3}) as machine:
        assert await raised(machine) == "job_created"

    job = await Job.objects.aget()
    assert (job.job_id, job.machine_type, job.priority) == ("j-3", "van", 3)
    assert job.data == {"n": 3, "not": None}


async def test_stop_machine_of_another_stops_it_so_that_it_goes_on_when_run_again(
    run: Runner,
) -> None:
    other = "initial_state: x\nactions: {x: [{type: sleep, duration: 3600}]}\n"
    async with run(ONE % "type: stop_machine, target: other1", other) as machine:
        assert await raised(machine) == ""
        found = replace(machine, name="other1")
        row = await found.until(lambda row: row.status == "stopped", "its stop")
        [timer] = await found.timers()

    assert (row.state, timer.name) == ("x", "wake_up")
