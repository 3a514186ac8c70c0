"""Durable events: answered after their commit, one by one and with 64 waiting.

The floor of the first is a raw commit of the same three statements and a round trip through a
Unix socket; of the second, raw ``sqlite3`` in groups of 64.
"""

import shutil
import socket
import statistics
import tempfile
import threading
import time
from pathlib import Path

import orjson

from tests.benchmarks import floor, running

ROUNDS = 5
WINDOW = 64


def main() -> None:
    """Measure in turn, floor and ours, and print medians, spread and ratios."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        running.migrate(folder)
        with running.host(folder, running.TO_AND_FRO) as control:
            twin = folder / "raw.sqlite3"
            _copy(folder / "bench.sqlite3", twin)
            writer = floor.RawWriter(twin)
            _measure(control, writer)
            writer.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(control: Path, writer: floor.RawWriter) -> None:
    raw_rate, our_rate, raw_single, our_single = [], [], [], []
    _send(control, 2_000, WINDOW)  # warm up
    floor.events_per_second(writer, group=WINDOW, seconds=0.5)
    for _ in range(ROUNDS):
        raw_rate.append(floor.events_per_second(writer, group=WINDOW, seconds=1.0))
        our_rate.append(_send(control, 20_000, WINDOW))
        trip = statistics.median(_round_trips(200))
        raw_single.append(statistics.median(floor.commit_seconds(writer, count=150)) + trip)
        our_single.append(statistics.median(_one_by_one(control, 150)))
    _print("events/s, 64 waiting", "raw sqlite3, groups of 64", our_rate, raw_rate, "must >= 0.25")
    milli = ([1000 * t for t in our_single], [1000 * t for t in raw_single])
    _print("answer, ms, one sender", "raw commit + round trip", *milli, "must <= 4")


def _print(what: str, against: str, ours: list[float], raw: list[float], must: str) -> None:
    ratios = sorted(a / b for a, b in zip(ours, raw, strict=True))
    print(
        f"{what}: ours {statistics.median(ours):.4g} ({min(ours):.4g}-{max(ours):.4g}),"
        f" {against} {statistics.median(raw):.4g} ({min(raw):.4g}-{max(raw):.4g}),"
        f" ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f}), {must}"
    )


def _send(control: Path, count: int, window: int) -> float:
    """Send so many events with so many unanswered; events a second. Each answer is checked."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(control))
        lines = client.makefile("rb")
        started = time.perf_counter()
        sent = answered = 0
        while answered < count:
            more = min(window - (sent - answered), count - sent)
            if more:
                client.sendall(b"".join(_frame(sent + n) for n in range(more)))
                sent += more
            answer = orjson.loads(lines.readline())
            if answer["status"] != "processed":
                raise AssertionError(answer)
            answered += 1
        return count / (time.perf_counter() - started)


def _one_by_one(control: Path, count: int) -> list[float]:
    taken = []
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(control))
        lines = client.makefile("rb")
        for n in range(count):
            started = time.perf_counter()
            client.sendall(_frame(n))
            lines.readline()
            taken.append(time.perf_counter() - started)
    return taken


def _round_trips(count: int) -> list[float]:
    """What a line to another thread and back takes, through a Unix socket."""
    ours, theirs = socket.socketpair()

    def echo() -> None:
        with theirs.makefile("rb") as lines:
            for line in lines:
                theirs.sendall(line)

    thread = threading.Thread(target=echo, daemon=True)
    thread.start()
    taken = []
    with ours, ours.makefile("rb") as lines:
        for n in range(count):
            started = time.perf_counter()
            ours.sendall(_frame(n))
            lines.readline()
            taken.append(time.perf_counter() - started)
        ours.shutdown(socket.SHUT_RDWR)
    thread.join()
    theirs.close()
    return taken


def _frame(n: int) -> bytes:
    return orjson.dumps({"type": "go", "payload": {"n": n}}) + b"\n"


def _copy(database: Path, twin: Path) -> None:
    """A copy that can be written while the host goes on."""
    import sqlite3

    with sqlite3.connect(database) as source, sqlite3.connect(twin) as target:
        source.backup(target)


if __name__ == "__main__":
    main()
