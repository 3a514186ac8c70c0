"""Custom actions that raise, take too long, or are stopped."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from machines.actions.declared import CustomActionError
from machines.actions.files import types_in
from machines.actions.settings import SettingError
from machines.core.errors import MachineError
from tests.machines.action_fakes import FakeWorkServices
from tests.machines.custom_files import PATIENCE_SECONDS, execute, load


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize(
    ("raised", "error"),
    [
        ("TimeoutError('the printer')", "TimeoutError: the printer"),
        ("SystemExit(3)", "SystemExit: 3"),
        ("StopIteration()", "StopIteration"),
        ("asyncio.CancelledError()", "CancelledError: what it waited for was cancelled"),
    ],
)
async def test_nothing_that_an_action_raises_is_taken_for_the_hosts_own(
    tmp_path: Path, kind: str, raised: str, error: str
) -> None:
    found = load(tmp_path, f"{kind} execute(self, context):\nraise {raised}")

    with pytest.raises((CustomActionError, RuntimeError), match=error):
        await execute(found)


async def test_a_custom_action_that_is_stopped_is_cancelled(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        "async def execute(self, context):\n"
        "await context.services.send_event('other', 'begun')\n"
        "await asyncio.Event().wait()",
    )
    begun = asyncio.Event()
    services = _Begins(begun)

    running = asyncio.ensure_future(execute(found, services=services))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await begun.wait()
        running.cancel()
        [ended] = await asyncio.gather(running, return_exceptions=True)

    assert isinstance(ended, asyncio.CancelledError)


class _Begins(FakeWorkServices):
    def __init__(self, begun: asyncio.Event) -> None:
        super().__init__()
        self._begun = begun

    async def send_event(
        self, target: str, event_type: str, payload: Any = None, job_id: str = ""
    ) -> None:
        await super().send_event(target, event_type, payload, job_id)
        self._begun.set()


@pytest.mark.parametrize("limit", [0, -1, "0s", "soon"])
async def test_a_limit_that_is_none_is_refused(tmp_path: Path, limit: Any) -> None:
    found = load(tmp_path, "async def execute(self, context):\nreturn None")

    with pytest.raises(SettingError, match=r"pack: the setting 'timeout' is .*; it must be"):
        await execute(found, {"timeout": limit})


async def test_a_limit_may_be_written_as_a_time(tmp_path: Path) -> None:
    found = load(tmp_path, "async def execute(self, context):\nawait asyncio.Event().wait()")

    worked = await execute(found, {"timeout": "20ms"})

    assert worked.outcome.error == "timed out after 0.02 s"


@pytest.mark.parametrize("kind", ["def", "async def"])
async def test_a_traceback_begins_with_the_authors_own_code(tmp_path: Path, kind: str) -> None:
    found = load(tmp_path, f"{kind} execute(self, context):\nreturn 1 / 0")
    printed = bytearray()

    with pytest.raises(CustomActionError, match=r"^ZeroDivisionError: division by zero$"):
        await execute(found, printed=printed)

    lines = printed.decode().splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].strip().startswith(f'File "{tmp_path / "pack_action.py"}", line ')
    assert [line for line in lines if line.strip().startswith("File")] == [lines[1]]
    assert lines[-1] == "ZeroDivisionError: division by zero"


async def test_an_action_that_cannot_be_made_or_called_is_an_error_of_its_own(
    tmp_path: Path,
) -> None:
    printed = bytearray()
    (tmp_path / "pack_action.py").write_text("class PackAction:\n    def execute(self): ...\n")
    [found] = types_in(tmp_path)

    with pytest.raises(CustomActionError, match=r"^TypeError: PackAction\(\) takes no arguments"):
        await execute(found, printed=printed)

    assert printed.decode().startswith("TypeError: PackAction() takes no arguments")


async def test_what_the_services_refuse_needs_no_traceback(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        "async def execute(self, context):\n"
        "from machines.core.errors import MachineError\n"
        "raise MachineError('the inbox is full')",
    )
    printed = bytearray()

    with pytest.raises(MachineError, match=r"^the inbox is full$"):
        await execute(found, printed=printed)

    assert printed == b""
