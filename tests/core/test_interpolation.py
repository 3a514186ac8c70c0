"""Placeholders in settings, filled from names."""

from typing import Any

import pytest

from machines.core.interpolation import (
    Filter,
    Placeholder,
    Unknown,
    interpolate,
    lookup_path,
    parse,
    placeholders,
    resolve,
)

NAMES: dict[str, Any] = {
    "job_id": "j-1",
    "count": 3,
    "share": 0.5,
    "ready": True,
    "nothing": None,
    "items": ["a", {"name": "Zoë"}],
    "user": {"name": "Ann", "0": "zero", "tags": ("x", "y")},
    "größe": 7,
    "secret": {"TOKEN": "s3cret"},
    "recursive": "{count}",
}


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("{count}", 3),
        ("{items}", ["a", {"name": "Zoë"}]),
        ("{ready}", True),
        ("{user.name}", "Ann"),
        ("{items.1.name}", "Zoë"),
        ("{user.tags.1}", "y"),
        ("{user.0}", "zero"),
        ("{größe}", 7),
        ("{secret.TOKEN}", "s3cret"),
        ("{recursive}", "{count}"),
        ("{recursive}!", "{count}!"),
        ("id {job_id}, {count} of {share}", "id j-1, 3 of 0.5"),
        ("{count}{count}", "33"),
        ("is {ready}: {items}", 'is true: ["a", {"name": "Zoë"}]'),
        ("{unknown}", "{unknown}"),
        ("{nothing}", "{nothing}"),
        ("a {unknown} {nothing}", "a {unknown} {nothing}"),
        ("{items.2} {items.x} {count.0} {items.9999999999} {user.x.y}",) * 2,
        ("{unknown|count}", 3),
        ("{nothing|unknown|user.name}", "Ann"),
        ("{job_id | count}", "j-1"),
        ("{unknown|nothing}", "{unknown|nothing}"),
        ("{unknown|default:'a b'}", "a b"),
        ('{unknown | default: "it\'s"}', "it's"),
        ("{unknown|default:''}", ""),
        ("{count|default:'x'}", 3),
        ("{items|length} of {user|length}", "2 of 3"),
        ("{job_id|length}", 3),
        ("{unknown|items|length}", 2),
        ("{count|length}", "{count|length}"),
        ("{unknown|length|default:'0'}", "0"),
        ("${count} $ {count}", "${count} $ 3"),
        ("{} {a b} { count } {1} {count", "{} {a b} { count } {1} {count"),
        ("awk '{print $1}' {\"a\": 1} {a,b} {1..3}",) * 2,
        ("{{count}}", "{3}"),
        ("{count|nonsense:'x'} {count|} {.a} {a.} {a..b}",) * 2,
        ("", ""),
        (5, 5),
        (None, None),
        (
            {"{count}": ["{count}", {"a": "{job_id}"}], "b": ("{share}", False)},
            {"{count}": [3, {"a": "j-1"}], "b": [0.5, False]},
        ),
    ],
)
def test_interpolate_fills(value: Any, filled: Any) -> None:
    assert interpolate(value, NAMES) == filled


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("{unknown}", None),
        ("{nothing}", None),
        ("{unknown|nothing}", None),
        ("a {unknown}", "a {unknown}"),
        ({"a": ["{unknown}", "{count}"]}, {"a": [None, 3]}),
    ],
)
def test_interpolate_makes_null_of_what_is_unknown_and_alone(value: Any, filled: Any) -> None:
    assert interpolate(value, NAMES, unknown=Unknown.NULL) == filled


def test_interpolate_leaves_its_arguments_unchanged() -> None:
    settings = {"a": ["{count}"]}

    interpolate(settings, NAMES)

    assert settings == {"a": ["{count}"]}


def test_placeholders_are_found_in_order_and_not_in_keys() -> None:
    found = placeholders({"{key}": ["a {b.c.0|d.e|length} ${f}", ("{g}",)], "h": "{i}", "j": 1})

    assert [(p.text, p.root, p.path, p.roots) for p in found] == [
        ("{b.c.0|d.e|length}", "b", ("b", "c", "0"), ("b", "d")),
        ("{g}", "g", ("g",), ("g",)),
        ("{i}", "i", ("i",), ("i",)),
    ]


def test_parse_splits_a_text_into_literals_and_placeholders() -> None:
    parts = parse("a{b}{c|d|default:'e'|length}")

    assert parts == (
        "a",
        Placeholder("{b}", ("b",)),
        Placeholder(
            "{c|d|default:'e'|length}",
            ("c",),
            (Filter("or", "d"), Filter("default", "e"), Filter("length")),
        ),
    )


@pytest.mark.parametrize(
    ("text", "resolved"),
    [("{count}", (True, 3)), ("{nothing}", (False, None)), ("{a.b}", (False, None))],
)
def test_resolve_tells_whether_there_is_a_value(text: str, resolved: tuple[bool, Any]) -> None:
    (placeholder,) = placeholders(text)

    assert resolve(placeholder, NAMES) == resolved


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("payload.user.name", "Ann"),
        ("payload.list.1", 2),
        ("payload.list.2", None),
        ("payload.nobody.name", None),
        ("payload", {"user": {"name": "Ann"}, "list": [1, 2]}),
    ],
)
def test_lookup_path_finds(path: str, value: Any) -> None:
    event_data = {"payload": {"user": {"name": "Ann"}, "list": [1, 2]}}

    assert lookup_path(path, event_data) == value
