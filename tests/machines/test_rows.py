"""The rows of a transaction: written in bulk, guarded by what this host believes."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from machines.models import Event, Machine, MachineDefinition, Run, Step, Timer
from machines.runtime.dialects import Dialect, dialect_of
from machines.runtime.rows import Contested, EventRow, Fenced, Rows, as_json

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def dialect(db: None) -> Iterator[Dialect]:
    """The dialect of the tests' database."""
    with closing(dialect_of(connection)) as found:
        yield found


@pytest.fixture
def rows(dialect: Dialect) -> Rows:
    """The rows of a transaction."""
    return Rows(dialect)


@pytest.fixture
def machine(db: None) -> Machine:
    """A machine at its third step, in its second hands."""
    definition = MachineDefinition.objects.create(name="d", version=1, sha256="0", source="")
    return Machine.objects.create(name="worker", definition=definition, seq=3, epoch=2)


def event_row(rows: Rows, **columns: Any) -> EventRow:
    """An event to be inserted."""
    given: dict[str, Any] = {
        "key": "k",
        "source": "s",
        "target": "worker",
        "type": "go",
        "payload": b'{"n":1}',
        "job_id": "j",
        "actor": "me",
        "created_at": NOW,
    }
    return EventRow(id=rows.new_id("machines_event"), **(given | columns))


def step(rows: Rows, machine: Machine, seq: int, event_id: int | None = None) -> None:
    """A step to be inserted."""
    columns = (
        machine.pk, seq, "go", event_id, "a", "b", 0, as_json([[0, True]]), as_json({"n": seq}), "",
        machine.definition_id,
    )  # fmt: skip
    rows.add_step(columns, NOW)


def run(rows: Rows, machine: Machine, token: str, *, ended: bool = False) -> None:
    """A run to be inserted."""
    outcome = "done" if ended else "running"
    columns = (machine.pk, 3, 0, "bash", 1, token, outcome, "info", "", "", None, "", None)
    rows.add_run(columns, NOW, NOW if ended else None)


def timer(rows: Rows, machine: Machine, name: str) -> int:
    """A timer to be inserted."""
    return rows.add_timer((machine.pk, 3, name, 0, as_json([-1, 0])), LATER)


def update(rows: Rows, machine: Machine, *, seq: int = 3, epoch: int = 2, at: int = 4) -> None:
    """Let a machine that is believed to be at ``seq`` be at ``at``."""
    columns = (
        machine.definition_id, as_json(["open"]), as_json({"at": at}), as_json({}), None, None, "",
        "running", "", at, None, None, machine.pk, seq, epoch,
    )  # fmt: skip
    rows.update_machine(machine.pk, columns)


# -- what is written


def test_an_event_is_written_with_all_that_is_known_of_it(rows: Rows) -> None:
    row = event_row(rows)
    rows.add_event(row)

    rows.flush()

    event = Event.objects.get(pk=row.id)
    assert (event.key, event.source, event.target, event.type) == ("k", "s", "worker", "go")
    assert (event.payload, event.job_id, event.actor) == ({"n": 1}, "j", "me")
    assert (event.status, event.reason, event.created_at) == ("pending", "", NOW)
    assert event.processed_at is None


def test_an_event_without_payload_has_none(rows: Rows) -> None:
    rows.add_event(event_row(rows, payload=None))

    rows.flush()

    assert Event.objects.get().payload is None


def test_an_event_that_ends_before_it_is_written_is_written_as_ended(rows: Rows) -> None:
    row = event_row(rows)
    rows.add_event(row)
    rows.end_event(row.id, "ignored", "no reason", LATER)

    rows.flush()

    event = Event.objects.get()
    assert (event.status, event.reason, event.processed_at) == ("ignored", "no reason", LATER)


def test_an_event_that_was_written_before_is_ended(rows: Rows) -> None:
    row = event_row(rows)
    rows.add_event(row)
    rows.flush()

    rows.end_event(row.id, "processed", "", LATER)
    rows.flush()

    event = Event.objects.get()
    assert (event.status, event.processed_at) == ("processed", LATER)


def test_steps_are_written_in_their_order(rows: Rows, machine: Machine) -> None:
    for seq in (4, 5, 6):
        step(rows, machine, seq)

    rows.flush()

    written = Step.objects.order_by("id")
    assert [entry.seq for entry in written] == [4, 5, 6]
    first = written[0]
    assert (first.source, first.target, first.event, first.at) == ("a", "b", "go", NOW)
    assert (first.guard, first.changes, first.transition) == ([[0, True]], {"n": 4}, 0)


def test_a_run_that_is_begun_and_ended_in_one_transaction_is_ended(
    rows: Rows, machine: Machine
) -> None:
    run(rows, machine, "t")
    rows.end_run("t", ("failed", "exit code 3", "out", 3, "job_failed"), LATER)

    rows.flush()

    [written] = Run.objects.all()
    assert (written.outcome, written.message, written.output) == ("failed", "exit code 3", "out")
    assert (written.exit_code, written.event) == (3, "job_failed")
    assert (written.started_at, written.ended_at) == (NOW, LATER)


def test_an_event_that_is_longer_than_its_column_is_cut(rows: Rows, machine: Machine) -> None:
    run(rows, machine, "t")
    rows.end_run("t", ("done", "", "", 0, "x" * 300), LATER)

    rows.flush()

    assert Run.objects.get().event == "x" * 200
    assert Run._meta.get_field("event").max_length == 200


def test_output_is_that_of_a_running_run_only(rows: Rows, machine: Machine) -> None:
    run(rows, machine, "busy")
    run(rows, machine, "over")
    rows.end_run("over", ("done", "", "whole", 0, ""), LATER)
    rows.run_output("busy", "half")
    rows.run_output("over", "half")

    rows.flush()

    assert dict(Run.objects.values_list("token", "output")) == {"busy": "half", "over": "whole"}


def test_a_run_is_lost_only_if_nobody_knows_how_it_ended(rows: Rows, machine: Machine) -> None:
    for token in ("busy", "over"):
        run(rows, machine, token)
    rows.end_run("over", ("stopped", "its state was left", "", None, ""), NOW)
    for token in ("busy", "over"):
        rows.cut_run(token, "lost", "its host ended", LATER)

    rows.flush()

    assert dict(Run.objects.values_list("token", "outcome")) == {"busy": "lost", "over": "stopped"}
    assert Run.objects.get(outcome="lost").message == "its host ended"


def test_lines_have_no_token_and_are_not_ended_by_an_empty_one(
    rows: Rows, machine: Machine
) -> None:
    run(rows, machine, "", ended=True)
    rows.end_run("", ("failed", "", "", None, ""), LATER)
    rows.cut_run("", "lost", "", LATER)

    rows.flush()

    assert Run.objects.get().outcome == "done"


def test_timers_are_written_and_deleted(rows: Rows, machine: Machine) -> None:
    kept, gone = timer(rows, machine, "kept"), timer(rows, machine, "gone")
    rows.flush()

    rows.delete_timer(gone)
    rows.flush()

    [left] = Timer.objects.all()
    assert (left.pk, left.name, left.due_at, left.action) == (kept, "kept", LATER, [-1, 0])


def test_a_timer_that_is_set_and_deleted_in_one_transaction_is_never_written(
    rows: Rows, machine: Machine
) -> None:
    rows.delete_timer(timer(rows, machine, "gone"))

    rows.flush()

    assert not Timer.objects.exists()


def test_of_several_updates_of_a_machine_the_last_counts(rows: Rows, machine: Machine) -> None:
    update(rows, machine, at=4)
    update(rows, machine, at=6)

    rows.flush()

    machine.refresh_from_db()
    assert (machine.seq, machine.states, machine.context) == (6, ["open"], {"at": 6})
    assert (machine.status, machine.epoch) == ("running", 2)


def test_all_that_was_collected_is_written_at_once_and_only_once(
    rows: Rows, machine: Machine
) -> None:
    row = event_row(rows)
    rows.add_event(row)
    rows.end_event(row.id, "processed", "", NOW)
    step(rows, machine, 4, row.id)
    run(rows, machine, "t")
    timer(rows, machine, "deadline")
    update(rows, machine)

    for _ in range(2):
        rows.flush()

    assert [model.objects.count() for model in (Event, Step, Run, Timer)] == [1, 1, 1, 1]
    assert Step.objects.get().event_row_id == row.id


def test_ids_of_tables_are_counted_apart(rows: Rows) -> None:
    events = [rows.new_id("machines_event") for _ in range(2)]
    steps = [rows.new_id("machines_step") for _ in range(2)]

    assert [b - a for a, b in (events, steps)] == [1, 1]


# -- whether anything was written


def test_nothing_is_written_by_nothing(rows: Rows) -> None:
    rows.flush()

    assert not rows.written


@pytest.mark.parametrize("what", ["event", "step", "run", "timer", "update", "end"])
def test_whoever_looks_at_the_record_is_told_if_anything_was_written(
    rows: Rows, machine: Machine, what: str
) -> None:
    event = Event.objects.create(key="old", target="worker", type="go")
    does: dict[str, Callable[[], object]] = {
        "event": lambda: rows.add_event(event_row(rows)),
        "step": lambda: step(rows, machine, 4),
        "run": lambda: run(rows, machine, "t"),
        "timer": lambda: timer(rows, machine, "deadline"),
        "update": lambda: update(rows, machine),
        "end": lambda: rows.end_event(event.pk, "processed", "", NOW),
    }
    does[what]()

    rows.flush()

    assert rows.written


def test_what_is_forgotten_is_not_written(rows: Rows, machine: Machine) -> None:
    event = Event.objects.create(key="old", target="worker", type="go")
    rows.add_event(event_row(rows))
    rows.end_event(event.pk, "processed", "", NOW)
    step(rows, machine, 4)
    run(rows, machine, "t")
    rows.end_run("t", ("done", "", "", 0, ""), NOW)
    rows.cut_run("t", "lost", "", NOW)
    rows.run_output("t", "out")
    rows.delete_timer(timer(rows, machine, "deadline"))
    timer(rows, machine, "deadline")
    update(rows, machine)

    rows.forget()
    rows.flush()

    assert not rows.written
    assert [model.objects.count() for model in (Event, Step, Run, Timer)] == [1, 0, 0, 0]
    event.refresh_from_db()
    assert event.status == "pending"


# -- guards


@pytest.mark.parametrize(("seq", "epoch"), [(3, 1), (3, 3), (2, 2), (4, 2)])
def test_a_machine_that_is_not_what_its_host_believes_fences_the_host(
    rows: Rows, machine: Machine, seq: int, epoch: int
) -> None:
    update(rows, machine, seq=seq, epoch=epoch)

    with pytest.raises(Fenced):
        rows.flush()

    machine.refresh_from_db()
    assert (machine.seq, machine.states) == (3, [])


@pytest.mark.parametrize("status", ["processed", "ignored", "expired"])
def test_an_event_that_somebody_else_ended_is_contested(rows: Rows, status: str) -> None:
    event = Event.objects.create(key="k", target="worker", type="go", status=status)
    rows.end_event(event.pk, "failed", "", NOW)

    with pytest.raises(Contested):
        rows.flush()

    event.refresh_from_db()
    assert event.status == status


def test_an_event_that_was_pruned_is_contested(rows: Rows) -> None:
    rows.end_event(999_999, "processed", "", NOW)

    with pytest.raises(Contested):
        rows.flush()
