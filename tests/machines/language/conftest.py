"""Orders that are refused: the machine does not run, and somebody is told why."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from machines.runtime import ownership
from machines.runtime.launch import CannotRun, Order, prepare

Refusal = Callable[..., Awaitable[str]]


@pytest.fixture
def refusal(tmp_path: Path, run_directory: Path, transactional_db: None) -> Refusal:
    """``await refusal(yaml_text)``: why ``machine`` cannot be run from it; "" if it can."""

    def refused(yaml: str, options: dict[str, Any]) -> str:
        path = tmp_path / "machine.yaml"
        path.write_text(yaml)
        process = ownership.register_host("", "test", timezone.now())
        try:
            prepare(Order(str(path), machine_name="machine", **options), process, timezone.now())
        except CannotRun as error:
            return str(error)
        finally:
            ownership.release(process)
        return ""

    async def said(yaml: str, **options: Any) -> str:
        return await sync_to_async(refused)(yaml, options)

    return said
