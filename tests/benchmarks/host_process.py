"""A host as a process: how soon it takes events, how quiet it is when nothing happens."""

import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import running

ROUNDS = 5
IDLE_SECONDS = 10.0
SETUP = (
    "import os, django; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'smproject.settings');"
    "django.setup(); from django.db import connection; connection.ensure_connection()"
)


def main() -> None:
    """Measure, and print medians and ratios."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        running.migrate(folder)
        _start_up(folder)
        _idle(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start_up(folder: Path) -> None:
    floors, ours = [], []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", SETUP],
            cwd=running.ROOT, env=running.environment(folder), check=True,
        )  # fmt: skip
        floors.append(time.perf_counter() - started)
        started = time.perf_counter()
        with running.host(folder, running.TO_AND_FRO):
            ours.append(time.perf_counter() - started)
    ratios = sorted(a / b for a, b in zip(ours, floors, strict=True))
    print(
        f"runmachine ready, s: ours {statistics.median(ours):.2f}"
        f" ({min(ours):.2f}-{max(ours):.2f}),"
        f" django.setup() + connection {statistics.median(floors):.2f}"
        f" ({min(floors):.2f}-{max(floors):.2f}), ratio {statistics.median(ratios):.2f}"
        f" ({ratios[0]:.2f}-{ratios[-1]:.2f}), must < 1 s and <= 1.5"
    )


def _idle(folder: Path) -> None:
    """Count how often the kernel let the idle host run: its voluntary context switches."""
    with running.host(folder, running.TO_AND_FRO):
        [lock] = (folder / "run").glob("host-*.lock")
        pid = int(lock.stem.removeprefix("host-"))
        time.sleep(1)
        before, cpu_before = _switches(pid), _cpu_seconds(pid)
        time.sleep(IDLE_SECONDS)
        switches = _switches(pid) - before
        cpu = _cpu_seconds(pid) - cpu_before
        os.kill(pid, signal.SIGTERM)
    sweeps = IDLE_SECONDS / 2
    print(
        f"idle host, {IDLE_SECONDS:g} s: {switches} wake-ups of its threads,"
        f" {switches / sweeps:.1f} a sweep (every 2 s), {1000 * cpu / IDLE_SECONDS:.1f} ms of"
        " processor a second"
    )


def _switches(pid: int) -> int:
    total = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        for line in status.read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
