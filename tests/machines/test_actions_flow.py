"""Actions that speak, wait or end."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from machines.actions.flow import LEVELS, activity_log, log, sleep, stop_machine
from machines.actions.settings import SettingError
from machines.core.errors import MachineError
from machines.core.loading.scalars import MAX_DURATION_SECONDS
from machines.models import Machine
from tests.machines.action_fakes import FakeServices, effect_call
from tests.machines.conftest import Runner


@pytest.mark.parametrize("level", LEVELS)
def test_a_line_has_the_level_that_is_written(level: str) -> None:
    services = FakeServices()

    log(effect_call("log", {"message": "m", "level": level.upper()}, services=services))

    assert services.lines == [(level, "m")]


@pytest.mark.parametrize(
    ("settings", "of_log", "of_activity_log"),
    [
        ({"message": "m"}, None, "continue"),
        ({"message": "m", "success": "said"}, "said", "said"),
        ({}, None, "continue"),
        ({"message": 5}, None, "continue"),
    ],
)
def test_log_is_silent_and_activity_log_goes_on(
    settings: dict[str, Any], of_log: str | None, of_activity_log: str
) -> None:
    services = FakeServices()

    said = log(effect_call("log", settings, services=services)).event
    shown = activity_log(effect_call("activity_log", settings, services=services)).event

    assert (said, shown) == (of_log, of_activity_log)
    assert services.lines == [("info", str(settings.get("message", "")))] * 2


@pytest.mark.parametrize(
    ("message", "line"),
    [({"a": [1, "ä"]}, '{"a": [1, "ä"]}'), ([], "[]"), (True, "true"), (2.5, "2.5")],
)
def test_a_message_that_is_no_text_is_written_as_json(message: Any, line: str) -> None:
    services = FakeServices()

    log(effect_call("log", {"message": message}, services=services))

    assert services.lines == [("info", line)]


@pytest.mark.parametrize("perform", [log, activity_log])
def test_a_level_that_there_is_not_is_refused_with_those_there_are(perform: Any) -> None:
    name = perform.__name__

    with pytest.raises(SettingError) as raised:
        perform(effect_call(name, {"message": "m", "level": "loud"}))

    assert str(raised.value) == (
        f"{name}: the setting 'level' is 'loud'; it may be debug, info, success, warning, error"
    )


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        ({}, 1),
        ({"duration": 0}, 0),
        ({"duration": "2.5"}, 2.5),
        ({"duration": "500ms"}, 0.5),
        ({"duration": "10m"}, 600),
        ({"duration": 86_400}, 86_400),
    ],
)
def test_sleep_is_a_delay(settings: dict[str, Any], seconds: float) -> None:
    outcome = sleep(effect_call("sleep", settings))

    assert (outcome.delay, outcome.event) == (timedelta(seconds=seconds), None)


@pytest.mark.parametrize(
    "duration", [-1, MAX_DURATION_SECONDS + 1, float("nan"), float("inf"), "long"]
)
def test_a_sleep_that_no_clock_can_measure_is_refused(duration: Any) -> None:
    with pytest.raises(SettingError, match=r"sleep: the setting 'duration' is .*; it must be"):
        sleep(effect_call("sleep", {"duration": duration}))


@pytest.mark.parametrize("settings", [{}, {"target_machine": "worker"}, {"target": "worker"}])
def test_stop_machine_finishes_its_own_machine(settings: dict[str, Any]) -> None:
    outcome = stop_machine(effect_call("stop_machine", settings))

    assert (outcome.finish, outcome.event) == (True, None)


@pytest.mark.parametrize(("success", "event"), [({}, None), ({"success": "halted"}, "halted")])
def test_stop_machine_asks_the_owner_of_another(success: dict[str, Any], event: str | None) -> None:
    services = FakeServices(running=("other",))

    outcome = stop_machine(
        effect_call("stop_machine", {"target_machine": "other", **success}, services=services)
    )

    assert (outcome.finish, outcome.event) == (False, event)
    assert services.stopped == ["other"]


def test_stop_machine_fails_if_the_other_does_not_run() -> None:
    with pytest.raises(MachineError, match="no machine named 'other' is running"):
        stop_machine(effect_call("stop_machine", {"target_machine": "other"}))


SPEAK = """
initial_state: a
context: {name: world, list: [1, {a: b}]}
actions:
  a:
    - {type: log, message: "hello {name}", level: success}
    - {type: log, message: never, level: loud}
    - {type: log, message: "{list}"}
    - {type: activity_log, message: shown, level: warning}
transitions:
  - {from: a, to: done, event: continue}
"""


async def test_lines_are_kept_with_their_levels_and_a_wrong_one_is_an_error(run: Runner) -> None:
    async with run(SPEAK) as machine:
        row = await machine.reaches("done")

        lines = [(line.outcome, line.level, line.message) for line in await machine.runs()]
        assert lines[0] == ("done", "success", "hello world")
        assert lines[1][:2] == ("failed", "error")
        assert "'loud'" in lines[1][2]
        assert lines[2:] == [
            ("done", "info", '[1, {"a": "b"}]'),
            ("done", "warning", "shown"),
        ]
        assert row.context["last_error_action"] == "log"
        assert row.context["last_error"] == lines[1][2]


NAP = """
initial_state: a
actions:
  a:
    - {type: sleep, duration: 600ms}
transitions:
  - {from: a, to: done, event: wake_up}
"""


async def test_a_sleep_outlives_its_host(run: Runner) -> None:
    async with run(NAP) as machine:
        [timer] = await machine.timers()
        assert (await machine.machine()).state == "a"

    async with run(NAP) as machine:
        row = await machine.reaches("done")

        assert row.entered_at is not None
        assert row.entered_at >= timer.due_at
        assert await machine.timers() == []


STOP_SELF = """
initial_state: a
actions:
  b:
    - {type: stop_machine}
    - {type: set_context, key: after, value: 1}
transitions:
  - {from: a, to: b, event: go}
"""


async def test_stop_machine_finishes_in_any_state_and_skips_what_is_left(run: Runner) -> None:
    async with run(STOP_SELF) as machine:
        answer = await machine.send("go")

        assert answer["status"] == "processed"
        assert await machine.ends() == 0
        row = await machine.machine()
        assert (row.status, row.state, row.context) == (Machine.Status.FINISHED, "b", {})


STOP_OTHER = """
initial_state: a
actions:
  b: [{type: stop_machine, target_machine: other1, success: asked}]
  c: [{type: stop_machine, target_machine: nobody}]
transitions:
  - {from: a, to: b, event: go}
  - {from: b, to: c, event: asked}
  - {from: c, to: failed, event: error}
"""


async def test_stop_machine_stops_another_and_fails_for_nobody(run: Runner) -> None:
    async with run(STOP_OTHER, "initial_state: x\nstates: [x]\n") as machine:
        await machine.send("go")

        row = await machine.reaches("failed")
        assert row.context["last_error"] == "no machine named 'nobody' is running"
        assert row.context["last_error_action"] == "stop_machine"
        other = replace(machine, name="other1")
        await other.until(lambda row: row.status == Machine.Status.STOPPED, "its stop")
