"""What a file that does not load is told: every fault, where it stands, what would be right."""

import contextlib
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from machines.core.errors import DefinitionError, Fault
from machines.core.loading import load
from machines.core.loading.faults import MAX_COMPARED, Faults, shown

BROKEN = sorted((Path(__file__).parent / "fixtures" / "broken").glob("*.yaml"))
FAULT_LINE = re.compile(r"# (\d+):(\d+): (.+)")

WHOLE = """\
name: worker
initial_state: waiting
states:
  # === WORK ===
  waiting: &base {description: "waits", group: g}
  processing: {<<: *base, final: no}
events:
  new_job: {context_map: {user: payload.user}, payload: {type: object}}
transitions:
  - {from: [waiting, processing], to: processing, event: [new_job, timeout(5s)], guard: count > 3}
  - {from: "*", to: waiting, after: 1h, interrupt: false, reenter: true}
actions:
  processing:
    - type: bash
      params: {command: "echo {job_id}", timeout: 3}
      retry: {attempts: 5, delay: 2s, backoff: 1.5, jitter: true}
      every: 2s
metadata: {machine_name: worker, max_instant_steps: 5}
context: {list: [1, 2.5, ~, 2024-01-01]}
template: false
"""
FRAGMENTS = st.sampled_from(
    ["[", "]", "{", "}", ": ", "- ", "\n", "\n  ", "&a ", "*a", "<<: ", '"', "'", "|", ">", "!!x ",
     "#", "? ", "~", "yes", "1e999", ".nan", "\t", "\0", "\ud800", "---\n", "...", "%", "@", "\\",
     "\x85", "\ufeff", "timeout(", "*", "{a|b}", "`"]
)  # fmt: skip


def faults_of(text: str | bytes) -> tuple[Fault, ...]:
    with pytest.raises(DefinitionError) as caught:
        load(text, origin="worker.yaml")
    return caught.value.faults


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_broken_file_is_told_its_faults_as_its_first_lines_say(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    expected = [match.groups() for line in text.splitlines() if (match := FAULT_LINE.match(line))]

    faults = faults_of(text)

    assert expected
    assert [(str(fault.line), str(fault.column), fault.message) for fault in faults] == expected


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("", 1, 1, "the file is empty; a machine needs at least transitions"),
        ("---\n", 1, 1, "the file is empty; a machine needs at least transitions"),
        ("# nothing\n", 1, 1, "the file is empty; a machine needs at least transitions"),
        ("waiting", 1, 1,
         "the top level must be a mapping: name, initial_state, transitions, …"),
        (b"a: 1\nb: \xe4", 2, 4, "not UTF-8: byte 0xe4; save the file as UTF-8"),
        (b"\xff\xfea", 1, 1, "not UTF-8: byte 0xff; save the file as UTF-8"),
        ("a: 1\r\nb: \ud800", 2, 4, "character U+D800 is not allowed in a YAML file; remove it"),
        ("a: \x07", 1, 4, "character U+0007 is not allowed in a YAML file; remove it"),
        ("a" * (256 << 10) + "b", 1, 1,
         "the file has 262,145 bytes; at most 262,144 are allowed"),
        (b"a" * (256 << 10) + b"b", 1, 1,
         "the file has 262,145 bytes; at most 262,144 are allowed"),
        ("ä" * (200 << 10), 1, 1, "the file has 409,600 bytes; at most 262,144 are allowed"),
    ],
)  # fmt: skip
def test_unreadable_file_is_told_its_one_fault(
    text: str | bytes, line: int, column: int, message: str
) -> None:
    assert faults_of(text) == (Fault(line, column, message),)


@pytest.mark.timeout(5)
@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[a: ", "{? "])
def test_deep_nesting_is_refused_at_once(opening: str) -> None:
    (fault,) = faults_of(opening * 25_000)

    assert fault.message == "nested deeper than 32 levels; use fewer lists inside lists"


def test_nesting_counts_through_aliases() -> None:
    text = (
        "context:\n"
        f"  a: &a {'[' * 20}{']' * 20}\n"
        f"  b: {'[' * 15}*a{']' * 15}\n"
    )  # fmt: skip

    (fault,) = faults_of(text)

    assert fault == Fault(3, 21, "nested deeper than 32 levels; use fewer lists inside lists")


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    ("seed", "line"),
    [
        ("[x, x, x, x, x, x, x, x, x]", "[{alias}]"),
        ("{k: v, l: w}", "{{<<: [{alias}]}}"),
        ('"' + "long" * 10_000 + '"', "[{alias}]"),
    ],
)
def test_bomb_is_refused_at_once(seed: str, line: str) -> None:
    lines = [f"a0: &a0 {seed}"]
    for number in range(9):
        aliases = ", ".join([f"*a{number}"] * 9)
        lines.append(f"a{number + 1}: &a{number + 1} " + line.format(alias=aliases))

    (fault,) = faults_of("\n".join(lines))

    assert "with its aliases written out the file holds more than 524,288" in fault.message


@pytest.mark.timeout(20)
def test_large_file_with_thousands_of_faults_is_refused_in_a_bounded_time() -> None:
    text = "initial_state: s\nstates: [s, t]\ntransitions:\n" + "- {from: x, to: y}\n" * 13_000

    assert len(faults_of(text)) == 26_000


def test_error_lists_all_faults_with_the_origin_before_each() -> None:
    with pytest.raises(DefinitionError) as caught:
        load("initial_state: a\nstates: [b]\nnam: x\n", origin="examples/worker.yaml")

    assert str(caught.value) == (
        "examples/worker.yaml:1:16: initial_state: no state 'a'; the states are: b\n"
        "examples/worker.yaml:3:1: nam: unknown key; did you mean 'name'?"
    )


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("procesing", ["waiting", "processing"], "; did you mean 'processing'?"),
        ("x", ["waiting"], "; known: waiting"),
        ("x", [], ""),
        ("x", [f"state_{number}" for number in range(20)], ""),
        ("x" * (MAX_COMPARED + 1), ["x" * MAX_COMPARED], "; known: " + "x" * MAX_COMPARED),
        ("waiting", ["waitin"] * 30_000, ""),
    ],
)
def test_hint_names_the_nearest_word_or_the_known_ones(
    word: str, known: list[str], hint: str
) -> None:
    assert Faults("worker.yaml").hint(word, known, "known") == hint


def test_shown_cuts_a_long_text() -> None:
    assert shown("a\nb") == r"'a\nb'"
    assert shown("x" * 1_000) == "'" + "x" * 59 + "…'"


def load_or_refuse(text: str | bytes) -> None:
    """Let nothing through but the one error that loading may raise."""
    with contextlib.suppress(DefinitionError):
        load(text, origin="worker.yaml")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 12), FRAGMENTS), max_size=5))
def test_mutated_file_loads_or_is_refused(changes: list[tuple[int, int, str]]) -> None:
    text = WHOLE
    for start, length, fragment in changes:
        text = text[:start] + fragment + text[start + length :]

    load_or_refuse(text)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.binary(), st.lists(FRAGMENTS, max_size=20).map("".join)))
def test_any_text_loads_or_is_refused(text: str | bytes) -> None:
    load_or_refuse(text)
