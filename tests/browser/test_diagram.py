"""What a person sees: the real system, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DRAWABLE_NAMES, System, Visit, Visiting

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

# In the order of the file: the entry is edge 0.
ORDER_FEW, ORDER_MANY, GO, FIRE = 1, 2, 3, 6
SETTLED = "() => document.getAnimations().every((a) => a.playState !== 'running')"


# Remembers the page's WebSockets, and lets none open while it is away.
KEEP_FEEDS = """
window.feeds = [];
window.away = false;
window.WebSocket = class extends WebSocket {
  constructor(address) {
    super(window.away ? address.replace("/ws/", "/nowhere/") : address);
    window.feeds.push(this);
  }
};
"""


@pytest.fixture
def oven(visiting: Visiting, system: System) -> Visit:
    """The page of an oven that waits, drawn."""
    system.send("fire", "clean")
    visit = visiting()
    visit.page.add_init_script(KEEP_FEEDS)
    visit.open("/machines/oven/")
    expect_at(visit, "waiting")
    visit.page.evaluate("window.neverReloaded = true")
    return visit


def expect_at(visit: Visit, state: str) -> None:
    """The drawing, the facts and the title say that the machine is in ``state``."""
    expect(visit.page.locator("#diagram g.node.active")).to_have_text(state)
    expect(visit.page.locator("#state")).to_have_text(state)
    expect(visit.page).to_have_title(f"oven: {state}")


def expect_taken(visit: Visit, edge: int, label: str) -> None:
    """That edge of the drawing, and no other, is lit with its label."""
    taken = visit.page.locator("#diagram path.transition.taken")
    expect(taken).to_have_attribute("data-id", f"edge{edge}")
    expect(visit.page.locator("#diagram .edgeLabel.taken")).to_have_text(label)


def test_step_shows_on_the_diagram_without_reload(oven: Visit, system: System) -> None:
    system.send("order", payload={"loaves": 12})

    expect_at(oven, "baking")
    expect_taken(oven, ORDER_MANY, "order")
    expect(oven.page.locator("#steps tr").first).to_contain_text("waiting → baking")
    assert oven.page.evaluate("window.neverReloaded")
    oven.page.wait_for_function(SETTLED)
    oven.screenshot("machine-light-1280")


def test_event_from_the_form_moves_the_machine(oven: Visit) -> None:
    oven.page.fill("#id_payload", '{"loaves": 2}')
    oven.page.click("#picks >> text=order")

    expect_at(oven, "loading")
    expect_taken(oven, ORDER_FEW, "order [payload.loaves < 3]")
    expect(oven.page.locator("#answer")).to_have_text("order was processed; oven is in loading.")
    expect(oven.page.locator("#picks button")).to_have_text(["go", "fire"])
    assert oven.page.evaluate("window.neverReloaded")


def test_wildcard_lights_its_own_edge(oven: Visit) -> None:
    oven.page.click("#picks >> text=fire")

    expect_at(oven, "burnt")
    expect_taken(oven, FIRE, "fire")


def test_output_of_a_command_shows_as_text(oven: Visit, system: System) -> None:
    system.send("order", "knead", payload={"loaves": 12})

    line = oven.page.locator("#lines li").first
    expect(line.locator("pre")).to_have_text("<b>dough</b>\n")
    expect(line).to_have_attribute("data-outcome", "done")


def test_work_that_ended_during_a_break_is_shown_as_ended(oven: Visit, system: System) -> None:
    system.send("order", "knead", payload={"loaves": 12})
    line = oven.page.locator("#lines li").first
    expect(line).to_have_attribute("data-outcome", "done")
    # As if the page had been drawn before the end, which then passed while it heard nothing.
    line.evaluate("(line) => { line.dataset.outcome = 'running'; }")

    oven.page.evaluate("window.feeds.forEach((feed) => feed.close())")

    expect(line).to_have_attribute("data-outcome", "done")


def test_payload_that_is_no_json_is_refused_beside_the_field(oven: Visit) -> None:
    oven.page.fill("#id_payload", "{loaves}")
    oven.page.click("#picks >> text=order")

    expect(oven.page.locator('[data-errors="payload"]')).to_contain_text("This is no JSON")
    expect_at(oven, "waiting")
    oven.complaints.clear()  # the browser itself reports the answer 400


def test_page_catches_up_after_a_break(oven: Visit, system: System) -> None:
    oven.page.evaluate("window.away = true; window.feeds.forEach((feed) => feed.close())")
    expect(oven.page.locator("[data-live]")).not_to_have_attribute("data-live", "live")
    system.send("order", "go", payload={"loaves": 2})

    oven.page.evaluate("window.away = false")

    expect_at(oven, "baking")
    expect_taken(oven, GO, "go")
    rows = oven.page.locator("#steps tr")
    expect(rows.nth(0)).to_contain_text("loading → baking")
    expect(rows.nth(1)).to_contain_text("waiting → loading")
    assert oven.page.evaluate("window.neverReloaded")
    oven.complaints.clear()  # the browser itself reports that it found no feed meanwhile


def test_overview_moves_a_card_without_reload(visiting: Visiting, system: System) -> None:
    system.send("fire", "clean")
    visit = visiting()
    visit.open("/")
    card = visit.page.locator('[data-machine="oven"]')
    expect(card.locator(".state")).to_have_text("waiting")

    system.send("order", payload={"loaves": 12})

    expect(card.locator(".state")).to_have_text("baking")
    expect(card.locator('[data-field="last_event"]')).to_have_text("order")
    expect(card).to_have_attribute("data-status", "running")


def test_hostile_names_are_drawn_as_they_are(visiting: Visiting) -> None:
    visit = visiting()
    visit.open("/machines/hostile/")
    visit.page.wait_for_selector("#diagram svg")

    drawn = visit.page.locator("#diagram svg g.node").all_text_contents()

    shown = {" ".join(text.split()) for text in drawn}
    expected = {" ".join(name.replace("\u202e", " ").split()) for name in DRAWABLE_NAMES}
    assert {name for name in expected if len(name) <= 60} <= shown
    assert visit.page.locator("#diagram svg").locator("script, img, a, b, em, strong").count() == 0


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280, 1920])
def test_pages_fit_their_window(visiting: Visiting, width: int, colours: str) -> None:
    visit = visiting(width, colours)

    for name, path in (("overview", "/"), ("machine", "/machines/oven/")):
        visit.open(path)
        if name == "machine":
            visit.page.wait_for_selector("#diagram svg g.node.active")
        visit.page.wait_for_function(SETTLED)
        visit.screenshot(f"{name}-{colours}-{width}")
        overflow = visit.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, name
