"""Commands: exit codes, values, output."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from machines.actions.base import Worked
from machines.actions.bash import bash
from machines.actions.settings import SettingError
from machines.core.errors import TemplateError
from tests.machines.action_fakes import work_call
from tests.machines.conftest import Runner

PATIENCE_SECONDS = 20


async def perform(
    settings: Mapping[str, Any],
    *,
    names: Mapping[str, Any] | None = None,
    printed: bytearray | None = None,
) -> Worked:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await bash(work_call("bash", settings, names=names, printed=printed))


# -- exit codes


@pytest.mark.parametrize(
    ("settings", "event", "error", "code"),
    [
        ({"command": "true"}, "job_done", "", 0),
        ({"command": "true", "success": "built"}, "built", "", 0),
        ({"command": "exit 3"}, None, "exit code 3", 3),
        ({"command": "exit 3", "error_mappings": {3: "third"}}, "third", "exit code 3", 3),
        ({"command": "exit 3", "error_mappings": {"3": "third"}}, "third", "exit code 3", 3),
        ({"command": "exit 4", "error_mappings": {3: "third"}}, None, "exit code 4", 4),
        ({"command": "kill -9 $$"}, None, "ended by signal 9", -9),
        ({"command": "no-such-program-at-all"}, None, "exit code 127", 127),
    ],
)
async def test_an_exit_code_says_which_event_is_raised(
    settings: dict[str, Any], event: str | None, error: str, code: int
) -> None:
    worked = await perform(settings)

    assert (worked.outcome.event, worked.outcome.error) == (event, error)
    assert worked.exit_code == code


async def test_a_failure_leaves_its_exit_code_and_command_in_the_context() -> None:
    worked = await perform({"command": "exit {n} # {what}"}, names={"n": 7})

    assert worked.outcome.changes == {
        "last_error_exit_code": 7,
        "last_error_command": 'exit "${SM_P1}" # {what}',
    }


async def test_the_command_of_a_failed_argv_is_kept_as_json() -> None:
    worked = await perform({"argv": ["bash", "-c", "exit 1", "it's"]})

    command = worked.outcome.changes["last_error_command"]
    assert json.loads(command) == ["bash", "-c", "exit 1", "it's"]


# -- what the command is given


async def test_the_environment_names_the_run_and_what_the_file_adds() -> None:
    worked = await perform(
        {
            "command": 'printf "%s|" "$SM_RUN_ID" "$SM_ATTEMPT" "$SM_MACHINE" "$WHO" "$ALL" "$N"',
            "env": {"WHO": "it's $(me)", "ALL": [True, None], "N": 5, "SM_MACHINE": "another"},
            "store_as": "said",
        }
    )

    assert worked.outcome.changes == {"said": "f00|2|worker|it's $(me)|[true, null]|5|"}


async def test_a_command_runs_in_its_folder(tmp_path: Path) -> None:
    worked = await perform({"command": "pwd -P", "cwd": str(tmp_path), "store_as": "said"})

    assert worked.outcome.changes == {"said": str(tmp_path)}


async def test_argv_runs_without_a_shell() -> None:
    worked = await perform(
        {"argv": ["printf", "%s|", "$HOME", "a b", 5, True, "-x"], "store_as": "said"}
    )

    assert worked.outcome.changes == {"said": "$HOME|a b|5|true|-x|"}


async def test_a_command_reads_nothing() -> None:
    worked = await perform({"command": "cat; echo end", "store_as": "said"})

    assert worked.outcome.changes == {"said": "end"}


HOSTILE = (
    "it's",
    '"; touch pwned; "',
    "$(touch pwned)",
    "`touch pwned`",
    "${HOME}",
    "a\nb",
    "*",
    "~",
    "\\",
    "%s%n",
    "ünïcödé ☃",
    "{other}",
    "",
)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("written", ["{value}", '"{value}"', "'{value}'"])
async def test_a_value_is_one_word_whatever_it_is(value: str, written: str, tmp_path: Path) -> None:
    printed = bytearray()

    worked = await perform(
        {"command": f"printf '<%s>' {written}", "cwd": str(tmp_path)},
        names={"value": value, "other": "wrong"},
        printed=printed,
    )

    assert worked.exit_code == 0
    assert printed.decode() == f"<{value}>"
    assert not await asyncio.to_thread((tmp_path / "pwned").exists)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a\0b", "has a NUL"),
        ("-rf", "begins with '-'"),
        ("x" * 140_000, r"1400\d\d bytes are more"),
    ],
)
async def test_a_value_that_no_word_can_hold_is_refused(value: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        await perform({"command": "echo {value}"}, names={"value": value})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "bash: the setting 'command' is missing"),
        ({"command": ""}, "bash: the setting 'command' is ''; it must be a text that is not empty"),
        ({"command": ["ls"]}, "bash: the setting 'command' is ['ls']; it must be a text"),
        ({"argv": "ls -l"}, "bash: the setting 'argv' must be a list of words"),
        ({"argv": []}, "bash: the setting 'argv' must be a list of words"),
        (
            {"command": "true", "timeout": "soon"},
            "bash: the setting 'timeout' is 'soon'; it must be a number",
        ),
        (
            {"command": "true", "env": "A=1"},
            "bash: the setting 'env' is 'A=1'; it must be a mapping",
        ),
        (
            {"command": "false", "error_mappings": [1]},
            "bash: the setting 'error_mappings' is [1]; it must be a mapping",
        ),
    ],
)
async def test_a_wrong_setting_is_named_with_its_value_and_what_is_right(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingError) as raised:
        await perform(settings)

    assert str(raised.value) == message


# -- commands that cannot be started


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"command": "true", "cwd": "/no/such/folder"}, "No such file or directory: '/no/such"),
        ({"command": "true", "env": {"BIG": "x" * 140_000}}, "Argument list too long"),
        ({"argv": ["true", "x" * 140_000]}, "Argument list too long"),
        ({"argv": ["true", "a\0b"]}, "null byte"),
        ({"command": "true", "env": {"A": "a\0b"}}, "null byte"),
        ({"command": "true", "env": {"A=B": "c"}}, "illegal environment variable name"),
    ],
)
async def test_a_command_that_cannot_be_started_fails_and_says_why(
    settings: dict[str, Any], error: str
) -> None:
    worked = await perform(settings)

    assert worked.outcome.error.startswith("could not be started: ")
    assert error in worked.outcome.error
    assert (worked.outcome.event, worked.exit_code) == (None, None)
    assert worked.outcome.changes["last_error_exit_code"] is None


async def test_a_program_that_is_not_there_fails() -> None:
    printed = bytearray()

    worked = await perform({"argv": ["no-such-program-at-all"]}, printed=printed)

    assert worked.outcome.error
    assert b"no-such-program-at-all" in printed + worked.outcome.error.encode()


async def test_a_command_runs_also_where_nothing_can_tie_it_to_its_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = await asyncio.create_subprocess_exec(
        "bash", "-c", "type -P bash", stdout=asyncio.subprocess.PIPE
    )
    found, _none = await shell.communicate()
    (tmp_path / "bash").symlink_to(found.decode().strip())
    monkeypatch.setenv("PATH", str(tmp_path))  # without setpriv

    worked = await perform({"command": "echo here", "store_as": "said"})
    missing = await perform({"argv": ["no-such-program-at-all"]})

    assert worked.outcome.changes == {"said": "here"}
    assert missing.outcome.error.startswith("could not be started: ")
    assert "'no-such-program-at-all'" in missing.outcome.error


# -- what it prints


@pytest.mark.parametrize(
    ("settings", "changes", "error"),
    [
        ({"command": r"printf 'a\n\n'"}, {"said": "a"}, ""),
        ({"command": "true"}, {"said": ""}, ""),
        ({"command": r"printf 'a\377b'"}, {"said": "a\ufffdb"}, ""),
        ({"command": """echo '{"n": [1]}'""", "parse": "json"}, {"said": {"n": [1]}}, ""),
        ({"command": """echo '{"n": 1}'"""}, {"said": '{"n": 1}'}, ""),
        ({"command": "echo nonsense", "parse": "json"}, {}, "its output is not JSON: Expecting"),
        ({"command": "true", "parse": "json"}, {}, "its output is not JSON: Expecting"),
    ],
)
async def test_store_as_keeps_what_was_printed(
    settings: dict[str, Any], changes: dict[str, Any], error: str
) -> None:
    worked = await perform({**settings, "store_as": "said"})

    assert worked.outcome.changes == changes
    assert worked.outcome.error.startswith(error)
    assert bool(worked.outcome.error) == bool(error)
    assert worked.exit_code == 0


async def test_standard_error_is_output_too() -> None:
    printed = bytearray()

    await perform({"command": "echo out; echo err >&2"}, printed=printed)

    assert printed == b"out\nerr\n"


async def test_store_as_keeps_the_first_64_kib_and_all_is_handed_on() -> None:
    printed = bytearray()

    worked = await perform({"command": "seq 20000", "store_as": "said"}, printed=printed)

    assert printed.endswith(b"\n19999\n20000\n")
    assert worked.outcome.changes["said"] == printed[: 64 << 10].decode().rstrip("\n")


PRINT = """
initial_state: a
actions:
  a: [{type: bash, command: %s, store_as: said}]
transitions:
  - {from: a, to: done, event: job_done}
"""


async def test_the_last_64_kib_of_the_output_are_kept_with_the_run(run: Runner) -> None:
    async with run(PRINT % '"seq 60000"') as machine:
        await machine.reaches("done")

        [done] = await machine.runs()
        assert len(done.output) == 64 << 10
        assert done.output.endswith("\n59999\n60000\n")


async def test_output_that_is_no_text_is_kept_as_far_as_it_goes(run: Runner) -> None:
    async with run(PRINT % r"""'printf "a\377b\0c"'""") as machine:
        await machine.reaches("done")

        [done] = await machine.runs()
        assert done.output == "a\ufffdb\ufffdc"


FAIL = """
initial_state: a
actions:
  a: [{type: bash, command: "echo {word}; exit 7"}]
transitions:
  - {from: a, to: done, event: error}
context: {word: "it's"}
"""


async def test_a_failed_command_says_in_the_context_what_and_why(run: Runner) -> None:
    async with run(FAIL) as machine:
        await machine.reaches("done")

        context = (await machine.machine()).context
        assert context == {
            "word": "it's",
            "last_error": "exit code 7",
            "last_error_action": "bash",
            "last_error_exit_code": 7,
            "last_error_command": 'echo "${SM_P1}"; exit 7',
        }
        [failed] = await machine.runs()
        assert (failed.outcome, failed.exit_code) == ("failed", 7)
        assert failed.output == "it's\n"


async def test_a_value_refused_at_run_time_is_an_error_of_the_machine(run: Runner) -> None:
    async with run(FAIL, context={"word": "-n"}) as machine:
        await machine.reaches("done")

        context = (await machine.machine()).context
        assert context["last_error_action"] == "bash"
        assert "begins with '-'" in context["last_error"]
