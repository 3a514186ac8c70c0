"""The document of a machine tells all that the file holds, in words and tables."""

import json

from machines.core.definition import Definition
from machines.core.document import document
from machines.core.loading import load
from machines.core.mermaid import diagram
from machines.core.signatures import Kind, Raises, Setting, Signature, ValueKind
from tests.core.hostile_names import HOSTILE_NAMES

FILE = """\
name: Bakery
description: |
  Bakes what is ordered.

  # not a heading
initial_state: waiting
states:
  waiting: {description: Waits for an order.}
  baking:
    group: work
    actions:
      - {type: heat, description: warm up, every: 2s, store_as: degrees}
      - {type: own, retry: {attempts: 5}, on_crash: fail, success: baked}
  done: {final: true}
events:
  order:
    description: Somebody is hungry.
    context_map: {loaves: payload.loaves}
    payload:
      type: object
      required: [loaves]
      properties:
        loaves: {type: integer}
        kind: {enum: [rye, wheat]}
        note: {type: [string, "null"]}
        rest: true
  ping: {payload: {type: string}}
transitions:
  - {from: waiting, to: baking, event: order, guard: "loaves > 0 or a['|'] == 1"}
  - from: baking
    to: done
    event: [baked, enough]
    actions: [{type: heat}, {type: own, success: cold}]
  - {from: baking, event: order, description: Later., actions: [{type: heat}]}
  - {from: [waiting, done], to: waiting, after: 1h, interrupt: false, reenter: true}
  - {from: "*", to: done, event: fire}
  - {from: waiting, to: done, guard: loaves == 0}
context: {loaves: 0, names: [a, b], long: "LONG"}
"""
HEAT = Signature(
    "heat",
    Kind.EFFECT,
    settings=(Setting("store_as", ValueKind.KEY, writes=True),),
    raises=(Raises("hot", "success"),),
    can_fail=False,
)
BAKERY = load(FILE.replace("LONG", "x" * 200), origin="bakery.yaml")


def sections(definition: Definition, group: str | None = None) -> dict[str, list[str]]:
    """The lines below each heading."""
    drawn = diagram(definition, interrupts=True)
    text = document(definition, {"heat": HEAT}, drawn, group=group)
    found: dict[str, list[str]] = {}
    heading = ""
    for line in text.splitlines():
        if line.startswith("#"):
            heading = line
            found[heading] = []
        elif line:
            found[heading].append(line)
    return found


def test_document_begins_with_title_description_and_diagram() -> None:
    told = sections(BAKERY)

    lines = told["# Bakery"]
    assert lines[:4] == [
        "Bakes what is ordered.",
        "\\# not a heading",
        "```mermaid",
        "stateDiagram-v2",
    ]
    assert lines[-1] == (
        "⚡: does not wait for rest; it interrupts running work;"
        " (inside): its actions run, the state is not left;"
        " (reenter): the state is left and entered again;"
        " any state: holds in every state of the machine."
    )
    assert list(told) == [
        "# Bakery", "## States", "## Transitions", "## Events", "## Timers", "## Context",
    ]  # fmt: skip


def test_document_tells_the_states_with_their_actions_in_short() -> None:
    assert sections(BAKERY)["## States"] == [
        "| State | Group | Description | Actions |  |",
        "| --- | --- | --- | --- | --- |",
        "| `waiting` |  | Waits for an order. |  | begins here |",
        "| `baking` | work |  | `heat` (warm up; every 2 s),"
        " `own` (up to 5 attempts; not again after a crash) |  |",
        "| `done` |  |  |  | final |",
    ]


def test_document_tells_the_transitions_in_their_order() -> None:
    assert sections(BAKERY)["## Transitions"][2:] == [
        "| 1 | `waiting` | `order` | loaves \\> 0 or a\\['\\|'\\] == 1 | `baking` |  |  |  |",
        "| 2 | `baking` | `baked`, `enough` |  | `done` |  | `heat`, `own` |  |",
        "| 3 | `baking` | `order` |  | (inside) |  | `heat` | Later. |",
        "| 4 | `waiting`, `done` | after 1 h |  | `waiting` (reenter) |  |  |  |",
        "| 5 | any state | `fire` |  | `done` | yes |  |  |",
        "| 6 | `waiting` | always | `loaves == 0` | `done` |  |  |  |",
    ]


def test_document_tells_of_each_event_who_raises_and_who_handles_it() -> None:
    assert sections(BAKERY)["## Events"] == [
        "| Event | Description | Payload | Into the context | Handled in | Raised by |",
        "| --- | --- | --- | --- | --- | --- |",
        "| `order` | Somebody is hungry. | `loaves` integer (required);"
        ' `kind` one of "rye", "wheat"; `note` string or null; `rest`'
        " | `loaves` from `payload.loaves` | `waiting`, `baking` | from outside |",
        "| `ping` |  | string |  | no state | from outside |",
        "| `baked` |  |  |  | `baking` | `own` in `baking` |",
        "| `enough` |  |  |  | `baking` | from outside |",
        "| `fire` |  |  |  | any state | from outside |",
        "| `hot` |  |  |  | no state | `heat` in `baking`, transitions 2, 3 |",
        "| `error` |  |  |  | no state | `own` in `baking`, transition 2 |",
        "| `cold` |  |  |  | no state | `own` in transition 2 |",
    ]


def test_document_tells_the_timers_and_the_context() -> None:
    told = sections(BAKERY)

    assert told["## Timers"][2:] == ["| `waiting`, `done` | 1 h | `waiting` (reenter) | no |"]
    assert told["## Context"][2:] == [
        "| `loaves` | `0` | event `order` |",
        '| `names` | `["a", "b"]` |  |',
        f'| `long` | `"{"x" * 78}…` |  |',
        "| `degrees` |  | `heat` in `baking` |",
    ]


def test_document_of_a_group_tells_only_what_touches_it() -> None:
    told = sections(BAKERY, group="work")

    assert "# Bakery: work" in told
    assert [line.split(" | ")[0] for line in told["## States"][2:]] == ["| `baking`"]
    assert [line.split(" | ")[0] for line in told["## Transitions"][2:]] == [
        "| 1", "| 2", "| 3", "| 5",
    ]  # fmt: skip
    assert not any("`ping`" in line for line in told["## Events"])
    assert "## Timers" not in told


def test_document_of_hostile_names_has_one_row_for_each_state() -> None:
    names = [name for name in HOSTILE_NAMES if len(name) <= 200 and name.isprintable()]
    transitions = [{"from": name, "to": name, "event": name} for name in names]
    machine = {"initial_state": names[0], "states": names, "transitions": transitions}

    told = sections(load(json.dumps(machine, ensure_ascii=False), origin="hostile.yaml"))

    assert len(told["## States"]) == 2 + len(names)


def test_document_of_the_least_machine_has_states_only() -> None:
    told = sections(load("states: [waiting]", origin="least.yaml"))

    assert list(told) == ["# least", "## States"]
