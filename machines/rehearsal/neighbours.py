"""``check_machine_state`` among the machines of a rehearsal.

What it answers is what ``machines.actions.events`` answers of machines on record.
"""

from __future__ import annotations

from machines.actions.base import Call
from machines.actions.settings import SettingError
from machines.core.settling import Outcome
from machines.rehearsal.stage import Stage


def takes_part(call: Call, stage: Stage) -> bool:
    """True if the machine that is looked at is in the rehearsal."""
    target = call.settings.get("target_machine")
    return isinstance(target, str) and target in stage.players


def check_machine_state(call: Call, stage: Stage) -> Outcome:
    """Compare the state of another machine with those expected."""
    settings = call.settings
    found = stage.players[settings.required_text("target_machine")]
    expected = settings.texts("expected_states")
    if not expected:
        raise SettingError("check_machine_state: the setting 'expected_states' is missing")
    if found.ended:
        return Outcome(event=settings.event("not_running", "not_running"))
    if found.state in expected:
        return Outcome(event=settings.event("success", "in_expected_state"))
    return Outcome(event="unexpected_state", changes={"unexpected_machine_state": found.state})
