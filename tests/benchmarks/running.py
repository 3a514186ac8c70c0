"""A real host with a database of its own, for measurements."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TO_AND_FRO = """\
name: To and fro
initial_state: a
transitions:
  - {from: a, to: b, event: go}
  - {from: b, to: a, event: go}
"""


def environment(folder: Path) -> dict[str, str]:
    """The environment of a system with its database in ``folder``."""
    return {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
        "SM_RUN_DIR": str(folder / "run"),
        "DEBUG": "1",
        "LOG_LEVEL": "WARNING",
    }


def migrate(folder: Path) -> None:
    """Make the database."""
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"],
        cwd=ROOT, env=environment(folder), check=True,
    )  # fmt: skip


@contextlib.contextmanager
def host(folder: Path, yaml: str, name: str = "bench") -> Iterator[Path]:
    """Run a machine; its control socket."""
    path = folder / f"{name}.yaml"
    path.write_text(yaml)
    process = subprocess.Popen(
        [sys.executable, "manage.py", "runmachine", str(path)], cwd=ROOT, env=environment(folder)
    )
    control = folder / "run" / f"{name}.sock"
    try:
        wait_for_socket(control)
        yield control
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def wait_for_socket(path: Path, seconds: float = 30) -> None:
    """Return when somebody listens at ``path``."""
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            return
        time.sleep(0.02)
    raise TimeoutError(f"nobody listens at {path} after {seconds} s")
