"""A label shows what a person wrote, and nothing of it is obeyed."""

import re

import pytest

from machines.core.labels import MAX_LABEL_LENGTH, duration, label
from tests.core.hostile_names import HOSTILE_NAMES


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_label_leaves_nothing_that_mermaid_would_obey(name: str) -> None:
    shown = label(name)

    bare = re.sub(r"#\d+;", "", shown)
    assert not set('"<>%;:#&{}\\`*~$|\n') & set(bare)
    assert "direction" not in shown.lower()
    assert shown.strip()


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_label_reads_as_the_name_once_decoded(name: str) -> None:
    shown = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), label(name))

    assert len(shown) <= MAX_LABEL_LENGTH
    assert " ".join(name.replace("\u202e", " ").split()).startswith(shown.rstrip("…"))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.5, "500 ms"),
        (5, "5 s"),
        (90, "90 s"),
        (600, "10 min"),
        (3600, "1 h"),
        (172800, "2 d"),
    ],
)
def test_duration_names_the_largest_whole_unit(seconds: float, words: str) -> None:
    shown = duration(seconds)

    assert shown == words
