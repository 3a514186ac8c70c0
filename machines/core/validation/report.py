"""Reports: problems with their files, for people, for programs, and as SARIF 2.1.0.

SARIF is the format in which code hosts and editors take the findings of any checker; see
https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from machines.core.validation.explored import ALL_CODES
from machines.core.validation.problems import Code, Problem, Severity

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Mapping[Severity, str] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
}


@dataclass(frozen=True, slots=True)
class Located:
    """A problem and the path of its file, as it is to be shown."""

    file: str
    problem: Problem

    @property
    def text(self) -> str:
        """``file:line:column: severity code: message``, and the hint in a line of its own."""
        problem = self.problem
        place = f"{self.file}:{problem.place.line}:{problem.place.column}"
        return (
            f"{place}: {problem.severity.value} {problem.code}: {problem.message}\n"
            f"    {problem.hint}"
        )

    def as_json(self) -> dict[str, Any]:
        """The problem with the keys that programs rely on."""
        return {
            "file": self.file,
            "line": self.problem.place.line,
            "column": self.problem.place.column,
            "code": self.problem.code,
            "severity": self.problem.severity.value,
            "message": self.problem.message,
            "hint": self.problem.hint,
        }


def counted(found: Iterable[Located], files: int) -> str:
    """``3 files: 1 error, 2 warnings``, for the end of a report."""
    severities = [located.problem.severity for located in found]
    counts = [
        _plural(severities.count(severity), word)
        for severity, word in zip(Severity, ("error", "warning", "note"), strict=True)
        if severity in severities
    ]
    return f"{_plural(files, 'file')}: {', '.join(counts) or 'no problems'}"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def as_sarif(found: Sequence[Located]) -> dict[str, Any]:
    """One run of the validator as a SARIF log, with all codes as its rules."""
    places = {code: index for index, code in enumerate(ALL_CODES)}
    driver = {
        "name": "validatemachines",
        "rules": [_rule(code) for code in ALL_CODES.values()],
    }
    results = [_result(located, places[located.problem.code]) for located in found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: Code) -> dict[str, Any]:
    return {
        "id": code.code,
        "name": "".join(part.capitalize() for part in code.name.split("-")),
        "shortDescription": {"text": code.meaning},
        "help": {"text": code.hint},
        "defaultConfiguration": {"level": _LEVELS[code.severity]},
    }


def _result(located: Located, rule: int) -> dict[str, Any]:
    problem = located.problem
    region = {"startLine": max(1, problem.place.line), "startColumn": max(1, problem.place.column)}
    return {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": _LEVELS[problem.severity],
        "message": {"text": f"{problem.message}. {problem.hint}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(located.file)},
                    "region": region,
                }
            }
        ],
    }


def _uri(path: str) -> str:
    return f"file://{quote(path)}" if path.startswith("/") else quote(path)
