"""Drawing a machine: what is printed and written, and a real browser that makes the SVG."""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from django.core.management import call_command

from machines.core.labels import MAX_LABEL_LENGTH
from machines.core.loading import load
from machines.core.mermaid import diagram, painted
from machines.management.browser import BROWSERS, NoDrawing, as_svg
from machines.models import MachineDefinition
from tests.core.hostile_names import HOSTILE_NAMES
from tests.machines.commands.conftest import printed, refused, talked

SVG = "{http://www.w3.org/2000/svg}"
OVEN = """\
name: Oven
initial_state: waiting
states:
  waiting: {}
  baking: {group: work}
  cooling: {group: work}
transitions:
  - {from: waiting, to: baking, event: order, guard: n < 3}
  - {from: baking, to: cooling, after: 5s}
  - {from: "*", to: waiting, event: fire}
"""
browser = pytest.mark.browser


@pytest.fixture
def oven(tmp_path: Path) -> Path:
    path = tmp_path / "oven.yaml"
    path.write_text(OVEN)
    return path


@pytest.fixture
def installed() -> None:
    """A browser is there to draw."""
    if not any(map(shutil.which, BROWSERS)):
        pytest.skip(f"no browser is installed; looked for {', '.join(BROWSERS)}")


def words_of(svg: str) -> list[str]:
    """The lines of text on a drawing, spaces folded."""
    found = ET.fromstring(svg).iter(f"{SVG}text")  # noqa: S314 - drawn by ourselves
    return [" ".join("".join(text.itertext()).split()) for text in found]


def test_drawmachine_prints_mermaid_of_the_definition_that_runs(oven: Path) -> None:
    text = printed("drawmachine", str(oven))

    assert text == diagram(load(OVEN, origin="oven.yaml"), interrupts=True).text
    assert "s1 --> s2 : ⚡ after 5 s\n" in text


def test_drawmachine_draws_one_group(oven: Path) -> None:
    text = printed("drawmachine", str(oven), "--group", "work")

    assert 'state "no group" as o0' in text
    assert "o0 --> s1 : order" in text
    assert 'state "waiting"' not in text


def test_drawmachine_folds_groups(oven: Path) -> None:
    text = printed("drawmachine", str(oven), "--fold")

    assert 'state "work (2 states)" as g0' in text


def test_drawmachine_writes_a_document(oven: Path) -> None:
    text = printed("drawmachine", str(oven), "--format", "markdown")

    assert text.startswith("# Oven\n\n```mermaid\nstateDiagram-v2\n")
    assert "| `baking` | 5 s | `cooling` | yes |" in text


@pytest.mark.parametrize(
    ("name", "beginning"), [("oven.md", "# Oven"), ("oven.mmd", "stateDiagram-v2")]
)
def test_drawmachine_takes_the_format_from_the_end_of_the_output(
    oven: Path, name: str, beginning: str
) -> None:
    said = talked("drawmachine", str(oven), "--output", str(oven.with_name(name)))

    assert oven.with_name(name).read_text().startswith(beginning)
    assert said == f"wrote {oven.with_name(name)}\n"


@pytest.mark.django_db
def test_drawmachine_draws_a_definition_by_name() -> None:
    MachineDefinition.objects.create(name="oven", version=1, sha256="a" * 64, source=OVEN)

    text = printed("drawmachine", "oven")

    assert "s1 --> s2 : ⚡ after 5 s\n" in text


@pytest.mark.django_db
def test_drawmachine_refuses_a_name_that_is_not_there() -> None:
    MachineDefinition.objects.create(name="oven", version=1, sha256="a" * 64, source=OVEN)

    code, fault, out = refused("drawmachine", "ovne")

    assert (code, fault, out) == (
        3, "no file, machine or definition 'ovne'; did you mean 'oven'?", "",
    )  # fmt: skip


def test_drawmachine_refuses_a_file_that_is_not_there(oven: Path) -> None:
    code, fault, _ = refused("drawmachine", str(oven.with_name("ovne.yaml")))

    assert code == 3
    assert fault == f"no file '{oven.with_name('ovne.yaml')}'; did you mean '{oven}'?"


@pytest.mark.parametrize(
    ("group", "advice"),
    [("wrok", "did you mean 'work'?"), ("sales", "the groups are: work")],
)
def test_drawmachine_refuses_a_group_that_is_not_there(oven: Path, group: str, advice: str) -> None:
    code, fault, _ = refused("drawmachine", str(oven), "--group", group)

    assert (code, fault) == (3, f"no group {group!r}; {advice}")


def test_drawmachine_refuses_a_group_of_a_machine_without_groups(oven: Path) -> None:
    oven.write_text("states: [waiting]")

    code, fault, _ = refused("drawmachine", str(oven), "--group", "work")

    assert (code, fault) == (3, "no group 'work'; no state of it has a group")


def test_drawmachine_refuses_a_group_that_is_to_be_folded(oven: Path) -> None:
    code, fault, _ = refused("drawmachine", str(oven), "--group", "work", "--fold")

    assert (code, fault) == (2, "--group and --fold exclude each other; take one")


def test_drawmachine_tells_the_faults_of_a_file(oven: Path) -> None:
    oven.write_text(OVEN.replace("to: baking", "to: bakin"))

    code, fault, out = refused("drawmachine", str(oven))

    assert (code, out) == (1, "")
    assert fault.endswith("no state 'bakin'; did you mean 'baking'?")


def test_drawmachine_says_that_a_file_cannot_be_written(oven: Path) -> None:
    output = oven.parent / "nowhere" / "oven.mmd"

    code, fault, _ = refused("drawmachine", str(oven), "--output", str(output))

    assert (code, fault) == (1, f"cannot write {output}: No such file or directory")


def test_drawmachine_warns_of_a_drawing_that_mermaid_refuses(oven: Path) -> None:
    states = [f"state_{number}" for number in range(1500)]
    transitions = [{"from": name, "to": "state_1", "event": "go"} for name in states]
    machine = {"initial_state": "state_0", "states": states, "transitions": transitions}
    oven.write_text(json.dumps(machine))

    said = talked("drawmachine", str(oven))

    assert "Mermaid draws 50,000 unless its maxTextSize is raised" in said


def test_drawmachine_names_what_to_install_without_a_browser(
    oven: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(oven.parent))

    code, fault, _ = refused("drawmachine", str(oven), "--format", "svg")

    assert code == 1
    assert "apt install chromium" in fault
    assert "--format mermaid or --format markdown" in fault


def fake_browser(folder: Path, script: str) -> None:
    """A program that is found as the browser and does as ``script`` says."""
    path = folder / "chromium"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)


def test_drawmachine_says_that_a_browser_drew_nothing(
    oven: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_browser(oven.parent, "echo '<html></html>'")
    monkeypatch.setenv("PATH", str(oven.parent))

    code, fault, _ = refused("drawmachine", str(oven), "--format", "svg")

    assert code == 1
    assert (
        fault
        == f"{oven.parent}/chromium drew nothing; try --format mermaid, which needs no browser"
    )


@browser
@pytest.mark.usefixtures("installed")
def test_drawmachine_draws_an_svg_that_needs_no_browser_to_be_seen(oven: Path) -> None:
    call_command("drawmachine", str(oven), "--output", str(oven.with_suffix(".svg")), verbosity=0)

    svg = oven.with_suffix(".svg").read_text()
    words = words_of(svg)
    assert {"waiting", "baking", "cooling", "work", "any state", "order [n < 3]"} <= set(words)
    assert {"⚡ after 5 s", "⚡ fire"} <= set(words)
    assert "<title>Oven</title>" in svg
    assert "foreignObject" not in svg
    assert float(ET.fromstring(svg).attrib["width"]) > 100  # noqa: S314 - drawn by ourselves


@browser
@pytest.mark.usefixtures("installed")
def test_svg_shows_hostile_names_as_they_are() -> None:
    names = [name for name in HOSTILE_NAMES if len(name) <= 200 and name.isprintable()]
    machine = {
        "name": "</script><script>alert(1)</script>",
        "initial_state": names[0],
        "states": {name: {"group": f"in {name}"} for name in names},
        "transitions": [{"from": name, "to": name, "event": name} for name in names],
    }
    definition = load(json.dumps(machine, ensure_ascii=False), origin="hostile.yaml")

    svg = as_svg(diagram(definition).text, title=definition.name)

    words = " ".join(words_of(svg))
    kinds = {element.tag for element in ET.fromstring(svg).iter()}  # noqa: S314 - our own
    folded = [" ".join(name.split()) for name in names if len(name) <= MAX_LABEL_LENGTH]
    # Long ones are on several lines, broken where there are no spaces.
    assert [name for name in folded if name.replace(" ", "") not in words.replace(" ", "")] == []
    assert not {f"{SVG}{name}" for name in ("script", "image", "a", "foreignObject")} & kinds


@browser
@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("view", [{"group": "work"}, {"folded": True}])
def test_svg_draws_each_view(view: dict) -> None:
    drawn = diagram(load(OVEN, origin="oven.yaml"), **view)

    words = words_of(as_svg(drawn.text, title="oven"))

    box = "no group" if "group" in view else "work (2 states)"
    assert box in words
    assert not [word for word in words if word.startswith(("classDef", "o0", "g0"))]


@browser
@pytest.mark.usefixtures("installed")
def test_svg_shows_paint_on_states_and_edges() -> None:
    drawn = diagram(load(OVEN, origin="oven.yaml"))
    text = painted(drawn, {"baking": "tested", "waiting": "untested"}, {1: "tested"})

    svg = as_svg(text, title="oven")

    root = ET.fromstring(svg)  # noqa: S314 - drawn by ourselves
    painted_nodes = [node for node in root.iter(f"{SVG}g") if "tested" in node.get("class", "")]
    assert len(painted_nodes) == 2
    assert 'path[data-id="edge1"]{stroke:rgb(26, 127, 55);stroke-width:2px;}' in svg
    assert "linkStyle" not in svg
    assert len(words_of(svg)) == len(words_of(as_svg(drawn.text, title="oven")))


@browser
@pytest.mark.usefixtures("installed")
def test_svg_says_what_mermaid_could_not_read() -> None:
    with pytest.raises(NoDrawing, match=r"Mermaid could not draw it: .*[Pp]arse error"):
        as_svg("stateDiagram-v2\n    s0 --> --> }\n", title="wrong")
