"""Each further example is run for real: what it does, what it makes, and what it survives."""

import hashlib
import json
import signal
import tarfile
from pathlib import Path
from typing import Any

import pytest

from machines.actions.files import types_in
from tests.acceptance.system import EXAMPLES, Running, System, assert_audit_is_whole
from tests.machines.custom_files import execute

ACTIONS = EXAMPLES / "custom_actions/actions"
acceptance = pytest.mark.acceptance


def example(folder: str, name: str) -> Path:
    """The file of a machine."""
    return EXAMPLES / folder / "config" / f"{name}.yaml"


def send(system: System, target: str, event: str, **payload: Any) -> dict[str, Any]:
    """What ``sendevent`` says."""
    words = ("--target", target, "--type", event, "--payload", json.dumps(payload), "--wait")
    reply: dict[str, Any] = system.ask("sendevent", *words)
    return reply


def create_jobs(system: System, *jobs: dict[str, Any]) -> None:
    system.ask("createjob", "--batch", "-", stdin="".join(f"{json.dumps(job)}\n" for job in jobs))


def ended(system: System) -> dict[str, tuple[str, Any]]:
    """The jobs that have ended: how, and with what result."""
    found = system.rows(
        "SELECT job_id, status, result FROM queue_job WHERE status IN ('completed', 'failed')"
    )
    return {job_id: (status, json.loads(result or "null")) for job_id, status, result in found}


# -- timeouts


@acceptance
def test_an_approval_that_nobody_answers_is_reminded_escalated_and_expires(system: System) -> None:
    approval = system.run_machine("approval", name="approval")

    send(system, "approval", "request", subject="ship it")

    assert approval.end() == 0
    assert system.steps("approval")[1:] == [
        ("request", "waiting", "asking"),
        ("timeout(2)", "asking", "asking"),
        ("timeout(2)", "asking", "asking"),
        ("timeout(5)", "asking", "escalated"),
        ("timeout(4)", "escalated", "expired"),
    ]
    assert "Reminder: may we ship it?" in approval.said


@acceptance
def test_an_approval_called_off_stops_the_work(system: System) -> None:
    approval = system.run_machine(example("timeouts", "approval"), name="approval")
    send(system, "approval", "request", subject="count the stars", seconds=3600)
    send(system, "approval", "approve")
    system.wait_until(lambda: "Now we count the stars" in approval.said)

    send(system, "approval", "call_off")

    assert approval.end() == 0
    assert (system.state("approval"), system.status("approval")) == ("aborted", "finished")


# -- guards and retries


def run_order(system: System) -> Running:
    """Run the order, with its labels in the system's own folder."""
    labels = json.dumps({"labels": "labels.txt"})
    return system.run_machine("order", "--initial-context", labels, name="order")


def order(**more: Any) -> dict[str, Any]:
    return {"id": "A-1", "amount": 20, "country": "FI", "card": "visa", **more}


@acceptance
def test_an_order_is_paid_at_the_third_attempt_and_has_one_label(system: System) -> None:
    run = run_order(system)
    nothing = json.dumps(order(amount=0))

    words = ("--target", "order", "--type", "order", "--payload", nothing, "--wait")
    refused = system.command("sendevent", *words)
    send(system, "order", "order", **order(failures=2))

    assert (refused.code, "payload.amount: 0 is less than" in refused.err) == (1, True)
    assert run.end() == 0
    assert system.state("order") == "shipped"
    assert "paid 20 at the attempt 3" in run.said
    assert (system.folder / "labels.txt").read_text() == "A-1\n"


@acceptance
def test_after_a_kill_a_label_is_not_printed_twice(system: System) -> None:
    labels = system.folder / "labels.txt"
    run = run_order(system)
    send(system, "order", "order", **order(amount=1001, seconds=3600))
    send(system, "order", "approve")
    system.wait_until(lambda: labels.exists() and labels.read_text())

    run.kill()
    again = run_order(system)
    system.wait_until(lambda: system.state("order") == "checking")
    send(system, "order", "found")

    assert again.end() == 0
    assert system.state("order") == "shipped"
    assert labels.read_text() == "A-1\n"


# -- custom actions


@acceptance
def test_a_backup_holds_the_folder_and_only_the_newest_stay(system: System) -> None:
    (system.folder / "letters").mkdir()
    (system.folder / "letters/first.txt").write_text("Dear reader")
    context = json.dumps({"folder": "letters", "archives": "archives", "keep": 2})
    archives = system.folder / "archives"

    system.run_machine("backup", "--initial-context", context, name="backup")
    for _ in range(3):
        system.wait_until(lambda: system.state("backup") == "sleeping")
        send(system, "backup", "back_up")
    system.wait_until(lambda: system.state("backup") == "sleeping")

    made = system.context("backup")["archive"]
    found = sorted(path.name for path in archives.glob("*.tar.gz"))
    assert len(found) == 2
    assert found[-1] == Path(made["path"]).name
    newest = (archives / found[-1]).read_bytes()
    assert hashlib.sha256(newest).hexdigest() == made["sha256"]
    with tarfile.open(archives / found[-1]) as archive:
        assert archive.getnames() == ["letters/first.txt"]


@acceptance
def test_a_backup_of_a_folder_that_is_not_there_fails_and_says_so(system: System) -> None:
    context = json.dumps({"folder": "nowhere"})

    backup = system.run_machine("backup", "--initial-context", context, name="backup")
    why = "No backup of nowhere: NotADirectoryError: 'nowhere' is no folder"
    system.wait_until(lambda: why in backup.said)

    assert system.state("backup") == "failed"


async def test_archive_folder_archives_neither_archives_nor_folders_of_others(
    tmp_path: Path,
) -> None:
    (archive, prune) = types_in(ACTIONS)
    (tmp_path / "home/deep").mkdir(parents=True)
    (tmp_path / "home/deep/a.txt").write_text("a")
    places = {"folder": str(tmp_path / "home"), "archives": str(tmp_path / "home/archives")}

    first = await execute(archive, places)
    second = await execute(archive, {**places, "store_as": "copy"})
    foreign = tmp_path / "home/archives/home-of-others.tar.gz"
    foreign.write_text("not ours")
    (tmp_path / "home/archives/home-2020Z.tar.gz.unfinished").write_text("half")
    pruned = await execute(prune, {**places, "keep": 1})

    made = first.outcome.changes["archive"]
    assert (first.outcome.event, made["files"]) == ("archived", 1)
    assert second.outcome.changes["copy"]["files"] == 1
    assert pruned.outcome.changes["removed_archives"] == [
        Path(made["path"]).name,
        "home-2020Z.tar.gz.unfinished",
    ]
    kept = Path(second.outcome.changes["copy"]["path"])
    left = {path.name for path in (tmp_path / "home/archives").iterdir()}
    assert left == {kept.name, f"{kept.name}.sha256", foreign.name}


# -- patients


@acceptance
def test_every_patient_leaves_once_though_the_emergency_room_is_killed(system: System) -> None:
    count = 20
    file = example("patients", "emergency_room")
    create_jobs(
        system,
        *(
            {
                "job_type": "patient",
                "job_id": f"p{number}",
                "data": {"name": f"Patient {number}", "severity": number % 6 + 1},
            }
            for number in range(count)
        ),
    )

    room = system.run_machine(file, name="emergency_room")
    system.wait_until(lambda: len(ended(system)) >= 3)
    room.kill()
    system.run_machine(file, name="emergency_room")
    system.wait_until(lambda: len(ended(system)) == count)
    system.wait_until(lambda: system.state("emergency_room") == "looking")
    system.wait_until_settled()

    hopeless = {f"p{number}" for number in range(count) if number % 6 == 5}
    assert {job for job, (how, _) in ended(system).items() if how == "failed"} == hopeless
    assert ended(system)["p0"] == ("completed", "Patient 0 is well")
    by = system.rows("SELECT job_id, finished_by, attempts FROM queue_job ORDER BY id")
    assert by == [(f"p{number}", f"patient-p{number}", 1) for number in range(count)]
    assert system.context("emergency_room")["patients"] == []
    assert_audit_is_whole(system)


# -- two systems


@acceptance
def test_each_lamp_is_sold_once_though_the_warehouse_was_away(system: System) -> None:
    shop = system.run_machine(example("two_systems", "shop"), name="shop")
    customers = ("Anna", "Bert", "Carl", "Dora")
    create_jobs(
        system,
        *({"job_type": "sale", "job_id": name, "data": {"customer": name}} for name in customers),
    )
    system.wait_until(lambda: system.state("shop") == "overdue")

    away = system.run_machine(example("two_systems", "warehouse"), name="warehouse")
    system.wait_until(lambda: system.state("warehouse") == "packing")
    away.kill()
    system.run_machine(example("two_systems", "warehouse"), name="warehouse")
    system.wait_until(lambda: len(ended(system)) == len(customers))

    assert ended(system) == {
        "Anna": ("completed", "lamp 1"),
        "Bert": ("completed", "lamp 2"),
        "Carl": ("completed", "lamp 3"),
        "Dora": ("failed", None),
    }
    system.wait_until_settled()
    assert_audit_is_whole(system)
    shop.signal(signal.SIGTERM)
    assert shop.end() == 0
    assert system.status("shop") == "stopped"


@acceptance
def test_the_script_runs_both_systems_until_ctrl_c(system: System) -> None:
    script = system.start_program([str(EXAMPLES / "two_systems/run.sh")], "run.sh")
    system.wait_until(
        lambda: {system.status(name) for name in ("shop", "warehouse")} == {"running"}
    )

    script.press_ctrl_c()
    script.end()

    assert {system.status(name) for name in ("shop", "warehouse")} == {"stopped"}


# -- all of them


@acceptance
def test_the_tests_beside_the_examples_pass_and_come_by_everything(system: System) -> None:
    report = system.ask("testmachines", str(EXAMPLES), "--coverage")

    untested = [line["what"] for found in report["coverage"] for line in found["untested"]]
    assert [test for test in report["tests"] if not test["passed"]] == []
    # Sending takes no time in a rehearsal; live, stop can come in between.
    assert untested == ["dispatching --stop--> stopped"]
