"""The calls of an engine: what they do, answer and raise."""

import asyncio
import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.db import connections

from machines.engine import (
    AlreadyRuns,
    CannotRun,
    DefinitionError,
    Lost,
    MachineError,
    Refused,
    StateMachineEngine,
)
from machines.models import Event, Machine, MachineDefinition, Run
from machines.runtime.clock import Clock
from machines.runtime.rundir import run_dir
from machines.runtime.sending import HostClient
from machines.runtime.service import on_record
from tests.machines.custom_files import load as write_action
from tests.machines.engines import BUSY, DOOR, loaded, reaches, until
from tests.machines.engines import leaves_nothing as leaves_nothing

SEED = """
# my_worker.yaml
name: "My Worker"
initial_state: waiting

transitions:
  - from: waiting
    to: processing
    event: new_job
    actions:
      - type: bash
        params:
          command: "echo Processing job"
          success: job_done
"""
# -- the three calls


async def test_the_snippet_of_the_quick_start_runs_as_it_stands(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "my_worker.yaml").write_text, SEED)

    async def snippet() -> None:
        engine = StateMachineEngine(machine_name='my_worker')  # fmt: skip
        await engine.load_config('my_worker.yaml')  # fmt: skip
        await engine.execute_state_machine()

    task = asyncio.create_task(snippet())
    worker = StateMachineEngine(machine_name="my_worker")
    answer = await worker.process_event("new_job")
    done = Run.objects.filter(outcome="done", output="Processing job\n")
    await until(lambda: done.exists())
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert answer.status in {"accepted", "processed"}
    assert task.cancelled()
    machine = await Machine.objects.aget(name="my_worker")
    assert (machine.state, machine.status) == ("processing", "stopped")


async def test_a_machine_that_ends_ends_the_execution_which_says_how() -> None:
    engine = await loaded("door", DOOR, initial_context={"colour": "red", "by": "nobody"})
    execution = asyncio.create_task(engine.execute_state_machine({"by": "me"}))
    await reaches(engine, "shut")

    await engine.process_event("finish")
    end = await execution

    assert (end.status, end.state, end.fault) == ("finished", "completed", "")
    assert end.context == engine.context == {"colour": "red", "by": "me"}
    assert (engine.status, engine.current_state) == ("finished", "completed")


async def test_a_machine_that_faults_ends_the_execution_with_its_fault() -> None:
    spins = "initial_state: a\nmetadata: {max_instant_steps: 50}\n"
    spins += "transitions: [{from: a, to: b}, {from: b, to: a}]\n"
    engine = await loaded("spinner", spins)

    end = await engine.execute_state_machine()

    assert end.status == "faulted"
    assert "50" in end.fault
    with pytest.raises(CannotRun, match="faulted"):
        await engine.execute_state_machine()


async def test_an_execution_lasts_until_the_instances_of_its_machine_have_ended() -> None:
    child = "initial_state: a\ntransitions: [{from: a, to: completed, after: 200ms}]\n"
    await asyncio.to_thread(Path("child.yaml").write_text, child)
    starter = await loaded(
        "starter",
        "initial_state: a\nstates:\n  a: {actions: [{type: start_fsm, yaml_path: child.yaml}]}\n"
        "  completed:\ntransitions: [{from: a, to: completed, event: success}]\n",
    )

    end = await starter.execute_state_machine()

    assert (end.status, end.state) == ("finished", "completed")
    assert (await Machine.objects.aget(name="child")).status == "finished"


async def test_process_event_says_what_became_of_the_event() -> None:
    async with await loaded("door", DOOR) as door:
        pushed = await door.process_event("push", {"by": "me"}, source="test", key="k")
        again = await door.process_event("push", {"by": "you"}, key="k")
        ignored = await door.process_event("push")

        assert (pushed.status, pushed.state, pushed.running) == ("processed", "open", True)
        assert again == pushed
        assert ignored.status == "ignored"
        assert ignored.reason == "no transition for 'push' in state 'open'"
        assert door.context == {"by": "me"}


async def test_process_event_answers_when_a_busy_machine_has_judged_it() -> None:
    await asyncio.to_thread(os.mkfifo, "gate")
    async with await loaded("worker", BUSY) as worker:
        await worker.process_event("work")

        impatient = await worker.process_event("unheard_of", wait=0)
        less_so = await worker.process_event("unheard_of", wait=0.05)
        patient = asyncio.create_task(worker.process_event("unheard_of"))
        await asyncio.to_thread(Path("gate").write_text, "\n")
        judged = await patient

        assert impatient.status == less_so.status == "accepted"
        assert (judged.status, judged.state) == ("ignored", "idle")


async def test_an_event_for_a_machine_that_does_not_run_is_accepted_and_waits() -> None:
    door = await loaded("door", DOOR)

    accepted = await door.process_event("push", {"by": "early"})

    assert (accepted.status, accepted.running) == ("accepted", False)
    async with door:
        await reaches(door, "open")
        assert door.context == {"by": "early"}


async def test_an_event_for_a_machine_that_is_finished_is_ignored() -> None:
    async with await loaded("door", DOOR) as door:
        await door.process_event("finish")
        await door.until_ended()

        late = await door.process_event("push")

        assert (late.status, late.reason) == ("ignored", "machine 'door' is finished")


async def test_who_waits_for_an_event_hears_when_the_machine_stops(run_directory: Path) -> None:
    async with await loaded("door", DOOR) as door:
        await sync_to_async(_tell)(run_directory / "door.sock", {"control": "pause"})
        waiting = asyncio.create_task(door.process_event("push"))
        await until(Event.objects.exists)

        await door.stop()

        answer = await waiting
        assert (answer.status, answer.running) == ("accepted", False)


@pytest.mark.parametrize(
    ("event", "payload", "why"),
    [
        ("", None, "an event needs a name"),
        ("timeout(1)", None, "nobody can send it"),
        ("push", {"by": object()}, "payload: not JSON"),
        ("push", "x" * 300_000, "at most 262144"),
    ],
)
async def test_an_event_that_cannot_be_one_is_refused(event: str, payload: Any, why: str) -> None:
    door = await loaded("door", DOOR)

    with pytest.raises(Refused, match=why):
        await door.process_event(event, payload)


async def test_what_the_program_does_to_a_payload_or_a_context_is_its_own_affair() -> None:
    async with await loaded("door", DOOR) as door:
        payload = {"by": ["me"]}
        await door.process_event("push", payload)

        payload["by"].append("you")
        door.context["by"].append("they")

        assert door.context == {"by": ["me"]}


# -- what cannot be run


async def test_load_config_says_all_that_is_wrong_with_a_file() -> None:
    with pytest.raises(DefinitionError) as wrong:
        await loaded(
            "wrong",
            "initial_state: nowhere\ntransitions: [{from: a, too: b}, {from: a, to: a, evnt: c}]\n",
        )

    assert len(wrong.value.faults) >= 2
    assert str(wrong.value).startswith("wrong.yaml:")
    assert not await MachineDefinition.objects.filter(name="wrong").aexists()


async def test_load_config_says_that_there_is_no_such_file() -> None:
    with pytest.raises(MachineError, match=r"no file 'nowhere.yaml'"):
        await StateMachineEngine("x").load_config("nowhere.yaml")


async def test_an_engine_that_nothing_was_loaded_into_says_what_comes_first() -> None:
    engine = StateMachineEngine()

    with pytest.raises(CannotRun, match="load_config comes first"):
        await engine.execute_state_machine()
    with pytest.raises(CannotRun, match="load_config says it"):
        await engine.process_event("push")
    assert (engine.status, engine.current_state, engine.context) == ("new", None, {})


async def test_a_machine_has_one_engine_at_a_time() -> None:
    async with await loaded("door", DOOR) as door:
        for second in (door, await loaded("door", DOOR), await loaded("door", DOOR, takeover=True)):
            with pytest.raises(AlreadyRuns, match="'door' runs in this process already"):
                await second.execute_state_machine()

        assert (await door.process_event("push")).status == "processed"


async def test_a_machine_that_another_process_runs_is_refused_but_hears_events(
    tmp_path: Path,
) -> None:
    door = await loaded("door", DOOR)
    host = await _start_runmachine(tmp_path / "door.yaml")
    try:
        with pytest.raises(AlreadyRuns, match=f"process {host.pid}"):
            await door.execute_state_machine()
        pushed = await door.process_event("push", {"by": "neighbour"})
        ignored = await door.process_event("push", wait=0)

        async with await loaded("door", DOOR, takeover=True) as ours:
            assert (ours.current_state, ours.context) == ("open", {"by": "neighbour"})
    finally:
        host.terminate()
        await host.wait()

    assert (pushed.status, pushed.state, pushed.running) == ("processed", "open", True)
    assert (ignored.status, ignored.state) == ("ignored", "open")


async def test_a_machine_that_is_taken_over_is_lost_to_its_engine(tmp_path: Path) -> None:
    door = await loaded("door", DOOR)
    execution = asyncio.create_task(door.execute_state_machine())
    await reaches(door, "shut")
    host = await _start_runmachine(tmp_path / "door.yaml", "--takeover")
    try:
        late = await door.process_event("push")

        with pytest.raises(Lost, match="taken over by another host"):
            await execution
    finally:
        host.terminate()
        await host.wait()

    assert late.status == "processed"


async def test_the_engines_of_a_process_are_in_one_loop() -> None:
    def elsewhere() -> str:
        async def main() -> None:
            await other.execute_state_machine()

        with pytest.raises(CannotRun) as refused:
            asyncio.run(main())
        return str(refused.value)

    other = await loaded("other", DOOR)
    async with await loaded("door", DOOR):
        said = await asyncio.to_thread(elsewhere)

    assert "run in another event loop" in said


async def test_a_process_that_is_a_host_already_runs_no_engines() -> None:
    door = await loaded("door", DOOR)
    with contextlib.ExitStack() as host:
        await sync_to_async(host.enter_context)(on_record(Clock()))

        with pytest.raises(CannotRun, match="this process is a host already"):
            await door.execute_state_machine()

        await sync_to_async(host.close)()


async def test_custom_actions_run_in_the_loop_of_the_program(tmp_path: Path) -> None:
    body = (
        "async def execute(self, context):\n"
        "context['loop'] = id(asyncio.get_running_loop())\nreturn 'seen'"
    )
    write_action(tmp_path / "mine", body, name="look_around", class_name="LookAroundAction")
    text = (
        "initial_state: a\nstates: {a: {actions: [{type: look_around}]}, completed: }\n"
        "transitions: [{from: a, to: completed, event: seen}]\n"
    )
    engine = await loaded("looker", text, actions_dir=tmp_path / "mine")

    end = await engine.execute_state_machine()

    assert end.context == {"loop": id(asyncio.get_running_loop())}


# -- programs of their own


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "has no tables yet"),
        ({"DJANGO_SETTINGS_MODULE": "no_such.settings"}, "cannot be imported"),
        ({"DJANGO_SETTINGS_MODULE": "django.conf.global_settings"}, "'machines' and 'jobqueue'"),
    ],
)
async def test_a_program_that_lacks_something_is_told_what(
    tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    program = (
        "import asyncio\nfrom machines.engine import StateMachineEngine\n"
        "asyncio.run(StateMachineEngine().load_config('x'))\n"
    )
    env = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/new.sqlite3"}
    env |= {"PYTHONPATH": str(django_settings.BASE_DIR)}
    env.pop("DJANGO_SETTINGS_MODULE", None)

    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", program],
        env=env | variables,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert said in done.stderr.splitlines()[-1]


def _tell(path: Path, frame: dict[str, Any]) -> None:
    with HostClient(str(path)) as host:
        assert host.ask(frame)["ok"]


async def _start_runmachine(path: Path, *flags: str) -> asyncio.subprocess.Process:
    """A host of its own with the machine ``door``, when it runs."""
    database = await sync_to_async(lambda: connections["default"].settings_dict["NAME"])()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(django_settings.BASE_DIR / "manage.py"),
        "runmachine",
        str(path),
        *flags,
        env={
            **os.environ,
            "DATABASE_URL": f"sqlite:///{database}",
            "SM_RUN_DIR": django_settings.SM_RUN_DIR,
        },
    )
    running = Machine.objects.filter(status="running", process__pid=process.pid)
    try:
        await until(lambda: running.exists() and _listens(process.pid))
    except BaseException:
        process.kill()
        await process.wait()
        raise
    return process


def _listens(pid: int) -> bool:
    return (run_dir() / f"host-{pid}.sock").exists()
