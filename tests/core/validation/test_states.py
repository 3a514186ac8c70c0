"""What is said of states."""

import pytest

from tests.core.validation.looking import codes

GO = "- {from: a, to: b, event: go}\n"
BACK = "- {from: b, to: a, event: back}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("transitions:\n" + GO + BACK, []),
        ("transitions:\n" + GO, ["SM102"]),
        ("states: {a: , b: {final: true}}\ntransitions:\n" + GO, []),
        ("states: {a: , b: {actions: [{type: stop_machine}]}}\ntransitions:\n" + GO, []),
        ("states: {a: , b: {actions: [{type: custom}]}}\ntransitions:\n" + GO, []),
        ("states: {a: , b: {actions: [{type: log, every: 5s}]}}\ntransitions:\n" + GO, []),
        ("states: {a: , b: {actions: [{type: log}]}}\ntransitions:\n" + GO, ["SM102"]),
        # One that listens in every state is alive, as are self-loops.
        ("transitions:\n" + GO + "- {from: b, to: b, event: x}\n", []),
        ('transitions:\n- {from: "*", event: x, actions: [{type: log}]}\n' + GO, []),
        ('transitions:\n- {from: "*", to: b, event: x}\n' + GO, ["SM102"]),
        ('transitions:\n- {from: "*", to: b, event: x, reenter: true}\n' + GO, []),
        ('transitions:\n- {from: "*", to: a, event: x}\n' + GO, []),
        ("states: [a]\n", ["SM102"]),
        # Reached from anywhere, or not at all.
        ('states: [a, b]\ntransitions:\n- {from: "*", to: b, event: x}\n' + BACK, []),
        ("states: [a, b, c]\ntransitions:\n" + GO + BACK, ["SM101"]),
        ("states: [a, b, c, d]\ntransitions:\n" + GO + BACK + "- {from: c, to: d, event: x}\n",
         ["SM101", "SM101"]),
        # A dead end is told of once, not for each state that leads there.
        ("transitions:\n- {from: a, to: completed, event: end}\n" + GO, ["SM102"]),
        ("transitions:\n- {from: a, to: completed, event: end}\n" + GO + BACK, []),
        ("transitions:\n- {from: a, to: completed, event: end}\n" + GO
         + "- {from: b, event: x}\n", ["SM103"]),
        ('transitions:\n- {from: "*", to: completed, event: end}\n' + GO
         + "- {from: b, event: x}\n", []),
        ('transitions:\n- {from: "*", event: end, actions: [{type: stop_machine}]}\n' + GO, []),
        ("transitions:\n- {from: b, event: end, actions: [{type: stop_machine}]}\n" + GO, []),
        ("transitions:\n- {from: a, to: b, event: x, actions: [{type: stop_machine}]}\n", []),
    ],
)  # fmt: skip
def test_states(text: str, expected: list[str]) -> None:
    assert codes("initial_state: a\n" + text) == expected
