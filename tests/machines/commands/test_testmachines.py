"""Running the tests that stand beside machines."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.machines.commands.conftest import parsed, printed, refused, talked

MACHINE = """\
initial_state: a
states: [a, b, c]
transitions:
  - {from: a, to: b, event: go}
  - {from: b, to: c, event: go}
"""
PASSING = """
  - name: it goes to b
    steps:
      - send: go
      - expect: {state: b}
"""
FAILING = """
  - name: it goes <too> far
    steps:
      - send: go
      - expect: {state: c}
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with one test, which passes."""
    path = tmp_path / "m.yaml"
    path.write_text(MACHINE)
    (tmp_path / "m.tests.yaml").write_text("tests:" + PASSING)
    return path


@pytest.fixture
def failing(machine: Path) -> Path:
    """The same with a test that fails, in the seventh line of its file."""
    machine.with_name("m.tests.yaml").write_text("tests:" + PASSING + FAILING)
    return machine


@pytest.mark.parametrize("what", ["m.yaml", "m.tests.yaml", "."])
def test_testmachines_finds_tests_by_machine_file_and_folder(machine: Path, what: str) -> None:
    assert "passed  it goes to b" in printed("testmachines", str(machine.parent / what))


def test_testmachines_says_how_many_passed(machine: Path) -> None:
    assert talked("testmachines", str(machine)).startswith("1 passed in ")


def test_testmachines_names_the_line_of_what_failed(failing: Path) -> None:
    code, fault, out = refused("testmachines", str(failing))

    assert (code, fault) == (1, "1 test failed")
    assert f"{failing.with_name('m.tests.yaml')}:10: expected the state 'c', but it is 'b'" in out
    assert "+0 s  a --go--> b" in out


def test_testmachines_runs_only_the_tests_with_a_name(failing: Path) -> None:
    out = printed("testmachines", str(failing), "-k", "TO B")

    assert "it goes to b" in out
    assert "far" not in out


def test_testmachines_tells_programs_everything(failing: Path) -> None:
    _code, _fault, out = refused(
        "testmachines", str(failing), "--format", "json", "--coverage", "-k", "far"
    )

    report: dict[str, Any] = json.JSONDecoder().raw_decode(out)[0]
    (test,) = report["tests"]
    assert (test["name"], test["line"], test["passed"]) == ("it goes <too> far", 7, False)
    assert test["failure"] == {
        "line": 10,
        "expected": "the state 'c'",
        "happened": "it is 'b'",
        "last_steps": ["+0 s  --start--> a", "+0 s  a --go--> b"],
    }
    assert report["coverage"] == [
        {
            "file": str(failing),
            "percent": 60.0,
            "states": {"tested": 2, "of": 3},
            "transitions": {"tested": 1, "of": 2},
            "untested": [
                {"line": 2, "what": "state 'c'"},
                {"line": 5, "what": "b --go--> c"},
            ],
        }
    ]


def test_testmachines_speaks_junit(failing: Path) -> None:
    _code, _fault, out = refused("testmachines", str(failing), "--format", "junit")

    text = out[: out.index("</testsuites>") + len("</testsuites>")]
    suite = ElementTree.fromstring(text)[0]  # noqa: S314 - our own
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.get("name") for case in suite] == ["it goes to b", "it goes <too> far"]
    assert [len(case) for case in suite] == [0, 1]


def test_testmachines_reports_coverage_by_line(machine: Path) -> None:
    out = printed("testmachines", str(machine), "--coverage")

    assert f"{machine}: 60 % (states 2 of 3, transitions 1 of 2)" in out
    assert f"{machine}:5: untested: b --go--> c" in out


@pytest.mark.parametrize(("least", "code"), [("60", 0), ("60.1", 1)])
def test_testmachines_fails_under_a_share(machine: Path, least: str, code: int) -> None:
    arguments = ("testmachines", str(machine), "--fail-under", least)

    if code == 0:
        printed(*arguments)
    else:
        assert refused(*arguments)[:2] == (
            1, f"{machine}: coverage of 60 % is under 60.1 %",
        )  # fmt: skip


def test_testmachines_writes_the_painted_machine(machine: Path, tmp_path: Path) -> None:
    printed("testmachines", str(machine), "--diagram", str(tmp_path / "d.md"))
    printed("testmachines", str(machine), "--diagram", str(tmp_path / "d.mmd"))

    assert "```mermaid\nstateDiagram-v2\n" in (tmp_path / "d.md").read_text()
    assert (tmp_path / "d.mmd").read_text().startswith("stateDiagram-v2\n")


def test_testmachines_draws_only_one_machine_without_markdown(
    machine: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(MACHINE)

    code, fault, _out = refused(
        "testmachines", str(machine), str(other), "--diagram", str(tmp_path / "d.mmd")
    )

    assert (code, "holds one machine" in fault) == (2, True)


def test_testmachines_refuses_a_broken_file_and_runs_the_others(machine: Path) -> None:
    broken = machine.with_name("broken.tests.yaml")
    broken.write_text("tests: 5\n")

    code, fault, out = refused("testmachines", str(machine.parent))

    assert (code, fault) == (1, "1 file of tests refused")
    assert f"{broken}:1:8: tests: 5 stands here, where a list of tests is needed" in out
    assert "passed  it goes to b" in out


@pytest.mark.parametrize(
    ("what", "fault"),
    [
        ("m.yml", "did you mean"),
        ("untested.yaml", "there is no such test; those of worker.yaml stand in worker.tests.yaml"),
    ],
)
def test_testmachines_exits_3_where_nothing_is(machine: Path, what: str, fault: str) -> None:
    machine.with_name("untested.yaml").write_text(MACHINE)

    code, said, _out = refused("testmachines", str(machine.parent / what))

    assert code == 3
    assert fault in said


def test_testmachines_tests_the_manifest_if_nothing_is_named(
    machine: Path, settings: Any, tmp_path: Path
) -> None:
    manifest = tmp_path / "machines.yaml"
    manifest.write_text("machines: {m: {file: m.yaml}}\n")
    settings.SM_MANIFEST = str(manifest)
    settings.SM_EXAMPLES_DIR = tmp_path / "none"

    assert "passed  it goes to b" in printed("testmachines")


def test_testmachines_json_is_an_object(machine: Path) -> None:
    assert parsed("testmachines", str(machine))["coverage"] is None
