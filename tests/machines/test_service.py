"""A run of a host process, from its place on record to its exit code, in this very process."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connections

from machines.core.errors import MachineError
from machines.models import Machine, Process, Step
from machines.runtime.launch import Order
from machines.runtime.ownership import lock_path
from machines.runtime.service import run_machines

AT_ONCE = "initial_state: a\ntransitions:\n  - {from: a, to: completed}\n"
WAITS = "initial_state: a\ntransitions:\n  - {from: a, to: completed, event: go}\n"
SPINS = """
initial_state: a
metadata: {max_instant_steps: 50}
transitions:
  - {from: a, to: b}
  - {from: b, to: a}
"""


@pytest.fixture(autouse=True)
def _own_place(transactional_db: None, run_directory: Path) -> Iterator[None]:
    yield
    connections.close_all()


def written(path: Path, text: str) -> Order:
    """An order to run a file with that text."""
    path.write_text(text)
    return Order(str(path))


def assert_nothing_is_left(run_directory: Path) -> None:
    assert not Process.objects.exists()
    assert not lock_path(os.getpid()).exists()
    assert list(run_directory.iterdir()) == []


def test_a_host_whose_machines_end_ends_with_zero_and_leaves_nothing(
    tmp_path: Path, run_directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    orders = [written(tmp_path / f"{name}.yaml", AT_ONCE) for name in ("one", "two")]

    with caplog.at_level(logging.INFO, logger="machines.runtime"):
        code = run_machines(orders)

    assert code == 0
    assert set(Machine.objects.values_list("name", "status")) == {
        ("one", "finished"),
        ("two", "finished"),
    }
    assert not Machine.objects.exclude(process=None).exists()
    assert "one: begins (one)" in caplog.text
    assert_nothing_is_left(run_directory)


def test_a_host_with_a_machine_that_faults_ends_with_one(tmp_path: Path) -> None:
    code = run_machines([written(tmp_path / "spinner.yaml", SPINS)])

    assert code == 1
    assert Machine.objects.get(name="spinner").status == "faulted"


def test_a_host_that_is_asked_to_go_ends_with_zero_and_its_machine_goes_on_the_next_time(
    tmp_path: Path, run_directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    order = written(tmp_path / "waiter.yaml", WAITS)

    with caplog.at_level(logging.INFO, "machines.runtime"), goes_when_ready(run_directory):
        codes = [run_machines([order]) for _ in range(2)]

    assert codes == [0, 0]
    machine = Machine.objects.get(name="waiter")
    assert (machine.status, machine.states, machine.process) == ("stopped", ["a"], None)
    assert Step.objects.filter(machine=machine, event="start").count() == 1
    assert "waiter: begins (waiter)" in caplog.text
    assert "waiter: goes on (waiter)" in caplog.text
    assert_nothing_is_left(run_directory)


@pytest.mark.parametrize(("prefix", "socket"), [("", "waiter.sock"), ("my-", "my-waiter.sock")])
def test_a_machines_socket_is_in_the_run_directory_or_where_the_prefix_says(
    tmp_path: Path, run_directory: Path, caplog: pytest.LogCaptureFixture, prefix: str, socket: str
) -> None:
    order = written(tmp_path / "waiter.yaml", WAITS)
    path = str(run_directory / prefix) if prefix else ""

    with caplog.at_level(logging.INFO, "machines.runtime"), goes_when_ready(run_directory) as seen:
        run_machines([order], socket_prefix=path)

    assert seen.sockets == {socket, f"host-{os.getpid()}.sock"}
    assert_nothing_is_left(run_directory)


# -- what cannot be run


def test_a_machine_that_cannot_be_run_keeps_the_others_from_running_and_leaves_nothing(
    tmp_path: Path, run_directory: Path
) -> None:
    orders = [written(tmp_path / "waiter.yaml", WAITS), Order("no_such_thing")]

    with pytest.raises(MachineError, match="no file, machine or definition 'no_such_thing'"):
        run_machines(orders)

    assert Machine.objects.get(name="waiter").process is None
    assert_nothing_is_left(run_directory)


def test_a_machine_that_cannot_be_run_is_passed_over_if_the_others_are_to_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    orders = [
        Order("no_such_thing"),
        Order("nor_this", machine_name="mine"),
        written(tmp_path / "one.yaml", AT_ONCE),
    ]

    code = run_machines(orders, others_go_on=True)

    assert code == 0
    assert "no_such_thing: no file, machine or definition 'no_such_thing'" in caplog.text
    assert "mine: no file, machine or definition 'nor_this'" in caplog.text
    assert Machine.objects.get(name="one").status == "finished"


def test_a_host_none_of_whose_machines_can_be_run_says_so(run_directory: Path) -> None:
    with pytest.raises(MachineError, match="no file, machine or definition 'nor_this'"):
        run_machines([Order("no_such_thing"), Order("nor_this")], others_go_on=True)

    assert_nothing_is_left(run_directory)


class GoesWhenReady(logging.Handler):
    """Lets this process get Ctrl+C when its host says that its machine begins, or goes on."""

    def __init__(self, folder: Path) -> None:
        super().__init__(logging.INFO)
        self._folder = folder
        self.sockets: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """See Handler."""
        if record.funcName == "say_ready":
            self.sockets.update(path.name for path in self._folder.glob("*.sock"))
            os.kill(os.getpid(), signal.SIGINT)


@contextmanager
def goes_when_ready(folder: Path) -> Iterator[GoesWhenReady]:
    """Within the block a host ends as soon as it is ready."""
    handler = GoesWhenReady(folder)
    logger = logging.getLogger("machines.runtime")
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)


PROBLEMS = AT_ONCE + "actions: {a: [{type: lgo}, {type: log, messsage: hello}]}\n"


def test_the_problems_of_a_definition_are_told_once_when_its_machines_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    order = written(tmp_path / "one.yaml", PROBLEMS)

    with caplog.at_level(logging.WARNING, logger="machines.runtime"):
        code = run_machines([order, Order(order.what, machine_name="two")])

    told = [record.getMessage() for record in caplog.records if record.funcName == "_tell_problems"]
    assert code == 0  # it runs all the same
    assert told[0] == (
        "one:4:15: error SM501: state 'a': no action type 'lgo'; did you mean 'log'?"
    )
    assert [line.split(":")[3].split()[1] for line in told] == ["SM501", "SM502"]
