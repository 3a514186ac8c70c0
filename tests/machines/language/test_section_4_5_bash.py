"""Section 4.5 of the language: for the shell, values are data and never code."""

import pytest

from machines.core.errors import DefinitionError
from machines.core.loading import load
from tests.machines.conftest import Driver, Runner

ONE = """
initial_state: a
transitions: [{from: a, to: b, event: [job_done, bad_input]}, {from: a, to: failed, event: error}]
actions: {a: [{type: bash, %s}]}
"""
NASTY = "$(touch /tmp/never) `id` '\"; exit 9 # * ~ \\ \n{x} -n"


async def output(run: Runner, action: str, **context: object) -> str:
    async with run(ONE % action, context=context) as machine:
        await _ended(machine)
        [found] = await machine.runs()
        return found.output


async def _ended(machine: Driver) -> None:
    await machine.until(lambda row: row.state != "a", "an end")


@pytest.mark.parametrize(
    "command",
    [
        'command: "printf %s {v}"',
        "command: \"printf %s '{v}'\"",
        "command: 'printf %s \"{v}\"'",
        'command: "printf %s a{v}b"',
        'command: "X={v}; printf %s \\"$X\\""',
        'argv: [printf, "%s", "{v}"]',
        'command: \'printf %s "$V"\', env: {V: "{v}"}',
    ],
)
async def test_the_shell_sees_one_word_with_exactly_that_value(run: Runner, command: str) -> None:
    # In the middle of a word a is before and b behind it.
    around = ("a", "b") if "a{v}b" in command else ("", "")

    printed = await output(run, command, v=NASTY)

    assert printed == NASTY.join(around)


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (5, "5"),
        (-5, "-5"),
        (True, "true"),
        ([1, "a b"], '[1, "a b"]'),
        ({"k": None}, '{"k": null}'),
    ],
)
async def test_a_value_that_is_no_text_stands_as_in_other_text(
    run: Runner, value: object, printed: str
) -> None:
    assert await output(run, 'command: "printf %s {v}"', v=value) == printed


@pytest.mark.parametrize(
    "command",
    [
        "echo `cat {v}`",
        "echo $(({v} + 1))",
        "cat <<END\\n{v}\\nEND",
        "bash -c 'echo {v}'",
        "eval echo {v}",
        "ssh host ls {v}",
        "awk '{print {v}}'",
        "python3 -c 'print({v})'",
    ],
)
def test_a_placeholder_where_no_safe_reference_exists_is_refused_when_the_file_is_loaded(
    command: str,
) -> None:
    text = ONE % f'command: "{command}"'

    with pytest.raises(DefinitionError, match=r"actions\.a\[0\]\.command"):
        load(text, origin="test.yaml")


@pytest.mark.parametrize(
    ("value", "why"),
    [("x" * 140_000, "131072"), ("-rf", "begins with '-'")],
)
async def test_what_no_word_can_hold_is_refused_at_run_time(
    run: Runner, value: str, why: str
) -> None:
    async with run(ONE % 'command: "echo {v}"', context={"v": value}) as machine:
        row = await machine.reaches("failed")

    assert why in row.context["last_error"]


async def test_over_its_timeout_last_error_says_so(run: Runner) -> None:
    async with run(ONE % "command: sleep 30, timeout: '{limit}'", context={"limit": 0.1}) as m:
        row = await m.reaches("failed")

    assert row.context["last_error"] == "timed out after 0.1 s"


async def test_the_environment_names_the_run_the_attempt_and_the_machine(run: Runner) -> None:
    async with run(ONE % "command: 'echo $SM_RUN_ID $SM_ATTEMPT $SM_MACHINE'") as machine:
        await machine.reaches("b")
        [found] = await machine.runs()

    assert found.output == f"{found.token} 1 machine\n"


async def test_other_braces_belong_to_the_shell(run: Runner) -> None:
    command = "command: \"X=1; echo ${X} {a,b} | awk '{print $1, $3}'\""

    assert await output(run, command, a="never") == "1 b\n"


@pytest.mark.parametrize(("parse", "kept"), [("", '{"n": [1]}'), (", parse: json", {"n": [1]})])
async def test_store_as_keeps_what_it_printed(run: Runner, parse: str, kept: object) -> None:
    action = 'command: "echo \'{\\"n\\": [1]}\'", store_as: out' + parse
    async with run(ONE % action) as machine:
        row = await machine.reaches("b")

    assert row.context == {"out": kept}
