from machines.models import Machine, MachineDefinition
from monitor.pictures import picture


def test_picture_is_compiled_once_for_each_version(kitchen: Machine) -> None:
    again = MachineDefinition.objects.get(pk=kitchen.definition_id)

    first, second = picture(kitchen.definition), picture(again)

    assert first is second
    assert first.diagram is not None


def test_picture_has_the_events_of_a_state_before_all_others(kitchen: Machine) -> None:
    drawn = picture(kitchen.definition)

    assert drawn.events("cooking") == (["done", "error"], ["order"])
    assert drawn.events(None) == ([], ["order", "done", "error"])


def test_picture_of_a_version_that_no_longer_loads_says_why(kitchen: Machine) -> None:
    drawn = picture(MachineDefinition(name="kitchen", source="transitions: 3"))

    assert "transitions" in drawn.fault
    assert drawn.events("waiting") == ([], [])
    assert drawn.for_scripts(1) == {}
