"""Settings: asked for by name and type, and refused in words that say what is right."""

from collections.abc import Callable
from typing import Any

import pytest

from machines.actions.settings import SettingError, Settings
from machines.core.loading.scalars import MAX_DURATION_SECONDS
from machines.core.signatures import ValueKind


def settings(**values: Any) -> Settings:
    return Settings("pack", values)


@pytest.mark.parametrize(
    ("written", "asked", "value"),
    [
        ({"target": "a"}, "target_machine", "a"),
        ({"target_machine": "a"}, "target_machine", "a"),
        ({"target_machine": "a", "target": "b"}, "target_machine", "a"),
        ({"target_machine": None, "target": "b"}, "target_machine", "b"),
        ({"event": "e"}, "event_type", "e"),
        ({"failure": "e"}, "error", "e"),
        ({}, "error", None),
    ],
)
def test_a_setting_is_found_under_its_alias_too(
    written: dict[str, Any], asked: str, value: Any
) -> None:
    assert Settings("pack", written).get(asked) == value


def test_a_setting_that_is_null_has_its_default() -> None:
    found = settings(size=None)

    assert found.get("size", 3) == 3
    assert found.number("size", 2.5) == 2.5
    assert found.text("size", "big") == "big"
    assert found.optional_text("size") is None


def test_all_settings_are_there_as_written() -> None:
    assert settings(size="3", unknown=[1]).as_mapping() == {"size": "3", "unknown": [1]}


@pytest.mark.parametrize(
    ("ask", "value", "result"),
    [
        (lambda s: s.text("x"), "a", "a"),
        (lambda s: s.text("x"), 5, "5"),
        (lambda s: s.text("x"), 2.5, "2.5"),
        (lambda s: s.optional_text("x"), "a", "a"),
        (lambda s: s.optional_text("x"), "", ""),
        (lambda s: s.required("x"), [1], [1]),
        (lambda s: s.required_text("x"), 7, "7"),
        (lambda s: s.number("x", 1), 2, 2),
        (lambda s: s.number("x", 1), "2.5", 2.5),
        (lambda s: s.integer("x", 1), "3", 3),
        (lambda s: s.integer("x", 1), 3.0, 3),
        (lambda s: s.seconds("x", 1), None, 1),
        (lambda s: s.seconds("x", 1), 0, 0),
        (lambda s: s.seconds("x", 1), "2.5", 2.5),
        (lambda s: s.seconds("x", 1), "1e3", 1000.0),
        (lambda s: s.seconds("x", 1), "500ms", 0.5),
        (lambda s: s.seconds("x", 1), "10m", 600.0),
        (lambda s: s.seconds("x", 1, positive=True), "1h", 3600.0),
        (lambda s: s.seconds("x", 0, positive=True), None, 0),
        (lambda s: s.sequence("x"), [1, "a"], [1, "a"]),
        (lambda s: s.sequence("x"), None, ()),
        (lambda s: s.boolean("x"), True, True),
        (lambda s: s.boolean("x"), "Yes", True),
        (lambda s: s.boolean("x"), 1, True),
        (lambda s: s.boolean("x", default=True), "off", False),
        (lambda s: s.boolean("x", default=True), None, True),
        (lambda s: s.texts("x"), "a", ("a",)),
        (lambda s: s.texts("x"), ["a", "b"], ("a", "b")),
        (lambda s: s.texts("x"), None, ()),
        (lambda s: s.mapping("x"), {"a": 1}, {"a": 1}),
        (lambda s: s.mapping("x"), '{"a": [1]}', {"a": [1]}),
        (lambda s: s.mapping("x"), None, {}),
        (lambda s: s.event("x", "usual"), None, "usual"),
        (lambda s: s.event("x", "usual"), "mine", "mine"),
        (lambda s: s.event("x", None), 404, "404"),
    ],
)
def test_a_setting_has_the_type_that_is_asked_for(
    ask: Callable[[Settings], Any], value: Any, result: Any
) -> None:
    found = ask(settings(x=value))

    assert found == result
    assert type(found) is type(result)


@pytest.mark.parametrize(
    ("ask", "value", "wrong"),
    [
        (lambda s: s.required("x"), None, "is missing"),
        (lambda s: s.required_text("x"), None, "is missing"),
        (lambda s: s.required_text("x"), "", "is ''; it must be a text that is not empty"),
        (lambda s: s.text("x"), True, "is True; it must be a text"),
        (lambda s: s.text("x"), {"a": 1}, "is {'a': 1}; it must be a text"),
        (lambda s: s.number("x", 1), "soon", "is 'soon'; it must be a number"),
        (lambda s: s.number("x", 1), [1], "is [1]; it must be a number"),
        (lambda s: s.number("x", 1), True, "is True; it must be a number"),
        (lambda s: s.number("x", 1), float("inf"), "is inf; it must be a number"),
        (lambda s: s.number("x", 1), "nan", "is 'nan'; it must be a number"),
        (lambda s: s.integer("x", 1), float("nan"), "is nan; it must be a number"),
        (lambda s: s.integer("x", 1), 10**400, f"is {'1' + '0' * 199}…; it must be a number"),
        (lambda s: s.integer("x", 1), 2.5, "is 2.5; it must be a whole number"),
        (
            lambda s: s.seconds("x", 1),
            "soon",
            "is 'soon'; it must be a number of seconds, or a time such as 5s or 10m",
        ),
        (
            lambda s: s.seconds("x", 1),
            True,
            "is True; it must be a number of seconds, or a time such as 5s or 10m",
        ),
        (lambda s: s.seconds("x", 1), -1, f"is -1; it must be 0 to {MAX_DURATION_SECONDS} seconds"),
        (
            lambda s: s.seconds("x", 1, positive=True),
            "0s",
            "is '0s'; it must be more than 0 seconds, such as 30 or 10m",
        ),
        (lambda s: s.sequence("x"), "a", "is 'a'; it must be a list"),
        (lambda s: s.boolean("x"), "maybe", "is 'maybe'; it must be true or false"),
        (lambda s: s.boolean("x"), 2, "is 2; it must be true or false"),
        (lambda s: s.texts("x"), 5, "is 5; it must be a text or a list of texts"),
        (lambda s: s.texts("x"), ["a", 5], "is ['a', 5]; it must be a text or a list of texts"),
        (lambda s: s.mapping("x"), "a=1", "is 'a=1'; it must be a mapping"),
        (lambda s: s.mapping("x"), "[1]", "is [1]; it must be a mapping"),
        (lambda s: s.mapping("x"), [1], "is [1]; it must be a mapping"),
        (lambda s: s.text("x"), ["y" * 300], f"is {repr(['y' * 300])[:200]}…; it must be a text"),
    ],
)
def test_a_wrong_setting_names_its_action_itself_its_value_and_what_is_right(
    ask: Callable[[Settings], Any], value: Any, wrong: str
) -> None:
    with pytest.raises(SettingError) as raised:
        ask(settings(x=value))

    assert str(raised.value) == f"pack: the setting 'x' {wrong}"


@pytest.mark.parametrize(
    ("kind", "value", "result"),
    [
        (ValueKind.ANY, {"a": 1}, {"a": 1}),
        (ValueKind.TEXT, 5, "5"),
        (ValueKind.NUMBER, "2.5", 2.5),
        (ValueKind.INTEGER, "3", 3),
        (ValueKind.BOOLEAN, "no", False),
        (ValueKind.SECONDS, "2m", 120.0),
        (ValueKind.TEXTS, "a", ["a"]),
        (ValueKind.LIST, [1, "a"], [1, "a"]),
        (ValueKind.MAPPING, '{"a": 1}', {"a": 1}),
        (ValueKind.EVENT, "done", "done"),
        (ValueKind.EVENTS, {2: "bad"}, {2: "bad"}),
        (ValueKind.KEY, "items", "items"),
        (ValueKind.NAMES, ["a", "b.c as d"], ["a", "b.c as d"]),
    ],
)
def test_a_setting_is_read_as_its_declared_kind(kind: ValueKind, value: Any, result: Any) -> None:
    found = settings(x=value).of_kind("x", kind)

    assert found == result
    assert type(found) is type(result)


@pytest.mark.parametrize("kind", [kind for kind in ValueKind if kind is not ValueKind.ANY])
def test_what_is_of_another_kind_is_refused(kind: ValueKind) -> None:
    with pytest.raises(SettingError, match=r"pack: the setting 'x' is .*; it must be "):
        settings(x=object()).of_kind("x", kind)
