"""Nothing is said of the files that are right."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from machines.actions.registry import Registry, action_folders
from machines.core.definition import Definition
from machines.core.loading import load
from machines.core.signatures import Signature
from machines.core.validation import peer, validate
from tests.core.validation.examples import ROOT

BROKEN_ON_PURPOSE = "broken.yaml"
CORRECT = sorted(
    path
    for path in (
        *ROOT.glob("examples/**/config/*.yaml"),
        *ROOT.glob("tests/acceptance/fixtures/*.yaml"),
    )
    if path.name != BROKEN_ON_PURPOSE and not path.name.endswith(".tests.yaml")
)


def read(path: Path) -> tuple[Definition, Mapping[str, Signature]]:
    """A machine, and the action types that it may use."""
    definition = load(path.read_bytes(), origin=path.name)
    folders = action_folders(path.parent, definition.actions_dir, None)
    return definition, Registry(folders).signatures()


@pytest.mark.parametrize("path", CORRECT, ids=[path.name for path in CORRECT])
def test_correct_file_has_no_problem_alone_or_among_others(path: Path) -> None:
    definition, signatures = read(path)
    others = [peer(*read(other), stem=other.stem) for other in CORRECT if other != path]

    assert validate(definition, signatures) == ()
    assert validate(definition, signatures, others) == ()
