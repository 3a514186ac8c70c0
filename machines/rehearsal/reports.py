"""Reports: how tests went, for people, for programs, and for machines that build software."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from machines.rehearsal.coverage import Coverage
from machines.rehearsal.scenarios import Verdict


def as_json(verdicts: Iterable[Verdict], coverages: Iterable[Coverage] | None) -> dict[str, Any]:
    """Tests and coverage (None: nobody asked) as one JSON object."""
    return {
        "tests": [_test(verdict) for verdict in verdicts],
        "coverage": None if coverages is None else [_coverage(found) for found in coverages],
    }


def as_junit(verdicts: Sequence[Verdict]) -> str:
    """Tests as JUnit XML, one suite for each file. Times are those of the virtual clock."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>"]
    for origin in dict.fromkeys(verdict.origin for verdict in verdicts):
        own = [verdict for verdict in verdicts if verdict.origin == origin]
        failed = sum(not verdict.passed for verdict in own)
        lines.append(
            f'  <testsuite name={_attribute(origin)} tests="{len(own)}" failures="{failed}">'
        )
        lines.extend(line for verdict in own for line in _case(verdict))
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>"])


def coverage_lines(found: Coverage) -> list[str]:
    """The coverage of a file for a person: the shares, then what is untested."""
    states, transitions = found.states, found.transitions
    head = (
        f"{found.file}: {found.percent:g} %"
        f" (states {states[0]} of {states[1]}, transitions {transitions[0]} of {transitions[1]})"
    )
    return [head, *(f"  {found.file}:{one.line}: untested: {one.what}" for one in found.untested)]


def _test(verdict: Verdict) -> dict[str, Any]:
    failure = verdict.failure
    return {
        "file": verdict.origin,
        "name": verdict.scenario.name,
        "line": verdict.scenario.place.line,
        "passed": verdict.passed,
        "failure": None if failure is None else asdict(failure),
        "virtual_seconds": verdict.virtual_seconds,
    }


def _coverage(found: Coverage) -> dict[str, Any]:
    states, transitions = found.states, found.transitions
    return {
        "file": found.file,
        "percent": found.percent,
        "states": {"tested": states[0], "of": states[1]},
        "transitions": {"tested": transitions[0], "of": transitions[1]},
        "untested": [asdict(one) for one in found.untested],
    }


def _case(verdict: Verdict) -> Iterable[str]:
    begin = (
        f"    <testcase classname={_attribute(verdict.origin)}"
        f" name={_attribute(verdict.scenario.name)} file={_attribute(verdict.origin)}"
        f' line="{verdict.scenario.place.line}" time="{verdict.virtual_seconds:g}"'
    )
    if verdict.failure is None:
        yield begin + "/>"
        return
    failure = verdict.failure
    said = f"expected {failure.expected}, but {failure.happened}"
    yield begin + ">"
    yield f"      <failure message={_attribute(said)}>{_text(failure.located(verdict.origin))}"
    yield "</failure></testcase>"


def _attribute(text: str) -> str:
    return quoteattr(_printable(text))


def _text(text: str) -> str:
    return escape(_printable(text))


def _printable(text: str) -> str:
    """XML knows no control characters, not even escaped."""
    return "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)
