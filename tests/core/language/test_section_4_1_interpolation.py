"""Section 4.1 of the language: what stands in for a placeholder."""

from typing import Any

import pytest

from machines.core.interpolation import Unknown, interpolate

NAMES: dict[str, Any] = {
    "name": "Ann",
    "n": 3,
    "half": 0.5,
    "yes": True,
    "no": False,
    "zero": 0,
    "empty": "",
    "none": None,
    "list": [1, {"x": "y"}, None],
    "map": {"b": {"0": {"c": "deep"}}, "none": None},
    "tricky": "{name}",
    "a-b": "dash",
    "ünï": "code",
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{n}", 3),
        ("{half}", 0.5),
        ("{yes}", True),
        ("{no}", False),
        ("{zero}", 0),
        ("{empty}", ""),
        ("{list}", [1, {"x": "y"}, None]),
        ("{map.b.0.c}", "deep"),
        ("{list.1.x}", "y"),
        ("{a-b}", "dash"),
        ("{ünï}", "code"),
    ],
)
def test_a_text_that_is_exactly_one_placeholder_keeps_the_type(text: str, value: Any) -> None:
    found = interpolate(text, NAMES)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{name} is {n}", "Ann is 3"),
        (" {n}", " 3"),
        ("{half}!", "0.5!"),
        ("{yes}/{no}", "true/false"),
        ("it is {list}", 'it is [1, {"x": "y"}, null]'),
        ("{name}{name}", "AnnAnn"),
        ("{empty}.", "."),
    ],
)
def test_inside_other_text_texts_and_numbers_stand_as_they_are_and_the_rest_as_json(
    text: str, value: str
) -> None:
    assert interpolate(text, NAMES) == value


def test_it_is_one_pass() -> None:
    assert interpolate("{tricky} {tricky}", NAMES) == "{name} {name}"


@pytest.mark.parametrize("text", ["{missing}", "{none}", "{map.none}", "{list.9}", "{name.first}"])
def test_an_unknown_or_null_one_stays_as_written_and_alone_in_a_payload_is_null(text: str) -> None:
    assert interpolate(text, NAMES) == text
    assert interpolate(text, NAMES, unknown=Unknown.NULL) is None
    assert interpolate(f"so {text}", NAMES, unknown=Unknown.NULL) == f"so {text}"
    assert interpolate({"k": [text]}, NAMES, unknown=Unknown.NULL) == {"k": [None]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{missing|name}", "Ann"),
        ("{none|n}", 3),
        ("{missing|none|map.b.0.c}", "deep"),
        ("{name|n}", "Ann"),
        ("{no|name}", False),
        ("{zero|name}", 0),
        ("{empty|name}", ""),
        ("{missing|default:'x'}", "x"),
        ("{none|default:'x y'}", "x y"),
        ('{missing|default:"it\'s"}', "it's"),
        ("{missing|default:''}", ""),
        ("{missing|none|default:'x'}", "x"),
        ("{no|default:'x'}", False),
        ("{missing | name}", "Ann"),
        ("{list|length}", 3),
        ("{name|length}", 3),
        ("{map|length}", 2),
        ("{missing|list|length}", 3),
        ("{missing|length|default:'none'}", "none"),
        ("got {list|length}", "got 3"),
        ("{missing|none}", "{missing|none}"),
        ("{n|length}", "{n|length}"),
        ("say {missing|default:'x'}", "say x"),
    ],
)
def test_fallbacks_and_filters_apply_from_left_to_right(text: str, value: Any) -> None:
    assert interpolate(text, NAMES) == value


def test_every_value_is_filled_also_nested_and_never_a_key() -> None:
    settings = {"{name}": ["{name}", {"{n}": "{n}", "deep": [["{yes}"]]}], "n": 5, "none": None}

    assert interpolate(settings, NAMES) == {
        "{name}": ["Ann", {"{n}": 3, "deep": [[True]]}],
        "n": 5,
        "none": None,
    }


@pytest.mark.parametrize(
    "text",
    [
        "${name}",
        "awk '{print $1}'",
        '{"name": 1}',
        "{}",
        "{ name }",
        "{name",
        "{1}",
        "{name|}",
        "{name|upper:x}",
        "{{n",
    ],
)
def test_all_other_braces_stay_as_they_are(text: str) -> None:
    assert interpolate(text, NAMES) == text
