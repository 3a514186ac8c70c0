"""Many jobs from a file: one JSON object a line, committed in groups."""

import difflib
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from django.db import transaction

from jobqueue.errors import JobError
from jobqueue.intake import create_job
from jobqueue.models import Job

GROUP_LINES = 500  # one commit each: far under the 50 ms that a writer may hold SQLite
# Keys of a line, flags of `createjob`, and arguments of `create_job`.
KEYS = (
    "job_type",
    "data",
    "job_id",
    "source_job_id",
    "machine_type",
    "priority",
    "run_at",
    "max_attempts",
    "unique_key",
)


def read_lines(path: str) -> Iterator[str]:
    """The lines of a file, or of standard input if ``path`` is ``-``; JobError if unreadable."""
    if path == "-":
        yield from sys.stdin
        return
    try:
        with Path(path).open(encoding="utf-8") as file:
            yield from file
    except (OSError, UnicodeDecodeError) as error:
        raise JobError(f"{path}: cannot be read: {getattr(error, 'strerror', error)}") from error


def create_batch(name: str, lines: Iterable[str], *, created_by: str) -> Iterator[Job]:
    """Create a job for each line, as the caller takes them, and yield it once it is committed.

    Empty lines count but are skipped. A line that is not right raises JobError, which names it
    (``name`` is the file's): the groups before it stay, nothing of its own group is stored.
    """
    numbered = enumerate(lines, start=1)
    while group := list(islice(numbered, GROUP_LINES)):
        with transaction.atomic():
            jobs = [
                _create(f"{name}:{number}", line, group[0][0], created_by)
                for number, line in group
                if line.strip()
            ]
        yield from jobs


def _create(where: str, line: str, group_start: int, created_by: str) -> Job:
    kept = f"lines 1 to {group_start - 1} are stored" if group_start > 1 else "nothing is stored"
    try:
        return create_job(**_arguments(line), created_by=created_by)
    except JobError as error:
        raise JobError(f"{where}: {error} ({kept})") from error


def _arguments(line: str) -> dict[str, Any]:
    try:
        given = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise JobError(f"not JSON: {error}") from error
    if not isinstance(given, dict):
        raise JobError('a line is an object, such as {"job_type": "resize"}')
    for key in given:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, 1)
            advice = f"did you mean {near[0]!r}?" if near else f"keys are {', '.join(KEYS)}"
            raise JobError(f"no key {key!r}; {advice}")
    if "job_type" not in given:
        raise JobError("job_type is missing; every job has one")
    return given
