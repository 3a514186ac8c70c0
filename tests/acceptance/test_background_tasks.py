"""run_task with the real workers: the outcome comes back, also after a kill of the host."""

import pytest

from tests.acceptance.system import System

pytestmark = pytest.mark.acceptance

MACHINE = """
metadata: {machine_name: asker}
initial_state: ready
transitions:
  - {from: ready, to: asking, event: go}
  - {from: asking, to: done, event: success}
  - {from: asking, to: failed, event: error}
actions:
  asking:
    - type: run_task
      function: FUNCTION
      args: ["{event_data.payload.number}"]
      store_as: answer
      timeout: 1m
"""


def asker(system: System, function: str) -> str:
    path = system.folder / "asker.yaml"
    path.write_text(MACHINE.replace("FUNCTION", function))
    return str(path)


def test_the_workers_answer_a_machine_that_was_killed_meanwhile(system: System) -> None:
    path = asker(system, "math.sqrt")
    host = system.run_machine(path, name="asker")
    system.tell("asker", {"type": "go", "payload": {"number": 49}})
    system.wait_until(lambda: system.value("SELECT count(*) FROM django_q_ormq") == 1)
    host.kill()

    system.start("qcluster")
    system.wait_until(lambda: system.value("SELECT outcome FROM machines_run") == "done")
    system.run_machine(path, name="asker")
    system.wait_until(lambda: system.state("asker") == "done")

    assert system.context("asker")["answer"] == 7
    assert system.value("SELECT count(*) FROM machines_run WHERE token <> ''") == 1


def test_a_function_that_fails_in_the_workers_is_an_error(system: System) -> None:
    system.start("qcluster")
    system.run_machine(asker(system, "math.sqrt"), name="asker")

    system.tell("asker", {"type": "go", "payload": {"number": -1}})
    system.wait_until(lambda: system.state("asker") == "failed")

    assert "math.sqrt: ValueError" in system.context("asker")["last_error"]
