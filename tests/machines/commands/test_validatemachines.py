"""Validating files from the command line."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from machines.core.validation import CODES
from tests.core.validation.examples import ROOT, expected, right_file, wrong_file
from tests.machines.commands.conftest import parsed, printed, refused, talked

RIGHT = "initial_state: a\ntransitions:\n- {from: a, event: go}\n"
WARNED = RIGHT + "- {from: a, event: go}\n"
WRONG = RIGHT + "actions: {a: [{type: lgo}]}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.yaml"
    path.write_text(RIGHT)
    return path


def found(*arguments: str) -> list[dict[str, Any]]:
    """The problems, whether the command fails for them or not."""
    out = io.StringIO()
    with contextlib.suppress(CommandError):
        call_command(
            "validatemachines", *arguments, format="json", stdout=out, stderr=io.StringIO()
        )
    return list(json.loads(out.getvalue()))


def test_file_without_problems_passes(file: Path) -> None:
    assert printed("validatemachines", str(file)) == ""
    assert talked("validatemachines", str(file)) == "1 file: no problems\n"
    assert parsed("validatemachines", str(file)) == []


def test_errors_are_told_and_fail(file: Path) -> None:
    file.write_text(WRONG)

    code, fault, output = refused("validatemachines", str(file))

    assert (code, fault) == (1, "1 file: 1 error")
    assert output == (
        f"{file}:4:15: error SM501: state 'a': no action type 'lgo'; did you mean 'log'?\n"
        f"    {CODES['SM501'].hint}\n"
    )


def test_warnings_fail_only_if_asked_to(file: Path) -> None:
    file.write_text(WARNED)

    assert talked("validatemachines", str(file)) == "1 file: 1 warning\n"
    assert refused("validatemachines", str(file), "--strict")[:2] == (1, "1 file: 1 warning")


def test_problem_as_json_is_what_programs_rely_on(file: Path) -> None:
    file.write_text(WARNED)

    assert parsed("validatemachines", str(file)) == [
        {
            "file": str(file),
            "line": 4,
            "column": 3,
            "code": "SM301",
            "severity": "warning",
            "message": "transitions[1]: never taken; transitions[0] in line 3 takes 'go' first",
            "hint": CODES["SM301"].hint,
        }
    ]


def test_sarif_names_rule_and_place(file: Path) -> None:
    file.write_text(WARNED)

    log = json.loads(printed("validatemachines", str(file), "--format", "sarif"))

    (result,) = log["runs"][0]["results"]
    assert result["ruleId"] == "SM301"
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 4


def test_every_fault_of_a_file_that_does_not_load_is_told(file: Path) -> None:
    file.write_text(RIGHT + "- {from: b, event: go, to: c}\nstates: [a]\n")

    assert [(p["code"], p["line"]) for p in found(str(file))] == [("SM001", 4), ("SM001", 4)]


def test_unreadable_file_is_told_even_if_others_are_selected(file: Path) -> None:
    file.write_text("initial_state: [")

    assert {p["code"] for p in found(str(file), "--select", "SM3")} == {"SM001"}
    assert found(str(file), "--ignore", "SM001") == []


@pytest.mark.parametrize("code", ["SM001", "SM002"])
def test_fixture_of_the_command_has_its_problem(code: str) -> None:
    (problem,) = found(str(wrong_file(code)))

    line, column, message = expected(code)
    assert (problem["code"], problem["line"], problem["column"]) == (code, line, column)
    assert problem["message"] == message


@pytest.mark.parametrize("code", sorted(CODES))
def test_right_fixture_has_no_problem(code: str) -> None:
    assert found(str(right_file(code))) == []


def test_examples_have_no_problem() -> None:
    assert found(str(ROOT / "examples")) == []


# Which files


def test_missing_file_is_code_3_and_names_the_nearest(file: Path) -> None:
    code, fault, _output = refused("validatemachines", str(file.with_name("fiel.yaml")))

    assert code == 3
    assert f"did you mean '{file}'?" in fault


def test_folder_means_all_its_files_but_hidden_ones(file: Path) -> None:
    for name in ("below/deep.yml", ".hidden/no.yaml", "no.txt"):
        path = file.parent / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(WARNED)

    problems = found(str(file.parent), str(file))

    assert [problem["file"] for problem in problems] == [str(file.parent / "below/deep.yml")]


def test_no_file_means_those_of_the_manifest(file: Path, settings: Any) -> None:
    settings.SM_MANIFEST = str(file.parent / "machines.yaml")
    Path(settings.SM_MANIFEST).write_text(
        "machines:\n  one: {file: file.yaml, context: {x: 1}}\n  two: {file: file.yaml}\n"
    )
    file.write_text(
        RIGHT + "- {from: a, event: x, actions: [{type: log, message: '{x} {y}'},"
        " {type: send_event, target: two, event: oops}]}\n"
    )

    problems = found()

    assert [problem["code"] for problem in problems] == ["SM601", "SM204"]
    assert "nothing sets 'y'" in problems[0]["message"]


def test_manifest_among_the_files_of_a_folder_is_no_machine(file: Path, settings: Any) -> None:
    settings.SM_MANIFEST = str(file.parent / "machines.yaml")
    Path(settings.SM_MANIFEST).write_text("machines:\n  one: {file: file.yaml}\n")

    assert found(str(file.parent)) == []


def test_without_manifest_no_file_means_the_examples(file: Path, settings: Any) -> None:
    settings.SM_MANIFEST = str(file.parent / "machines.yaml")
    settings.SM_EXAMPLES_DIR = str(file.parent)
    file.write_text(WARNED)

    assert [problem["code"] for problem in found()] == ["SM301"]


def test_files_are_looked_at_together(file: Path) -> None:
    other = file.with_name("other.yaml")
    other.write_text(
        "initial_state: b\ntransitions:\n- from: b\n  event: go\n  actions:\n"
        "  - {type: send_event, target: file, event: og}\n"
    )

    assert found(str(other)) == []
    assert [problem["code"] for problem in found(str(other), str(file))] == ["SM204"]


# Which problems


@pytest.mark.parametrize(
    ("flags", "expected_codes"),
    [
        ([], ["SM301", "SM501"]),
        (["--select", "SM3"], ["SM301"]),
        (["--select", "sm501"], ["SM501"]),
        (["--select", "unknown-action,shadowed-transition"], ["SM301", "SM501"]),
        (["--ignore", "SM5, dead-end"], ["SM301"]),
        (["--select", "SM", "--ignore", "SM3"], ["SM501"]),
    ],
)
def test_codes_are_selected(file: Path, flags: list[str], expected_codes: list[str]) -> None:
    file.write_text(WARNED + "actions: {a: [{type: lgo}]}\n")

    assert [problem["code"] for problem in found(str(file), *flags)] == expected_codes


def test_unknown_code_is_wrong_usage(file: Path) -> None:
    code, fault, _output = refused("validatemachines", str(file), "--select", "dead-ned")

    assert (code, fault) == (2, "no code 'dead-ned'; did you mean 'dead-end'?")


# Custom actions


GREET = """\
from machines.actions import BaseAction


class GreetAction(BaseAction):
    async def execute(self, context):
        return "greeted"
"""


@pytest.fixture
def greeting(file: Path) -> Path:
    """A folder with a custom action, and the file that uses it without naming the folder."""
    folder = file.parent / "own"
    folder.mkdir()
    (folder / "greet_action.py").write_text(GREET)
    file.write_text(RIGHT + "actions: {a: [{type: greet, whom: '{someone}'}]}\n")
    return folder


def test_custom_actions_are_found_as_runmachine_finds_them(file: Path, greeting: Path) -> None:
    assert [problem["code"] for problem in found(str(file))] == ["SM501"]
    assert found(str(file), "--actions-dir", str(greeting)) == []

    file.write_text("actions_dir: own\n" + file.read_text())

    assert found(str(file)) == []


def test_custom_action_that_does_not_load_is_a_problem(file: Path, greeting: Path) -> None:
    (greeting / "greet_action.py").write_text("raise RuntimeError('oh no')\n")

    (problem,) = found(str(file), "--actions-dir", str(greeting))

    assert problem["code"] == "SM002"
    assert "oh no" in problem["message"]


STUCK = """\
initial_state: a
transitions:
- {from: a, to: b, event: go}
- {from: b, to: a, guard: count > 3}
context: {count: 1}
"""


def test_an_exploration_tells_the_shortest_way_to_what_can_go_wrong(file: Path) -> None:
    file.write_text(STUCK)

    told = {problem["code"]: problem for problem in found(str(file), "--explore")}

    assert "SM801" not in {problem["code"] for problem in found(str(file))}
    assert told["SM801"]["message"].startswith("state 'b' is never left")
    assert told["SM801"]["hint"] == "the shortest way there: send go"
    assert (told["SM801"]["severity"], told["SM801"]["line"]) == ("error", 3)


def test_an_exploration_can_be_selected_from(file: Path) -> None:
    file.write_text(STUCK)

    told = found(str(file), "--explore", "--select", "deadlock")

    assert [problem["code"] for problem in told] == ["SM801"]


def test_tests_beside_a_machine_are_passed_over_also_by_name(file: Path) -> None:
    tests = file.with_name("file.tests.yaml")
    tests.write_text("tests: []\n")

    assert talked("validatemachines", str(file), str(tests)) == "1 file: no problems\n"


def test_an_exploration_says_that_it_did_not_see_all(file: Path) -> None:
    # Six keys of ten values each: a million configurations.
    digits = range(10)
    steps = "".join(
        f"- {{from: a, event: k{key}v{value}, "
        f"actions: [{{type: set_context, key: k{key}, value: {value}}}]}}\n"
        for key in range(6)
        for value in digits
    )
    reads = "- {from: a, to: b, event: go, guard: k0 + k1 + k2 + k3 + k4 + k5 == 54}\n"
    context = "context: {k0: 0, k1: 0, k2: 0, k3: 0, k4: 0, k5: 0}\n"
    file.write_text(f"initial_state: a\ntransitions:\n{steps}{reads}{context}")

    [told] = found(str(file), "--explore", "--select", "explored-in-part")

    assert told["message"] == "only the first 10000 configurations were looked at"


@pytest.mark.parametrize("selected", ["", ","])
def test_a_selection_of_nothing_is_wrong_usage(file: Path, selected: str) -> None:
    assert refused("validatemachines", str(file), "--select", selected)[0] == 2


def test_a_folder_without_machines_is_no_success(tmp_path: Path) -> None:
    assert refused("validatemachines", str(tmp_path))[:2] == (3, "there is no machine to look at")


@pytest.mark.parametrize("types", ["5", '"{n}"', "[go, 5]"])
def test_an_exploration_takes_whatever_event_types_hold(file: Path, types: str) -> None:
    action = f"actions: {{a: [{{type: check_events, event_types: {types}}}]}}\n"
    file.write_text(RIGHT + "context: {n: 7}\n" + action)

    assert found(str(file), "--explore") == found(str(file), "--explore")


def test_exit_codes_may_be_mapped_by_json(file: Path) -> None:
    action = """[{type: bash, command: exit 2, error_mappings: '{"2": "bad"}'}]"""
    file.write_text(RIGHT + "- {from: a, event: bad}\n" + f"actions: {{a: {action}}}\n")

    assert found(str(file)) == []


def test_an_effect_whose_failure_leads_out_does_not_spin(file: Path) -> None:
    file.write_text(
        "initial_state: a\ntransitions:\n- {from: a, to: a, event: job_created}\n"
        "- {from: a, to: b, event: error}\n- {from: b, event: go}\n"
        "actions: {a: [{type: create_job, job_type: x, job_id: one}]}\n"
    )

    assert [problem["code"] for problem in found(str(file))] == []
