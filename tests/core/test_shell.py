"""Commands for bash: whatever a value is, the shell sees one word with exactly that value."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from machines.core.errors import TemplateError
from machines.core.shell import MAX_TEXT_BYTES, Filled, lift

BASH = shutil.which("bash") or "bash"
PRINTF = shutil.which("printf") or "printf"  # a program, so that a whole argv is seen

HOSTILE = [
    "plain",
    "",
    "two words",
    "  blanks around  ",
    "'; touch pwned; '",
    '"; touch pwned; "',
    "$(touch pwned)",
    "`touch pwned`",
    "${IFS}touch${IFS}pwned",
    "; touch pwned",
    "&& touch pwned",
    "| touch pwned",
    "& touch pwned &",
    "\n touch pwned\n",
    "a[$(touch pwned)]",
    "> pwned",
    "<(touch pwned)",
    "$((a[$(touch pwned)]))",
    "*",
    "?",
    "[a-z]*",
    "~",
    "~root",
    "{a,b}",
    "{1..3}",
    "\\",
    "\\\\",
    "\\'",
    '\\"',
    "'",
    '"',
    "$",
    "$HOME",
    "$'\\x41'",
    "!!",
    "#not a comment",
    "trailing newline\n",
    "tab\there",
    "\x01\x7f",
    "\U0001f600 ünï\u202e",
    "x='1'",
    "=ls",
    "{x}",
    "100 KiB " + "x" * 100 * 1024,
]

PLACES = [
    ("bare", "show {x}", "%s"),
    ("bare and glued", "show out-{x}.txt", "out-%s.txt"),
    ("double quotes", 'show "{x}"', "%s"),
    ("double quotes among text", 'show "a b-{x}; c"', "a b-%s; c"),
    ("single quotes", "show '{x}'", "%s"),
    ("single quotes among text", "show 'a $b-{x}; c'", "a $b-%s; c"),
    ("substitution", "show \"$(printf '%s.' {x})\"", "%s."),
    ("double quotes in substitution", 'show "$(printf \'%s.\' "{x}")"', "%s."),
    ("single quotes in substitution", "show \"$(printf '%s.' '{x}')\"", "%s."),
    ("assignment", 'v={x}; show "$v"', "%s"),
    ("export", 'export v="{x}"; show "$v"', "%s"),
    ("list", 'v=({x}); show "${v[0]}"', "%s"),
    ("argument of a second interpreter", 'bash -c \'show "$1"\' _ "{x}"', "%s"),
    ("here-string", 'show "$(cat <<< "{x}.")"', "%s."),
    ("loop", 'for v in {x}; do show "$v"; done', "%s"),
    ("case", "case {x} in '{x}') show {x};; *) show other;; esac", "%s"),
    ("test", '[[ {x} == {x} && -n {x}. ]] && show "{x}"', "%s"),
    ("bracket test", '[ "{x}" = "{x}" ] && show "{x}"', "%s"),
    ("function", 'f() { show "$1"; }; f {x}', "%s"),
    ("subshell", "(cd . && show {x})", "%s"),
    ("heredoc elsewhere", "cat > /dev/null <<E\n`true` $((1))\nE\nshow {x}", "%s"),
]


def run(filled: Filled, folder: Path) -> list[str]:
    """The words that the command hands to a program, in a folder where no file may appear."""
    done = subprocess.run(
        [BASH, "--noprofile", "--norc", "-c", filled.command],
        env={
            "PATH": os.environ["PATH"],
            "BASH_FUNC_show%%": f"() {{ {PRINTF} '%s\\0' \"$@\"\n}}",
            "LC_ALL": "C.UTF-8",
            **filled.env,
        },
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert list(folder.iterdir()) == [], filled.command
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


@pytest.mark.parametrize(("place", "command", "shown"), PLACES)
def test_command_receives_exactly_the_value(
    place: str, command: str, shown: str, tmp_path: Path
) -> None:
    template = lift(command)

    received = [run(template.fill({"x": value}), tmp_path) for value in HOSTILE]

    assert received == [[shown.replace("%s", value)] for value in HOSTILE], place


@pytest.mark.parametrize("word", ['"{x}"', "'{x}'", "-- {y}{x}", "./{x}"])
def test_command_receives_a_dash_that_is_meant(word: str, tmp_path: Path) -> None:
    filled = lift(f"show {word}").fill({"x": "-rf", "y": "a"})

    assert run(filled, tmp_path)[-1].endswith("-rf")


@pytest.mark.parametrize(
    ("command", "names", "filled"),
    [
        ("ls {x}", {"x": 5}, Filled('ls "${SM_P1}"', {"SM_P1": "5"})),
        ("ls {x}", {"x": None}, Filled("ls {x}", {})),
        ("ls {x}", {"x": True}, Filled('ls "${SM_P1}"', {"SM_P1": "true"})),
        ("ls {x}", {"x": {"a": [1]}}, Filled('ls "${SM_P1}"', {"SM_P1": '{"a": [1]}'})),
        ("ls {x} '{y}' {x}", {"x": "a", "y": "b"},
         Filled("ls \"${SM_P1}\" ''\"${SM_P2}\"'' \"${SM_P1}\"", {"SM_P1": "a", "SM_P2": "b"})),
        ("ls {x|y}", {"y": "b"}, Filled('ls "${SM_P1}"', {"SM_P1": "b"})),
        ("ls {x|y}", {}, Filled('ls "${SM_P1}"', {"SM_P1": "{x|y}"})),
        ("ls {x|length}", {"x": [1, 2]}, Filled('ls "${SM_P1}"', {"SM_P1": "2"})),
        ("ls ${x} $5", {"x": "a"}, Filled("ls ${x} $5", {})),
    ],
)  # fmt: skip
def test_fill_makes_command_and_environment(
    command: str, names: dict[str, object], filled: Filled
) -> None:
    assert lift(command).fill(names) == filled


@pytest.mark.parametrize(
    ("command", "names", "reason"),
    [
        ("ls {x}", {"x": "a\0b"}, "NUL"),
        ("ls {x}", {"x": "\ud800"}, "surrogate"),
        ("ls '{x}'", {"x": "x" * (MAX_TEXT_BYTES - len("SM_P1="))}, "131073 bytes"),
        ("ls {x}" + " " * MAX_TEXT_BYTES, {"x": ""}, "the command: "),
        ("ls {x}", {"x": "-rf"}, "begins with '-'"),
        ("ls {x}", {"x": "-"}, "begins with '-'"),
        ("ls {x}{y}", {"x": "", "y": "-rf"}, "{y}: its value '-rf' begins with '-'"),
        ('python "{x}" 1', {"x": "-c"}, "begins with '-'"),
        ('perl "{x}" 1', {"x": "-0"}, "begins with '-'"),
    ],
)
def test_fill_refuses_a_value_that_no_word_can_hold(
    command: str, names: dict[str, object], reason: str
) -> None:
    template = lift(command)

    with pytest.raises(TemplateError) as refused:
        template.fill(names)

    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("ls {x}", {"x": "-5"}),
        ("ls {x}", {"x": -0.5}),
        ("ls {x}", {"x": "x" * (MAX_TEXT_BYTES - len("SM_P1=") - 1)}),
        ("ls -- '{x}' a{x}", {"x": "-rf"}),
        ("ls {x}{y}", {"x": "a", "y": "-rf"}),
        ("ls {unknown}{y}", {"y": "-rf"}),
    ],
)
def test_fill_accepts_a_value_that_is_no_option(command: str, names: dict[str, object]) -> None:
    assert lift(command).fill(names).env


def test_templates_with_one_source_are_equal_and_show_no_parts() -> None:
    template = lift("ls {x}")

    assert template == lift("ls {x}")
    assert repr(template) == "ShellTemplate(source='ls {x}')"
