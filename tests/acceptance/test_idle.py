"""A machine that rests writes nothing, and wakes at once."""

import pytest

from tests.acceptance.system import FIXTURES, SQLITE_FILES, System

IDLE_SECONDS = 3.0  # longer than the host's sweep of its inbox

pytestmark = pytest.mark.acceptance


def test_a_machine_that_waits_for_a_job_writes_nothing_until_one_comes(system: System) -> None:
    host = system.run_machine(FIXTURES / "idler.yaml", name="idler")
    system.wait_until(lambda: system.value("SELECT max(seq) FROM machines_step") == 2)
    before = on_disk(system)

    silent = system.silent_for(IDLE_SECONDS)
    after = on_disk(system)
    system.ask("createjob", "--type", "anything")

    assert silent
    assert after == before
    assert host.end() == 0
    waited = system.value(
        "SELECT (julianday(s.at) - julianday(j.created_at)) * 86400 FROM machines_step s"
        " JOIN queue_job j WHERE s.event = 'new_job'"
    )
    assert waited < 1
    assert system.rows("SELECT status FROM queue_job") == [("completed",)]
    assert [event for event, _source, _target in system.steps("idler")] == [
        "start",
        "no_jobs",
        "new_job",
    ]


def on_disk(system: System) -> list[bytes]:
    """All that the database is."""
    return [
        system.database.with_name(system.database.name + part).read_bytes() for part in SQLITE_FILES
    ]
