"""Which timers never fire."""

import pytest

from tests.core.validation.looking import codes

REST = "- {from: b, to: a, event: back}\n- {from: a, to: b, event: there}\n"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["{from: a, to: b, after: 5s}", "{from: a, to: b, after: 9s}"], ["SM303"]),
        (["{from: a, to: b, after: 9s}", "{from: a, to: b, after: 5s}"], ["SM303"]),
        (["{from: a, to: b, after: 5s}", "{from: a, to: a, after: 9s}"], ["SM303"]),
        (["{from: a, to: a, after: 5s}", "{from: a, to: b, after: 9s}"], []),
        (["{from: a, to: a, after: 5s, reenter: true}", "{from: a, to: b, after: 9s}"], ["SM303"]),
        (["{from: a, after: 5s}", "{from: a, to: b, after: 9s}"], []),
        (["{from: a, to: b, after: 5s, guard: x}", "{from: a, to: b, after: 9s}"], []),
        (["{from: a, to: b, after: 5s}", "{from: [a, b], to: b, after: 9s}"], []),
        (["{from: a, to: b, after: 5s}", "{from: a, to: b, event: [go, timeout(9)]}"], []),
        (["{from: a, to: b, event: [go, timeout(5)]}", "{from: a, to: b, after: 9s}"], ["SM303"]),
        (["{from: a, to: b, after: 5s}", "{from: a, to: b, after: 5s, guard: x}"], ["SM301"]),
        # Of one time the first that holds is taken, and may stay.
        (["{from: a, to: a, after: 5s, guard: x}", "{from: a, to: b, after: 5s}",
          "{from: a, to: b, after: 9s}"], []),
        (['{from: "*", after: 5s, guard: x}', "{from: a, to: b, after: 5s}",
          "{from: a, to: b, after: 9s}"], []),
        (["{from: a, to: b, after: 5s, guard: x}", "{from: a, to: b, after: 5s}",
          "{from: a, to: b, after: 9s}"], ["SM303"]),
        # One that waits for rest may be overtaken by one that interrupts.
        (["{from: a, to: b, after: 5s, interrupt: false}", "{from: a, to: b, after: 9s}"], []),
        (["{from: a, to: b, after: 5s, interrupt: false}",
          "{from: a, to: b, after: 9s, interrupt: false}"], ["SM303"]),
        (['{from: "*", to: b, after: 5s}', "{from: a, to: b, after: 9s}"], ["SM303"]),
        (['{from: "*", to: a, after: 5s}', "{from: a, to: b, after: 9s}"], []),
        (['{from: "*", to: a, after: 5s}', '{from: "*", to: b, after: 7s}',
          "{from: a, to: b, after: 9s}"], ["SM303"]),
        (["{from: a, to: b, after: 5s}", '{from: "*", to: b, after: 9s}'], []),
        # A final state in which nothing is done has finished before any time has passed.
        (["{from: a, to: end, event: x}", "{from: end, to: a, after: 5s}"], ["SM303"]),
        (["{from: a, to: end, event: x, actions: [{type: sleep}]}",
          "{from: end, to: a, after: 5s}"], []),
        (["{from: a, to: end, event: x}", "{from: end, to: a, after: 5s}",
          '{from: "*", event: y, actions: [{type: log}]}'], []),
    ],
)  # fmt: skip
def test_timers(lines: list[str], expected: list[str]) -> None:
    text = "initial_state: a\ncontext: {x: 1}\n"
    if any("end" in line for line in lines):
        text += "states: {a: , b: , end: {final: true}}\n"
    text += "transitions:\n" + REST + "".join(f"- {line}\n" for line in lines)

    assert codes(text) == expected
