"""The fixtures of all problems: a wrong file for each code, what is said of it, and a right one.

``python -m tests.core.validation.examples`` writes the reference from them.
"""

import re
from pathlib import Path

from machines.core.validation import CODES
from machines.core.validation.reference import Example, as_reference

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "tests/core/fixtures/problems"
REFERENCE = ROOT / "docs/reference/problems.md"

_EXPECTED = re.compile(r"\n# (\d+):(\d+): (.+)\n$")


def wrong_file(code: str) -> Path:
    """The fixture that has the problem and no other."""
    return FOLDER / f"{code}-{CODES[code].name}.yaml"


def right_file(code: str) -> Path:
    """The fixture that shows how the wrong one would be right."""
    return FOLDER / "right" / wrong_file(code).name


def expected(code: str) -> tuple[int, int, str]:
    """Line, column and message of the problem, as its fixture says in its last line."""
    found = _EXPECTED.search(wrong_file(code).read_text())
    assert found is not None, wrong_file(code)
    return int(found[1]), int(found[2]), found[3]


def reference() -> str:
    """The page of all problems."""
    return as_reference({code: _example(code) for code in CODES})


def _example(code: str) -> Example:
    line, column, message = expected(code)
    return Example(
        wrong=_EXPECTED.sub("\n", wrong_file(code).read_text()),
        message=f"{line}:{column}: {CODES[code].severity.value} {code}: {message}",
        right=right_file(code).read_text(),
    )


if __name__ == "__main__":
    REFERENCE.write_text(reference())
