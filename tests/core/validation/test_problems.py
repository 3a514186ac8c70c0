"""Collecting problems."""

from machines.core.definition import Place
from machines.core.validation import codes, problems
from machines.core.validation.problems import Findings


def test_findings_come_in_the_order_of_the_file_and_once() -> None:
    findings = Findings()
    for line in (7, 3, 7):
        findings.add(codes.DEAD_END, Place(line, 1), "message")

    found = findings.sorted()

    assert [problem.place.line for problem in found] == [3, 7]
    assert found[0].hint == codes.DEAD_END.hint


def test_findings_of_one_code_are_bounded() -> None:
    findings = Findings()
    for line in range(problems.MAX_OF_ONE_CODE + 5):
        findings.add(codes.DEAD_END, Place(line, 1), "message")
    findings.add(codes.UNREACHABLE_STATE, Place(1, 1), "message")

    assert len(findings.sorted()) == problems.MAX_OF_ONE_CODE + 1


def test_near_word_is_named() -> None:
    findings = Findings()

    assert findings.near("wroker", ["controller", "worker"]) == "; did you mean 'worker'?"
    assert findings.near("unlike", ["controller", "worker"]) == ""
    assert findings.near("w" * 50, ["w" * 50]) == ""


def test_comparisons_of_one_file_are_bounded() -> None:
    findings = Findings()
    for _ in range(problems.MAX_COMPARISONS):
        findings.near("wroker", ["controller"])

    assert findings.near("wroker", ["worker"]) == ""
