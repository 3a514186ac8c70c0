"""What the document about testing shows is true."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from machines.actions.registry import Registry
from machines.core.loading import load
from machines.rehearsal.chance import Chance
from machines.rehearsal.files import Shelf
from machines.rehearsal.happenings import read_happenings
from machines.rehearsal.rehearsal import Rehearsal, name_of
from machines.rehearsal.scenario import Cast
from machines.rehearsal.scenarios import run
from machines.rehearsal.simulation import Limits, tell
from machines.rehearsal.stage import Stage

ROOT: Path = settings.BASE_DIR
WORKER = ROOT / "examples/simple_worker/config/worker.yaml"
BLOCKS = re.findall(
    r"^```yaml\n(.*?)^```",
    (ROOT / "docs/how-to/test-a-machine.md").read_text(),
    re.MULTILINE | re.DOTALL,
)


def test_tests_of_the_document_pass(tmp_path: Path) -> None:
    (text,) = (block for block in BLOCKS if block.startswith("tests:"))
    (tmp_path / "worker.yaml").write_text(WORKER.read_text())
    (tmp_path / "worker.tests.yaml").write_text(text)
    shelf = Shelf()
    types = shelf.types(tmp_path / "worker.yaml")

    scenarios = shelf.scenarios(tmp_path / "worker.tests.yaml").scenarios

    failures = [run(scenario, "t.yaml", types).failure for scenario in scenarios]
    assert failures == [None, None, None]


def test_events_of_the_document_are_read() -> None:
    (text,) = (block for block in BLOCKS if block.startswith("- answers:"))
    definition = load(WORKER.read_text(), origin="worker.yaml")
    cast = [Cast(definition, "worker.yaml", "simple_worker", Registry().signatures())]

    found = read_happenings(text, origin="e.yaml", cast=cast)

    assert [event.at_seconds for event in found.events] == [5, 65, 600]


@pytest.mark.parametrize("seed", range(20))
def test_no_story_of_the_examples_breaks_the_rehearsal(seed: int) -> None:
    chance = Chance(seed)
    rehearsal = Rehearsal(Stage(Registry(), guesses=chance))
    for path in sorted(ROOT.glob("examples/*/config/*r.yaml")):
        definition = load(path.read_text(), origin=str(path))
        rehearsal.add(definition, name_of(definition, str(path)))
    rehearsal.begin()

    tell(rehearsal, (), Limits(), chance)

    assert {player.status for player in rehearsal.players.values()} <= {"running", "finished"}
