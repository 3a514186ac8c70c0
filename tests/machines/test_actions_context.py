"""Actions on the context: values keep their types, lists are queues."""

from typing import Any

import pytest

from machines.actions.context import add_to_list, pop_from_list, set_context
from machines.actions.settings import SettingError
from tests.machines.action_fakes import effect_call
from tests.machines.conftest import Runner


@pytest.mark.parametrize("value", ["a", "", 5, 2.5, True, None, [1, {"a": 2}], {"a": [1]}])
def test_set_context_keeps_the_type_of_a_value(value: Any) -> None:
    outcome = set_context(effect_call("set_context", {"key": "k", "value": value}))

    assert (outcome.event, outcome.changes) == ("success", {"k": value})


def test_set_context_raises_the_event_that_the_file_names() -> None:
    outcome = set_context(effect_call("set_context", {"key": "k", "value": 1, "success": "kept"}))

    assert outcome.event == "kept"


def test_set_context_needs_a_key() -> None:
    with pytest.raises(SettingError, match="set_context: the setting 'key' is missing"):
        set_context(effect_call("set_context", {"value": 1}))


@pytest.mark.parametrize(
    ("settings", "context", "changes"),
    [
        ({"value": 1}, {}, {"items": [1]}),
        ({"value": 1}, {"items": [0]}, {"items": [0, 1]}),
        ({"value": 1}, {"items": "no list"}, {"items": [1]}),
        ({"value": None}, {}, {"items": [None]}),
        ({"value": {"a": 1}, "list_key": "l"}, {"l": [], "items": [0]}, {"l": [{"a": 1}]}),
    ],
)
def test_add_to_list_appends(
    settings: dict[str, Any], context: dict[str, Any], changes: dict[str, Any]
) -> None:
    outcome = add_to_list(effect_call("add_to_list", settings, context=context))

    assert (outcome.event, outcome.changes) == ("success", changes)


def test_add_to_list_leaves_the_list_that_was_there_alone() -> None:
    items = [1]

    add_to_list(effect_call("add_to_list", {"value": 2}, context={"items": items}))

    assert items == [1]


@pytest.mark.parametrize(
    ("settings", "context", "event", "changes"),
    [
        ({}, {"items": [1, 2]}, "item_popped", {"items": [2], "current_item": 1}),
        ({}, {"items": [{"a": 1}]}, "item_popped", {"items": [], "current_item": {"a": 1}}),
        (
            {"list_key": "l", "store_as": "x", "success": "got"},
            {"l": ["a"]},
            "got",
            {"l": [], "x": "a"},
        ),
        ({}, {"items": []}, "list_empty", {}),
        ({}, {}, "list_empty", {}),
        ({}, {"items": "no list"}, "list_empty", {}),
        ({"empty": "all_done"}, {}, "all_done", {}),
    ],
)
def test_pop_from_list_takes_the_first(
    settings: dict[str, Any], context: dict[str, Any], event: str, changes: dict[str, Any]
) -> None:
    outcome = pop_from_list(effect_call("pop_from_list", settings, context=context))

    assert (outcome.event, outcome.changes) == (event, changes)
    assert outcome.took == bool(changes)


COLLECT = """
initial_state: taking
context: {items: [1, "two", {n: 3}], seen: []}
states:
  taking:
    actions:
      - {type: pop_from_list, store_as: item}
      - {type: add_to_list, list_key: seen, value: "{item}"}
  done:
    actions:
      - {type: set_context, key: copy, value: "{seen}"}
      - {type: set_context, key: missing, value: "{no_such_key}"}
      - {type: set_context, key: text, value: "{seen.1} of {no_such_key}"}
transitions:
  - {from: taking, to: taking, event: success}
  - {from: taking, to: done, event: list_empty}
"""


async def test_a_list_is_worked_through_to_its_end(run: Runner) -> None:
    async with run(COLLECT) as machine:
        found = await machine.until(lambda row: "text" in row.context, "the last action")

        assert found.context == {
            "items": [],
            "seen": [1, "two", {"n": 3}],
            "item": {"n": 3},
            "copy": [1, "two", {"n": 3}],
            "missing": "{no_such_key}",
            "text": "two of {no_such_key}",
        }
