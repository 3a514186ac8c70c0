from typing import Any

import pytest

from monitor.forms import MAX_PAYLOAD_BYTES, EventForm


@pytest.mark.parametrize(
    ("text", "payload"),
    [("", None), ("  ", None), ('{"user": "ada"}', {"user": "ada"}), ("3", 3), ("null", None)],
)
def test_payload_is_read_as_json(text: str, payload: Any) -> None:
    form = EventForm({"type": "order", "payload": text})

    assert form.is_valid()
    assert form.cleaned_data["payload"] == payload


def test_payload_that_is_no_json_is_refused_with_an_example() -> None:
    form = EventForm({"type": "order", "payload": "{user: ada}"})

    assert not form.is_valid()
    assert '{"user": "ada"}' in form.errors["payload"][0]
    assert "line 1" in form.errors["payload"][0]


def test_payload_over_the_bound_is_refused() -> None:
    form = EventForm({"type": "order", "payload": '"' + "x" * MAX_PAYLOAD_BYTES + '"'})

    assert "256 KiB" in form.errors["payload"][0]


def test_picked_event_goes_before_the_one_that_is_named() -> None:
    form = EventForm({"pick": "order", "type": "done"})

    assert form.is_valid()
    assert form.cleaned_data["type"] == "order"


def test_form_without_event_is_refused() -> None:
    form = EventForm({"payload": "{}"})

    assert "Name the event" in form.errors["type"][0]
