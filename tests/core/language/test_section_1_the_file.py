"""Section 1 of the language: the keys of a file, and what stops it from loading."""

import pytest

from machines.core.definition import Definition
from machines.core.errors import DefinitionError
from machines.core.loading import load

MINIMUM = "initial_state: a\n"


def loaded(text: str, origin: str = "machines/test.yaml") -> Definition:
    return load(text, origin=origin)


def faults(text: str) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        loaded(text)
    return str(caught.value).splitlines()


# -- the keys


def test_name_and_description_are_text_for_people() -> None:
    definition = loaded(MINIMUM + "name: Größe & more\ndescription: what it does\n")

    assert (definition.name, definition.description) == ("Größe & more", "what it does")


def test_states_are_a_list_of_names_whose_comment_lines_group_what_follows() -> None:
    definition = loaded(
        "initial_state: a\nstates:\n  - a\n  # === WORK ===\n  - b\n  - c\n"
        "  # a remark\n  # === END ===\n  - d\n"
    )

    groups = {state.name: state.group for state in definition.states.values()}
    assert groups == {"a": "", "b": "WORK", "c": "WORK", "d": "END"}


def test_states_are_a_mapping_of_description_actions_final_and_group() -> None:
    definition = loaded(
        "initial_state: a\nstates:\n"
        "  a: {description: first, group: G, actions: [{type: log}]}\n  b: {final: true}\n  c:\n"
    )

    first = definition.states["a"]
    assert (first.description, first.group, len(first.actions)) == ("first", "G", 1)
    assert [name for name in definition.states if definition.is_final(name)] == ["b"]


def test_states_left_out_are_those_that_transitions_name() -> None:
    definition = loaded(
        "initial_state: a\ntransitions:\n  - {from: [a, b], to: c, event: go}\n"
        '  - {from: "*", to: d, event: stop}\n'
    )

    assert tuple(definition.states) == ("a", "b", "c", "d")


def test_events_are_a_list_of_names_or_a_mapping_with_context_map_and_payload() -> None:
    listed = loaded(MINIMUM + "events: [go, stop]\n")
    described = loaded(
        MINIMUM + "events:\n  go: {description: d, context_map: {user: payload.user.name},"
        " payload: {type: object}}\n  stop:\n"
    )

    assert tuple(listed.events) == tuple(described.events) == ("go", "stop")
    assert described.events["go"].context_map == {"user": "payload.user.name"}
    assert described.events["go"].payload_schema == {"type": "object"}


def test_actions_are_a_mapping_of_states_to_the_work_done_in_them() -> None:
    definition = loaded(MINIMUM + "states: [a, b]\nactions: {b: [{type: log}, {type: sleep}]}\n")

    assert [action.type for action in definition.states["b"].actions] == ["log", "sleep"]
    assert definition.states["a"].actions == ()


def test_metadata_has_machine_name_max_instant_steps_and_free_keys() -> None:
    definition = loaded(
        MINIMUM
        + "metadata: {machine_name: worker_1, version: 2.0, max_instant_steps: 7, team: x}\n"
    )

    assert definition.name == "worker_1"
    assert definition.max_instant_steps == 7
    assert (definition.metadata["version"], definition.metadata["team"]) == (2.0, "x")


def test_template_context_and_actions_dir_stand_as_written() -> None:
    definition = loaded(
        MINIMUM + "template: true\ncontext: {n: 1, list: [a, {b: null}]}\nactions_dir: mine\n"
    )

    assert definition.template
    assert definition.context == {"n": 1, "list": ["a", {"b": None}]}
    assert definition.actions_dir == "mine"


def test_all_of_a_file_may_be_left_out_but_its_initial_state() -> None:
    definition = loaded(MINIMUM)

    assert (definition.name, tuple(definition.states), definition.template) == (
        "test",
        ("a",),
        False,
    )


# -- names


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "true", "5", "1.5"])
@pytest.mark.parametrize(
    "text",
    [
        "initial_state: WORD\n",
        "initial_state: a\nstates: [a, WORD]\n",
        "initial_state: a\nstates: {a: , WORD: }\n",
        "initial_state: a\nevents: [WORD]\n",
        "initial_state: a\nevents: {WORD: }\n",
        "initial_state: a\ntransitions: [{from: a, to: WORD, event: go}]\n",
        "initial_state: a\ntransitions: [{from: [a, WORD], event: go}]\n",
        "initial_state: a\ntransitions: [{from: a, event: [go, WORD]}]\n",
        "initial_state: a\nactions: {WORD: []}\n",
    ],
)
def test_an_unquoted_word_that_yaml_reads_as_something_else_is_refused_with_a_hint(
    word: str, text: str
) -> None:
    found = faults(text.replace("WORD", word))

    assert any(f'quote it: "{word}"' in fault for fault in found)


def test_a_quoted_word_is_a_name_as_any_other() -> None:
    definition = loaded(
        'initial_state: "on"\ntransitions: [{from: "on", to: "off", event: "yes"}]\n'
    )

    assert tuple(definition.states) == ("on", "off")


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("a", True),
        ("A" + "b" * 62, True),
        ("a_b-9", True),
        ("A" + "b" * 63, False),
        ("9a", False),
        ("-a", False),
        ("a b", False),
        ("a.b", False),
        ("ä", False),
        ('"a\\n"', False),
    ],
)
def test_machine_names_begin_with_a_letter_and_have_at_most_63_characters(
    name: str, taken: bool
) -> None:
    text = MINIMUM + f"metadata: {{machine_name: {name}}}\n"

    if taken:
        assert loaded(text).name == name
    else:
        assert "metadata.machine_name" in faults(text)[0]


# -- faults


def test_every_fault_is_told_at_once_with_file_line_column_and_what_would_be_right() -> None:
    found = faults(
        "initial_state: wating\nstates: [waiting, done]\ntransitions:\n"
        "  - {from: waiting, to: dnoe, event: go, guard: 'a &&& b'}\n  - {form: waiting}\n"
        "actions:\n  done: [{type: bash, command: 'echo `cat {file}`'}]\n"
    )

    assert found[0] == (
        "machines/test.yaml:1:16: initial_state: no state 'wating'; did you mean 'waiting'?"
    )
    assert any("4:25: transitions[0].to: no state 'dnoe'; did you mean 'done'?" in f for f in found)
    assert any("transitions[0].guard: " in fault for fault in found)
    assert any("did you mean 'from'?" in fault for fault in found)
    assert any("actions.done[0].command" in fault for fault in found)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a" * (256 << 10) + "b", "at most 262,144 are allowed"),
        ("context: " + "[" * 40 + "]" * 40, "nested deeper than 32"),
        ("initial_state: a\ninitial_state: b\n", "duplicate key"),
        (
            "a: &a [x, x, x, x, x, x, x, x]\n"
            + "".join(
                f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}]\n"
                for a, b in zip("abcdefg", "bcdefgh", strict=True)
            ),
            "use fewer aliases",
        ),
        ("initial_state: a\ncontext: !!python/object:os.system {}\n", "YAML tags are not read"),
        ("- initial_state: a\n", "the top level must be a mapping"),
        ("initial_state: a\n---\ninitial_state: b\n", "a second document"),
    ],
)
def test_what_should_never_become_a_tree_is_refused(text: str, why: str) -> None:
    assert why in faults(text)[0]
