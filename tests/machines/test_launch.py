"""From an order to a machine that can be taken in: its name, its version, where it goes on."""

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from machines.core.errors import MachineError
from machines.models import Event, Machine, MachineDefinition, Process
from machines.runtime import ownership
from machines.runtime.definitions import NameTaken, Unknown
from machines.runtime.launch import CannotRun, Order, prepare
from machines.runtime.ownership import AlreadyRuns
from machines.runtime.requests import Enter

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DOOR = "initial_state: shut\ntransitions:\n  - {from: shut, to: open, event: push}\n"
WITHOUT_OPEN = "initial_state: shut\ntransitions:\n  - {from: shut, to: locked, event: lock}\n"
WITH_MORE = DOOR + "  - {from: open, to: shut, event: pull}\n"
Launch = Callable[..., Enter]


@pytest.fixture
def process(db: None, run_directory: Path) -> Process:
    """A host on record."""
    return ownership.register_host("", "test", NOW)


@pytest.fixture
def launch(process: Process) -> Launch:
    """Prepare a machine to run in that host."""

    def launched(what: object, **options: Any) -> Enter:
        return prepare(Order(str(what), **options), process, NOW)

    return launched


def written(path: Path, text: str = DOOR) -> Path:
    """A file with that text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def was(name: str, status: str, state: str = "open", **columns: Any) -> None:
    """Let a machine have been somewhere."""
    states = [state] if state else []
    Machine.objects.filter(name=name).update(status=status, states=states, **columns)


# -- names


@pytest.mark.parametrize(
    ("metadata", "options", "machine", "definition"),
    [
        ("", {}, "door", "door"),
        ("metadata: {machine_name: gate}\n", {}, "gate", "gate"),
        ("metadata: {machine_name: gate}\n", {"machine_name": "mine"}, "mine", "gate"),
        ("", {"definition_name": "oak"}, "door", "oak"),
        ("metadata: {machine_name: gate}\n", {"definition_name": "oak"}, "gate", "oak"),
        ("", {"machine_name": "mine", "definition_name": "oak"}, "mine", "oak"),
    ],
)
def test_a_machine_of_a_file_is_named_by_option_by_metadata_or_by_stem(
    launch: Launch,
    tmp_path: Path,
    metadata: str,
    options: dict[str, str],
    machine: str,
    definition: str,
) -> None:
    path = written(tmp_path / "door.yaml", DOOR + metadata)

    entry = launch(path, **options)

    assert entry.live.name == machine
    assert Machine.objects.get(name=machine).definition.name == definition


@pytest.mark.parametrize("name", ["9lives", "_x", "a b", "a" * 64, "ä", "a/b", "worker\n"])
def test_what_is_no_name_of_a_machine_is_refused(launch: Launch, tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "door.yaml")

    with pytest.raises(CannotRun) as raised:
        launch(path, machine_name=name)

    assert str(raised.value) == (
        f"{name!r} is no machine's name: it starts with a letter and has up to 63 letters, digits,"
        " _ and -; give one with --machine-name"
    )
    assert not Machine.objects.exists()


def test_a_machine_that_is_known_keeps_its_name(launch: Launch, tmp_path: Path) -> None:
    launch(written(tmp_path / "door.yaml"), machine_name="front")

    assert launch("front").live.name == "front"


def test_a_definition_is_run_as_the_machine_that_its_file_names(
    launch: Launch, tmp_path: Path
) -> None:
    launch(written(tmp_path / "door.yaml"), definition_name="oak", machine_name="front")

    assert launch("oak").live.name == "door"
    assert launch("oak", machine_name="back").live.name == "back"


def test_a_definition_without_file_is_run_as_the_machine_of_its_name(launch: Launch) -> None:
    MachineDefinition.objects.create(name="oak", version=1, sha256="0", source=DOOR)

    assert launch("oak").live.name == "oak"


def test_a_machine_can_be_run_once_more_under_another_name(launch: Launch, tmp_path: Path) -> None:
    first = launch(written(tmp_path / "door.yaml"), machine_name="front")

    second = launch("front", machine_name="back")

    assert second.live.name == "back"
    assert second.live.id != first.live.id
    assert second.live.definition_id == first.live.definition_id


@pytest.mark.parametrize("what", ["missing.yaml", "missing.yml", "config/missing"])
def test_what_looks_like_a_file_and_is_none_is_said_to_be_missing(
    launch: Launch, what: str
) -> None:
    with pytest.raises(Unknown, match=re.escape(f"no file {what!r}")):
        launch(what)


def test_an_unknown_name_is_answered_with_the_nearest(launch: Launch, tmp_path: Path) -> None:
    launch(written(tmp_path / "door.yaml"))

    with pytest.raises(Unknown, match="no file, machine or definition 'dor'; did you mean 'door'"):
        launch("dor")


def test_a_file_from_elsewhere_under_a_name_that_is_taken_is_refused(
    launch: Launch, tmp_path: Path
) -> None:
    launch(written(tmp_path / "a/door.yaml"))

    with pytest.raises(NameTaken, match="--definition NAME"):
        launch(written(tmp_path / "b/door.yaml", WITH_MORE))


# -- where it goes on


def test_a_new_machine_begins_with_the_context_it_was_given(
    launch: Launch, process: Process, tmp_path: Path
) -> None:
    entry = launch(written(tmp_path / "door.yaml"), context={"n": 1})

    assert (entry.begins, entry.moved, entry.context) == (True, False, {"n": 1})
    assert entry.live.epoch == 1
    assert Machine.objects.get(name="door").process == process


@pytest.mark.parametrize(
    ("status", "state", "options", "begins"),
    [
        ("new", "", {}, True),
        ("running", "open", {}, False),
        ("paused", "open", {}, False),
        ("stopped", "open", {}, False),
        ("stopped", "", {}, True),
        ("finished", "open", {}, True),
        ("running", "open", {"restart": True}, True),
        ("faulted", "open", {"restart": True}, True),
    ],
)
def test_a_machine_begins_or_goes_on_where_it_was(
    launch: Launch, tmp_path: Path, status: str, state: str, options: dict[str, Any], begins: bool
) -> None:
    launch(written(tmp_path / "door.yaml"))
    was("door", status, state)

    entry = launch("door", **options)

    assert (entry.begins, entry.moved) == (begins, False)


def test_a_faulted_machine_is_refused_and_says_why(launch: Launch, tmp_path: Path) -> None:
    launch(written(tmp_path / "door.yaml"))
    was("door", "faulted", fault="it spins")

    with pytest.raises(CannotRun) as raised:
        launch("door")

    assert str(raised.value) == ("machine 'door' is faulted (it spins); begin anew with --restart")


def test_a_machine_goes_on_in_a_new_version_that_has_its_state(
    launch: Launch, tmp_path: Path
) -> None:
    path = written(tmp_path / "door.yaml")
    first = launch(path)
    was("door", "running")
    written(path, WITH_MORE)

    entry = launch("door")

    assert (entry.begins, entry.moved) == (False, True)
    assert entry.live.definition_id != first.live.definition_id
    assert len(entry.live.definition.transitions) == 2


def test_a_machine_whose_state_the_new_version_lacks_is_refused_and_told_the_way(
    launch: Launch, tmp_path: Path
) -> None:
    path = written(tmp_path / "door.yaml")
    launch(path)
    was("door", "running")
    written(path, WITHOUT_OPEN)

    with pytest.raises(CannotRun) as raised:
        launch("door")

    assert str(raised.value) == (
        "machine 'door' is in state 'open', which door v2 does not have; begin anew with --restart"
    )
    assert launch("door", restart=True).begins


@pytest.mark.parametrize("cause", ["faulted", "moved"])
def test_a_machine_that_is_refused_is_left_without_owner(
    launch: Launch, tmp_path: Path, cause: str
) -> None:
    path = written(tmp_path / "door.yaml")
    launch(path)
    was("door", "faulted" if cause == "faulted" else "running", process=None)
    if cause == "moved":
        written(path, WITHOUT_OPEN)

    with pytest.raises(CannotRun):
        launch("door")

    assert Machine.objects.get(name="door").process is None


def test_a_machine_that_goes_on_has_its_memory(launch: Launch, tmp_path: Path) -> None:
    launch(written(tmp_path / "door.yaml"))
    was("door", "running", context={"n": 7}, seq=3)
    event = Event.objects.create(key="k", target="door", type="push", payload={"by": "me"})

    live = launch("door").live

    assert (live.snapshot.state, live.snapshot.context, live.seq) == ("open", {"n": 7}, 3)
    assert event.pk in live.waiting


# -- what is asked besides


def test_pending_events_are_discarded_on_request_and_those_of_others_are_not(
    launch: Launch, tmp_path: Path
) -> None:
    ours, theirs, over = (
        Event.objects.create(key=key, target=target, type="push", status=status)
        for key, target, status in (
            ("1", "door", "pending"),
            ("2", "gate", "pending"),
            ("3", "door", "processed"),
        )
    )

    entry = launch(written(tmp_path / "door.yaml"), discard_pending=True)

    for event in (ours, theirs, over):
        event.refresh_from_db()
    assert [event.status for event in (ours, theirs, over)] == ["expired", "pending", "processed"]
    assert (ours.reason, ours.processed_at) == ("discarded on request", NOW)
    assert len(entry.live.waiting) == 0


def test_a_context_that_is_too_large_is_refused_before_anything_is_claimed(
    launch: Launch, tmp_path: Path
) -> None:
    with pytest.raises(CannotRun, match=r"^its first context: "):
        launch(written(tmp_path / "door.yaml"), context={"long": "x" * (256 << 10)})

    assert Machine.objects.get(name="door").process is None


def test_a_machine_that_another_host_runs_is_refused_unless_it_is_taken_over(
    launch: Launch, tmp_path: Path
) -> None:
    launch(written(tmp_path / "door.yaml"))
    other = Process.objects.create(kind="host", host="far.example", pid=1, heartbeat_at=NOW)
    was("door", "running", process=other)

    with pytest.raises(AlreadyRuns, match=r"is run by process 1 on far\.example"):
        launch("door")

    assert launch("door", takeover=True).live.epoch == 2


KNOCK = """
class KnockKnockAction:
    def __init__(self, config):
        self.config = config

    async def execute(self, context):
        return None
"""


@pytest.mark.parametrize("where", ["option", "definition", "settings", "working folder"])
def test_custom_actions_are_found_in_the_folders_that_are_named(
    launch: Launch, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    beside = tmp_path if where != "working folder" else tmp_path / "cwd"
    written(beside / "own/knock_knock_action.py", KNOCK)
    declared = "actions_dir: own\n" if where == "definition" else ""
    settings.SM_ACTIONS_DIR = "own" if where == "settings" else ""
    option = {"actions_dir": "own"} if where in {"option", "working folder"} else {}

    entry = launch(written(tmp_path / "door.yaml", DOOR + declared), **option)

    assert entry.live.registry.get("knock_knock") is not None


def test_the_folder_of_actions_is_remembered_for_the_next_time(
    launch: Launch, tmp_path: Path
) -> None:
    folder = written(tmp_path / "own/knock_knock_action.py", KNOCK).parent
    launch(written(tmp_path / "door.yaml"), actions_dir=str(folder))

    entry = launch("door")

    assert entry.live.registry.get("knock_knock") is not None
    assert Machine.objects.get(name="door").actions_dir == str(folder)


def test_what_cannot_be_prepared_is_always_an_error_of_ours(launch: Launch) -> None:
    with pytest.raises(MachineError):
        launch(os.devnull)


def test_events_that_are_too_old_for_a_machine_that_begins_have_expired(
    tmp_path: Path, launch: Launch, settings: Any
) -> None:
    settings.SM_EVENT_TTL = "1h"
    for name, age in (("old", 61), ("young", 59)):
        Event.objects.create(
            target="door", type=name, key=name, created_at=NOW - timedelta(minutes=age)
        )

    launch(written(tmp_path / "door.yaml"))

    found = {event.type: (event.status, event.reason) for event in Event.objects.all()}
    assert found == {
        "old": ("expired", "older than 1h when the machine began"),
        "young": ("pending", ""),
    }


def test_events_for_a_machine_that_has_run_do_not_grow_too_old(
    tmp_path: Path, launch: Launch, settings: Any
) -> None:
    settings.SM_EVENT_TTL = "1h"
    launch(written(tmp_path / "door.yaml"))
    was("door", "stopped")
    Event.objects.create(target="door", type="old", key="k", created_at=NOW - timedelta(days=9))

    launch(tmp_path / "door.yaml")

    assert Event.objects.get().status == "pending"
