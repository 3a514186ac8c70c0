"""Reading ``machines.yaml``."""

from pathlib import Path

import pytest

from machines.core.errors import DefinitionError
from machines.runtime.manifest import MAX_MANIFEST_BYTES, ManifestMachine, read_manifest


def written(folder: Path, text: str) -> Path:
    (folder / "a.yaml").write_text("initial_state: waiting\n")
    (folder / "actions").mkdir()
    path = folder / "machines.yaml"
    path.write_text(text)
    return path


def test_read_manifest_takes_every_setting_relative_to_itself(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "machines:\n"
        "  full: {file: a.yaml, actions_dir: actions, context: {n: 1}, start: false, count: 2}\n"
        "  short: {file: a.yaml}\n"
        "hooks:\n"
        "  pre_start: echo one\n"
        "  pre_stop: [echo two, echo three]\n",
    )

    manifest = read_manifest(path)

    file = tmp_path / "a.yaml"
    assert manifest.machines == (
        ManifestMachine("full", file, tmp_path / "actions", {"n": 1}, start=False, count=2),
        ManifestMachine("short", file),
    )
    assert manifest.hooks == {"pre_start": ("echo one",), "pre_stop": ("echo two", "echo three")}
    assert manifest.started == (ManifestMachine("short", file),)


@pytest.mark.parametrize("text", ["", "machines:\nhooks:\n", "machines: {}\n"])
def test_read_manifest_takes_an_empty_one(tmp_path: Path, text: str) -> None:
    assert read_manifest(written(tmp_path, text)).machines == ()


@pytest.mark.parametrize(
    ("count", "names"), [(None, ("w",)), (1, ("w-1",)), (3, ("w-1", "w-2", "w-3"))]
)
def test_machine_names_counts_instances_from_one(count: int | None, names: tuple[str, ...]) -> None:
    assert ManifestMachine("w", Path("w.yaml"), count=count).machine_names == names


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("machnes: {}", "1:1: the manifest: unknown key 'machnes'; did you mean 'machines'?"),
        ("zebra: {}", "1:1: the manifest: unknown key 'zebra'; known are machines, hooks"),
        ("[1]", "1:1: the manifest: found [1], expected a mapping"),
        ("machines: {a: {}}", "1:15: machines.a: the key 'file' is missing"),
        ("machines: {a: {file: b.yaml}}", "1:22: machines.a.file: no file"),
        ("machines: {a: {file: 3}}", "1:22: machines.a.file: found 3, expected a path as text"),
        ("machines: {1a: {file: a.yaml}}", "1:16: machines: '1a' is no name of a machine"),
        ("machines: {a: {file: a.yaml, count: 0}}", "1:37: machines.a.count: found 0, expected"),
        ("machines: {a: {file: a.yaml, start: 1}}", "1:37: machines.a.start: found 1, expected"),
        ("machines: {a: {file: a.yaml, context: 1}}", "1:39: machines.a.context: found 1"),
        ("machines: {a: {file: a.yaml, actions_dir: x}}", "1:43: machines.a.actions_dir: no fol"),
        ("machines: {a: {file: a.yaml}, a: {file: a.yaml}}", "1:31: machines: 'a' stands here tw"),
        ("hooks: {pre_start: 3}", "1:20: hooks.pre_start: found 3, expected a command or a list"),
        ("machines: {a: {file: !!python/object:x {}}}", "1:22: machines.a.file: found None"),
        ("machines: {", "1:12: "),
        ("\t", "1:1: "),
        ("[" * 20_000, "1:1: nested too deeply"),
        ("#" * MAX_MANIFEST_BYTES + "#", "1:1: 262,145 bytes; a manifest has at most 262,144"),
    ],
)
def test_read_manifest_says_where_a_fault_is(tmp_path: Path, text: str, fault: str) -> None:
    path = written(tmp_path, text)

    with pytest.raises(DefinitionError) as raised:
        read_manifest(path)

    assert str(raised.value).startswith(f"{path}:{fault}")


def test_read_manifest_names_all_faults_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "machines:\n  a: {fil: a.yaml}\n  b: {file: a.yaml, count: x}\n")

    with pytest.raises(DefinitionError) as raised:
        read_manifest(path)

    assert [fault.line for fault in raised.value.faults] == [2, 2, 3]


def test_read_manifest_refuses_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    path.write_bytes(b"\xff\xfe\xfd")

    with pytest.raises(DefinitionError, match="not UTF-8"):
        read_manifest(path)
