"""What a file says of an action: its settings, when it repeats, how it is tried again."""

from typing import Any

import pytest

from machines.core.definition import Retry
from tests.core.test_loading import first_action


def test_settings_stand_flat_or_under_params_and_flat_wins() -> None:
    action = first_action(
        "{type: log, params: {message: inner, level: info, description: d}, message: flat}"
    )

    assert action.settings == {"message": "flat", "level": "info"}
    assert action.description == "d"


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("{type: log, params: }", {}),
        ("{type: bash, error_mappings: {2: bad_input}}", {"error_mappings": {"2": "bad_input"}}),
        ("{type: sleep, duration: 5, success: woken}", {"duration": 5, "success": "woken"}),
        ("{type: bash, command: 'echo {job_id}', timeout: 30}",
         {"command": "echo {job_id}", "timeout": 30}),
        ("{type: own, command: 5, error: failed}", {"command": 5, "error": "failed"}),
        ("{type: bash, argv: [ls, '{path}']}", {"argv": ["ls", "{path}"]}),
    ],
)  # fmt: skip
def test_settings_of_an_action_are_kept_as_written(text: str, settings: dict[str, Any]) -> None:
    assert first_action(text).settings == settings


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("type: log", None),
        ("type: log, repeatable: true", 1),
        ("type: log, repeatable: true, every: 2s", 2),
        ("type: log, every: 500ms", 0.5),
        ("type: log, every: 2s, repeatable: false", None),
        ("type: log, run_policy: repeat_per_tick", 1),
        ("type: log, params: {run_policy: repeat_per_tick, every: 1m}", 60),
    ],
)
def test_interval_of_an_action_that_repeats(text: str, seconds: float | None) -> None:
    action = first_action(f"{{{text}}}")

    assert action.every_seconds == seconds
    assert action.settings == {}


@pytest.mark.parametrize(
    ("text", "retry"),
    [
        ("{attempts: 5}", Retry(5)),
        ("{attempts: 5, delay: 2s, backoff: 2, max_delay: 5m, jitter: true}",
         Retry(5, 2.0, 2.0, 300.0, jitter=True)),
        ("{attempts: 1, delay: 0, backoff: 1.5}", Retry(1, 0.0, 1.5)),
    ],
)  # fmt: skip
def test_retry_of_an_action(text: str, retry: Retry) -> None:
    assert first_action(f"{{type: http, retry: {text}}}").retry == retry


@pytest.mark.parametrize(
    ("text", "rerun"),
    [("", True), (", on_crash: rerun", True), (", on_crash: fail", False)],
)
def test_action_runs_again_after_a_crash_unless_it_says_no(text: str, rerun: bool) -> None:
    assert first_action(f"{{type: log{text}}}").rerun_on_crash is rerun
