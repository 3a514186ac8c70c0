"""Commands for bash: whatever a value is, the shell sees one word with exactly that value."""

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from machines.core.errors import TemplateError
from machines.core.shell import MAX_TEXT_BYTES, Filled, ShellTemplate, lift

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
    ("bare", "$SHOW {x}", "%s"),
    ("bare and glued", "$SHOW out-{x}.txt", "out-%s.txt"),
    ("double quotes", '$SHOW "{x}"', "%s"),
    ("double quotes among text", '$SHOW "a b-{x}; c"', "a b-%s; c"),
    ("single quotes", "$SHOW '{x}'", "%s"),
    ("single quotes among text", "$SHOW 'a $b-{x}; c'", "a $b-%s; c"),
    ("substitution", "$SHOW \"$(printf '%s.' {x})\"", "%s."),
    ("double quotes in substitution", '$SHOW "$(printf \'%s.\' "{x}")"', "%s."),
    ("single quotes in substitution", "$SHOW \"$(printf '%s.' '{x}')\"", "%s."),
    ("assignment", 'v={x}; $SHOW "$v"', "%s"),
    ("export", 'export v="{x}"; $SHOW "$v"', "%s"),
    ("list", 'v=({x}); $SHOW "${v[0]}"', "%s"),
    ("argument of a second interpreter", 'bash -c \'$SHOW "$1"\' _ "{x}"', "%s"),
    ("here-string", '$SHOW "$(cat <<< "{x}.")"', "%s."),
    ("loop", 'for v in {x}; do $SHOW "$v"; done', "%s"),
    ("case", "case {x} in '{x}') $SHOW {x};; *) $SHOW other;; esac", "%s"),
    ("test", '[[ {x} == {x} && -n {x}. ]] && $SHOW "{x}"', "%s"),
    ("bracket test", '[ "{x}" = "{x}" ] && $SHOW "{x}"', "%s"),
    ("function", 'f() { $SHOW "$1"; }; f {x}', "%s"),
    ("subshell", "(cd . && $SHOW {x})", "%s"),
    ("heredoc elsewhere", "cat > /dev/null <<E\n`true` $((1))\nE\n$SHOW {x}", "%s"),
]


def run(filled: Filled, folder: Path) -> list[str]:
    """The words that the command hands to a program, in a folder where no file may appear."""
    done = subprocess.run(
        [BASH, "--noprofile", "--norc", "-c", filled.command],
        env={
            "PATH": os.environ["PATH"],
            "SHOW": f"{PRINTF} %s\\0",
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
    filled = lift(f"$SHOW {word}").fill({"x": "-rf", "y": "a"})

    assert run(filled, tmp_path)[-1].endswith("-rf")


ARITHMETIC = "inside arithmetic"
SCRIPT = "in the script of a second interpreter"
OPTION = "in an option of"

REFUSED = [
    ("echo `echo {x}`", "inside backticks"),
    ('echo "`echo {x}`"', "inside backticks"),
    ("echo $(({x} + 1))", ARITHMETIC),
    ('echo "$(({x} + 1))"', ARITHMETIC),
    ("(( {x} > 1 )) && echo", ARITHMETIC),
    ("for ((i = 0; i < {x}; i++)); do echo; done", ARITHMETIC),
    ("echo $[{x}]", ARITHMETIC),
    ("echo $'{x}'", "inside $'…'"),
    ('echo $"{x}"', 'inside $"…"'),
    ("cat <<E\n{x}\nE", "inside a heredoc"),
    ("cat <<'E'\n{x}\nE", "inside a heredoc"),
    ("cat <<-E\n\tE\n{x}\ncat <<E\n{x}\nE", "inside a heredoc"),
    ("cat <<E\na\\\nE\necho {x}\nE", "inside a heredoc"),
    ("cat <<{x}\na\nE", "in the delimiter of a heredoc"),
    ("echo ${v:-{x}}", "inside ${…}"),
    ('echo "${v:-{x}}"', "inside ${…}"),
    ('echo "${v:-"{x}"}"', "inside ${…}"),
    ("echo ${v:-$(echo {x})}", "inside ${…}"),
    ("echo ${v:-`{x}`'a'\\}}", "inside ${…}"),
    ("echo \\{x}", "after a backslash"),
    ('echo "\\{x}"', "after a backslash"),
    ("{x}", "as the name of a command"),
    ("true; {x} a", "as the name of a command"),
    ("if {x}; then echo; fi", "as the name of a command"),
    ("a=1 {x}", "as the name of a command"),
    ("bin/{x} a", "as the name of a command"),
    ("$(which {x}) a", "as the name of a command"),
    ("{x}=5", "as the name of a command"),
    ("sudo -u root {x}", "as the name of a command"),
    ("timeout -k 1 5 {x}", "as the name of a command"),
    ("command {x} a", "as the name of a command"),
    ("find . -exec {x} ';'", "as the name of a command"),
    ("a[{x}]=1", "in the index of a list"),
    ("a[$v]={x}", "in the index of a list"),
    ("a=([{x}]=1)", "in the index of a list"),
    ("{x}> f", "before a redirection"),
    ("echo a >&{x}", "after >&"),
    ("PS4={x}; set -x", "in the variable PS4"),
    ("BASH_ENV={x} bash f", "in the variable BASH_ENV"),
    ("env BASH_ENV={x} bash f", "in the variable BASH_ENV"),
    ("export BASH_ENV={x}", "in the variable BASH_ENV"),
    ("RANDOM={x}", "in the variable RANDOM"),
    ("bash -c {x}", SCRIPT),
    ("bash -c 'echo {x}'", SCRIPT),
    ('bash -lc "echo {x}"', SCRIPT),
    ("bash -c -e 'echo {x}'", SCRIPT),
    ("bash -o pipefail -c {x}", SCRIPT),
    ("bash --rcfile f -c {x}", SCRIPT),
    ("/bin/sh -c {x}", SCRIPT),
    ("ba'sh' -c {x}", SCRIPT),
    ("$SHELL -c {x}", SCRIPT),
    ("$VENV/bin/python -c {x}", SCRIPT),
    ("sudo -u bob sh -c 'echo {x}'", SCRIPT),
    ("env -u A B=1 bash -c 'echo {x}'", SCRIPT),
    ("nice -n5 timeout 5 sh -c 'echo {x}'", SCRIPT),
    ("xargs -n 1 sh -c 'echo {x}'", SCRIPT),
    ("find . -exec sh -c 'echo {x}' ';'", SCRIPT),
    ("docker exec web sh -c 'echo {x}'", SCRIPT),
    ("su bob -c 'echo {x}'", SCRIPT),
    ("ssh host echo {x}", SCRIPT),
    ("ssh -p 22 host 'echo {x}'", SCRIPT),
    ("awk '$1 == \"{x}\"' f", SCRIPT),
    ("awk -F : -v a=1 '{print {x}}' f", SCRIPT),
    ("sed 's/a/{x}/' f", SCRIPT),
    ("sed -n -e 's/a/{x}/' f", SCRIPT),
    ("sed -e p f -e {x}", SCRIPT),
    ("jq '.a == \"{x}\"' f", SCRIPT),
    ("python -c 'print({x})'", SCRIPT),
    ("python3.11 -W ignore -c 'print({x})'", SCRIPT),
    ('python3 -c"print({x})"', OPTION),
    ("perl -e {x}", SCRIPT),
    ("perl -I lib -lne {x}", SCRIPT),
    ("perl -Mbase -e {x}", SCRIPT),
    ("ruby -e {x}", SCRIPT),
    ("node -pe {x}", SCRIPT),
    ("node --eval {x}", SCRIPT),
    ("node --eval={x}", OPTION),
    ("php -r {x}", SCRIPT),
    ("psql -h db -c 'select {x}'", SCRIPT),
    ("mysql -v -e 'select {x}'", SCRIPT),
    ("sqlite3 f.db 'select {x}'", SCRIPT),
    ("watch -n 5 ls {x}", SCRIPT),
    ("ssh -o ProxyCommand={x} host", OPTION),
    ("sudo --user={x} ls", OPTION),
    ("bash <<< {x}", "in what a second interpreter reads"),
    ("echo {x} | bash", "in what is piped"),
    ("echo {x} |& (bash -s a)", "in what is piped"),
    ("echo {x} | { python3 -; }", "in what is piped"),
    ("echo {x} | xargs -I% sh -c 'echo %'", "in what xargs hands"),
    ("bash <(echo {x})", SCRIPT),
    ('bash "$(echo {x})"', SCRIPT),
    ('bash "{x}{y}"', "in the name of a script"),
    ("eval {x}", "in the words of 'eval'"),
    ("eval \"$(echo '{x}')\"", "in the words of 'eval'"),
    ("source {x}", "in the words of 'source'"),
    (". <(echo {x})", "in the words of '.'"),
    ("trap {x} EXIT", "in the words of 'trap'"),
    ("builtin eval {x}", "in the words of 'eval'"),
    ("let {x}", "in the words of 'let'"),
    ("read {x}", "in the words of 'read'"),
    ("unset {x}", "in the words of 'unset'"),
    ("declare {x}=1", "in the words of 'declare'"),
    ("declare -i n={x}", "in the words of 'declare'"),
    ("declare -n n={x}", "in the words of 'declare'"),
    ("printf -v {x} a", "as the name of a variable"),
    ("printf -v{x} a", "as the name of a variable"),
    ("printf {x} a", "as the format of printf"),
    ("wait -p {x}", "in the words of 'wait'"),
    ("for {x} in a; do echo; done", "as the name of a variable"),
    ("test -v {x}", "after -v"),
    ("[ -v {x} ]", "after -v"),
    ("[ '{x}' '{y}' ]", "after another"),
    ("[[ -v {x} ]]", "after -v"),
    ("[[ {x} -eq 1 ]]", "beside -eq"),
    ("[[ a == b && 1 -lt {x} ]]", "beside -lt"),
    ("[[ a ]]; eval {x}", "in the words of 'eval'"),
    ("n={x}; echo $((n + 1))", "in the variable n"),
    ("n={x}; [[ $n -eq 1 ]]", "in the variable n"),
    ("n={x}; echo ${a[n]}", "in the variable n"),
    ("n={x}; echo ${a:n}", "in the variable n"),
    ("n={x}; echo ${!n}", "in the variable n"),
    ("n={x}; echo ${n@P}", "in the variable n"),
    ("n={x}; let n++", "in the variable n"),
    ('n={x}; eval "$n"', "in the variable n"),
    ('n={x}; bash -c "$n"', "in the variable n"),
    ("declare -i n; n={x}", "in the variable n"),
    ("for n in {x}; do echo $((n)); done", "in the variable n"),
    ("printf -v n %s {x}; echo $((n))", "in the variable n"),
    ("export n={x}; ((n++))", "in the variable n"),
    ("n={x}; a[n]=1", "in the variable n"),
    ("n={x}; a=([n]=1)", "in the variable n"),
    ("n={x}; test -v a[$n]", "in the variable n"),
    ("n={x}; unset 'a[n]'", "in the variable n"),
    ("n={x}; printf -v a[n] 1", "in the variable n"),
    ("n={x}; $n", "in the variable n"),
    ('n={x}; bash <<< "$n"', "in the variable n"),
    ("n={x}; bash <<E\n$n\nE", "in the variable n"),
    ('n={x}; m=a$n; k=("${m}"); ((k))', "in the variable"),
    ("for m in a; do n=$m; ((n)); done; m={x}", "in the variable"),
    ("read n <<< {x}; ((n))", "in the variable n"),
    ("f() { (( $1 )); }; f {x}", "in the variable 1"),
    ('f() { local n="$2"; [[ 1 -lt $n ]]; }; f {x}', "in the variable n"),
    ('set -- {x}; eval "$@"', "in the variable @"),
    ("n={x}; eval $(echo $n)", "in the variable n"),
    ("n={x}; RANDOM=$n", "in the variable RANDOM"),
    ("n={x}; declare PS4=$n", "in the variable PS4"),
    ("read PS4 <<< {x}", "in the variable PS4"),
    ("n={x}; env A=$n ls", "in the variable n"),
    ("n={x}; python $n", "in the variable n"),
    ("n={x}; [ $n ]", "in the variable n"),
    ("n={x}; printf $n", "in the variable n"),
    ("n={x}; declare $n", "in the variable n"),
    ("nice -n $(echo {x}) ls", "in an expansion without quotes"),
    ("env A=$(echo {x}) ls", "in an expansion without quotes"),
]


@pytest.mark.parametrize(("command", "where"), REFUSED)
def test_lift_refuses_a_placeholder_in_code(command: str, where: str) -> None:
    with pytest.raises(TemplateError) as refused:
        lift(command)

    assert where in str(refused.value)
    assert str(refused.value).count(";") >= 1, "there is no hint"


@pytest.mark.parametrize(
    "command",
    [
        "echo {x} 'unclosed",
        'echo {x} "unclosed',
        "echo {x} $(unclosed",
        "echo {x} )",
        "echo {x} `unclosed",
        "echo {x} a(b)",
        "echo {x} $(( '1' ))",
        "echo {x}; ((true); true)",
        'echo {x} "${v:-\'}"',
        "echo {x} ${ true; }",
        "echo {x} $\\\n(true)",
        "echo {x} a\\\nb",
        "cat <<E $(true)\nE\necho {x}",
        "echo {x} $(cat <<E)",
        "[[ {x} == <(true) ]]",
        "echo {x} " + "$(" * 50 + ")" * 50,
        "echo {x} " + "${a:-" * 5000 + "}" * 5000,
        "echo {x} \x01",
    ],
)
def test_lift_refuses_what_it_does_not_understand(command: str) -> None:
    with pytest.raises(TemplateError, match="a command "):
        lift(command)


ACCEPTED = [
    "python process.py --id {job_id}",
    "python process.py --id={job_id} -c {x}",
    "python -m http.server {port}",
    "python {script}.py 1",
    "bash scripts/{name}.sh {x}",
    "bash -c 'echo \"$1\"' _ {x}",
    "bash <<'E'\necho 1\nE\necho {x}",
    "awk -v name={x} '$1 == name { print }' f",
    "jq --arg a {x} '.a == $a' f",
    "sed -n p {file}",
    "perl -ne 'print' {file}",
    "ssh {host} uptime",
    "ssh -p {port} -i {key} user@{host} uptime",
    "cat {file} | python process.py {x}",
    "cat {file} | python -c 'import sys' {x}",
    "command -v {tool}",
    "env -i ls {x}",
    "sudo -u {user} ls {x}",
    "env NAME={x} python f.py",
    "env NAME={x} timeout {seconds} ls",
    "find {folder} -name {x} -exec ls '{}' ';'",
    "grep awk {file}",
    'export A={x} B="{y}"',
    "wait {pid}",
    "ls > {file} 2>&1 < {other}",
    "ls &> {file} &\nls",
    "# {x} is only a comment\nls a#b {x}",
    "case {x} in (a|b) ls;; {y}) ls;& *) case a in a) ls;; esac;; esac; ls {x}",
    "f() { ls; }; f {x} || ls; ! ls && ls",
    "[[ -n {x} && ( a < {y} || {x} =~ b ) ]]; ls",
    "[ {x} -eq 1 ]",
    "echo ${v:-a} ${v#\"a\"} ${v%'a'} ${#v} ${v/\\}/`a`} ${v:-$w} ${*} {x}",
    'echo $ $1 $$ "$v" $(true) $((1 + 2)) $[1] $\'a\\\'b\' $"a" `a` "`a`" <(true) {x}',
    'ls \\\n  {x} "a\\\nb\\"" \\a',
    "cat <<-E; ls {x}\n\ta\n\tE",
    "cat <<E\n{ x }\nE\necho {x} <<F\nnever closed",
    "case {x} in a) ls\nesac; v=({x}\n a)\n[[ -n {x} &&\n -n b ]] || ls {x}",
    "v=({x} a); v+=(b); a[1]=2; n=1; echo $((n))",
    "printf '%s' {x}; printf -v n %s a; printf",
    "xargs; watch; docker exec web ls {x}; docker exec web sh f {x}",
    'sudo; $TOOL --id {x}; $TOOL "$(ls {x})"',
]


@pytest.mark.parametrize("command", ACCEPTED)
def test_lift_accepts_what_is_safe(command: str) -> None:
    filled = lift(command).fill({})

    assert filled.command.replace("'{x}'", "{x}") == command
    assert not filled.env


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


FUZZ_COUNT = int(os.environ.get("SM_FUZZ", "300"))
TOKENS = [
    *["{x}"] * 14, *[" "] * 14, *['"'] * 5, *["'"] * 4, *["$("] * 3, *[")"] * 5, *["\n"] * 3,
    "`", "$((", "))", "((", "[[ ", " ]]", " -eq ", " -v ", "eval ", "bash -c ", "sh -c ", "<<E\n",
    "\nE\n", "<<'E'\n", "<<< ", "a=", "a", "$a", "${a", "}", ":-", "[", "]", "\\", "#", "$", "$'",
    ";", ";;", "|", "&", "&&", "||", "(", "{ ", "; }", "if ", "then ", "fi", "for ", " in ", "do ",
    "done", "case ", "let ", "read ", "declare -i ", "printf -v ", "printf ", "echo ",
    "esac", "test ", "export ", "trap ", "unset ", "a=(", "~", "*", "<(", "function ", "f()",
    "source ", "=", "!", "awk ", "sed ", "python3 -c ", "xargs ", "env ", "sudo ", "set -x;",
    "command ", "\\\n", "%",
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
        received = run(lift(f"$SHOW {word} end").fill({"x": value}), tmp_path)

        assert received == [shown.replace("%s", value), "end"], (word, value)
