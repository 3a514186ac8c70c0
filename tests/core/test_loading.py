"""What a file that loads means, one rule after the other."""

import pytest

from machines.core.definition import Action, Definition, Place
from machines.core.loading import load

STATES = "initial_state: waiting\nstates: [waiting, processing, failed]\n"


def loaded(text: str) -> Definition:
    return load(text, origin="examples/worker.yaml")


def first_action(text: str) -> Action:
    action = loaded(STATES + f"actions:\n  waiting:\n    - {text}\n").states["waiting"].actions[0]
    assert action.place == Place(5, 7)
    return action


def test_load_reads_the_short_file_of_a_first_machine() -> None:
    text = """\
name: "My Worker"
initial_state: waiting

transitions:
  - from: waiting
    to: processing
    event: new_job
    actions:
      - type: bash
        params:
          command: "echo Processing job"
          success: job_done
"""

    definition = loaded(text)

    assert definition.name == "My Worker"
    assert definition.initial_state == "waiting"
    assert tuple(definition.states) == ("waiting", "processing")
    (transition,) = definition.candidates("waiting", "new_job")
    assert transition.target == "processing"
    assert transition.place == Place(5, 5)
    (action,) = transition.actions
    assert action.type == "bash"
    assert action.settings == {"command": "echo Processing job", "success": "job_done"}


def test_load_reads_every_section_of_a_file() -> None:
    text = """\
name: Worker
description: Works.
initial_state: waiting
states:
  - waiting
  # === WORK ===
  - processing
events:
  - new_job
  - stop
transitions:
  - {from: waiting, to: processing, event: new_job, description: begin}
  - {from: "*", to: waiting, event: stop}
actions:
  processing:
    - type: log
      message: "{job_id}"
metadata: {machine_name: simple_worker, version: 1.0.0, max_instant_steps: 50, owner: [me]}
template: true
context: {count: 0, nested: {list: [1, 2.5, true, null, text]}}
actions_dir: actions
"""

    definition = loaded(text)

    assert definition.description == "Works."
    assert tuple(definition.events) == ("new_job", "stop")
    assert definition.transitions[0].description == "begin"
    assert [state.group for state in definition.states.values()] == ["", "WORK"]
    assert definition.states["processing"].actions[0].settings == {"message": "{job_id}"}
    assert definition.metadata["version"] == "1.0.0"
    assert definition.max_instant_steps == 50
    assert definition.template
    assert definition.context == {"count": 0, "nested": {"list": [1, 2.5, True, None, "text"]}}
    assert definition.actions_dir == "actions"


def test_load_takes_sections_with_nothing_in_them_as_left_out() -> None:
    text = (
        "states:\nevents:\ntransitions:\nactions:\nmetadata:\ncontext:\nname:\n"
        "initial_state: idle\nactions_dir:\n"
    )

    definition = loaded(text)

    assert tuple(definition.states) == ("idle",)
    assert definition == loaded("\ufeff" + text)
    assert definition == load(text.encode(), origin="examples/worker.yaml")
    assert definition.actions_dir is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("name: Worker\nmetadata: {machine_name: w}\n", "Worker"),
        ("name: 2024\n", "2024"),
        ("metadata: {machine_name: w}\n", "w"),
        ("", "worker"),
    ],
)
def test_name_is_written_or_that_of_the_machine_or_of_the_file(text: str, name: str) -> None:
    assert loaded(STATES + text).name == name


def test_name_is_the_origin_where_it_has_no_stem() -> None:
    assert load(STATES, origin=".yaml").name == ".yaml"


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("initial_state: a\ntransitions: [{from: [b, a], to: c}, {from: '*', to: d}]", "bacd"),
        ("initial_state: z\ntransitions: [{from: a, to: b}]", "abz"),
        ("initial_state: a", "a"),
    ],
)
def test_states_left_out_are_those_that_are_named(text: str, states: str) -> None:
    assert "".join(loaded(text).states) == states


def test_initial_state_is_waiting_where_the_file_gives_none() -> None:
    assert loaded("states: [idle, waiting]").initial_state == "waiting"
    assert loaded("transitions: [{from: waiting, to: idle}]").initial_state == "waiting"


def test_states_may_be_a_mapping() -> None:
    text = """\
initial_state: waiting
states:
  waiting:
  # === WORK ===
  processing: {description: works, actions: [{type: log}]}
  "on": {group: OTHER, final: true}
  # ==========
  done: {final: true, description: }
# === WRONG ===
"""

    states = loaded(text).states

    assert [state.group for state in states.values()] == ["", "WORK", "OTHER", "WORK"]
    assert [state.final for state in states.values()] == [False, False, True, True]
    assert states["processing"].description == "works"
    assert states["processing"].actions == (Action("log", place=Place(5, 46)),)
    assert states["on"].place == Place(6, 3)


def test_groups_are_comment_lines_within_states_and_outside_of_texts() -> None:
    text = """\
description: |
  # === TEXT ===
# === ABOVE ===
initial_state: a
states:
  # === FIRST ===
  a:
    description: |
      # === NO GROUP ===
      more
  b:
  # === SECOND ===
  # no group
  c:
"""

    groups = [state.group for state in loaded(text).states.values()]

    assert groups == ["FIRST", "FIRST", "SECOND"]


def test_actions_stand_under_states_or_at_the_top_level() -> None:
    text = """\
states:
  waiting: {actions: [{type: log}]}
  processing:
actions:
  processing: [{type: sleep}, {type: log}]
"""

    states = loaded(text).states

    assert [action.type for action in states["waiting"].actions] == ["log"]
    assert [action.type for action in states["processing"].actions] == ["sleep", "log"]


@pytest.mark.parametrize(
    ("states", "transitions", "final"),
    [
        ("completed:", "", True),
        ("stopped:", "{from: '*', to: waiting, event: e}", True),
        ("shutdown:", "{from: shutdown, to: shutdown, event: e}", True),
        ("completed:", "{from: completed, event: e}", True),
        ("completed:", "{from: completed, to: waiting, event: e}", False),
        ("completed: {final: false}", "", False),
        ("done:", "", False),
        ("done: {final: true}", "{from: done, to: waiting, event: e}", True),
    ],
)
def test_final_is_marked_or_known_by_name(states: str, transitions: str, final: bool) -> None:
    text = f"states:\n  waiting:\n  {states}\ntransitions: [{transitions}]\n"

    assert loaded(text).is_final(states.partition(":")[0]) is final


def test_events_may_be_a_mapping() -> None:
    text = """\
events:
  new_job:
    description: a job is there
    context_map: {user: payload.user.name, 1: type}
    payload: {type: object, required: [user]}
  stop:
  pause: {payload: , context_map: }
"""

    events = loaded(STATES + text).events

    assert tuple(events) == ("new_job", "stop", "pause")
    assert events["new_job"].description == "a job is there"
    assert events["new_job"].context_map == {"user": "payload.user.name", "1": "type"}
    assert events["new_job"].payload_schema == {"type": "object", "required": ["user"]}
    assert events["new_job"].place == Place(4, 3)
    assert events["stop"].payload_schema is None
    assert events["pause"].context_map == {}


@pytest.mark.parametrize(
    ("trigger", "events", "seconds", "name"),
    [
        ("event: e", ("e",), None, ""),
        ("event: [e, f, e]", ("e", "f"), None, ""),
        ("event: timeout(5)", (), 5, "timeout(5)"),
        ("event: timeout(5s)", (), 5, "timeout(5s)"),
        ("event: [timeout(1m), e]", ("e",), 60, "timeout(1m)"),
        ("event: timeout", ("timeout",), None, ""),
        ("after: 5s", (), 5, "timeout(5)"),
        ("after: 500ms", (), 0.5, "timeout(0.5)"),
        ("after: 10m", (), 600, "timeout(600)"),
        ("after: 1h", (), 3600, "timeout(3600)"),
        ("after: 31d", (), 2_678_400, "timeout(2678400)"),
        ("after: 1.5", (), 1.5, "timeout(1.5)"),
        ("after: 0", (), 0, "timeout(0)"),
        ("guard: ready", (), None, ""),
    ],
)
def test_trigger_of_a_transition(
    trigger: str, events: tuple[str, ...], seconds: float | None, name: str
) -> None:
    text = STATES + f"transitions:\n  - from: waiting\n    to: processing\n    {trigger}\n"

    (transition,) = loaded(text).transitions

    assert transition.events == events
    assert transition.delay_seconds == seconds
    assert transition.delay_name == name


@pytest.mark.parametrize(
    ("text", "interrupts", "reenter"),
    [
        ("from: waiting, to: failed, event: e", False, False),
        ("from: waiting, to: failed, event: e, interrupt: yes", True, False),
        ("from: waiting, to: waiting, event: e, interrupt: true, reenter: true", True, True),
        ("from: waiting, to: failed, after: 5s", True, False),
        ("from: waiting, to: failed, after: 5s, interrupt: false", False, False),
        ("from: waiting, to: failed, event: timeout(5)", True, False),
        ("from: waiting, after: 5s", False, False),
        ("from: '*', to: failed, event: e", True, False),
        ("from: ['*'], to: failed, event: e", True, False),
        ("from: '*', to: failed, event: e, interrupt: false", False, False),
        ("from: '*', event: e", False, False),
        ("from: '*', to: failed, guard: broken", False, False),
        ("from: waiting, to: failed, guard: broken, interrupt: false", False, False),
    ],
)
def test_interrupting_is_written_or_the_default_of_timers_and_any_state(
    text: str, interrupts: bool, reenter: bool
) -> None:
    (transition,) = loaded(STATES + f"transitions: [{{{text}}}]\n").transitions

    assert transition.interrupts is interrupts
    assert transition.reenter is reenter


def test_transitions_keep_the_order_of_the_file() -> None:
    text = STATES + (
        "transitions:\n"
        "  - {from: [processing, waiting, processing], to: failed, event: e, guard: count > 3}\n"
        '  - {from: "*", event: e, actions: [{type: log}]}\n'
    )

    first, second = loaded(text).candidates("waiting", "e")

    assert (first.index, second.index) == (0, 1)
    assert first.sources == ("processing", "waiting")
    assert first.guard is not None
    assert first.guard.source == "count > 3"
    assert second.target is None
    assert second.actions[0].type == "log"


@pytest.mark.parametrize(
    ("guard", "source"),
    [("true", "true"), ("no", "false"), ("1", "1"), ('"count > 3"', "count > 3")],
)
def test_guard_may_be_a_text_a_number_or_a_boolean(guard: str, source: str) -> None:
    text = STATES + f"transitions: [{{from: waiting, to: failed, guard: {guard}}}]\n"

    (transition,) = loaded(text).transitions

    assert transition.guard is not None
    assert transition.guard.source == source


def test_aliases_and_merges_are_written_out_and_own_keys_win() -> None:
    text = (
        STATES
        + """\
context:
  base: &base {a: 1, b: 2}
  name: &name text
  more: {<<: *base, b: 3, who: *name}
  both: {<<: [{a: 0}, *base], "<<": quoted}
"""
    )

    context = loaded(text).context

    assert context["more"] == {"a": 1, "b": 3, "who": "text"}
    assert context["both"] == {"a": 0, "b": 2, "<<": "quoted"}


def test_merged_states_stand_in_the_group_of_their_place() -> None:
    text = """\
context: {x: &shared [{type: log}]}
states:
  # === ALL ===
  waiting: &base {actions: *shared}
  other: {<<: *base, final: true}
"""

    states = loaded(text).states

    assert states["other"].actions == states["waiting"].actions
    assert states["other"].final
    assert states["other"].group == "ALL"
