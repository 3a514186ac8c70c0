"""What a command prints: streamed, kept with its run, stored in the context."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from machines.actions.base import Worked
from machines.actions.bash import bash
from tests.machines.action_fakes import work_call
from tests.machines.conftest import Runner

PATIENCE_SECONDS = 20


async def perform(settings: Mapping[str, Any], *, printed: bytearray | None = None) -> Worked:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await bash(work_call("bash", settings, printed=printed))


@pytest.mark.parametrize(
    ("settings", "changes", "error"),
    [
        ({"command": r"printf 'a\n\n'"}, {"said": "a"}, ""),
        ({"command": "true"}, {"said": ""}, ""),
        ({"command": r"printf 'a\377b'"}, {"said": "a\ufffdb"}, ""),
        ({"command": """echo '{"n": [1]}'""", "parse": "json"}, {"said": {"n": [1]}}, ""),
        ({"command": """echo '{"n": 1}'"""}, {"said": '{"n": 1}'}, ""),
        ({"command": "echo nonsense", "parse": "json"}, {}, "its output is not JSON: invalid"),
        ({"command": "true", "parse": "json"}, {}, "its output is not JSON: Input is"),
        ({"command": "echo NaN", "parse": "json"}, {}, "its output is not JSON: unexpected"),
        ({"command": "echo out; echo err >&2"}, {"said": "out"}, ""),
    ],
)
async def test_store_as_keeps_what_was_printed(
    settings: dict[str, Any], changes: dict[str, Any], error: str
) -> None:
    worked = await perform({**settings, "store_as": "said"})

    assert worked.outcome.changes == changes
    assert worked.outcome.error.startswith(error)
    assert bool(worked.outcome.error) == bool(error)
    assert worked.exit_code == 0


async def test_standard_error_is_output_too() -> None:
    printed = bytearray()

    await perform({"command": "echo out; echo err >&2"}, printed=printed)

    assert printed == b"out\nerr\n"


async def test_what_is_stored_is_standard_output_and_the_record_shows_both() -> None:
    printed = bytearray()

    worked = await perform(
        {"command": "echo out; echo err >&2; printf end", "store_as": "said"}, printed=printed
    )

    assert worked.outcome.changes == {"said": "out\nend"}
    assert sorted(printed.splitlines()) == [b"end", b"err", b"out"]


@pytest.mark.parametrize(("size", "error"), [(65_536, ""), (65_537, "its output is more than")])
async def test_store_as_takes_64_kib_and_never_a_part_of_more(size: int, error: str) -> None:
    printed = bytearray()

    worked = await perform({"command": f"printf %{size}d 1", "store_as": "said"}, printed=printed)

    assert len(printed) == size
    assert worked.outcome.error.startswith(error)
    assert len(worked.outcome.changes.get("said", "")) == (0 if error else size)
    assert worked.exit_code == 0


PRINT = """
initial_state: a
actions:
  a: [{type: bash, command: %s}]
transitions:
  - {from: a, to: done, event: job_done}
"""


async def test_the_last_64_kib_of_the_output_are_kept_with_the_run(run: Runner) -> None:
    async with run(PRINT % '"seq 60000"') as machine:
        await machine.reaches("done")

        [done] = await machine.runs()
        assert len(done.output) == 64 << 10
        assert done.output.endswith("\n59999\n60000\n")


async def test_output_that_is_no_text_is_kept_as_far_as_it_goes(run: Runner) -> None:
    async with run(PRINT % r"""'printf "a\377b\0c"'""") as machine:
        await machine.reaches("done")

        [done] = await machine.runs()
        assert done.output == "a\ufffdb\ufffdc"
