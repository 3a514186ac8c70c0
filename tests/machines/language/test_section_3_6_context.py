"""Section 3.6 of the language: the layers of names of machines that claim jobs."""

from asgiref.sync import sync_to_async
from jobqueue.intake import create_job

from tests.machines.conftest import Runner

SHOW = """
initial_state: waiting
transitions:
  - {from: waiting, to: got, event: new_job}
  - {from: got, to: ended, event: end}
  - {from: ended, to: looked, event: look}
actions:
  waiting: [{type: check_database_queue}]
  ended:
    - {type: complete_job}
    - {type: set_context, key: shown, value: "{job_id} {id} {type} {color} {current_job.job_type}"}
  looked:
    - {type: check_database_queue}
    - {type: set_context, key: shown, value: "{job_id} {color}"}
"""


async def test_the_layer_of_a_job_stays_after_its_end_and_a_restart_until_the_next_claim(
    run: Runner,
) -> None:
    data = {"color": "red", "type": "log", "machine_name": "mine", "id": "mine"}
    await sync_to_async(create_job)(job_type="parcel", job_id="j1", data=data)

    async with run(SHOW) as machine:
        await machine.reaches("got")
    async with run(SHOW) as machine:
        await machine.send("end")
        shown = (await machine.until(lambda row: "shown" in row.context, "it")).context["shown"]
    async with run(SHOW) as machine:
        await machine.send("look")
        row = await machine.until(lambda row: row.context["shown"] != shown, "another")

    assert shown == "j1 j1 log red parcel"
    assert row.context == {"shown": "{job_id} {color}"}  # the layer was never copied


async def test_the_context_stands_above_the_job_and_the_engine_above_both(run: Runner) -> None:
    text = """
initial_state: waiting
transitions: [{from: waiting, to: got, event: new_job}]
actions:
  waiting: [{type: check_database_queue}]
  got: [{type: set_context, key: shown, value: "{machine_name} {current_state} {color} {size}"}]
"""
    data = {"color": "red", "size": 3, "machine_name": "x", "current_state": "x"}
    await sync_to_async(create_job)(job_type="parcel", data=data)

    async with run(text, context={"color": "blue", "machine_name": "y"}) as machine:
        row = await machine.until(lambda row: "shown" in row.context, "it")

    assert row.context["shown"] == "machine got blue 3"
