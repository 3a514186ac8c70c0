"""Every code has one file with that problem and no other, one without, and its entry."""

import re

import pytest

from machines.core.errors import DefinitionError
from machines.core.loading import load
from machines.core.validation import CODES, validate
from tests.core.validation.examples import (
    FOLDER,
    REFERENCE,
    expected,
    reference,
    right_file,
    wrong_file,
)
from tests.core.validation.looking import SIGNATURES

OF_THE_COMMAND = {"SM001", "SM002"}  # its own tests look at these
CHECKED = sorted(CODES.keys() - OF_THE_COMMAND)


@pytest.mark.parametrize("code", CHECKED)
def test_wrong_file_has_its_problem_and_no_other(code: str) -> None:
    definition = load(wrong_file(code).read_bytes(), origin="wrong.yaml")

    found = validate(definition, SIGNATURES)

    line, column, message = expected(code)
    assert [(p.code, p.place.line, p.place.column) for p in found] == [(code, line, column)]
    assert found[0].message == message
    assert found[0].severity is CODES[code].severity


@pytest.mark.parametrize("code", sorted(CODES))
def test_right_file_has_no_problem(code: str) -> None:
    definition = load(right_file(code).read_bytes(), origin="right.yaml")

    assert validate(definition, SIGNATURES) == ()


def test_file_that_does_not_load_says_what_its_fixture_says() -> None:
    with pytest.raises(DefinitionError) as error:
        load(wrong_file("SM001").read_bytes(), origin="wrong.yaml")

    faults = [(fault.line, fault.column, fault.message) for fault in error.value.faults]
    assert faults == [expected("SM001")]


def test_every_code_has_fixtures_and_every_fixture_a_code() -> None:
    names = {f"{code.code}-{code.name}.yaml" for code in CODES.values()}

    assert {path.name for path in FOLDER.glob("*.yaml")} == names
    assert {path.name for path in FOLDER.glob("right/*.yaml")} == names


def test_codes_and_names_are_well_formed_and_unique() -> None:
    assert len({code.name for code in CODES.values()}) == len(CODES)
    for code in CODES.values():
        assert re.fullmatch(r"SM\d{3}", code.code)
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code.name)
        assert code.meaning.endswith(".")


def test_reference_is_up_to_date() -> None:
    assert REFERENCE.read_text() == reference(), (
        "write it anew: python -m tests.core.validation.examples"
    )
