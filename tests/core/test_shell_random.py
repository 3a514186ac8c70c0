"""No value runs, in no command and in no quotes that chance makes up."""

import os
import random
import subprocess
from pathlib import Path

from machines.core.errors import TemplateError
from machines.core.shell import ShellTemplate, lift
from tests.core.test_shell import BASH, HOSTILE, run

FUZZ_COUNT = int(os.environ.get("SM_FUZZ", "300"))


TOKENS = [
    *["{x}"] * 14, *[" "] * 14, *['"'] * 5, *["'"] * 4, *["$("] * 3, *[")"] * 5, *["\n"] * 3,
    "`", "$((", "))", "((", "[[ ", " ]]", " -eq ", " -v ", "eval ", "bash -c ", "sh -c ", "<<E\n",
    "\nE\n", "<<'E'\n", "<<< ", "a=", "a", "$a", "${a", "}", ":-", "[", "]", "\\", "#", "$", "$'",
    ";", ";;", "|", "&", "&&", "||", "(", "{ ", "; }", "if ", "then ", "fi", "for ", " in ", "do ",
    "done", "case ", "let ", "read ", "declare -i ", "printf -v ", "printf ", "echo ",
    "esac", "test ", "export ", "trap ", "unset ", "a=(", "~", "*", "<(", "function ", "f()",
    "source ", "=", "!", "awk ", "sed ", "python3 -c ", "xargs ", "env ", "sudo ", "set -x;",
    "command ", "\\\n", "%", '"$@" ', '"${a[@]}" ', "$* ", "{sh,-c} ", "{a,b}", "s? ", "-c ",
    "timeout 5 ", "docker exec ", "find . -exec ",
]  # fmt: skip


INJECTIONS = [value for value in HOSTILE if "pwned" in value] + [
    "-v", "x=$(touch pwned)", "\nE\ntouch pwned\n", "}; touch pwned; {",
    ")) ; touch pwned; ((",
    "\"'`touch pwned`'\"", "1/e; e touch pwned", "eval", "touch pwned", "touch\tpwned",
    ") touch pwned;",
]  # fmt: skip


def seeded() -> random.Random:
    return random.Random(os.environ.get("SM_SEED", "values are data"))  # noqa: S311 -- no secret


def soup(chance: random.Random) -> ShellTemplate | None:
    """A command of random pieces with a placeholder, or None if it is refused."""
    pieces = chance.choices(TOKENS, k=chance.randint(2, 14))
    try:
        return lift("echo " * chance.randint(0, 1) + "".join([*pieces, chance.choice(["", "{x}"])]))
    except TemplateError:
        return None


def test_no_value_runs_in_a_random_command(tmp_path: Path) -> None:
    chance = seeded()
    tried = 0

    while tried < FUZZ_COUNT:
        template = soup(chance)
        value = chance.choice(INJECTIONS)
        if template is None or "{x}" not in template.source or value.startswith("-"):
            continue
        tried += 1
        filled = template.fill({"x": value})
        subprocess.run(
            [BASH, "--noprofile", "--norc", "-c", filled.command],
            env={"PATH": os.environ["PATH"], **filled.env},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=30,
        )

        assert not (tmp_path / "pwned").exists(), (template.source, value)


def quoted_word(chance: random.Random, depth: int = 0) -> tuple[str, str]:
    """A word of random quotes, and what it becomes, with ``%s`` for the value."""
    shapes = [
        ("{x}", "%s"), ('"{x}"', "%s"), ("'{x}'", "%s"), ("a-{x}", "a-%s"), ("'a;b'{x}", "a;b%s"),
        ('"$EMPTY{x}\'"', "%s'"), ("\\$'{x}'", "$%s"),
        ('"\\"{x}\\\\"', '"%s\\'), ("''{x}\"\"", "%s"),
        ("${EMPTY:-b}{x}", "b%s"), ("~{x}", "~%s"), ("{{x}}", "{%s}"), ("#{x}"[1:] + "#", "%s#"),
    ]  # fmt: skip
    words = [chance.choice(shapes) for _ in range(chance.randint(1, 3))]
    if depth < 3 and chance.random() < 0.4:
        inner, shown = quoted_word(chance, depth + 1)
        words.append((f"\"$(printf '%s.' {inner})\"", f"{shown}."))
    if words[0][1].startswith("~"):
        words.insert(0, ("a", "a"))
    return "".join(word for word, _ in words), "".join(shown for _, shown in words)


def test_random_quotes_hand_over_the_value(tmp_path: Path) -> None:
    chance = seeded()

    for _ in range(FUZZ_COUNT):
        word, shown = quoted_word(chance)
        value = chance.choice(HOSTILE[:-1])
        received = run(lift(f"show {word} end").fill({"x": value}), tmp_path)

        assert received == [shown.replace("%s", value), "end"], (word, value)
