"""No file, however it came about, makes the validator raise or say something unreadable."""

import json
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from machines.core.definition import Definition
from machines.core.errors import DefinitionError
from machines.core.loading import load
from machines.core.signatures import COMMON_KEYS, Kind, Signature
from machines.core.validation import CODES, Problem, peer, validate
from tests.core.validation.looking import SIGNATURES

FUZZ_COUNT = int(os.environ.get("SM_FUZZ", "4000"))

ROOT = Path(__file__).parents[3]
SEEDS = [
    path.read_text()
    for path in sorted(
        (
            *ROOT.glob("examples/**/config/*.yaml"),
            *ROOT.glob("tests/acceptance/fixtures/*.yaml"),
            *ROOT.glob("tests/core/fixtures/**/*.yaml"),
        )
    )
    if not path.name.endswith(".tests.yaml")
]

WORDS = [
    "waiting", "working", "done", "completed", "a", "b", "go", "error", "success", "tick", "*",
    "timeout(5)", "timeout(1s)", "{job_id}", "{secret.KEY}", "{x|default:'y\n'}", "{event.id}", "",
    "true", "5s", "-1", "1e999", "ï", "x" * 300, "\ud800", "not_running", "eval \"$X\"",
]  # fmt: skip
VALUES: list[Any] = [
    *WORDS, None, True, False, 0, -3, 2.5, 10**18, [], {}, ["a", "b.c as d"],
    [1, [2, {"a": "{b}"}]], {"a": "{c}"}, {"2": "bad", "x": ["y"]}, [None],
    ["bash", "-c", "{x}"], ["awk", "{print}"],
]  # fmt: skip
GUARDS = [
    "a > 3", "a > 3 and a < 2", "false", "true", "x", "payload.k == 1 and payload.k == 'b'",
    "1 / 0", "len(items) > 0 or false", "a == 1 if b else false", "null and x", "event.job_id",
]  # fmt: skip
SNIPPETS = [
    "\n", "  ", "- ", ": ", "{", "}", "[", "]", "*", "&a ", "*a", "<<: ", "#", '"', "'", "|", ">",
    "\t", "!!", "---\n", "~", "true", "- {from: waiting, to: waiting, event: error}\n",
    "final: true", "guard: false", "after: 1s", "reenter: true", "interrupt: true",
    "template: true",
    "{a.b|length}",
]  # fmt: skip


def seeded() -> random.Random:
    return random.Random(os.environ.get("SM_SEED", "a problem is no fault"))  # noqa: S311 -- no secret


def mutated(chance: random.Random) -> str:
    """A file of ours with a few changes that a slip, or a merge, makes."""
    lines = chance.choice(SEEDS).splitlines(keepends=True)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(lines))
        change = chance.randrange(5)
        if change == 0:
            lines[at] = ""
        elif change == 1:
            lines.insert(at, chance.choice(lines))
        elif change == 2:
            old, new = chance.choices([*lines[at].split(), "x"], k=2)
            lines[at] = lines[at].replace(old, new)
        elif change == 3:
            other = chance.choice(SEEDS).splitlines(keepends=True)
            lines[at:at] = other[: chance.randint(1, 5)]
        else:
            column = chance.randint(0, len(lines[at]))
            lines[at] = lines[at][:column] + chance.choice(SNIPPETS) + lines[at][column:]
    return "".join(lines)


def made_up(chance: random.Random) -> str:
    """A file by the rules of the language, with settings and names by chance, as JSON."""
    states = chance.sample(["waiting", "working", "done", "completed", "a", "b"], 4)
    events = chance.sample(["go", "error", "success", "tick", "new_job", "a"], 3)
    file: dict[str, Any] = {
        "initial_state": chance.choice(states),
        "states": {name: chance.choice([None, {"final": True}, {}, {}]) for name in states},
        "actions": {chance.choice(states): actions(chance) for _ in range(2)},
        "transitions": [transition(chance, states, events) for _ in range(chance.randint(0, 9))],
        "context": {"a": 1} if chance.random() < 0.5 else {},
        "template": chance.random() < 0.2,
        "metadata": {"machine_name": "working"},
    }
    if chance.random() < 0.5:
        file["events"] = {name: {"context_map": {"b": "payload.b"}} for name in events[:2]}
    return json.dumps(file)


def transition(chance: random.Random, states: list[str], events: list[str]) -> dict[str, Any]:
    optional = {
        "to": chance.choice(states),
        "guard": chance.choice(GUARDS),
        "actions": actions(chance),
        "interrupt": chance.random() < 0.5,
        "reenter": chance.random() < 0.5,
    }
    found = {key: value for key, value in optional.items() if chance.random() < 0.4}
    sources = chance.choice([*states, "*", chance.sample(states, 2)])
    triggers: list[dict[str, Any]] = [
        {"event": chance.choice(events)},
        {"event": [*events, "timeout(3)"]},
        {"after": "2s"},
        {},
    ]
    return {"from": sources, **chance.choice(triggers), **found}


def actions(chance: random.Random) -> list[dict[str, Any]]:
    return [action(chance) for _ in range(chance.randint(0, 4))]


def action(chance: random.Random) -> dict[str, Any]:
    kind = chance.choice([*SIGNATURES, "bash", "log", "lgo", "start_fsm"])
    signature = SIGNATURES.get(kind, Signature(kind, Kind.WORK))
    names = [s.name for s in signature.settings] + [r.key for r in signature.raises if r.key]
    wanted = [s.name for s in signature.settings if s.required and chance.random() < 0.8]
    wanted += chance.choices([*names, *COMMON_KEYS[3:7], "x"], k=chance.randint(0, 3))
    found = {"type": kind, **{name: chance.choice(VALUES) for name in wanted}}
    if chance.random() < 0.1:
        found |= {"retry": {"attempts": 3}, "every": 5}
    return found


def checked(definition: Definition, text: str) -> tuple[Problem, ...]:
    """The problems of a file, each of which can be shown to a person."""
    found = validate(definition, SIGNATURES, [definition, peer(definition, SIGNATURES, "done")])

    lines = text.count("\n") + 1
    for problem in found:
        assert problem.code in CODES
        assert 1 <= problem.place.line <= lines
        assert problem.place.column >= 1
        assert problem.message.isprintable(), problem
        assert problem.hint.isprintable()
        assert len(problem.message) < 700, problem
    assert [p.place.line for p in found] == sorted(p.place.line for p in found)
    return found


def test_every_random_file_is_validated_or_refused(capsys: pytest.CaptureFixture[str]) -> None:
    chance = seeded()
    codes: set[str] = set()
    slowest, longest = 0.0, ""

    for number in range(FUZZ_COUNT):
        text = (mutated if number % 2 else made_up)(chance)
        try:
            definition = load(text, origin="random.yaml")
        except DefinitionError:
            continue
        before = time.perf_counter()
        codes |= {problem.code for problem in checked(definition, text)}
        seconds = time.perf_counter() - before
        slowest, longest = max((slowest, longest), (seconds, text))

    with capsys.disabled():
        if "SM_FUZZ" in os.environ:
            sys.stdout.write(f"slowest of {FUZZ_COUNT}: {slowest * 1000:.1f} ms\n{longest[:500]}\n")
    assert len(codes) > 20  # or the files are too tame


# As large as files may be


def many_states(count: int) -> str:
    return "\n".join(
        ["initial_state: s0", "transitions:"]
        + [f"- {{from: s{i}, to: s{(i + 1) % count}, event: e{i % 7}}}" for i in range(count)]
    )


def many_named_results(count: int) -> str:
    steps = [f"  - {{type: log, message: '{{n{i}}}', success: r{i}}}" for i in range(count)]
    head = "initial_state: a\ntransitions:\n- {from: a, to: b, event: go}\nactions:\n a:\n"
    return head + "\n".join(steps)


def many_sources(count: int) -> str:
    states = ", ".join(f"s{i}" for i in range(count))
    return "\n".join(
        ["initial_state: s0", f"states: [{states}]", "transitions:"]
        + [f"- {{from: [{states}], to: s1, event: e{i}}}" for i in range(9)]
    )


def many_timers(count: int) -> str:
    return "\n".join(
        ["initial_state: s0", "transitions:"]
        + [f"- {{from: s{i // 9}, to: s{i // 7}, after: {i % 50}s}}" for i in range(count)]
    )


def many_wildcards(count: int) -> str:
    return "\n".join(
        ["initial_state: s0", "events: [go]", "transitions:", "- {from: s0, to: s1, event: go}"]
        + [f'- {{from: "*", to: s{i % 2}, event: w{i}, guard: "x > {i}"}}' for i in range(count)]
    )


def many_placeholders(count: int) -> str:
    text = " ".join(f"{{p{i}}}" for i in range(count))
    return f"initial_state: a\nactions:\n a:\n  - {{type: log, message: '{text}'}}\n"


def many_unknown_types(count: int) -> str:
    return "\n".join(
        ["initial_state: a", "actions:", " a:"]
        + [f"  - {{type: lgo{i}, x{i}: 1}}" for i in range(count)]
    )


def many_unknown_settings(count: int) -> str:
    settings = ", ".join(f"mesage{i}: 1" for i in range(count))
    return f"initial_state: a\nactions:\n a:\n  - {{type: log, {settings}}}\n"


SHAPES: Sequence[Callable[[int], str]] = [
    many_states, many_named_results, many_sources, many_timers, many_wildcards,
    many_placeholders, many_unknown_types, many_unknown_settings,
]  # fmt: skip


def calls(definition: Definition) -> int:
    """How many functions are called to validate a definition."""
    count = 0

    def count_call(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(count_call)
    try:
        validate(definition, SIGNATURES)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("shape", SHAPES)
def test_effort_grows_no_faster_than_the_file(shape: Callable[[int], str]) -> None:
    small, large = (load(shape(count), origin="large.yaml") for count in (400, 1600))

    assert calls(large) <= 5 * calls(small) + 20_000
