"""What is said of the types of actions, their settings and their order."""

import pytest

from tests.core.validation.looking import codes, problems


def text_with(*actions: str) -> str:
    listed = "".join(f" - {{{action}}}\n" for action in actions)
    moves = "transitions:\n- {from: a, event: [done, go]}\n"
    return f"initial_state: a\ncontext: {{x: 1}}\nactions:\n a:\n{listed}{moves}"


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("type: log, message: x", []),
        ("type: log, params: {message: x}", []),
        ("type: lgo", ["SM501"]),
        ("type: log, mesage: x", ["SM502"]),
        ("type: custom, mesage: x", []),
        ("type: partly, mesage: x", []),
        ("type: log, message: [x]", ["SM503"]),
        ("type: log, message: ~", []),
        ("type: log, success: [x]", ["SM503"]),
        ("type: log, success: {a: b}", ["SM503"]),
        ("type: set_context, key: x, failure: [x]", ["SM503"]),
        ("type: set_context, key: x, error: true", ["SM503"]),
        ("type: set_context, value: x", ["SM504"]),
        ("type: set_context, key: ''", ["SM504"]),
        ("type: send_event, target: m, event: e", []),
        ("type: bash", ["SM504"]),
        ("type: bash, argv: [make]", []),
        ("type: log, level: INFO", []),
        ("type: log, level: '{x}'", []),
        ("type: log, level: loud", ["SM505"]),
        ("type: log, retry: {attempts: 2}", ["SM506"]),
        ("type: set_context, key: x, retry: {attempts: 2}", []),
        ("type: log, every: 5s", []),
        ("type: typed, other_text: {a: b}", ["SM503"]),
        ("type: typed, success: done, error: done, timeout: 5", []),
    ],
)
def test_action(action: str, expected: list[str]) -> None:
    assert codes(text_with(action)) == expected


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("type: sleep, duration: true",
         "duration is true; it must be a number of seconds, or a time such as 5s or 10m"),
        ("type: sleep, duration: {a: b}",
         "duration is a mapping; it must be a number of seconds, or a time such as 5s or 10m"),
        ("type: bash, argv: 5, command: make", "argv is 5; it must be a list"),
        ("type: log, level: 5",
         "level is 5; it may be debug, info, success, warning, error"),
    ],
)  # fmt: skip
def test_wrong_value_is_named(action: str, message: str) -> None:
    (problem,) = problems(text_with(action))

    assert problem.message.partition(": ")[2].partition(": ")[2] == message


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        (["type: stop_machine", "type: log", "type: log"], ["SM508"]),
        (["type: log", "type: stop_machine"], []),
        (["type: stop_machine, target_machine: other", "type: log"], []),
        (["type: stop_machine, target: other", "type: log"], []),
        (["type: lgo", "type: log"], ["SM501"]),
    ],
)
def test_order_of_actions(actions: list[str], expected: list[str]) -> None:
    assert codes(text_with(*actions)) == expected


def test_transition_is_named_by_its_place_in_the_list() -> None:
    text = "initial_state: a\ntransitions:\n- {from: a, event: go, actions: [{type: lgo}]}\n"

    (problem,) = problems(text)

    assert problem.message == "transitions[0]: no action type 'lgo'; did you mean 'log'?"
