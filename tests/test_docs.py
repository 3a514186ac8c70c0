"""The documents say what is true: links lead somewhere, YAML loads, commands take these flags."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands, load_command_class

from machines.core.loading import load

ROOT: Path = settings.BASE_DIR
DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md"))
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"manage\.py (\w+)([^#\n]*)")


def blocks(*languages: str) -> Iterator[tuple[str, str]]:
    """Where each block of one of ``languages`` stands, and its text."""
    for document in DOCUMENTS:
        text = (ROOT / document).read_text()
        for found in BLOCK.finditer(text):
            if found[1] in languages:
                line = text.count("\n", 0, found.start()) + 2
                yield f"{document}:{line}", found[2]


def command_lines() -> Iterator[tuple[str, str, str]]:
    for place, text in blocks("console", "bash"):
        for found in COMMAND.finditer(text):
            yield place, found[1], found[2]


MACHINES = list(blocks("yaml"))
COMMAND_LINES = list(command_lines())


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_link_leads_to_a_file(document: Path) -> None:
    targets = LINK.findall((ROOT / document).read_text())

    missing = [target for target in targets if not (ROOT / document.parent / target).exists()]

    assert missing == []


@pytest.mark.parametrize(("place", "text"), MACHINES, ids=[place for place, _ in MACHINES])
def test_every_yaml_block_loads(place: str, text: str) -> None:
    assert yaml.safe_load(text)
    if text.startswith("name:"):
        assert load(text, origin=place).states


@pytest.mark.parametrize(
    ("place", "name", "arguments"),
    COMMAND_LINES,
    ids=[f"{place} {name}" for place, name, _ in COMMAND_LINES],
)
def test_every_command_exists_and_takes_its_flags(place: str, name: str, arguments: str) -> None:
    application = get_commands()[name]
    command = load_command_class(application, name) if isinstance(application, str) else application

    parsed = command.create_parser("manage.py", name).parse_args(shlex.split(arguments))

    assert parsed is not None, place


def test_every_command_of_ours_is_in_the_reference() -> None:
    reference = (ROOT / "docs/reference/commands.md").read_text()
    ours = {name for name, app in get_commands().items() if app in {"machines", "jobqueue"}}

    assert {name for name in ours if f"`{name}" not in reference} == set()


def test_every_setting_of_the_environment_is_in_the_reference() -> None:
    reference = (ROOT / "docs/reference/settings.md").read_text()
    source = (ROOT / "smproject/settings.py").read_text()
    names = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))

    assert {name for name in names if f"`{name}`" not in reference} == set()
