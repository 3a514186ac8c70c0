"""Which names nobody sets."""

import pytest

from tests.core.validation.looking import codes, problems


def text_with(action: str, more: str = "") -> str:
    text = f"initial_state: a\n{more}actions:\n a:\n - {{{action}}}\n"
    return f"{text}transitions:\n- {{from: a, event: [go, job_done]}}\n"


@pytest.mark.parametrize(
    ("message", "more"),
    [
        ("{machine_name} {current_state} {event_data.payload.x} {secret.KEY}", ""),
        ("{id} {job_id} {job_type} {source_job_id} {current_job.data}", ""),
        ("{last_error} {last_error_action} {last_error_exit_code} {last_error_command}", ""),
        ("{last_error_status} {last_error_body}", ""),
        ("{x} {x.y.z} {x|length}", "context: {x: 1}\n"),
        ("{x}", "events: {go: {context_map: {x: payload.x}}, job_done: }\n"),
        ("{x|default:'y'} {x|last_error}", ""),
        ("no placeholder ${x} %{http_code} @{u} {} {1} {a,b} {user{name}}", ""),
        ("{x}", "template: true\n"),
    ],
)
def test_name_that_is_set_by_the_file(message: str, more: str) -> None:
    assert codes(text_with(f'type: log, message: "{message}"', more)) == []


@pytest.mark.parametrize(
    "other",
    [
        "type: set_context, key: x, value: 1",
        "type: set_context, key: '{machine_name}', value: 1",
        "type: add_to_list, list_key: x, value: 1",
        "type: bash, command: ls, store_as: x",
        "type: check_database_queue",
        "type: claim_job, job_id: x",
        "type: custom",
        "type: partly",
        "type: typed, store_as: x",
        "type: unknown",
    ],
)
def test_name_that_an_action_may_set(other: str) -> None:
    text = text_with("type: log, message: '{x}'")
    text += f"- {{from: a, event: b, actions: [{{{other}}}]}}\n"

    assert "SM601" not in codes(text)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("items", "type: add_to_list, value: 1"),
        ("current_item", "type: pop_from_list"),
        ("pending_jobs", "type: get_pending_jobs"),
        ("created_job_id", "type: create_job, job_type: x"),
        ("completed_jobs", "type: wait_for_jobs"),
        ("typed_value", "type: typed"),
    ],
)
def test_name_that_an_action_sets_by_itself(name: str, other: str) -> None:
    text = text_with(f"type: log, message: '{{{name}}}'")

    assert codes(text) == ["SM601"]
    assert codes(text + f"- {{from: a, event: b, actions: [{{{other}}}]}}\n") == []


@pytest.mark.parametrize(
    "action",
    [
        "type: log, message: '{x}'",
        "type: log, message: '{x} and {x} and {machine_name}'",
        "type: log, message: '{x|length}'",
        "type: bash, command: 'echo {x}'",
        "type: bash, argv: [python, tool.py, '{x}']",
        "type: bash, argv: [make, {a: [1, '{x}']}]",
        "type: set_context, key: y, value: [1, {a: '{x}'}]",
    ],
)
def test_name_that_nothing_sets(action: str) -> None:
    assert codes(text_with(action)) == ["SM601"]


@pytest.mark.parametrize(
    "action",
    [
        "type: bash, argv: [awk, '{x}', file]",
        "type: bash, argv: [jq, '.a', '{x}']",
        "type: bash, command: 'ls | xargs -I{x} cp {x} dir'",
    ],
)
def test_braces_of_other_programs_are_not_judged(action: str) -> None:
    assert "SM601" not in codes(text_with(action))


def test_names_for_guards_are_told_where_they_belong() -> None:
    (problem,) = problems(text_with("type: log, message: '{payload.x}'"))

    assert problem.code == "SM601"
    assert "event_data.payload" in problem.hint


def test_only_the_first_names_of_an_action_are_told() -> None:
    message = " ".join(f"{{x{n}}}" for n in range(60))

    assert codes(text_with(f'type: log, message: "{message}"')) == ["SM601"] * 50


@pytest.mark.parametrize(
    ("guard", "expected"),
    [
        ("payload.x > 1", []),
        ("event.job_id == job_id", []),
        ("current_job != null", []),
        ("known > 1", []),
        ("x > 1", ["SM602"]),
        ("x > 1 and y > 1", ["SM602", "SM602"]),
    ],
)
def test_names_in_guards(guard: str, expected: list[str]) -> None:
    text = "initial_state: a\ncontext: {known: 1}\ntransitions:\n"

    assert codes(text + f"- {{from: a, event: go, guard: {guard}}}\n") == expected


def starter(names: str, more: str = "", path: str = "file.yaml") -> str:
    return (
        "initial_state: b\ntransitions:\n- from: b\n  event: go\n  actions:\n"
        f"  - {{type: start_fsm, yaml_path: '{path}', context_vars: {names}}}\n{more}"
    )


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (starter("[x]"), []),
        (starter("[a.x]"), []),
        (starter("[a.b as x]"), []),
        (starter("{x: a}"), []),
        (starter("['{any}']"), []),
        (starter("[y]"), ["SM601"]),
        (starter("[y]", path="{where}/other.yaml"), ["SM601"]),
        (starter("[y]", "  - {type: check_database_queue}\n"), []),
        (starter("[y]", path="dir/elsewhere.yaml"), []),
    ],
)
def test_template_is_judged_by_those_that_start_it(other: str, expected: list[str]) -> None:
    text = text_with("type: log, message: '{x}'", "template: true\n")

    assert codes(text, other) == expected


def test_template_that_may_set_anything_is_not_judged() -> None:
    text = text_with("type: log, message: '{x}'", "template: true\n")
    text += "- {from: a, event: b, actions: [{type: custom}]}\n"

    assert codes(text, starter("[y]")) == []
