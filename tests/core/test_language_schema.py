"""The schema lets through every file that loads, and refuses what a schema can see."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from jsonschema import Draft202012Validator

from machines.actions.registry import BUILT_IN
from machines.core.errors import DefinitionError
from machines.core.language_schema import language_schema
from machines.core.loading import load
from machines.core.loading.faults import Faults
from machines.core.loading.scan import scan
from machines.core.loading.values import Value
from machines.core.signatures import Kind, Raises, Setting, Signature, ValueKind

ROOT: Path = settings.BASE_DIR
BROKEN = Path(__file__).parent / "fixtures" / "broken"
RIGHT = sorted(
    path
    for path in (
        *ROOT.glob("examples/**/config/*.yaml"),
        *ROOT.glob("tests/acceptance/fixtures/*.yaml"),
    )
    if not path.name.endswith(".tests.yaml")
)
PUBLISHED = ROOT / "docs" / "machine.schema.json"
SIGNATURES = {
    name: found.signature or Signature(name, Kind.WORK, open=True)
    for name, found in sorted(BUILT_IN.items())
}
SCHEMA = language_schema(SIGNATURES)
VALIDATOR = Draft202012Validator(SCHEMA)

# What no schema can see: it needs names from elsewhere in the file, or a parser of its own.
UNSEEN = {
    "actions_of_unknown_state", "actions_twice", "after_too_long", "bash_command_unsafe",
    "bash_secret_in_argv", "bash_secret_in_command", "event_declared_number",
    "event_payload_pattern", "event_payload_ref_anchor", "event_payload_ref_circle",
    "event_payload_ref_nowhere",
    "from_unknown", "guard_does_not_compile", "too_many_pairs",
    "initial_state_unknown", "timeout_twice", "to_unknown",
}  # fmt: skip

EVERYTHING = """\
name: 7
description: yes
initial_state: a
states:
  a:
  b: {description: ~, actions: ~, final: no, group: 3}
  c:
  d: {actions: []}
events:
  go: {description: 5, context_map: {n: payload.n, m: 1}, payload: {}}
  stop:
  back: {context_map: ~, payload: ~}
transitions:
  - {from: a, to: b, event: [go, "timeout(5 s)"], guard: true, interrupt: false, reenter: false}
  - {from: ["*"], to: a, after: "1.5h", interrupt: true}
  - {from: [a, b], event: timeout, description: 1.5, actions: ~}
  - {from: b, to: b, after: 0.5, reenter: true}
  - {from: b, to: a, guard: 1}
actions:
  a:
  c:
    - {type: bash, command: "true", every: 500ms, repeatable: true, retry: {attempts: 1}}
    - {type: own, anything: [1, {x: 2}], success: ~, on_crash: rerun, description: 5}
    - type: log
      run_policy: repeat_per_tick
      params: {message: "{who}", level: INFO, retry: {attempts: 2, delay: 0, jitter: no}}
    - {type: sleep, duration: "{seconds|default:'3'}"}
    - {type: sleep, params: ~}
metadata: {machine_name: x-1, max_instant_steps: 5, owner: [me]}
template: false
context: {list: [1, 2.5, ~]}
actions_dir: ~
"""


def as_editors_see(text: str) -> Any:
    """The file as JSON. Raises DefinitionError if it cannot be read at all."""
    faults = Faults("file.yaml")
    value = Value(scan(text, faults).root, "", faults).json()
    faults.raise_any()
    return value


def readable() -> list[Path]:
    """The broken files that are YAML, so that a schema is asked at all."""
    found = []
    for path in sorted(BROKEN.glob("*.yaml")):
        try:
            as_editors_see(path.read_text(encoding="utf-8"))
        except DefinitionError:
            continue
        found.append(path)
    return found


def refused_at(text: str) -> list[str]:
    """Where the schema refuses a text."""
    return [
        ".".join(map(str, error.absolute_path))
        for error in VALIDATOR.iter_errors(as_editors_see(text))
    ]


def action(written: str) -> str:
    """A file with this one action."""
    return f"states: {{waiting: {{actions: [{written}]}}}}\n"


def test_language_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    pointers = set(re.findall(r'"\$ref": "#/\$defs/([^"]+)"', json.dumps(SCHEMA)))
    assert pointers <= set(SCHEMA["$defs"])


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.name)
def test_schema_lets_files_of_the_project_through(path: Path) -> None:
    text = path.read_text()
    try:
        load(text, origin=path.name)
    except DefinitionError:
        assert path.name == "broken.yaml"
        return

    refused = refused_at(text)

    assert refused == []


@pytest.mark.parametrize(
    "text",
    [
        EVERYTHING,
        "states: [waiting]",
        "states: {waiting: }",
        "initial_state: a",
        "transitions: [{from: waiting, to: a}]",
        "transitions: [{from: [a, waiting], to: a}]",
        "states: ~\ntransitions: [{from: a, to: waiting}]",
        "states: []\ntransitions: [{from: a, to: waiting}]",
        "initial_state: a\nevents:\ntransitions:\nactions:\nmetadata:\ncontext:\nname:",
    ],
)
def test_schema_lets_through_whatever_loads(text: str) -> None:
    assert load(text, origin="file.yaml")

    refused = refused_at(text)

    assert refused == []


@pytest.mark.parametrize("path", readable(), ids=lambda path: path.stem)
def test_schema_refuses_broken_files_but_for_what_it_cannot_see(path: Path) -> None:
    refused = refused_at(path.read_text(encoding="utf-8"))

    assert bool(refused) == (path.stem not in UNSEEN)


@pytest.mark.parametrize(
    ("written", "where"),
    [
        ("{type: sleep, duration: soon}", "duration"),
        ("{type: sleep, params: {duration: soon}}", "params.duration"),
        ("{type: log, message: x, level: loud}", "level"),
        ("{type: create_job}", ""),
        ("{type: create_job, params: {data: {}}}", ""),
        ("{type: send_event, target: x, event: y, fire_and_forget: perhaps}", "fire_and_forget"),
        ("{type: create_job, job_type: x, data: [1]}", "data"),
        ("{type: check_events, event_types: {a: 1}}", "event_types"),
        ("{type: log, message: x, success: [a]}", "success"),
        ("{type: own, success: [a], on_crash: perhaps}", "on_crash"),
    ],
)
def test_schema_refuses_wrong_settings_of_a_known_type(written: str, where: str) -> None:
    refused = refused_at(action(written))

    assert refused == [".".join(filter(None, ("states.waiting.actions.0", where)))]


@pytest.mark.parametrize(
    "written",
    [
        "{type: create_job, params: {job_type: x}}",
        "{type: create_job, job_type: '{kind}', priority: '{urgency}', data: '{data}'}",
        "{type: create_job, job_type: 5, priority: '5', data: '{\"a\": 1}'}",
        "{type: send_event, target: x, event: y, fire_and_forget: 'yes'}",
        "{type: send_event, target_machine: x, params: {event: y, fire_and_forget: '{flag}'}}",
        "{type: check_events, event_types: [a, b]}",
        "{type: check_events, event_types: a}",
        "{type: log, message: x, level: '{level}'}",
        "{type: log, message: x, unknown: [1]}",
        "{type: own, duration: soon, level: loud}",
    ],
)
def test_schema_lets_settings_be_text_or_placeholders(written: str) -> None:
    refused = refused_at(action(written))

    assert refused == []


def test_schema_describes_each_type_with_its_settings_and_events() -> None:
    bake = Signature(
        "bake/it",
        Kind.WORK,
        "Bake a loaf.",
        settings=(
            Setting("heat", ValueKind.NUMBER, "how hot", required=True, aliases=("degrees",)),
            Setting("kinds", ValueKind.TEXTS, default=["rye"], choices=("rye", "a.b")),
        ),
        raises=(Raises("baked", "success", "it is done"),),
    )

    schema = language_schema({"bake/it": bake})

    settings_of = schema["$defs"]["settings_bake/it"]["properties"]
    assert settings_of["heat"]["description"] == "How hot. It is a number. Required."
    assert settings_of["degrees"]["description"] == "Another name for heat."
    assert settings_of["kinds"]["default"] == ["rye"]
    assert settings_of["success"]["description"] == (
        "The event to raise when it is done; baked if left out."
    )
    assert set(settings_of) == {"heat", "degrees", "kinds", "success", "error", "failure"}
    check = Draft202012Validator(schema).is_valid
    assert check(as_editors_see(action("{type: bake/it, degrees: 5, kinds: [RYE, '{k}']}")))
    assert not check(as_editors_see(action("{type: bake/it, heat: 5, kinds: [axb]}")))
    assert not check(as_editors_see(action("{type: bake/it}")))


def test_schema_of_an_open_type_describes_its_events() -> None:
    schema = language_schema({"own": Signature("own", Kind.WORK, open=True)})

    assert set(schema["$defs"]["settings_own"]["properties"]) == {"success", "error", "failure"}
    assert "An action of your own" in schema["$defs"]["action_own"]["description"]


def test_published_schema_is_that_of_the_built_in_actions() -> None:
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))

    assert published == SCHEMA, (
        "write it anew: manage.py machineschema --output docs/machine.schema.json"
    )
