"""Section 4.2 of the language: effects, waits and work, and what each leaves on record."""

from asgiref.sync import sync_to_async
from jobqueue.intake import create_job
from jobqueue.models import Job

from machines.models import Event, Machine
from tests.machines.conftest import Runner
from tests.machines.language.absence import ages


async def test_an_effect_is_performed_in_the_commit_of_the_step_its_event_causes(
    run: Runner,
) -> None:
    text = """
initial_state: a
transitions:
  - {from: a, to: b, event: go}
  - {from: b, to: c, event: event_sent}
actions:
  b: [{type: send_event, target: other1, event: ping}]
"""
    other = "initial_state: x\ntransitions: [{from: x, to: y, event: ping}]\n"
    async with run(text, other) as machine:
        await machine.send("go")

        # All of it was one commit, so nothing of it is still to come.
        row = await machine.machine()
        sent = await Event.objects.aget(type="ping")
        receiver = await Machine.objects.aget(name="other1")
    assert row.state == "c"
    assert (sent.status, sent.source, receiver.states) == ("processed", "machine", ["y"])


async def test_an_effect_that_fails_leaves_nothing_of_itself(run: Runner) -> None:
    text = """
initial_state: a
actions:
  a:
    - {type: create_job, job_type: parcel, job_id: once}
    - {type: create_job, job_type: parcel, job_id: other, priority: many}
    - {type: set_context, key: reached, value: true}
"""
    async with run(text) as machine:
        await machine.until(lambda row: "reached" in row.context, "the last action")

    assert [job.job_id async for job in Job.objects.all()] == ["once"]


async def test_a_wait_is_a_timer_row_and_runs_nothing(run: Runner) -> None:
    text = """
initial_state: a
transitions: [{from: a, event: ask, actions: [{type: log, message: answered}]}]
actions: {a: [{type: sleep, duration: 3600}]}
"""
    async with run(text) as machine:
        answer = await machine.send("ask")  # the machine is at rest meanwhile
        [timer] = await machine.timers()
        lines = [line.message for line in await machine.runs()]

    assert answer["status"] == "processed"
    assert (timer.name, timer.action, lines) == ("wake_up", [-1, 0], ["answered"])


async def test_a_wait_outlives_a_restart_with_what_is_behind_it(run: Runner) -> None:
    text = """
initial_state: a
transitions: [{from: a, to: b, event: rested}]
actions:
  a:
    - {type: sleep, duration: 3600}
    - {type: sleep, duration: "{short}", success: rested}
"""
    async with run(text, context={"short": "0.05"}):
        pass
    await ages(7_200)

    async with run(text) as machine:
        await machine.reaches("b")


async def test_the_delay_of_a_retry_outlives_a_restart_with_its_attempt(run: Runner) -> None:
    text = """
initial_state: a
transitions: [{from: a, to: b, event: error}]
actions: {a: [{type: bash, command: "exit 1", retry: {attempts: 2, delay: 1h}}]}
"""
    async with run(text) as machine:
        await machine.until(lambda row: "waits" in row.turn, "the delay")
    await ages(7_200)
    async with run(text) as machine:
        await machine.reaches("b")

        assert [found.attempt for found in await machine.runs()] == [1, 2]


async def test_the_run_of_work_is_on_record_before_it_starts(run: Runner) -> None:
    text = """
initial_state: a
actions: {a: [{type: bash, command: "sleep 60"}]}
"""
    async with run(text) as machine:
        await machine.until(lambda row: "work" in row.turn, "work")

        [found] = await machine.runs()
        token = (await machine.machine()).turn["work"][1]
        await machine.send({"control": "stop"})
    assert (found.outcome, found.token, found.ended_at) == ("running", token, None)


async def test_the_keys_that_work_changed_are_merged_and_others_stay(run: Runner) -> None:
    text = """
initial_state: a
events: {tell: {context_map: {told: payload}}}
transitions:
  - {from: a, to: b, event: job_done}
actions: {a: [{type: bash, command: "sleep 0.2; echo {told}", store_as: said}]}
"""
    async with run(text, context={"told": "before", "n": 1}) as machine:
        await machine.until(lambda row: "work" in row.turn, "work")
        await machine.send("tell", payload=5)
        row = await machine.reaches("b")
        await machine.pending(0)
        told = (await machine.machine()).context["told"]

    assert (row.context["said"], row.context["n"]) == ("before", 1)  # it sees a copy
    assert told == 5


async def test_work_of_a_job_names_its_job_on_record(run: Runner) -> None:
    job = await sync_to_async(create_job)(job_type="parcel", job_id="j1")
    text = """
initial_state: a
transitions: [{from: a, to: b, event: new_job}, {from: b, to: c, event: job_done}]
actions: {a: [{type: check_database_queue}], b: [{type: bash, command: "echo {id}"}]}
"""
    async with run(text) as machine:
        await machine.reaches("c")

        [found] = await machine.runs()
    assert (found.job_id, found.output) == (job.pk, "j1\n")
