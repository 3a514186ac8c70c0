"""start_fsm: a machine starts others, hands them values and jobs, and they outlive its host."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from jobqueue.models import Job

from machines.actions.instances import handed_over
from machines.actions.settings import SettingError
from machines.models import Event, Machine, Step
from machines.runtime.children import register
from machines.runtime.launch import Order
from machines.runtime.sending import send_event
from tests.machines.action_fakes import NOON
from tests.machines.conftest import Runner

NAMES: dict[str, Any] = {
    "patient": {"name": "Ada", "ward": {"id": 7}, "empty": None},
    "job_id": "j1",
    "rows": [{"id": 1}],
    "secret": {"TOKEN": "x"},
}


@pytest.mark.parametrize(
    ("variables", "handed"),
    [
        ((), {}),
        (("job_id",), {"job_id": "j1"}),
        (("patient.name as who", "job_id as order"), {"who": "Ada", "order": "j1"}),
        (("patient.ward.id",), {"id": 7}),
        (("rows.0.id as first",), {"first": 1}),
        (("patient",), {"patient": NAMES["patient"]}),
        # What is missing or null is left out, and a secret is never handed on.
        (("nothing", "patient.empty", "patient.x as y", "secret.TOKEN as t", "secret"), {}),
    ],
)
def test_what_is_handed_over(variables: tuple[str, ...], handed: dict[str, Any]) -> None:
    assert handed_over(variables, NAMES) == handed


@pytest.mark.parametrize("variable", ["", "a as", "a as b as c", "a, b", "{a}", "a as 7"])
def test_what_names_nothing_is_refused(variable: str) -> None:
    with pytest.raises(SettingError, match="context_vars"):
        handed_over((variable,), NAMES)


CHILD = """
template: true
initial_state: admitted
transitions:
  - {from: admitted, to: treated, event: treat}
  - {from: treated, to: completed, event: success}
actions:
  treated: [{type: complete_job, result: "{name}"}]
"""
PARENT = """
initial_state: ready
transitions:
  - {from: ready, to: claiming, event: go}
  - {from: claiming, to: starting, event: new_job}
  - {from: starting, to: claiming, event: started}
  - {from: starting, to: refused, event: error}
  - {from: claiming, to: resting, event: no_jobs}
actions:
  claiming: [{type: check_database_queue}]
  starting:
    - type: start_fsm
      yaml_path: patient.yaml
      machine_name: "patient-{job_id}"
      context_vars: [patient.name as name, job_id]
      store_pid: pid
      success: started
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def child(tmp_path: Path) -> Path:
    path = tmp_path / "patient.yaml"
    path.write_text(CHILD)
    return path


def admit(*names: str) -> None:
    for number, name in enumerate(names):
        Job.objects.create(job_type="patient", job_id=str(number), data={"patient": {"name": name}})


async def send(name: str, event: str) -> None:
    await send_event(target=name, type=event, actor="test")


@pytest.mark.usefixtures("child")
async def test_an_instance_runs_in_the_host_of_its_starter(run: Runner) -> None:
    await sync_to_async(admit)("Ada")

    async with run(PARENT) as machine:
        await machine.send("go")
        row = await machine.reaches("resting")
        started = await Machine.objects.select_related("process").aget(name="patient-0")
        owner = await Machine.objects.select_related("process").aget(name="machine")

    assert started.states == ["admitted"]
    assert started.context == {"name": "Ada", "job_id": "0"}
    assert started.started_by == "machine"
    assert started.process == owner.process
    assert owner.process is not None
    assert row.context["pid"] == owner.process.pid


@pytest.mark.usefixtures("child")
async def test_a_job_goes_over_with_claim_and_token(run: Runner) -> None:
    await sync_to_async(admit)("Ada", "Bo")

    async with run(PARENT) as machine:
        await machine.send("go")
        row = await machine.reaches("resting")
        handed = [job async for job in Job.objects.order_by("id")]
        for name in ("patient-0", "patient-1"):
            await send(name, "treat")
        await ended("patient-0", "patient-1")

    assert [job.claimed_by for job in handed] == ["patient-0", "patient-1"]
    assert row.job_token == ""
    done = [job async for job in Job.objects.order_by("id")]
    assert [(job.status, job.result, job.finished_by) for job in done] == [
        ("completed", "Ada", "patient-0"),
        ("completed", "Bo", "patient-1"),
    ]


async def ended(*names: str) -> None:
    async with asyncio.timeout(20):
        finished = Machine.objects.filter(name__in=names, status="finished")
        while await finished.acount() < len(names):  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("child")
@pytest.mark.parametrize("status", ["running", "paused", "stopped", "faulted"])
async def test_a_name_that_is_taken_is_an_error(run: Runner, status: str) -> None:
    await sync_to_async(admit)("Ada")
    async with run(PARENT) as machine:
        await machine.send("go")
        await machine.reaches("resting")
    await Machine.objects.filter(name="patient-0").aupdate(status=status, started_by="")
    await Job.objects.all().aupdate(status="pending", claim_token="")

    async with run(PARENT, restart=True) as machine:
        await machine.send("go")
        row = await machine.reaches("refused")

    assert f"'patient-0' is there already, and is {status}" in row.context["last_error"]
    # The job stays with the starter.
    assert (await Job.objects.aget()).claimed_by == "machine"


@pytest.mark.usefixtures("child")
async def test_a_finished_instance_begins_anew(run: Runner) -> None:
    await sync_to_async(admit)("Ada")
    async with run(PARENT) as machine:
        await machine.send("go")
        await machine.reaches("resting")
        await send("patient-0", "treat")
        await ended("patient-0")
        await Job.objects.all().aupdate(status="pending")
        await machine.send({"control": "stop"})
        await machine.ends()

    async with run(PARENT, restart=True) as machine:
        await machine.send("go")
        await machine.reaches("resting")
        again = await Machine.objects.aget(name="patient-0")

    assert (again.states, again.context) == (["admitted"], {"name": "Ada", "job_id": "0"})
    entries = Step.objects.filter(machine__name="patient-0", source=None)
    assert await entries.acount() == 2


@pytest.mark.usefixtures("child")
async def test_instances_under_way_go_on_with_the_next_host(run: Runner) -> None:
    await sync_to_async(admit)("Ada")
    async with run(PARENT) as machine:
        await machine.send("go")
        await machine.reaches("resting")
    between = await Machine.objects.aget(name="patient-0")

    async with run(PARENT) as machine:
        await send("patient-0", "treat")
        await ended("patient-0")

    assert (between.status, between.process_id) == ("running", None)
    assert (await Job.objects.aget()).status == "completed"


@pytest.mark.usefixtures("child")
async def test_hundreds_of_instances_run_in_one_host(run: Runner) -> None:
    await sync_to_async(admit)(*(f"name {number}" for number in range(200)))

    async with run(PARENT) as machine:
        await machine.send("go")
        await machine.reaches("resting")
        running = await Machine.objects.filter(status="running").acount()

    assert running == 201


async def test_a_file_that_is_not_there_or_does_not_load_is_an_error(
    run: Runner, child: Path
) -> None:
    await sync_to_async(admit)("Ada", "Bo")
    broken = "states: [a]\ntransitions: [{from: a, to: b, event: go}]\n"
    await asyncio.to_thread(child.write_text, broken)

    async with run(PARENT) as machine:
        await machine.send("go")
        row = await machine.reaches("refused")

    assert "no state 'b'" in row.context["last_error"]
    assert (await Machine.objects.acount()) == 1


RESPAWNS = """
initial_state: starting
transitions:
  - {from: starting, to: waiting, event: success}
  - {from: waiting, to: starting, event: again}
actions:
  starting: [{type: start_fsm, yaml_path: patient.yaml, machine_name: kid}]
"""
KID = """
template: true
initial_state: born
transitions:
  - {from: born, to: telling, event: die}
  - {from: telling, to: completed, event: event_sent}
actions:
  telling: [{type: send_event, target: machine, event: again}]
"""


async def test_an_instance_that_is_started_again_as_it_ends_lives(run: Runner, child: Path) -> None:
    await asyncio.to_thread(child.write_text, KID)

    async with run(RESPAWNS) as machine:
        await machine.reaches("waiting")
        for _ in range(5):
            await send("kid", "die")
            await heard("kid")
        kid = await Machine.objects.aget(name="kid")

    assert (kid.status, kid.states) == ("running", ["born"])
    assert await Step.objects.filter(machine=kid, source=None).acount() == 6


async def heard(name: str) -> None:
    """Wait until nothing waits for that machine."""
    waiting = Event.objects.filter(target=name, status="pending")
    async with asyncio.timeout(20):
        while await waiting.aexists():  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("child")
async def test_a_start_that_fails_leaves_the_claim_with_the_starter(run: Runner) -> None:
    await sync_to_async(admit)("Ada")
    broken = PARENT.replace("      store_pid: pid\n", "").replace(
        "yaml_path: patient.yaml", "yaml_path: broken.yaml"
    )

    async with run(broken) as machine:
        await asyncio.to_thread(
            (machine.folder / "broken.yaml").write_text, CHILD + "actions_dir: nowhere\n"
        )
        await machine.send("go")
        row = await machine.reaches("refused")

    job = await Job.objects.aget()
    assert (job.claimed_by, row.job_token) == ("machine", job.claim_token)


@pytest.mark.usefixtures("child")
def test_an_order_that_is_given_once_more_finds_its_job_again(tmp_path: Path) -> None:
    admit("Ada")
    Job.objects.claim("0", worker="machine", now=NOON)
    order = Order(str(tmp_path / "patient.yaml"), machine_name="p", context={"job_id": "0"})

    found = [register("machine", order)[1] for _ in range(2)]

    assert [job and job.job_id for job in found] == ["0", "0"]
