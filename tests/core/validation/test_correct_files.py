"""Nothing is said of the files that are right."""

from pathlib import Path

import pytest

from machines.core.loading import load
from machines.core.validation import peer, validate
from tests.core.validation.examples import ROOT
from tests.core.validation.looking import SIGNATURES

BROKEN_ON_PURPOSE = "broken.yaml"
CORRECT = sorted(
    path
    for path in (
        *ROOT.glob("examples/**/*.yaml"),
        *ROOT.glob("tests/acceptance/fixtures/*.yaml"),
    )
    if path.name != BROKEN_ON_PURPOSE
)


@pytest.mark.parametrize("path", CORRECT, ids=[path.name for path in CORRECT])
def test_correct_file_has_no_problem_alone_or_among_others(path: Path) -> None:
    definition = load(path.read_bytes(), origin=path.name)
    others = [
        peer(load(other.read_bytes(), origin=other.name), SIGNATURES, stem=other.stem)
        for other in CORRECT
        if other != path
    ]

    assert validate(definition, SIGNATURES) == ()
    assert validate(definition, SIGNATURES, others) == ()
