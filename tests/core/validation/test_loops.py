"""Which states come back to themselves at once, without end."""

import pytest

from tests.core.validation.looking import codes

LOOP = "{from: a, to: a, event: %s}"
LOG = "{type: log, success: done}"
SET = "{type: set_context, key: x, value: 1}"
MANY = ", ".join(["{type: log}"] * 21)
BASH = "{type: bash, command: make, error: failed}"


@pytest.mark.parametrize(
    ("actions", "lines", "expected"),
    [
        ([LOG], [LOOP % "done"], ["SM401"]),
        ([SET], [LOOP % "success"], ["SM401"]),
        ([SET, LOG], [LOOP % "done"], ["SM401"]),
        ([LOG], [LOOP % "done", "{from: a, to: b, event: go}"], ["SM401"]),
        (["{type: clear_events, event_types: x, success: done}"], [LOOP % "done"], ["SM401"]),
        ([LOG], ["{from: a, to: a, event: done, actions: [{type: log}]}"], ["SM401"]),
        # Something waits, works, looks, leaves or depends.
        ([LOG, "{type: sleep}"], [LOOP % "done"], []),
        ([LOG, "{type: bash, command: make}"], [LOOP % "done"], []),
        (["{type: check_events, event_types: x}"], [LOOP % "no_events"], []),
        (["{type: check_database_queue}"], [LOOP % "no_jobs"], []),
        (["{type: pop_from_list}"], [LOOP % "item_popped"], []),
        (["{type: custom}"], [LOOP % "done"], []),
        ([SET, LOG], [LOOP % "done", "{from: a, to: b, event: success}"], []),
        ([LOG], ["{from: a, to: b, event: done, guard: x}", LOOP % "done"], []),
        ([LOG], ["{from: a, event: done}"], []),
        ([LOG], [LOOP % "done", "{from: a, to: b, after: 5s}"], []),
        ([LOG], [LOOP % "done", '{from: "*", to: b, after: 5s}'], []),
        ([LOG], [LOOP % "done", "{from: a, to: b, guard: x}"], []),
        (["{type: log, success: done, every: 5s}"], [LOOP % "done"], []),
        ([LOG], ["{from: a, to: a, event: done, actions: [{type: sleep}]}"], []),
        ([LOG], ["{from: a, to: a, event: done, actions: [{type: log, success: go}]}",
                 "{from: a, to: b, event: go}"], []),
        (["{type: log, success: '{x}'}"], [LOOP % "done"], []),
        (["{type: log, success: error}"], [LOOP % "error"], []),
        ([LOG], [f"{{from: a, to: a, event: done, actions: [{MANY}]}}"],
         []),
    ],
)  # fmt: skip
def test_spinning_loops(actions: list[str], lines: list[str], expected: list[str]) -> None:
    assert _codes(actions, lines) == expected


@pytest.mark.parametrize(
    ("actions", "lines", "expected"),
    [
        ([BASH], [LOOP % "failed"], ["SM402"]),
        ([SET, BASH], [LOOP % "failed"], ["SM402"]),
        (["{type: bash, command: make}"], ["{from: a, to: a, event: error, reenter: true}"],
         ["SM402"]),
        (["{type: bash, argv: [make, 3], failure: failed}"], [LOOP % "failed"], ["SM402"]),
        # A self-loop on error asks for no new round.
        (["{type: bash, command: make}"], [LOOP % "error"], []),
        (["{type: bash, command: make}"], ["{from: a, to: b, event: error}"], []),
        ([BASH], ["{from: a, to: a, event: failed, guard: x}"], []),
        ([BASH], ["{from: a, to: a, event: failed, actions: [{type: sleep}]}"], []),
        (["{type: bash, command: sleep 5; make, error: failed}"], [LOOP % "failed"], []),
        (["{type: bash, argv: [sh, -c, 'sleep 5; false'], error: failed}"], [LOOP % "failed"], []),
        (["{type: bash, command: make, error: failed, retry: {attempts: 3}}"],
         [LOOP % "failed"], []),
        (["{type: bash, command: make, error: failed, every: 5s}"], [LOOP % "failed"], []),
        ([BASH, "{type: sleep}"], [LOOP % "failed"], []),
        (["{type: custom, error: failed}"], [LOOP % "failed"], []),
        ([SET, BASH], [LOOP % "failed", "{from: a, to: b, event: success}"], []),
        ([BASH], [LOOP % "failed", "{from: a, to: b, after: 5m}"], []),
    ],
)  # fmt: skip
def test_hasty_retries(actions: list[str], lines: list[str], expected: list[str]) -> None:
    assert _codes(actions, lines) == expected


def test_final_state_does_not_loop() -> None:
    text = "initial_state: a\nstates:\n a: {final: true, actions: [%s]}\ntransitions:\n- %s\n"

    assert codes(text % (LOG, LOOP % "done")) == []


def _codes(actions: list[str], lines: list[str]) -> list[str]:
    text = "initial_state: a\ncontext: {x: 1}\nactions:\n a:\n"
    text += "".join(f" - {action}\n" for action in actions)
    text += "transitions:\n" + "".join(f"- {line}\n" for line in lines)
    text += "- {from: a, to: b, event: out}\n- {from: b, to: a, event: back}\n"
    return [code for code in codes(text) if code != "SM203"]
