"""A whole system in a folder of its own: database, run directory, and its real processes.

Whatever a test starts here is ended by its pid when the test is over.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.acceptance.client import Client, Doorbell, NobodyListens

PROJECT = Path(__file__).resolve().parents[2]
FIXTURES = Path(__file__).parent / "fixtures"
EXAMPLES = PROJECT / "examples"
PYTHON = Path(sys.executable)
COMMAND_SECONDS = 60.0  # two shared cores: a command that takes one second may once take many
SQLITE_FILES = ("", "-wal")

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


class Running:
    """A process that a test started, in a session of its own, as a terminal would start it."""

    def __init__(
        self, argv: list[str], *, env: Mapping[str, str], folder: Path, log: Path, name: str
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as to_log:
            self._process = subprocess.Popen(
                argv,
                env=env,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=to_log,
                stderr=to_log,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def said(self) -> str:
        """What it wrote to stdout and stderr."""
        return self.log.read_text(errors="replace")

    @property
    def alive(self) -> bool:
        """False once it has ended."""
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def press_ctrl_c(self) -> None:
        """Send SIGINT to its process group, as a terminal does."""
        os.killpg(self.pid, signal.SIGINT)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._process.kill()
        self._process.wait()

    def end_session(self) -> None:
        """End it and what it has started with SIGKILL; nothing happens if all of it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def kill_after(self, seconds: float) -> None:
        """End it with SIGKILL when it has lived for so long."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self.kill()

    def end(self, *, within: float = 30.0) -> int:
        """Wait for its end; the exit code."""
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            pytest.fail(f"{self.name} did not end within {within:g} s; it said:\n{self.said}")


class System:
    """One database with its run directory, commands, hosts and clients."""

    def __init__(self, folder: Path, run_dir: Path, template: Path) -> None:
        """``template`` is a migrated database; ``run_dir`` is short enough for sockets."""
        self.folder = folder
        self.run_dir = run_dir
        self.database = folder / "statemachine.sqlite3"
        shutil.copyfile(template, self.database)
        self.env = environment(self.database, run_dir)
        self._bell = Doorbell(run_dir / f"web-{os.getpid()}.bell")
        self._started: list[Running] = []

    def close(self) -> None:
        """End whatever still runs, also what it started in its session."""
        for running in self._started:
            running.end_session()
        self._bell.close()

    # -- commands

    def command(self, *args: str, stdin: str = "") -> Done:
        """Run a management command to its end."""
        done = subprocess.run(
            [str(PYTHON), str(PROJECT / "manage.py"), *args],
            env=self.env,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def ask(self, *args: str, stdin: str = "") -> Any:
        """What a management command prints as JSON; it must succeed."""
        done = self.command(*args, "--format", "json", stdin=stdin)
        assert done.code == 0, f"{args}: exit code {done.code}\n{done.err}"
        return done.json

    # -- processes

    def start(self, *args: str) -> Running:
        """Start a management command that goes on running."""
        return self.start_program([str(PYTHON), str(PROJECT / "manage.py"), *args], args[0])

    def start_program(self, argv: list[str], name: str) -> Running:
        """Start any program in this system."""
        log = self.folder / f"{name}-{len(self._started)}.log"
        running = Running(argv, env=self.env, folder=self.folder, log=log, name=name)
        self._started.append(running)
        return running

    def run_machine(self, what: str | Path, *args: str, name: str) -> Running:
        """Start ``runmachine`` and wait until the machine's socket answers."""
        return self.up(self.start("runmachine", str(what), *args), name)

    def run_machines(self, *files: str | Path, names: tuple[str, ...]) -> Running:
        """Start ``runmachines`` and wait until the sockets of all machines answer."""
        return self.up(self.start("runmachines", *map(str, files)), *names)

    def up(self, running: Running, *names: str) -> Running:
        """Wait until a process that was started answers on the sockets of these machines."""

        def answers() -> bool:
            if not running.alive:
                pytest.fail(f"{running.name} has ended; it said:\n{running.said}")
            return all(self._pid_behind(name) == running.pid for name in names)

        self.wait_until(answers)
        return running

    def client(self, name: str) -> Client:
        """A connection to the control socket of a machine, or of a host by ``host-<pid>``."""
        return Client(self.run_dir / f"{name}.sock")

    def tell(self, name: str, frame: dict[str, Any]) -> dict[str, Any]:
        """Send one frame over a connection of its own; the answer."""
        with self.client(name) as client:
            return client.ask(frame)

    def _pid_behind(self, name: str) -> int | None:
        try:
            pid = self.tell(name, {"control": "ping"})["pid"]
        except NobodyListens:
            return None
        return int(pid)

    # -- what is on record

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query gives, on a connection that cannot write."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)) as db:
            return db.execute(sql, values).fetchall()

    def value(self, sql: str, *values: Any) -> Any:
        """The one value that a query gives, None if there is no row."""
        found = self.rows(sql, *values)
        return found[0][0] if found else None

    def state(self, machine: str) -> str | None:
        """The active state of a machine."""
        states = self.value("SELECT states FROM machines_machine WHERE name = ?", machine)
        return str(json.loads(states)[0]) if states and json.loads(states) else None

    def status(self, machine: str) -> str | None:
        """The status of a machine."""
        found = self.value("SELECT status FROM machines_machine WHERE name = ?", machine)
        return None if found is None else str(found)

    def context(self, machine: str) -> dict[str, Any]:
        """The context of a machine."""
        found = self.value("SELECT context FROM machines_machine WHERE name = ?", machine)
        return dict(json.loads(found)) if found else {}

    def steps(self, machine: str) -> list[tuple[str, str | None, str]]:
        """The moves of a machine in their order: event, source, target."""
        found = self.rows(
            "SELECT s.event, s.source, s.target FROM machines_step s JOIN machines_machine m"
            " ON m.id = s.machine_id WHERE m.name = ? AND s.status = '' ORDER BY s.seq",
            machine,
        )
        return [(event, source, target) for event, source, target in found]

    def pending(self) -> int:
        """How many events have not ended."""
        return int(self.value("SELECT count(*) FROM machines_event WHERE status = 'pending'"))

    def wait_until_settled(self) -> None:
        """Wait until every event has ended, and no machine works or has an action due.

        An event ends when its transition is taken; effects may follow in the next commit.
        """
        open_ends = (
            "SELECT (SELECT count(*) FROM machines_event WHERE status = 'pending')"
            " + (SELECT count(*) FROM machines_machine WHERE json_extract(turn, '$.todo') IS NOT"
            " NULL OR json_extract(turn, '$.work') IS NOT NULL)"
        )
        self.wait_until(lambda: self.value(open_ends) == 0)

    def wait_until(self, condition: Callable[[], Found], *, within: float = 30.0) -> Found:
        """Wait until a condition holds; asked again whenever a host says that it wrote."""
        end = time.monotonic() + within
        while not (found := condition()):
            if time.monotonic() > end:
                logs = "\n".join(running.said[-3_000:] for running in self._started)
                pytest.fail(f"not within {within:g} s; what was said:\n{logs}")
            self._bell.wait(0.05)
        return found

    def silent_for(self, seconds: float) -> bool:
        """True if no host writes anything for so long."""
        self._bell.drain()
        return not self._bell.wait(seconds)


def environment(database: Path, run_dir: Path) -> dict[str, str]:
    """What a process of a system finds in its environment."""
    return {
        "PATH": f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(database.parent),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
        "DATABASE_URL": f"sqlite:///{database}",
        "SM_RUN_DIR": str(run_dir),
    }


def assert_audit_is_whole(system: System) -> None:
    """Every event has ended, and steps are numbered without a gap and owed to one event each."""
    unended = system.rows("SELECT id, target, type FROM machines_event WHERE status = 'pending'")
    assert unended == []
    numbered = system.rows(
        "SELECT m.name, m.seq, count(*), min(s.seq), max(s.seq), count(DISTINCT s.seq)"
        " FROM machines_step s JOIN machines_machine m ON m.id = s.machine_id GROUP BY m.id"
    )
    for name, last, steps, lowest, highest, distinct in numbered:
        assert (lowest, highest, distinct) == (1, last, last), f"steps of {name} have a gap"
        assert steps == last, f"a step of {name} is there twice"
    twice = system.rows(
        "SELECT event_row_id FROM machines_step WHERE event_row_id IS NOT NULL"
        " GROUP BY event_row_id HAVING count(*) > 1"
    )
    assert twice == []
