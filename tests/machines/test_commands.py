"""sendevent, listevents, machinestate, history and controlmachine, as they are called."""

import io
import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from jobqueue.console import Exit

from machines.management.commands import sendevent
from machines.models import Event, Machine, MachineDefinition, Process, Step
from machines.runtime import intake, ownership
from machines.runtime.batch import WINDOW
from machines.runtime.sending import Reply

MakeMachine = Callable[..., Machine]
Answer = Callable[[dict[str, Any]], dict[str, Any] | None]

pytestmark = pytest.mark.django_db


@pytest.fixture
def definition(db: None) -> MachineDefinition:
    return MachineDefinition.objects.create(
        name="sorter", version=3, sha256="a" * 64, source="states: [waiting]\n"
    )


@pytest.fixture
def make_machine(definition: MachineDefinition) -> MakeMachine:
    def make(name: str = "m1", **columns: Any) -> Machine:
        given = {"states": ["waiting"], "status": Machine.Status.STOPPED, **columns}
        return Machine.objects.create(name=name, definition=definition, **given)

    return make


@pytest.fixture
def elsewhere(db: None) -> Process:
    """A live host on another computer."""
    return Process.objects.create(kind="host", host="elsewhere", pid=7)


@pytest.fixture
def run_here(
    make_machine: MakeMachine, tmp_path: Path, settings: Any
) -> Iterator[Callable[[Answer], Machine]]:
    """Runs a machine by a host in this process that answers as it is told; None: it hangs up."""
    settings.SM_RUN_DIR = str(tmp_path)
    lock = ownership.HostLock()
    lock.acquire()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(tmp_path / "host.sock"))
    listener.listen()
    hosts: list[threading.Thread] = []

    def run(answer: Answer) -> Machine:
        hosts.append(threading.Thread(target=_serve, args=(listener, answer)))
        hosts[0].start()
        process = ownership.register_host(str(tmp_path / "host.sock"), "", timezone.now())
        return make_machine(status=Machine.Status.RUNNING, process=process)

    yield run
    listener.shutdown(socket.SHUT_RDWR)
    for host in hosts:
        host.join()
    listener.close()
    lock.release()


def _serve(listener: socket.socket, answer: Answer) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                said = answer(json.loads(line))
                if said is None:
                    break
                connection.sendall(json.dumps(said).encode() + b"\n")


def accepts(frame: dict[str, Any]) -> dict[str, Any]:
    """A host that takes every event."""
    return {"ok": True, "event": 17, "status": "processed", "state": "processing"}


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def parsed(*arguments: str) -> Any:
    return json.loads(printed(*arguments, "--format", "json"))


def talked(*arguments: str) -> str:
    err = io.StringIO()
    call_command(*arguments, stdout=io.StringIO(), stderr=err)
    return err.getvalue()


def refused(*arguments: str) -> tuple[int, str, str]:
    """Exit code, fault and what was printed all the same."""
    out = io.StringIO()
    with pytest.raises(CommandError) as fault:
        call_command(*arguments, stdout=out, stderr=out)
    return fault.value.returncode, str(fault.value), out.getvalue()


# -- sendevent


def test_sendevent_leaves_an_event_in_the_inbox_of_a_machine_that_is_down(
    make_machine: MakeMachine,
) -> None:
    make_machine()
    flags = ["--target", "m1", "--type", "go", "--payload", '{"a": 1}', "--job-id", "j"]
    flags += ["--source", "s", "--key", "k"]

    shown = parsed("sendevent", *flags)
    again = parsed("sendevent", *flags)

    event = Event.objects.get()
    assert (event.type, event.payload, event.job_id) == ("go", {"a": 1}, "j")
    assert (event.source, event.key, event.actor) == ("s", "k", "sendevent")
    assert shown == again
    assert shown == {
        "event": event.pk,
        "status": "accepted",
        "running": False,
        "machine": "m1",
        "state": "waiting",
        "reason": None,
    }


def test_sendevent_reads_a_payload_from_standard_input(
    make_machine: MakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_machine()
    monkeypatch.setattr(sys, "stdin", io.StringIO("[1, 2]"))

    shown = printed("sendevent", "--target", "m1", "--type", "go", "--payload", "-")

    event = Event.objects.get()
    assert event.payload == [1, 2]
    assert shown == f"event {event.pk} accepted for m1, which is down\n"


def test_sendevent_names_the_machine_that_was_meant(make_machine: MakeMachine) -> None:
    make_machine("resizer")

    code, fault, _ = refused("sendevent", "--target", "resiser", "--type", "go")

    assert code == Exit.UNKNOWN
    assert fault.startswith("no machine named 'resiser'; did you mean 'resizer'?")
    assert not Event.objects.exists()


def test_sendevent_queues_for_a_name_that_nothing_has() -> None:
    shown = parsed("sendevent", "--target", "nobody", "--type", "go", "--queue")

    assert (shown["machine"], shown["running"], shown["state"]) == ("nobody", False, None)
    assert Event.objects.get().target == "nobody"


def test_sendevent_takes_a_definition_for_a_machine_to_come(
    definition: MachineDefinition,
) -> None:
    assert parsed("sendevent", "--target", "sorter", "--type", "go")["status"] == "accepted"


@pytest.mark.parametrize(
    ("flags", "code", "complaint"),
    [
        (["--type", "go"], Exit.USAGE, "--target is missing"),
        (["--target", "m1"], 1, "one of the arguments --type --batch is required"),
        (["--target", "m1", "--type", "a", "--batch", "f"], 1, "not allowed with"),
        (["--target", "m1", "--batch", "f", "--job-id", "j"], Exit.USAGE, "--job-id cannot stand"),
        (["--target", "m1", "--batch", "/nowhere"], Exit.FAILED, "/nowhere: cannot be read"),
        (["--target", "m1", "--type", "timeout(5)"], Exit.FAILED, "nobody can send it"),
        (["--target", "m1", "--type", "go", "--payload", "{"], 1, "is not JSON"),
        (["--target", "m1", "--type", "go", "--wait", "-1"], 1, "is not a number of seconds"),
        (["--target", "m1", "--type", "go", "--wait", "x"], 1, "is not a number of seconds"),
        (["--target", "../m", "--type", "go", "--queue"], Exit.FAILED, "no machine's name"),
    ],
)
def test_sendevent_refuses(
    make_machine: MakeMachine, flags: list[str], code: int, complaint: str
) -> None:
    make_machine()

    found, fault, _ = refused("sendevent", *flags)

    assert complaint in fault
    assert found == code
    assert not Event.objects.exists()


def test_sendevent_refuses_a_payload_over_256_kib(make_machine: MakeMachine) -> None:
    make_machine()
    payload = json.dumps("x" * intake.MAX_PAYLOAD_BYTES)

    code, fault, _ = refused("sendevent", "--target", "m1", "--type", "go", "--payload", payload)

    assert (code, fault) == (Exit.FAILED, "payload: 262146 bytes; at most 262144 are taken")


def test_sendevent_is_refused_by_a_full_inbox(
    make_machine: MakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_machine()
    monkeypatch.setattr(intake, "MAX_PENDING_EVENTS", 2)
    for _ in range(2):
        printed("sendevent", "--target", "m1", "--type", "go")

    code, fault, _ = refused("sendevent", "--target", "m1", "--type", "go")

    assert (code, fault) == (Exit.FAILED, "the inbox of 'm1' is full: 2 events wait already")


def test_sendevent_tells_that_a_finished_machine_ignored_it(make_machine: MakeMachine) -> None:
    make_machine(status=Machine.Status.FINISHED)
    flags = ("sendevent", "--target", "m1", "--type", "go")

    unwaited = printed(*flags)
    code, fault, shown = refused(*flags, "--wait", "--format", "json")

    assert unwaited.endswith(" ignored: machine 'm1' is finished\n")
    assert code == Exit.IGNORED
    assert fault.endswith(" ignored: machine 'm1' is finished")
    assert json.loads(shown)["reason"] == "machine 'm1' is finished"


def test_sendevent_does_not_wait_for_a_machine_that_is_down(make_machine: MakeMachine) -> None:
    make_machine()

    code, fault, shown = refused("sendevent", "--target", "m1", "--type", "go", "--wait", "3600")

    assert code == Exit.TIMED_OUT
    assert fault.endswith("accepted for m1, which is down")
    assert shown == ""


def test_sendevent_stops_to_wait_for_a_host_elsewhere(
    make_machine: MakeMachine, elsewhere: Process
) -> None:
    make_machine(status=Machine.Status.RUNNING, process=elsewhere)

    code, fault, _ = refused("sendevent", "--target", "m1", "--type", "go", "--wait", "0.1")

    assert code == Exit.TIMED_OUT
    assert fault.endswith("accepted by m1; it has not ended in time")


def test_sendevent_hears_the_end_that_a_host_elsewhere_puts_on_record(
    make_machine: MakeMachine, elsewhere: Process
) -> None:
    make_machine(status=Machine.Status.RUNNING, process=elsewhere)
    event = Event.objects.create(key="k", target="m1", type="go", status="pending")
    reply = Reply(event.pk, "accepted", True, "m1", "waiting")
    Event.objects.update(status="failed", reason="payload: no number")

    ended = sendevent.ended(reply, float("inf"))

    assert (ended.status, ended.reason) == ("failed", "payload: no number")


@pytest.mark.parametrize(
    ("said", "code", "line"),
    [
        (
            {"ok": True, "event": 17, "status": "processed", "state": "processing"},
            Exit.DONE,
            "event 17 processed: m1 is now in processing\n",
        ),
        ({"ok": True, "event": 17, "status": "accepted"}, Exit.DONE, "event 17 accepted by m1\n"),
        (
            {"ok": True, "event": 17, "status": "failed", "reason": "payload: no number"},
            Exit.FAILED,
            "event 17 failed: payload: no number",
        ),
        ({"ok": False, "code": "full", "error": "the inbox is full"}, Exit.FAILED, "the inbox"),
    ],
)
def test_sendevent_says_what_the_host_answers(
    run_here: Callable[[Answer], Machine], said: dict[str, Any], code: int, line: str
) -> None:
    run_here(lambda frame: said)
    flags = ("sendevent", "--target", "m1", "--type", "go")

    if code == Exit.DONE:
        assert printed(*flags) == line
    else:
        found, fault, _ = refused(*flags)
        assert found == code
        assert fault.startswith(line)


def test_sendevent_asks_the_host_to_wait(run_here: Callable[[Answer], Machine]) -> None:
    frames: list[dict[str, Any]] = []

    def answer(frame: dict[str, Any]) -> dict[str, Any]:
        frames.append(frame)
        return {"ok": True, "event": 17, "status": "accepted", "timed_out": True}

    run_here(answer)

    code, _, _ = refused("sendevent", "--target", "m1", "--type", "go", "--wait", "0")

    assert code == Exit.TIMED_OUT
    assert frames[0]["wait"] == 0
    assert frames[0]["key"]


# -- sendevent --batch


def batch(path: Path, *lines: str | dict[str, Any]) -> str:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts), encoding="utf-8")
    return str(path)


def replies(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_sendevent_batch_prints_a_reply_for_each_line_in_order(
    make_machine: MakeMachine, tmp_path: Path
) -> None:
    make_machine("m1")
    make_machine("m2")
    file = batch(
        tmp_path / "events",
        {"type": "a", "payload": {"n": 1}},
        "",
        {"type": "b", "target": "m2", "key": "k", "job_id": "j", "source": "s"},
        {"type": "b", "target": "m2", "key": "k"},
    )

    shown = replies(printed("sendevent", "--target", "m1", "--source", "me", "--batch", file))

    first, second = Event.objects.order_by("id")
    assert [reply["event"] for reply in shown] == [first.pk, second.pk, second.pk]
    assert (first.target, first.payload, first.source) == ("m1", {"n": 1}, "me")
    assert (second.target, second.key, second.job_id, second.source) == ("m2", "k", "j", "s")


def test_sendevent_batch_names_bad_lines_and_sends_the_others(
    make_machine: MakeMachine, tmp_path: Path
) -> None:
    make_machine()
    make_machine("resizer")
    file = batch(
        tmp_path / "events",
        "{",
        {"type": "a", "target": "m1"},
        "[1]",
        {"type": "a", "target": "m1", "wait": 1},
        {"type": "a"},
        {"target": "m1"},
        {"type": "a", "target": "resiser"},
        {"type": "a", "target": "m1", "payload": "x" * intake.MAX_PAYLOAD_BYTES},
        " " * 2_000_000 + "{}",
        {"type": "b", "target": "m1"},
    )

    code, fault, shown = refused("sendevent", "--batch", file)

    bad = [line.removeprefix(file) for line in shown.splitlines() if not line.startswith("{")]
    assert (code, len(replies(shown))) == (Exit.FAILED, 2)
    assert fault == "8 events were not accepted, or failed; the others were sent"
    assert [event.type for event in Event.objects.order_by("id")] == ["a", "b"]
    assert [line.split(" ", 1)[0] for line in bad] == [f":{n}:" for n in (1, 3, 4, 5, 6, 7, 8, 9)]
    assert "not JSON" in bad[0]
    assert "a line is an object" in bad[1]
    assert "unknown keys 'wait'" in bad[2]
    assert "target is missing" in bad[3]
    assert "type is missing" in bad[4]
    assert "no machine named 'resiser'; did you mean 'resizer'?" in bad[5]
    assert "at most 262144" in bad[6]
    assert "a line has less than 1048576 bytes" in bad[7]


def test_sendevent_batch_reads_standard_input(
    make_machine: MakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_machine()
    text = b'{"type": "a"}\n{"type": "b"}\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))

    shown = replies(printed("sendevent", "--target", "m1", "--batch", "-"))

    assert [reply["status"] for reply in shown] == ["accepted", "accepted"]


def test_sendevent_batch_keeps_a_window_of_frames_under_way(
    run_here: Callable[[Answer], Machine], tmp_path: Path
) -> None:
    frames: list[dict[str, Any]] = []

    def answer(frame: dict[str, Any]) -> dict[str, Any]:
        frames.append(frame)
        return {"ok": True, "event": len(frames), "status": "accepted"}

    run_here(answer)
    count = WINDOW * 3
    file = batch(tmp_path / "events", *({"type": f"e{n}"} for n in range(count)))

    shown = replies(printed("sendevent", "--target", "m1", "--batch", file))

    assert [reply["event"] for reply in shown] == list(range(1, count + 1))
    assert [frame["type"] for frame in frames] == [f"e{n}" for n in range(count)]
    assert not Event.objects.exists()


def test_sendevent_batch_puts_into_the_inbox_what_a_dying_host_did_not_answer(
    run_here: Callable[[Answer], Machine], tmp_path: Path
) -> None:
    answered: list[dict[str, Any]] = []

    def answer(frame: dict[str, Any]) -> dict[str, Any] | None:
        if len(answered) == 2:
            return None
        answered.append(frame)
        return {"ok": True, "event": 1_000 + len(answered), "status": "processed"}

    run_here(answer)
    file = batch(tmp_path / "events", *({"type": f"e{n}"} for n in range(200)))

    shown = replies(printed("sendevent", "--target", "m1", "--batch", file))

    # An answer may be lost with the connection: its event is sent again, with the same key.
    stored = list(Event.objects.order_by("id"))
    heard = 200 - len(stored)
    keys = [frame["key"] for frame in answered]
    assert heard <= len(answered) == 2
    assert [event.type for event in stored] == [f"e{n}" for n in range(heard, 200)]
    assert [event.key for event in stored][: 2 - heard] == keys[heard:]
    assert [reply["event"] for reply in shown[:heard]] == [1_001, 1_002][:heard]
    assert [reply["event"] for reply in shown[heard:]] == [event.pk for event in stored]


def test_sendevent_batch_tells_what_the_host_refuses(
    run_here: Callable[[Answer], Machine], tmp_path: Path
) -> None:
    run_here(lambda frame: {"ok": False, "code": "full", "error": "the inbox is full"})
    file = batch(tmp_path / "events", {"type": "a"})

    code, _, shown = refused("sendevent", "--target", "m1", "--batch", file)

    assert (code, shown) == (Exit.FAILED, f"{file}:1: the inbox is full\n")


def test_sendevent_batch_counts_events_that_failed(
    run_here: Callable[[Answer], Machine], tmp_path: Path
) -> None:
    run_here(lambda frame: {"ok": True, "event": 17, "status": "failed", "reason": "no number"})
    file = batch(tmp_path / "events", {"type": "a"})

    code, fault, shown = refused("sendevent", "--target", "m1", "--batch", file)

    assert (code, fault.split(" ")[0]) == (Exit.FAILED, "1")
    assert replies(shown)[0]["reason"] == "no number"


def test_sendevent_batch_puts_into_the_inbox_what_the_host_does_not_run_any_more(
    run_here: Callable[[Answer], Machine], tmp_path: Path
) -> None:
    run_here(lambda frame: {"ok": False, "code": "unknown", "error": "not here"})
    file = batch(tmp_path / "events", {"type": "a"})

    (shown,) = replies(printed("sendevent", "--target", "m1", "--batch", file))

    assert shown["event"] == Event.objects.get().pk


# -- listevents


def test_listevents_lists_the_newest_first() -> None:
    for number in range(3):
        Event.objects.create(key=str(number), target="m1", type=f"e{number}")

    shown = parsed("listevents", "--limit", "2")

    assert [event["type"] for event in shown] == ["e2", "e1"]


def test_listevents_shows_an_event_whole() -> None:
    at = datetime(2030, 1, 31, 18, 0, tzinfo=UTC)
    event = Event.objects.create(
        key="k",
        source="s",
        target="m1",
        type="go",
        payload={"a": 1},
        status="ignored",
        reason="no transition",
        created_at=at,
        processed_at=at + timedelta(milliseconds=5),
    )

    assert parsed("listevents") == [
        {
            "id": event.pk,
            "source": "s",
            "target": "m1",
            "type": "go",
            "payload": {"a": 1},
            "job_id": None,
            "status": "ignored",
            "reason": "no transition",
            "created_at": "2030-01-31T18:00:00.000Z",
            "processed_at": "2030-01-31T18:00:00.005Z",
        }
    ]


def test_listevents_filters(make_machine: MakeMachine) -> None:
    make_machine("m1")
    make_machine("m3")
    Event.objects.create(key="1", target="m1", type="a")
    Event.objects.create(key="2", target="m1", type="b", status="processed")
    Event.objects.create(key="3", target="m2", type="a")

    def found(*flags: str) -> list[str]:
        return [event["target"] + event["type"] for event in parsed("listevents", *flags)]

    assert found("--target", "m1") == ["m1b", "m1a"]
    assert found("--status", "pending") == ["m2a", "m1a"]
    assert found("--type", "a", "--target", "m2") == ["m2a"]
    assert found("--target", "m2", "--type", "b") == []
    assert found("--target", "m3") == []


def test_listevents_shows_people_a_table() -> None:
    Event.objects.create(key="1", target="m1", type="go")

    header, _, row = printed("listevents").splitlines()

    assert header.split()[:3] == ["id", "target", "type"]
    assert row.split()[1:3] == ["m1", "go"]


def test_listevents_says_that_there_are_none() -> None:
    assert talked("listevents") == "no events\n"
    assert parsed("listevents") == []


# -- machinestate


def test_machinestate_shows_a_machine_whole(make_machine: MakeMachine, elsewhere: Process) -> None:
    at = datetime(2030, 1, 31, 18, 0, tzinfo=UTC)
    make_machine(status="running", process=elsewhere, active_at=at, context={"a": 1})

    assert parsed("machinestate", "m1") == [
        {
            "name": "m1",
            "definition": "sorter",
            "version": 3,
            "state": "waiting",
            "status": "running",
            "pid": 7,
            "host": "elsewhere",
            "last_activity": "2030-01-31T18:00:00.000Z",
            "context": {"a": 1},
        }
    ]


@pytest.mark.parametrize(
    ("status", "age", "pid"),
    [
        ("running", timedelta(0), 7),
        ("paused", timedelta(0), 7),
        ("stopped", timedelta(0), None),
        ("running", timedelta(hours=1), None),
    ],
)
def test_machinestate_names_the_process_only_while_it_runs_the_machine(
    make_machine: MakeMachine, elsewhere: Process, status: str, age: timedelta, pid: int | None
) -> None:
    make_machine(status=status, process=elsewhere)
    Process.objects.update(heartbeat_at=timezone.now() - age)

    (shown,) = parsed("machinestate")

    assert (shown["status"], shown["pid"]) == (status, pid)


def test_machinestate_asks_once_for_any_number_of_machines(
    make_machine: MakeMachine, elsewhere: Process, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        make_machine(f"m{number}", status="running", process=elsewhere)

    with django_assert_num_queries(1):
        shown = parsed("machinestate")

    assert [machine["name"] for machine in shown] == ["m0", "m1", "m2", "m3", "m4"]


def test_machinestate_shows_people_relative_times(make_machine: MakeMachine) -> None:
    make_machine(active_at=timezone.now() - timedelta(minutes=3), context={"a": 1})

    table = printed("machinestate")
    card = printed("machinestate", "m1")

    assert "last activity" in table
    assert "3 min ago" in table
    assert "context" not in table
    assert 'context        {"a":1}\n' in card
    assert "last activity  3 min ago\n" in card


def test_machinestate_says_that_there_are_none() -> None:
    assert talked("machinestate") == "no machines; runmachine makes one\n"
    assert parsed("machinestate") == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("machinestate", "resiser"),
        ("history", "resiser"),
        ("controlmachine", "resiser", "stop"),
        ("listevents", "--target", "resiser"),
    ],
)
def test_an_unknown_machine_is_told_from_the_one_that_was_meant(
    make_machine: MakeMachine, arguments: tuple[str, ...]
) -> None:
    make_machine("resizer")

    code, fault, _ = refused(*arguments)

    assert (code, fault) == (
        Exit.UNKNOWN,
        "no machine 'resiser'; did you mean 'resizer'?",
    )


def test_a_definition_is_told_from_a_machine(definition: MachineDefinition) -> None:
    _, fault, _ = refused("machinestate", "sorter")

    assert fault.endswith("make the machine with: python manage.py runmachine sorter")


# -- history


@pytest.fixture
def steps(make_machine: MakeMachine, definition: MachineDefinition) -> Machine:
    """A machine with four steps in the last hours, one of them an error, the last a fault."""
    machine = make_machine()
    now = timezone.now()
    taken: list[tuple[str, str | None, str, str, float]] = [
        ("", None, "waiting", "", 3.0),
        ("go", "waiting", "processing", "", 2.0),
        ("error", "processing", "failed", "", 1.5),
        ("", "failed", "failed", "faulted", 0.5),
    ]
    for seq, (event, source, target, status, hours) in enumerate(taken, 1):
        Step.objects.create(
            machine=machine,
            seq=seq,
            event=event,
            source=source,
            target=target,
            status=status,
            guard=[[0, True]] if event == "go" else None,
            definition=definition,
            at=now - timedelta(hours=hours),
        )
    return machine


def test_history_shows_steps_whole_the_oldest_first(steps: Machine) -> None:
    entry, move, *_ = parsed("history", "m1")

    assert entry["at"].endswith("Z")
    del entry["at"], move["at"]
    assert entry == {
        "seq": 1,
        "event": None,
        "source": None,
        "target": "waiting",
        "guard": None,
        "ms": None,
    }
    assert move == {
        "seq": 2,
        "event": "go",
        "source": "waiting",
        "target": "processing",
        "guard": [[0, True]],
        "ms": 3_600_000,
    }


@pytest.mark.parametrize(
    ("flags", "seqs", "first_ms"),
    [
        ([], [1, 2, 3, 4], None),
        (["--limit", "2"], [3, 4], 1_800_000),
        (["--hours", "1.75"], [3, 4], 1_800_000),
        (["--errors"], [3, 4], 1_800_000),
        (["--errors", "--hours", "1"], [4], 3_600_000),
        (["--hours", "2.5", "--limit", "9"], [2, 3, 4], 3_600_000),
    ],
)
def test_history_filters(
    steps: Machine, flags: list[str], seqs: list[int], first_ms: int | None
) -> None:
    shown = parsed("history", "m1", *flags)

    assert [step["seq"] for step in shown] == seqs
    assert shown[0]["ms"] == first_ms


def test_history_shows_people_a_table_with_changes_of_status(steps: Machine) -> None:
    lines = printed("history", "m1").splitlines()

    assert lines[0].split() == [
        "seq",
        "taken",
        "event",
        "source",
        "target",
        "guard",
        "status",
        "ms",
    ]
    assert "faulted" in lines[-1]
    assert "3 h ago" in lines[2]


def test_history_says_that_there_is_none(make_machine: MakeMachine) -> None:
    make_machine()

    assert talked("history", "m1") == "no such steps\n"
    assert parsed("history", "m1") == []


@pytest.mark.parametrize("hours", ["0", "-1", "x", "nan", "inf"])
def test_history_refuses_hours_that_are_none(steps: Machine, hours: str) -> None:
    _, fault, _ = refused("history", "m1", f"--hours={hours}")

    assert "is not a number of hours over 0" in fault


# -- controlmachine


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
@pytest.mark.parametrize(
    ("status", "why"),
    [("stopped", "it is stopped"), ("running", "the host that ran it has ended")],
)
def test_controlmachine_tells_that_a_machine_does_not_run(
    make_machine: MakeMachine, verb: str, status: str, why: str
) -> None:
    make_machine(status=status)

    code, fault, _ = refused("controlmachine", "m1", verb)

    assert code == Exit.FAILED
    assert fault == (
        f"machine 'm1' is not running: {why}; run it with: python manage.py runmachine m1"
    )


def test_controlmachine_shows_where_a_machine_stands(make_machine: MakeMachine) -> None:
    make_machine()

    card = printed("controlmachine", "m1", "status")
    shown = parsed("controlmachine", "m1", "status")

    assert "status         stopped\n" in card
    assert (shown["name"], shown["status"], shown["pid"]) == ("m1", "stopped", None)


@pytest.mark.parametrize(
    ("verb", "status"), [("pause", "paused"), ("resume", "running"), ("stop", "stopped")]
)
def test_controlmachine_tells_the_host(
    run_here: Callable[[Answer], Machine], verb: str, status: str
) -> None:
    frames: list[dict[str, Any]] = []

    def answer(frame: dict[str, Any]) -> dict[str, Any]:
        frames.append(frame)
        return {"ok": True, "machine": "m1", "status": status, "state": "waiting", "pending": 0}

    run_here(answer)

    shown = printed("controlmachine", "m1", verb)

    assert frames == [{"control": verb, "target": "m1"}]
    assert shown == f"m1 is {status} in waiting\n"


def test_controlmachine_tells_that_the_machine_did_not_obey(
    run_here: Callable[[Answer], Machine],
) -> None:
    run_here(lambda frame: {"ok": True, "machine": "m1", "status": "finished", "state": "done"})

    code, fault, _ = refused("controlmachine", "m1", "pause")

    assert (code, fault) == (Exit.FAILED, "cannot pause 'm1': it is finished")


@pytest.mark.parametrize(
    "said", [None, {"ok": False, "code": "unknown", "error": "no machine named 'm1' runs here"}]
)
def test_controlmachine_tells_that_the_host_has_left(
    run_here: Callable[[Answer], Machine], said: dict[str, Any] | None
) -> None:
    run_here(lambda frame: said)

    code, fault, _ = refused("controlmachine", "m1", "stop")

    assert code == Exit.FAILED
    assert "the host that ran it has ended" in fault


def test_controlmachine_leaves_word_for_a_host_elsewhere(
    make_machine: MakeMachine, elsewhere: Process
) -> None:
    machine = make_machine(status="running", process=elsewhere)

    said = talked("controlmachine", "m1", "pause")

    machine.refresh_from_db()
    assert machine.wanted == "paused"
    assert said == "asked the host of 'm1' on elsewhere to pause it\n"
