"""Commands: exit codes, values, output."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from machines.actions.base import Worked
from machines.actions.bash import bash
from machines.actions.settings import SettingError
from machines.core.definition import Action
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
            "env": {"WHO": "it's $(me)", "ALL": [True, None], "N": 5},
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


A_LIST = "it must be a list of words, the program first, such as [python, process.py]"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "bash: neither 'command' nor 'argv' is given; give one of them"),
        (
            {"command": "ls", "argv": ["ls"]},
            "bash: both 'command' and 'argv' are given; give one of them",
        ),
        ({"command": ""}, "bash: the setting 'command' is ''; it must be a text that is not empty"),
        ({"command": ["ls"]}, "bash: the setting 'command' is ['ls']; it must be a text"),
        ({"argv": "ls -l"}, f"bash: the setting 'argv' is 'ls -l'; {A_LIST}"),
        ({"argv": []}, f"bash: the setting 'argv' is []; {A_LIST}"),
        ({"argv": ["", "a"]}, f"bash: the setting 'argv' is ['', 'a']; {A_LIST}"),
        (
            {"command": "true", "timeout": "soon"},
            "bash: the setting 'timeout' is 'soon'; it must be a number of seconds, or a time such"
            " as 5s or 10m",
        ),
        (
            {"command": "true", "parse": "yaml"},
            "bash: the setting 'parse' is 'yaml'; it may be text or json",
        ),
        (
            {"command": "true", "env": {"A=B": "c"}},
            "bash: env: 'A=B' is no name of a variable; it may have letters, digits and _",
        ),
        (
            {"command": "true", "env": {"SM_RUN_ID": "1"}},
            "bash: env: SM_RUN_ID is the engine's, as all of SM_…; use another name",
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


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"argv": ["true", "a\0b"]}, r"argv\[1\]: its value has a NUL"),
        ({"argv": ["true", "x" * 140_000]}, r"argv\[1\]: 140001 bytes are more"),
        ({"argv": ["true", "\ud800"]}, r"argv\[1\]: holds half a character"),
        ({"command": "true", "env": {"A": "a\0b"}}, "env: A: its value has a NUL"),
        ({"command": "true", "env": {"BIG": "x" * 140_000}}, "env: BIG: 140005 bytes are more"),
    ],
)
async def test_what_no_program_can_be_handed_is_refused(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(TemplateError, match=message):
        await perform(settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"command": "curl -H 'Bearer {secret.KEY}' x"},
        {"command": "curl {url|secret.KEY}"},
        {"argv": ["curl", "-H", "Bearer {secret.KEY}"]},
    ],
)
async def test_a_secret_is_refused_where_a_list_of_processes_would_show_it(
    settings: dict[str, Any],
) -> None:
    with pytest.raises(SettingError, match=r"\{.*secret\.KEY\}.*hand it over with env: \{NAME:"):
        await perform(settings, names={"secret": {"KEY": "k"}})


@pytest.mark.parametrize(
    ("written", "env"),
    [
        ({"BASH_ENV": "{x}"}, {"BASH_ENV": "$(touch pwned)"}),
        ({"LD_PRELOAD": "/lib/{x}"}, {"LD_PRELOAD": "/lib/a.so"}),
        ("{variables}", {"PS4": "$(touch pwned)"}),
    ],
)
async def test_a_value_is_refused_in_a_variable_that_bash_would_run(
    written: Any, env: dict[str, str]
) -> None:
    call = work_call("bash", {"command": "true", "env": env})
    call = replace(call, action=Action("bash", {"command": "true", "env": written}))

    with pytest.raises(SettingError, match="would be run; write it without a placeholder"):
        await bash(call)


# -- commands that cannot be started


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"command": "true", "cwd": "/no/such/folder"}, "there is no folder '/no/such/folder'"),
        ({"command": "true", "cwd": "/etc/passwd"}, "there is no folder '/etc/passwd'"),
        ({"command": "true", "cwd": "x" * 5000}, "there is no folder 'xxx"),
        ({"command": "true", "cwd": ""}, "there is no folder ''"),
        ({"argv": ["no-such-program"]}, "there is no program 'no-such-program' in PATH"),
        ({"argv": ["true"], "env": {"PATH": "/no/such"}}, "there is no program 'true' in PATH"),
        ({"argv": ["./true"], "cwd": "/"}, "there is no program './true'"),
        ({"argv": ["/etc/passwd"]}, "'/etc/passwd' may not be executed"),
    ],
)
async def test_a_command_that_cannot_be_started_fails_and_says_why(
    settings: dict[str, Any], error: str
) -> None:
    worked = await perform(settings)

    assert worked.outcome.error.startswith(f"could not be started: {error}")
    assert (worked.outcome.event, worked.exit_code) == (None, None)
    assert worked.outcome.changes["last_error_exit_code"] is None


async def test_the_shell_is_found_whatever_path_the_command_is_given() -> None:
    worked = await perform({"command": "echo $PATH", "env": {"PATH": "/x"}, "store_as": "said"})

    assert worked.outcome.changes == {"said": "/x"}


async def test_a_program_is_found_relative_to_its_folder(tmp_path: Path) -> None:
    (tmp_path / "tool").symlink_to("/bin/true")

    worked = await perform({"argv": ["./tool"], "cwd": str(tmp_path)})

    assert worked.outcome.event == "job_done"


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
