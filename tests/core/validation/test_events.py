"""What is said of events that are declared, raised, sent and handled."""

import pytest

from tests.core.validation.looking import codes, problems

SELF = "- {from: a, event: %s}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("events: [go]\n", []),
        ("events: [go, ready]\n", ["SM201"]),
        ("events: {go: , ready: {context_map: {x: payload.x}}}\n", []),
        # What is looked for, cleared, sent or raised is declared for good reason.
        ("events: [go, ready]\nactions:\n a:\n - {type: check_events, event_types: [ready]}\n", []),
        ("events: [go, ready]\nactions:\n a:\n - {type: clear_events, event_types: ready}\n", []),
        ("events: [go, ready]\nactions:\n a:\n"
         " - {type: send_event, target_machine: x, event_type: ready}\n", []),
        ("events: [go, success]\nactions:\n a:\n - {type: set_context, key: x, value: 1}\n", []),
        ("events: [go, ready]\nactions:\n a:\n - {type: custom}\n", []),
        ("events: [go, ready]\nactions:\n a:\n - {type: log, success: '{x|default:\"y\"}'}\n", []),
    ],
)  # fmt: skip
def test_declared_events(text: str, expected: list[str]) -> None:
    assert codes("initial_state: a\n" + text + "transitions:\n" + SELF % "go") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("transitions:\n" + SELF % "go", []),
        ("events: [go]\ntransitions:\n" + SELF % "go" + SELF % "come", ["SM202"]),
        ("events: [go]\ntransitions:\n" + SELF % "go" + SELF % "[come, go]" + SELF % "come",
         ["SM202", "SM301"]),
        ("events: [go]\ntransitions:\n" + SELF % "go" + SELF % "error" + SELF % "start", []),
        ("events: [go]\nactions: {a: [{type: sleep}]}\ntransitions:\n" + SELF % "go"
         + SELF % "wake_up", []),
        ("events: [go]\nactions: {a: [{type: custom}]}\ntransitions:\n" + SELF % "go"
         + SELF % "any", []),
        ("events: [go]\nactions: {a: [{type: log, success: '{x|default:\"y\"}'}]}\ntransitions:\n"
         + SELF % "go" + SELF % "any", []),
    ],
)  # fmt: skip
def test_undeclared_events(text: str, expected: list[str]) -> None:
    assert codes("initial_state: a\n" + text) == expected


def test_event_that_another_file_sends_need_not_be_declared() -> None:
    text = "initial_state: a\nmetadata: {machine_name: m}\nevents: [go]\n"
    text += "transitions:\n- {from: a, event: [go, come]}\n"
    sender = "initial_state: b\ntransitions:\n- from: b\n  event: x\n  actions:\n"
    sender += "  - {type: send_event, target: %s, event: come}\n"

    assert codes(text, sender % "m") == []
    assert codes(text, sender % "'{whom}'") == []
    assert codes(text, sender % "other") == ["SM202"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("success: go", []),
        ("success: went", ["SM203"]),
        ("success: elsewhere", ["SM203"]),
        ("error: went", ["SM203"]),
        ("failure: went", ["SM203"]),
        ("error: error", []),
        ("success: job_done", []),
        ("success: '{x}'", []),
        ("error_mappings: {2: went}", ["SM203"]),
        ("error_mappings: {2: go}", []),
        # Declared and taken nowhere: the author knows that nothing follows.
        ("success: noted", []),
        ("error: elsewhere", []),
    ],
)
def test_results_that_a_state_names(settings: str, expected: list[str]) -> None:
    text = "initial_state: a\nevents: [noted, go, elsewhere, back, custom]\ncontext: {x: 1}\n"
    text += f"actions:\n a:\n - {{type: bash, command: make, {settings}}}\n"
    text += "transitions:\n- {from: a, to: b, event: go}\n- {from: b, to: a, event: back}\n"
    text += "- {from: b, event: [elsewhere, custom]}\n"

    found = [code for code in codes(text) if code != "SM201"]

    assert found == expected


@pytest.mark.parametrize(
    ("transition", "expected"),
    [
        ("from: a, to: b, event: go", []),
        ("from: b, to: a, event: go", ["SM203"]),
        ("from: b, event: go", []),
        ("from: [a, b], event: go", []),
        ("from: a, event: go", ["SM203"]),
        ("from: [a, c], event: go", ["SM203"]),
        ('from: "*", event: go', []),
    ],
)
def test_results_that_a_transition_names(transition: str, expected: list[str]) -> None:
    text = "initial_state: a\ntransitions:\n- {from: a, to: [b], event: x}\n".replace("[b]", "b")
    text += "- {from: b, to: c, event: done}\n- {from: c, to: a, event: x}\n"
    text += f"- {{{transition}, actions: [{{type: log, success: done}}]}}\n"

    assert codes(text) == expected


def test_result_that_many_states_may_handle_is_not_judged() -> None:
    states = ", ".join(f"s{n}" for n in range(60))
    text = f"initial_state: s0\nstates: [{states}]\ntransitions:\n"
    text += '- {from: "*", to: s1, event: x}\n'
    text += f"- {{from: [{states}], event: go, actions: [{{type: log, success: %s}}]}}\n"
    text += "".join(f"- {{from: s0, to: s{n}, event: e{n}}}\n" for n in range(60))

    assert codes(text % "e1") == []
    assert codes(text % "unheard_of") == ["SM203"]


@pytest.mark.parametrize(
    ("target", "event", "expected"),
    [
        ("m", "hear", []),
        ("m", "declared", []),
        ("m", "haer", ["SM204"]),
        ("other", "haer", []),
        ("'{whom}'", "haer", []),
        ("m", "'{what}'", []),
    ],
)
def test_events_sent_to_another_file(target: str, event: str, expected: list[str]) -> None:
    text = "initial_state: a\ncontext: {whom: x, what: y}\ntransitions:\n"
    text += "- {from: a, event: go, actions: [{type: send_event, target_machine: %s,"
    text += " event_type: %s}]}\n"
    other = "initial_state: b\nmetadata: {machine_name: m}\nevents: [declared]\n"
    other += "transitions:\n- {from: b, event: hear}\n"

    assert codes(text % (target, event), other) == expected


def test_near_event_of_the_other_file_is_named() -> None:
    text = "initial_state: a\ntransitions:\n- {from: a, event: go, actions:"
    text += " [{type: send_event, target_machine: m, event_type: haer}]}\n"
    other = "initial_state: b\nmetadata: {machine_name: m}\ntransitions: [{from: b, event: hear}]\n"

    (problem,) = problems(text, other)

    assert problem.message == (
        "transitions[0]: send_event: machine 'm' never handles 'haer'; did you mean 'hear'?"
    )
