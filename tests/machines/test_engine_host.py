"""The host that the engines of a process share: who comes, who goes, what is left."""

import asyncio
from pathlib import Path

import orjson

from machines.engine import (
    StateMachineEngine,
)
from machines.models import Event, Machine, Process, Run, Step
from machines.runtime.sending import send_event
from tests.machines.engines import BUSY, DOOR, executed, loaded, reaches, until
from tests.machines.engines import leaves_nothing as leaves_nothing

# -- several in one loop

PING = """
initial_state: here
events: {ball: {context_map: {n: payload.n}}}
context: {n: 0}
transitions:
  - from: here
    to: here
    event: ball
    guard: n < 20
    actions:
      - {type: bash, argv: [expr, "{n}", "+", "1"], store_as: n, parse: json, success: hit}
  - from: here
    to: here
    event: hit
    actions:
      - {type: send_event, target: OTHER, event_type: ball, payload: {n: "{n}"}}
  - {from: here, to: completed, event: ball}
"""


async def test_two_engines_in_one_loop_send_each_other_events() -> None:
    ping = await loaded("ping", PING.replace("OTHER", "pong"))
    pong = await loaded("pong", PING.replace("OTHER", "ping"))

    async with asyncio.TaskGroup() as group:
        first = group.create_task(ping.execute_state_machine())
        second = group.create_task(pong.execute_state_machine())
        await ping.process_event("ball", {"n": 0}, wait=0)
        end = await first
        second.cancel()

    assert (end.status, end.context["n"]) == ("finished", 20)
    assert second.cancelled()
    assert await Event.objects.filter(type="ball", status="processed").acount() == 21


async def test_engines_come_and_go_while_others_run_on(run_directory: Path) -> None:
    first, second, third = [await loaded(name, DOOR) for name in ("first", "second", "third")]

    async with second:
        async with first:
            assert (run_directory / "first.sock").exists()
        assert not (run_directory / "first.sock").exists()
        assert (await Machine.objects.aget(name="first")).process_id is None
        async with third:
            answers = [await each.process_event("push") for each in (second, third)]
        async with first:
            answers.append(await first.process_event("push"))
        processes = await Process.objects.acount()

    assert [answer.status for answer in answers] == ["processed"] * 3
    assert processes == 1


async def test_many_engines_that_start_and_stop_at_once_get_along() -> None:
    engines = [await loaded(f"door{number}", DOOR) for number in range(8)]

    async def go_through(door: StateMachineEngine) -> str | None:
        async with door:
            return (await door.process_event("push")).state

    states = await asyncio.gather(*[go_through(door) for door in engines])
    states += await asyncio.gather(*[go_through(door) for door in engines[:2]])

    assert states == ["open"] * 10


async def test_an_engine_serves_another_program_in_the_background() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        event = (await reader.readline()).decode().strip()
        reply = await door.process_event(event)
        writer.write(orjson.dumps(reply.as_dict()))
        writer.close()
        await writer.wait_closed()

    async with await loaded("door", DOOR) as door:
        server = await asyncio.start_unix_server(handle, "program.sock")
        async with server:
            reader, writer = await asyncio.open_unix_connection("program.sock")
            writer.write(b"push\n")
            answer = orjson.loads(await reader.read())
            writer.close()
            await writer.wait_closed()

    assert (answer["status"], answer["state"]) == ("processed", "open")


async def test_the_control_socket_and_senders_of_other_threads_reach_it(
    run_directory: Path,
) -> None:
    async with await loaded("door", DOOR) as door:
        reader, writer = await asyncio.open_unix_connection(run_directory / "door.sock")
        writer.write(b'{"type": "push"}\n')
        answer = orjson.loads(await reader.readline())
        writer.close()
        await writer.wait_closed()
        reply = await send_event(target="door", type="pull", wait_seconds=5)

        assert (answer["status"], answer["state"]) == ("processed", "open")
        assert (reply.status, door.current_state) == ("processed", "shut")


# -- stopping and going on


async def test_to_cancel_the_execution_stops_the_machine_which_goes_on_the_next_time() -> None:
    door = await loaded("door", DOOR)
    async with executed(door):
        await door.process_event("push")

    again = await loaded("door", DOOR)

    assert (again.status, again.current_state) == ("stopped", "open")
    async with again:
        assert (again.status, again.current_state) == ("running", "open")
    assert await Step.objects.filter(event="start").acount() == 1


async def test_to_cancel_gives_running_work_its_grace() -> None:
    text = BUSY.replace("read line < gate", "touch begun; sleep 0.3")
    worker = await loaded("worker", text)
    async with executed(worker):
        await worker.process_event("work")
        await until(Path("begun").exists)

    run = await Run.objects.aget()
    assert (run.outcome, run.exit_code) == ("done", 0)
    assert (worker.status, worker.current_state) == ("stopped", "idle")


async def test_to_cancel_before_the_machine_is_in_leaves_nothing_either() -> None:
    door = await loaded("door", DOOR)
    task = asyncio.create_task(door.execute_state_machine())

    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert task.cancelled()
    assert (await Machine.objects.aget(name="door")).process_id is None


async def test_stop_ends_the_execution_as_stopped() -> None:
    door = await loaded("door", DOOR)
    async with executed(door) as execution:
        await asyncio.gather(door.stop(), door.stop())
        end = await execution
        await door.stop()

    assert (end.status, end.state) == ("stopped", "shut")


async def test_instances_stop_with_the_machine_that_started_them_and_go_on_with_it() -> None:
    await asyncio.to_thread(Path("child.yaml").write_text, DOOR)
    text = "initial_state: a\nstates:\n  a: {actions: [{type: start_fsm, yaml_path: child.yaml}]}\n"
    starter = await loaded("starter", text + "transitions: [{from: a, to: a, event: never}]\n")
    child = StateMachineEngine("child")
    other = await loaded("other", DOOR)

    async with other:
        async with starter:
            await child.process_event("push")
        left = await Machine.objects.aget(name="child")
        async with starter:
            pulled = await child.process_event("pull")

    assert (left.status, left.state, left.process_id) == ("running", "open", None)
    assert (pulled.status, pulled.state) == ("processed", "shut")


async def test_restart_begins_anew() -> None:
    async with await loaded("door", DOOR) as door:
        await door.process_event("push")

    async with await loaded("door", DOOR, restart=True, initial_context={"n": 1}) as door:
        assert (door.current_state, door.context) == ("shut", {"n": 1})


async def test_a_program_that_ends_without_a_word_stops_its_machines(tmp_path: Path) -> None:
    door = await loaded("door", DOOR)

    def program() -> None:
        async def main() -> None:
            task = asyncio.create_task(door.execute_state_machine())
            await reaches(door, "shut")
            assert not task.done()

        asyncio.run(main())

    await asyncio.to_thread(program)

    machine = await Machine.objects.aget(name="door")
    assert (machine.status, machine.process_id) == ("stopped", None)
