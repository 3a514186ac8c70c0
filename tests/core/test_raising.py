"""What actions raise and set is found by their signatures, or by what their settings name."""

from machines.core.definition import Action, Definition, State, Transition
from machines.core.raising import Placed, raised_by, set_by
from machines.core.signatures import Kind, Raises, Setting, Signature, ValueKind

FETCH = Signature(
    "fetch",
    Kind.WORK,
    settings=(
        Setting("url"),
        Setting("store_as", ValueKind.KEY, default="page", writes=True, aliases=("into",)),
        Setting("log_as", ValueKind.KEY, writes=True),
    ),
    raises=(Raises("fetched", "success"),),
    sets=("status",),
)


def placed_in(*actions: Action) -> Definition:
    """A machine whose state ``a`` has these actions, and whose only transition has the first."""
    states = {"a": State("a", actions=actions)}
    return Definition("test", "a", states, (Transition(0, ("a",), "a", actions=actions[:1]),))


def test_raised_by_finds_the_events_of_a_signature_with_their_places() -> None:
    action = Action("fetch", {"error": "broken"})

    found = raised_by(placed_in(action), {"fetch": FETCH})

    places = [Placed(action, state="a"), Placed(action, transition=0)]
    assert found == {"fetched": places, "broken": places}


def test_raised_by_believes_the_settings_of_an_unknown_type() -> None:
    action = Action("own", {"success": "made"})

    found = raised_by(placed_in(action), {})

    assert list(found) == ["made", "error"]


def test_set_by_finds_fixed_keys_and_those_that_settings_name() -> None:
    usual, named = Action("fetch"), Action("fetch", {"into": "text", "log_as": "log"})

    found = set_by(placed_in(usual, named), {"fetch": FETCH})

    assert {key: [placed.action for placed in places] for key, places in found.items()} == {
        "status": [usual, named, usual],
        "page": [usual, usual],
        "text": [named],
        "log": [named],
    }
    assert set_by(placed_in(Action("own")), {}) == {}
