"""Custom actions as tests write them: files, and one run of what they hold."""

import asyncio
from pathlib import Path
from typing import Any

from machines.actions.base import ActionType, Worked
from machines.actions.files import types_in
from tests.machines.action_fakes import work_call

PATIENCE_SECONDS = 20


def load(
    folder: Path, body: str, *, name: str = "pack", class_name: str = "PackAction"
) -> ActionType:
    """The type of a file whose ``execute`` is ``body``."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "\n".join(f"        {line}" for line in body.splitlines()[1:])
    signature = body.splitlines()[0]
    (folder / f"{name}_action.py").write_text(
        "import asyncio, threading, time\n"
        "from machines.actions import BaseAction\n\n"
        f"class {class_name}(BaseAction):\n    {signature}\n{lines}\n"
    )
    [found] = types_in(folder)
    return found


async def execute(found: ActionType, settings: dict[str, Any] | None = None, **call: Any) -> Worked:
    assert found.work is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await found.work(work_call(found.name, settings or {}, **call))
