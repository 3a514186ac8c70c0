"""Payload schemas say where a payload breaks them."""

from typing import Any

import pytest

from machines.core.schemas import payload_fault, schema_fault

SCHEMA = {
    "type": "object",
    "required": ["user"],
    "properties": {
        "user": {"type": "object", "properties": {"name": {"type": "string"}}},
        "sizes": {"type": "array", "items": {"type": "integer", "minimum": 1}},
    },
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        ({"user": {}}, ""),
        ({"user": {"name": "Ada"}, "sizes": [1, 2]}, ""),
        (None, "payload: None is not of type 'object'"),
        ({}, "payload: 'user' is a required property"),
        ({"user": {"name": 7}}, "payload.user.name: 7 is not of type 'string'"),
        ({"user": {}, "sizes": [1, 0]}, "payload.sizes.1: 0 is less than the minimum of 1"),
    ],
)
def test_payload_fault_names_the_place_and_the_rule(payload: Any, fault: str) -> None:
    assert payload_fault(SCHEMA, payload) == fault


def test_payload_fault_is_cut_when_the_payload_is_long() -> None:
    fault = payload_fault({"type": "object"}, "x" * 10_000)

    assert len(fault) == 500
    assert fault.startswith("payload: 'xxx")


def test_an_empty_schema_takes_anything() -> None:
    assert payload_fault({}, {"free": ["choice"]}) == ""


def test_a_schema_may_refer_to_its_own_parts() -> None:
    tree = {"type": "object", "properties": {"left": {"$ref": "#"}, "n": {"$ref": "#/$defs/n~1a"}},
            "$defs": {"n/a": {"type": "number"}}}  # fmt: skip

    assert schema_fault(tree) == ""
    assert payload_fault(tree, {"left": {"left": {"n": 1}}}) == ""
    fault = payload_fault(tree, {"left": {"n": "x"}})
    assert fault == "payload.left.n: 'x' is not of type 'number'"


def test_a_payload_too_deep_to_be_checked_breaks_its_schema() -> None:
    payload: dict[str, object] = {}
    for _ in range(2_000):
        payload = {"left": payload}
    tree = {"properties": {"left": {"$ref": "#"}}}

    assert "nested too deeply" in payload_fault(tree, payload)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#here", "$defs": {"x": {"$anchor": "here", "type": "object"}}},
        # What stands in these is a value and refers to nothing.
        {"enum": [{"$ref": "https://example.org/x"}]},
        {"const": {"$ref": "#nowhere"}, "default": {"$ref": "#nowhere"}},
    ],
)
def test_a_reference_that_leads_somewhere_or_is_none_is_taken(schema: dict[str, object]) -> None:
    assert schema_fault(schema) == ""
    assert isinstance(payload_fault(schema, {}), str)
