"""What every command shares."""

import argparse
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from jobqueue.console import (
    Command,
    Exit,
    count_argument,
    json_argument,
    time_argument,
    unknown,
)
from jobqueue.errors import JobError


class Probe(Command):
    """A command that does what the test says."""

    example = "probe --format json"

    def __init__(self, do: Callable[["Probe", dict[str, Any]], None]) -> None:
        super().__init__()
        self.do = do

    def add_arguments(self, parser: Any) -> None:
        self.add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        self.do(self, options)


def raising(fault: BaseException) -> Callable[[Probe, dict[str, Any]], None]:
    def do(probe: Probe, options: dict[str, Any]) -> None:
        raise fault

    return do


def from_shell(probe: Probe, *arguments: str) -> int:
    """Run it as a shell would; its exit code."""
    try:
        probe.run_from_argv(["manage.py", "probe", *arguments])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.parametrize(
    ("fault", "code", "line"),
    [
        (JobError("job 'j' is pending"), 1, "job 'j' is pending"),
        (CommandError("no"), 1, "no"),
        (CommandError("late", returncode=Exit.TIMED_OUT), 124, "late"),
        (unknown("job", "jbo-1", ["job-1"]), 3, "no job 'jbo-1'; did you mean 'job-1'?"),
        (unknown("job", "x", ["job-1"], hint="listjobs"), 3, "no job 'x'; listjobs"),
        (unknown("job", "x", []), 3, "no job 'x'"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (
            OperationalError("no such table: queue_job"),
            1,
            "the database refused: no such table: queue_job;"
            " if it is new: python manage.py migrate",
        ),
    ],
)
def test_a_fault_is_one_line_on_stderr_and_an_exit_code(
    capsys: pytest.CaptureFixture[str], fault: BaseException, code: int, line: str
) -> None:
    ended = from_shell(Probe(raising(fault)))

    assert ended == code
    assert capsys.readouterr() == ("", f"{line}\n")


def test_code_that_calls_a_command_gets_the_exception() -> None:
    with pytest.raises(CommandError, match=r"^job 'j' is pending$"):
        call_command(Probe(raising(JobError("job 'j' is pending"))))


def test_a_fault_of_the_program_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        from_shell(Probe(raising(ZeroDivisionError())))


def test_traceback_is_there_for_who_asks() -> None:
    with pytest.raises(CommandError) as fault:
        from_shell(Probe(raising(JobError("no"))), "--traceback")

    assert isinstance(fault.value.__cause__, JobError)


def test_wrong_usage_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert from_shell(Probe(raising(JobError(""))), "--format", "xml") == Exit.USAGE
    assert "invalid choice: 'xml'" in capsys.readouterr().err


def test_help_shows_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert from_shell(Probe(raising(JobError(""))), "--help") == Exit.DONE
    assert "example: python manage.py probe --format json" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("target", "code", "talk"),
    [("pipe", 1, ""), ("/dev/full", 1, "[Errno 28] No space left on device\n")],
)
def test_output_that_cannot_be_written_is_no_traceback(target: str, code: int, talk: str) -> None:
    script = (
        "import django; django.setup()\n"
        "from jobqueue.console import Command\n"
        "class Probe(Command):\n"
        "    def handle(self, *args, **options): self.stdout.write('x' * 100_000)\n"
        "Probe().run_from_argv(['manage.py', 'probe'])\n"
    )
    if target == "pipe":
        reader, stdout = os.pipe()
        os.close(reader)
    else:
        stdout = os.open(target, os.O_WRONLY)

    ended = subprocess.run(
        [sys.executable, "-c", script],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
        timeout=60,
    )
    os.close(stdout)

    assert (ended.returncode, ended.stderr) == (code, talk)


ROWS: list[dict[str, Any]] = [{"name": "a", "extra": 1}, {"name": "b", "extra": None}]


def printing(rows: list[dict[str, Any]]) -> Probe:
    return Probe(lambda probe, options: probe.print_rows(rows, ["name"], options, nothing="none"))


def test_rows_are_whole_in_json() -> None:
    out = io.StringIO()

    call_command(printing(ROWS), format="json", stdout=out)

    assert json.loads(out.getvalue()) == ROWS


def test_rows_are_a_table_of_the_columns_for_people() -> None:
    out = io.StringIO()

    call_command(printing(ROWS), stdout=out)

    assert [line.strip() for line in out.getvalue().splitlines()][::2] == ["name", "a"]
    assert "extra" not in out.getvalue()


def test_no_rows_are_talk_for_people_and_an_empty_array_for_programs() -> None:
    out, err = io.StringIO(), io.StringIO()

    call_command(printing([]), stdout=out, stderr=err)
    call_command(printing([]), format="json", stdout=out, stderr=err)

    assert (out.getvalue(), err.getvalue()) == ("[]\n", "none\n")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("out", "environment", "options", "coloured"),
    [
        (io.StringIO, {}, {}, False),
        (io.StringIO, {}, {"force_color": True}, True),
        (Terminal, {}, {}, True),
        (Terminal, {}, {"no_color": True}, False),
        (Terminal, {"NO_COLOR": "1"}, {}, False),
        (Terminal, {"NO_COLOR": ""}, {}, True),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    monkeypatch: pytest.MonkeyPatch,
    out: type[io.StringIO],
    environment: dict[str, str],
    options: dict[str, Any],
    coloured: bool,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stdout = out()
    one = Probe(lambda probe, given: probe.print_row({"status": "failed"}, given))

    call_command(one, stdout=stdout, **options)

    assert ("\x1b" in stdout.getvalue()) is coloured


def test_json_argument_takes_text_or_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"b": 2}'))

    assert json_argument('{"a": 1}') == {"a": 1}
    assert json_argument("-") == {"b": 2}


@pytest.mark.parametrize("text", ["{a}", "", "NaN", "{'a': 1}", '"\\ud800"'])
def test_json_argument_says_what_is_no_json(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"is not JSON .*write it like"):
        json_argument(text)


def test_time_argument_wants_a_zone() -> None:
    assert time_argument("2030-01-31T18:00Z") == datetime(2030, 1, 31, 18, tzinfo=UTC)
    with pytest.raises(argparse.ArgumentTypeError, match="has no time zone"):
        time_argument("2030-01-31")


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "x", "", "²"])
def test_count_argument_refuses_what_is_no_count(text: str) -> None:
    assert count_argument("20") == 20
    with pytest.raises(argparse.ArgumentTypeError, match="not a whole number from 1 on"):
        count_argument(text)
