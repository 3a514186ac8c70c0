"""Machines that start others, as real processes: killed, stopped, and processes of their own."""

import os
import signal
from pathlib import Path

import pytest

from tests.acceptance.system import System, assert_audit_is_whole

pytestmark = pytest.mark.acceptance

PATIENT = """
template: true
initial_state: admitted
transitions:
  - {from: admitted, to: treated, event: treat}
  - {from: treated, to: completed, event: success}
actions:
  treated: [{type: complete_job, result: "{name}"}]
"""
WARD = """
metadata: {machine_name: ward}
initial_state: claiming
transitions:
  - {from: claiming, to: starting, event: new_job}
  - {from: claiming, to: claiming, event: no_jobs}
  - {from: starting, to: claiming, event: success}
actions:
  claiming: [{type: check_database_queue, job_type: patient}]
  starting:
    - type: start_fsm
      yaml_path: patient.yaml
      machine_name: "patient-{job_id}"
      context_vars: [name, job_id]
      store_pid: pid
      process: PROCESS
"""
COUNT = 40


def ward(system: System, *, process: bool) -> Path:
    """The file of a ward whose patients are in its folder."""
    (system.folder / "patient.yaml").write_text(PATIENT)
    path = system.folder / "ward.yaml"
    path.write_text(WARD.replace("PROCESS", str(process).lower()))
    return path


def admit(system: System, count: int) -> None:
    lines = (
        f'{{"job_type": "patient", "job_id": "p{number}", "data": {{"name": "name {number}"}}}}\n'
        for number in range(count)
    )
    system.ask("createjob", "--batch", "-", stdin="".join(lines))


def admitted(system: System) -> int:
    return int(
        system.value(
            "SELECT count(*) FROM machines_machine WHERE started_by = 'ward'"
            " AND status = 'running' AND process_id IS NOT NULL"
        )
    )


def treat_all(system: System, count: int) -> None:
    lines = (f'{{"target": "patient-p{number}", "type": "treat"}}\n' for number in range(count))
    system.command("sendevent", "--batch", "-", stdin="".join(lines))


def completed(system: System) -> int:
    return int(system.value("SELECT count(*) FROM queue_job WHERE status = 'completed'"))


def test_a_batch_of_instances_survives_kills_of_its_host(system: System) -> None:
    path = ward(system, process=False)
    admit(system, COUNT)

    for seconds in (0.1, 0.2, 0.3):
        host = system.run_machine(path, name="ward")
        host.kill_after(seconds)
    system.run_machine(path, name="ward")
    system.wait_until(lambda: admitted(system) == COUNT)
    treat_all(system, COUNT)
    system.wait_until(lambda: completed(system) == COUNT)
    system.wait_until_settled()

    done = system.rows("SELECT job_id, finished_by, attempts FROM queue_job ORDER BY id")
    assert done == [(f"p{number}", f"patient-p{number}", 1) for number in range(COUNT)]
    entries = system.rows(
        "SELECT machine_id FROM machines_step WHERE source IS NULL GROUP BY machine_id"
        " HAVING count(*) > 1"
    )
    assert entries == []
    assert_audit_is_whole(system)


def test_an_instance_with_a_process_of_its_own_ends_with_its_starter(system: System) -> None:
    path = ward(system, process=True)
    admit(system, 1)
    host = system.run_machine(path, name="ward")
    pid = system.wait_until(lambda: system.context("ward").get("pid"))
    system.wait_until(lambda: admitted(system) == 1)
    owner = system.value(
        "SELECT p.pid FROM machines_process p JOIN machines_machine m ON m.process_id = p.id"
        " WHERE m.name = 'patient-p0'"
    )

    host.signal(signal.SIGTERM)
    code = host.end()

    assert code == 0
    assert owner == pid != host.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert system.status("patient-p0") == "running"  # under way, with nobody who runs it
    assert list(system.run_dir.glob("*.sock")) == []


def test_an_instance_that_had_a_process_goes_on_with_its_starter(system: System) -> None:
    path = ward(system, process=True)
    admit(system, 1)
    host = system.run_machine(path, name="ward")
    system.wait_until(lambda: admitted(system) == 1)
    host.signal(signal.SIGTERM)
    host.end()

    system.run_machine(path, name="ward")
    treat_all(system, 1)
    system.wait_until(lambda: completed(system) == 1)

    assert system.value("SELECT finished_by FROM queue_job") == "patient-p0"


def test_a_process_of_its_own_treats_the_job_that_it_was_handed(system: System) -> None:
    path = ward(system, process=True)
    admit(system, 2)
    system.run_machine(path, name="ward")
    system.wait_until(lambda: admitted(system) == 2)

    treat_all(system, 2)
    system.wait_until(lambda: completed(system) == 2)

    done = system.rows("SELECT job_id, result, finished_by FROM queue_job ORDER BY id")
    assert done == [
        ("p0", '"name 0"', "patient-p0"),
        ("p1", '"name 1"', "patient-p1"),
    ]
