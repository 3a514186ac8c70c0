"""Definitions on record: one version per content, one origin per name, found by many names."""

from pathlib import Path
from typing import Any

import pytest

from machines.core.errors import DefinitionError
from machines.models import Machine, MachineDefinition
from machines.runtime import definitions
from machines.runtime.definitions import NameTaken, Unknown

DOOR = "initial_state: shut\ntransitions:\n  - {from: shut, to: open, event: push}\n"
OTHER_DOOR = DOOR + "  - {from: open, to: shut, event: pull}\n"

pytestmark = pytest.mark.django_db


def written(path: Path, text: str = DOOR) -> Path:
    """A file with that text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def registered(path: Path, text: str = DOOR, name: str | None = None) -> MachineDefinition:
    """A file with that text, on record."""
    return definitions.register(written(path, text), name=name)


# -- reading


def test_a_file_is_read_as_its_text_and_its_meaning(tmp_path: Path) -> None:
    source, definition = definitions.read_file(written(tmp_path / "door.yaml"))

    assert source == DOOR
    assert set(definition.states) == {"shut", "open"}


def test_a_file_that_cannot_be_read_is_a_fault_of_its_definition(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as raised:
        definitions.read_file(tmp_path / "missing.yaml")

    assert "missing.yaml:1:1: the file cannot be read: No such file" in str(raised.value)


def test_a_fault_names_the_file_as_seen_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path / "config/door.yaml", "initial_state: [")

    with pytest.raises(DefinitionError) as raised:
        definitions.read_file(path)

    assert str(raised.value).startswith("config/door.yaml:")


# -- versions


def test_a_new_file_is_the_first_version_of_its_name(tmp_path: Path) -> None:
    record = registered(tmp_path / "door.yaml")

    assert (record.name, record.version, record.source) == ("door", 1, DOOR)
    assert record.origin == str(tmp_path / "door.yaml")
    assert set(definitions.compiled(record).states) == {"shut", "open"}


def test_a_file_may_name_its_definition(tmp_path: Path) -> None:
    record = registered(tmp_path / "door.yaml", DOOR + "metadata: {machine_name: gate}\n")

    assert record.name == "gate"


def test_the_same_content_is_the_same_version(tmp_path: Path) -> None:
    first = registered(tmp_path / "door.yaml")

    assert registered(tmp_path / "door.yaml") == first
    assert MachineDefinition.objects.filter(name="door").count() == 1


def test_changed_content_is_the_next_version_and_the_old_one_stays(tmp_path: Path) -> None:
    first = registered(tmp_path / "door.yaml")

    second = registered(tmp_path / "door.yaml", OTHER_DOOR)

    assert (second.name, second.version) == ("door", 2)
    first.refresh_from_db()
    assert first.source == DOOR


def test_content_that_comes_back_is_the_version_it_was(tmp_path: Path) -> None:
    first = registered(tmp_path / "door.yaml")
    registered(tmp_path / "door.yaml", OTHER_DOOR)

    assert registered(tmp_path / "door.yaml") == first


def test_a_name_that_belongs_to_another_file_is_refused_and_a_way_out_named(
    tmp_path: Path,
) -> None:
    registered(tmp_path / "here/door.yaml")
    path = written(tmp_path / "there/door.yaml", OTHER_DOOR)

    with pytest.raises(NameTaken) as raised:
        definitions.register(path)

    assert str(raised.value) == (
        f"a definition 'door' exists already, from {tmp_path}/here/door.yaml; to run {path}"
        " beside it, give it a name of its own with --definition NAME"
    )


@pytest.mark.parametrize(("name", "version"), [("back_door", 1), ("door", 2)])
def test_a_file_from_elsewhere_is_taken_under_a_name_that_was_asked_for(
    tmp_path: Path, name: str, version: int
) -> None:
    registered(tmp_path / "here/door.yaml")

    record = registered(tmp_path / "there/door.yaml", OTHER_DOOR, name=name)

    assert (record.name, record.version) == (name, version)


def test_a_definition_without_origin_gives_its_name_to_a_file(tmp_path: Path) -> None:
    MachineDefinition.objects.create(name="door", version=1, sha256="0", source=OTHER_DOOR)

    assert registered(tmp_path / "door.yaml").version == 2


def test_two_names_for_one_file_are_two_definitions(tmp_path: Path) -> None:
    first = registered(tmp_path / "door.yaml")

    second = registered(tmp_path / "door.yaml", name="gate")

    assert first.sha256 == second.sha256
    assert (first.name, second.name) == ("door", "gate")


def test_examples_are_put_on_record_and_a_faulty_one_is_passed_over(
    tmp_path: Path, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SM_EXAMPLES_DIR = str(tmp_path)
    written(tmp_path / "doors/config/door.yaml")
    written(tmp_path / "doors/config/broken.yaml", "initial_state: [")
    written(tmp_path / "doors/notes.yaml")

    before = set(MachineDefinition.objects.all())

    definitions.register_examples()

    [new] = set(MachineDefinition.objects.all()) - before
    assert new.name == "door"
    assert "the example broken.yaml is not registered" in caplog.text


# -- finding


def test_a_name_is_first_that_of_a_machine(tmp_path: Path) -> None:
    of_machine = registered(tmp_path / "door.yaml")
    registered(tmp_path / "gate.yaml", OTHER_DOOR)
    machine = Machine.objects.create(name="gate", definition=of_machine)

    assert definitions.find("gate") == (machine, of_machine)


def test_a_name_is_then_that_of_a_definition(tmp_path: Path) -> None:
    record = registered(tmp_path / "door.yaml", name="gate")
    registered(tmp_path / "gate.yaml", name="other")

    assert definitions.find("gate") == (None, record)


def test_a_name_is_at_last_the_stem_of_a_file(tmp_path: Path) -> None:
    record = registered(tmp_path / "simple_door.yaml", DOOR + "metadata: {machine_name: door}\n")
    MachineDefinition.objects.create(name="fileless", version=1, sha256="0", source=DOOR)

    assert definitions.find("simple_door") == (None, record)


def test_a_stem_of_several_files_is_ambiguous(tmp_path: Path) -> None:
    registered(tmp_path / "a/door.yaml", name="front")
    registered(tmp_path / "b/door.yaml", name="back")

    with pytest.raises(Unknown) as raised:
        definitions.find("door")

    assert str(raised.value) == "'door' may be back, front; name one of these definitions"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("dor", "; did you mean 'door'?"),
        ("front_dor", "; did you mean 'front_door'?"),
        ("worker1", "; did you mean 'worker_1'?"),
        ("filless", "; did you mean 'fileless'?"),
        ("xyz", ""),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest_of_all_that_can_be_run(
    tmp_path: Path, name: str, hint: str
) -> None:
    record = registered(tmp_path / "front_door.yaml", name="door")
    Machine.objects.create(name="worker_1", definition=record)
    MachineDefinition.objects.create(name="fileless", version=1, sha256="0", source=DOOR)

    with pytest.raises(Unknown) as raised:
        definitions.find(name)

    assert str(raised.value) == f"no file, machine or definition {name!r}{hint}"


# -- the newest version


@pytest.mark.parametrize("by", ["machine", "definition", "stem"])
def test_a_file_that_was_edited_is_found_in_its_new_version(tmp_path: Path, by: str) -> None:
    path = tmp_path / "stem.yaml"
    record = registered(path, name="definition")
    Machine.objects.create(name="machine", definition=record)
    written(path, OTHER_DOOR)

    _machine, found = definitions.find(by)

    assert (found.name, found.version, found.source) == ("definition", 2, OTHER_DOOR)


def test_a_file_that_is_gone_leaves_its_newest_version(tmp_path: Path) -> None:
    path = tmp_path / "door.yaml"
    first, second = registered(path), registered(path, OTHER_DOOR)
    path.unlink()

    assert definitions.newest_of(first) == second


def test_a_definition_without_origin_has_its_newest_version() -> None:
    first, second = (
        MachineDefinition.objects.create(
            name="door", version=number, sha256=str(number), source=DOOR
        )
        for number in (1, 2)
    )

    assert definitions.newest_of(first) == second


def test_a_file_that_was_broken_by_an_edit_says_so_instead_of_running_an_old_version(
    tmp_path: Path,
) -> None:
    registered(tmp_path / "door.yaml")
    written(tmp_path / "door.yaml", "initial_state: [")

    with pytest.raises(DefinitionError) as raised:
        definitions.find("door")

    assert "door.yaml:2:1: not valid YAML" in str(raised.value)
