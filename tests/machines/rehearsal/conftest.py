"""What the tests of rehearsals share: files in a folder, and a small machine."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

WORKER = """
name: worker
initial_state: waiting
context: {done: 0}
states:
  waiting: {actions: [{type: check_database_queue, job_type: demo}]}
  processing: {actions: [{type: bash, command: "echo {n}", store_as: said}]}
  failed: {actions: [{type: log, message: "failed: {last_error}", level: error}]}
  stopped: {}
transitions:
  - {from: waiting, to: waiting, event: no_jobs}
  - {from: waiting, to: processing, event: new_job}
  - {from: processing, to: waiting, event: job_done, actions: [{type: complete_job}]}
  - {from: processing, to: failed, event: error, actions: [{type: fail_job}]}
  - {from: failed, to: waiting, after: 5s}
  - from: "*"
    to: stopped
    event: stop
    interrupt: false
    actions: [{type: send_event, target: boss, event: gone, payload: {done: "{done}"}}]
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write(text)``: the tests of worker.yaml, which stands beside them; its path."""

    def writing(text: str, name: str = "worker.tests.yaml", machine: str = WORKER) -> Path:
        (tmp_path / "worker.yaml").write_text(machine)
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return path

    return writing
