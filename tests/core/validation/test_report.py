"""How problems are told to people and to programs."""

import json
from typing import Any

import pytest

from machines.core.definition import NOWHERE, Place
from machines.core.validation import Problem
from machines.core.validation.explored import ALL_CODES
from machines.core.validation.report import Located, as_sarif, counted

HERE = Place(4, 2)


def located(code: str = "SM301", place: Place = HERE, file: str = "a b.yaml") -> Located:
    return Located(file, Problem(code, ALL_CODES[code].severity, place, "message", "Hint."))


def test_text_is_what_editors_follow() -> None:
    assert located().text == "a b.yaml:4:2: warning SM301: message\n    Hint."


def test_json_has_the_keys_of_the_contract() -> None:
    assert located().as_json() == {
        "file": "a b.yaml",
        "line": 4,
        "column": 2,
        "code": "SM301",
        "severity": "warning",
        "message": "message",
        "hint": "Hint.",
    }


@pytest.mark.parametrize(
    ("codes", "files", "expected"),
    [
        ([], 1, "1 file: no problems"),
        (["SM301"], 2, "2 files: 1 warning"),
        (["SM301", "SM501", "SM501", "SM103"], 3, "3 files: 2 errors, 1 warning, 1 note"),
    ],
)
def test_problems_are_counted(codes: list[str], files: int, expected: str) -> None:
    assert counted([located(code) for code in codes], files) == expected


def test_sarif_has_all_that_its_schema_requires() -> None:
    log: Any = json.loads(json.dumps(as_sarif([located(), located("SM103", NOWHERE, "/x/y.yaml")])))

    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"]
    assert [rule["id"] for rule in rules] == list(ALL_CODES)
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note"}
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] >= 1
        assert place["region"]["startColumn"] >= 1
    uris = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in run["results"]
    ]
    assert uris == ["a%20b.yaml", "file:///x/y.yaml"]
