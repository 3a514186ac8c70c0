"""What is said of transitions that others precede, and of interrupts."""

import pytest

from machines.core.validation import transitions
from tests.core.validation.looking import codes

REST = "- {from: b, to: a, event: back}\n- {from: a, to: b, event: there}\n"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["{from: a, event: go}", "{from: a, to: b, event: go}"], ["SM301"]),
        (["{from: a, event: go, guard: x > 1}", "{from: a, event: go}"], []),
        (["{from: a, event: go, guard: x > 1}", "{from: a, event: go, guard: x > 2}"], []),
        (["{from: a, event: go, guard: x > 1}", "{from: a, event: go, guard: x > 1}"], ["SM301"]),
        (["{from: a, event: go, guard: true}", "{from: a, event: go}"], ["SM301"]),
        (["{from: a, event: go}", "{from: b, event: go}"], []),
        (["{from: a, event: go}", "{from: [a, b], event: go}"], []),
        (["{from: [a, b], event: go}", "{from: a, event: go}"], ["SM301"]),
        (["{from: a, event: [go, run]}", "{from: a, event: [run, go]}"], ["SM301"]),
        (["{from: a, event: go}", "{from: a, event: [go, run]}"], []),
        (["{from: a, event: go}", '{from: "*", event: go}'], []),
        (['{from: "*", event: go}', "{from: a, event: go}"], ["SM301"]),
        (['{from: "*", event: go, guard: x > 1}', "{from: a, event: go, guard: x > 1}"], ["SM301"]),
        (['{from: "*", event: go}', '{from: "*", event: go}'], ["SM301"]),
        (["{from: a, event: go}", "{from: b, event: go}", '{from: "*", event: go}'], ["SM301"]),
        (["{from: a, event: go}", "{from: a, event: [go, timeout(5)]}"], []),
        # Timers of one time are one event, of which the first is taken.
        (["{from: a, after: 5s}", "{from: a, after: 5s}"], ["SM301"]),
        (["{from: a, after: 5s, guard: x > 1}", "{from: a, event: timeout(5)}"], []),
        (["{from: a, after: 5s}", "{from: a, after: 6s}"], []),
        (["{from: a, to: b}", "{from: a, to: b, guard: x > 1}"], ["SM301"]),
        (["{from: a, to: b, guard: x > 1}", "{from: a, to: b}"], []),
    ],
)
def test_shadowed_transitions(lines: list[str], expected: list[str]) -> None:
    text = "initial_state: a\ncontext: {x: 1}\ntransitions:\n" + REST
    text += "".join(f"- {line}\n" for line in lines)

    assert codes(text) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{from: a, to: a, event: go, interrupt: true}", ["SM304"]),
        ("{from: a, to: a, event: go, interrupt: true, reenter: true}", []),
        ("{from: [a, b], to: a, event: go, interrupt: true}", []),
        ("{from: a, to: b, event: go, interrupt: true}", []),
        ("{from: a, to: a, event: go}", []),
        ("{from: a, to: a, after: 5s, interrupt: true}", []),
        ('{from: "*", to: a, event: go, interrupt: true}', []),
    ],
)
def test_interrupts(line: str, expected: list[str]) -> None:
    assert codes("initial_state: a\ntransitions:\n" + REST + f"- {line}\n") == expected


def test_beyond_so_many_pairs_nothing_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transitions, "MAX_PAIRS", 3)
    text = "initial_state: a\ntransitions:\n- {from: a, event: [x, y]}\n- {from: a, event: x}\n"

    assert codes(text) == ["SM301"]
    assert codes(text + "- {from: a, event: x}\n") == ["SM301"]
