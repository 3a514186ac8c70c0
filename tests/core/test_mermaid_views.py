"""Views of a diagram: one group, all groups folded, what interrupts, and paint."""

import pytest

from machines.core.definition import Definition, State, Transition
from machines.core.expressions import compile_guard
from machines.core.labels import MAX_LABEL_LENGTH
from machines.core.mermaid import Edge, Paint, diagram, painted

SHOP = Definition(
    "shop",
    "idle",
    {
        "idle": State("idle"),
        "taken": State("taken", group="orders"),
        "packed": State("packed", group="orders"),
        "sent": State("sent", group="delivery"),
        "lost": State("lost", group="delivery"),
        "done": State("done", group="delivery", final=True),
    },
    (
        Transition(0, ("idle",), "taken", ("order",)),
        Transition(1, ("taken",), "packed", ("pack",)),
        Transition(2, ("packed",), "sent", ("send",)),
        Transition(3, ("packed",), "sent", ("fetch",)),
        Transition(4, ("sent", "lost"), "packed", ("return",), interrupts=True),
        Transition(5, ("sent",), "done", ("arrive",)),
        Transition(6, ("*",), "idle", ("reset",), interrupts=True),
        Transition(7, ("idle",), "idle", ("look",)),
        Transition(8, ("idle",), "idle", ("again",), reenter=True),
    ),
)


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


def test_diagram_of_a_group_ends_in_boxes_that_name_the_others() -> None:
    lines = lines_of(diagram(SHOP, group="orders").text)

    assert lines == [
        "stateDiagram-v2",
        'state "orders" as g0 {',
        'state "taken" as s1',
        'state "packed" as s2',
        "}",
        'state "no group" as o0',
        'state "delivery" as o1',
        'state "any state" as any',
        "o0 --> s1 : order",
        "s1 --> s2 : pack",
        "s2 --> o1 : send",
        "s2 --> o1 : fetch",
        "o1 --> s2 : return",
        "any --> o0 : reset",
        "classDef outside stroke-dasharray:4 3",
        "class o0,o1 outside",
    ]


def test_diagram_of_a_group_leaves_out_groups_that_nothing_leads_to() -> None:
    far = State("far", group="elsewhere")
    definition = Definition(
        "test",
        "a",
        {"a": State("a", group="here"), "far": far},
        (Transition(0, ("far",), "far", ("x",)), Transition(1, ("a",), None, ("y",))),
    )

    lines = lines_of(diagram(definition, group="here").text)

    assert lines == [
        "stateDiagram-v2",
        'state "here" as g0 {',
        'state "a" as s0',
        "}",
        "[*] --> s0",
        "s0 --> s0 : y (inside)",
    ]


def test_folded_diagram_draws_groups_as_boxes_and_counts_what_joins_them() -> None:
    drawn = diagram(SHOP, folded=True)

    assert lines_of(drawn.text) == [
        "stateDiagram-v2",
        'state "idle" as s0',
        'state "orders (2 states)" as g0',
        'state "delivery (3 states)" as g1',
        'state "any state" as any',
        "[*] --> s0",
        "s0 --> g0 : order",
        "g0 --> g1 : 2 transitions",
        "g1 --> g0 : return",
        "any --> s0 : reset",
        "s0 --> s0 : look",
        "s0 --> s0 : again (reenter)",
        "g1 --> [*]",
    ]
    assert drawn.edges[2] == Edge(2, "packed")
    assert drawn.aliases["lost"] == "g1"


def test_folded_diagram_of_a_machine_without_groups_is_the_whole_one() -> None:
    definition = Definition(
        "test",
        "a",
        {"a": State("a"), "b": State("b", final=True)},
        (Transition(0, ("a",), "b", ("x",)), Transition(1, ("a",), "b", ("y",))),
    )

    folded = diagram(definition, folded=True)

    assert folded == diagram(definition)


def test_diagram_marks_what_interrupts_if_asked() -> None:
    marked = diagram(SHOP, interrupts=True).text
    plain = diagram(SHOP).text

    assert "any --> s0 : ⚡ reset" in lines_of(marked)
    assert "s3 --> s2 : ⚡ return" in lines_of(marked)
    assert "s1 --> s2 : pack" in lines_of(marked)
    assert "⚡" not in plain


@pytest.mark.parametrize(
    ("transition", "ending"),
    [
        (
            Transition(0, ("a",), None, ("go",), compile_guard("n > 1" + " and n > 1" * 20)),
            "(inside)",
        ),
        (Transition(0, ("a",), "a", ("x" * 200,), reenter=True), "(reenter)"),
    ],
)
def test_label_of_an_edge_is_cut_before_how_it_moves(transition: Transition, ending: str) -> None:
    definition = Definition("test", "a", {"a": State("a")}, (transition,))

    words = lines_of(diagram(definition, interrupts=True).text)[3].partition(" : ")[2]

    assert words.endswith(f"… {ending}")
    assert len(words.replace("#62;", ">").replace("#91;", "[")) <= MAX_LABEL_LENGTH


def test_painted_adds_classes_of_states_and_a_style_sheet_for_edges() -> None:
    drawn = diagram(SHOP)

    text = painted(
        drawn,
        {"idle": "tested", "taken": "untested", "packed": "tested"},
        {1: "tested", 0: "tested", 2: "untested"},
    )

    lines = lines_of(text)
    assert lines[0] == "stateDiagram-v2"
    assert lines[1] == (
        '%%{init: {"themeCSS": "'
        "path[data-id=edge0],path[data-id=edge1]{stroke:#1a7f37;stroke-width:2px} "
        "path[data-id=edge2]{stroke:#b04a00;stroke-width:2px;stroke-dasharray:5 4}"
        '"}}%%'
    )
    assert lines[2:-4] == lines_of(drawn.text)[1:]
    assert lines[-4:] == [
        "classDef tested fill:#d7f0db,stroke:#1a7f37,color:#0b3d17",
        "class s0,s2 tested",
        "classDef untested fill:#fde7d9,stroke:#b04a00,color:#5c2600,stroke-dasharray:5 4",
        "class s1 untested",
    ]


def test_painted_with_nothing_is_the_drawing() -> None:
    drawn = diagram(SHOP)

    assert painted(drawn, {}, {}) == drawn.text


def test_painted_takes_paints_of_its_caller() -> None:
    paints = {"hot": Paint("#fee", "#f00", "#300")}

    text = painted(diagram(SHOP), {"idle": "hot"}, {}, paints)

    assert "classDef hot fill:#fee,stroke:#f00,color:#300" in lines_of(text)
