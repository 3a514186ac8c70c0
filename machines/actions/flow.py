"""Actions that speak, wait or end: log, activity_log, sleep, stop_machine."""

from datetime import timedelta

from machines.actions.base import ActionType, Call
from machines.actions.settings import SettingError
from machines.core.settling import Outcome

LEVELS = ("debug", "info", "success", "warning", "error")
MAX_SLEEP_SECONDS = 10 * 365 * 86_400  # ten years: the calendar of a database ends somewhere


def log(call: Call) -> Outcome:
    """Keep a line; raises only an event that ``success:`` names."""
    _write(call)
    return Outcome(event=call.settings.event("success", None))


def activity_log(call: Call) -> Outcome:
    """Keep a line and raise ``continue``."""
    _write(call)
    return Outcome(event=call.settings.event("success", "continue"))


def sleep(call: Call) -> Outcome:
    """Wait for ``duration`` seconds, across restarts; then ``wake_up``."""
    seconds = call.settings.number("duration", 1.0)
    if not 0 <= seconds <= MAX_SLEEP_SECONDS:
        raise SettingError(
            f"sleep: the setting 'duration' is {seconds}; it must be 0 to {MAX_SLEEP_SECONDS}"
        )
    return Outcome(delay=timedelta(seconds=seconds))


def stop_machine(call: Call) -> Outcome:
    """Finish this machine, or stop another one."""
    target = call.settings.text("target_machine") or call.services.machine
    if target == call.services.machine:
        return Outcome(finish=True)
    call.services.stop(target)
    return Outcome(event=call.settings.event("success", None))


def _write(call: Call) -> None:
    level = call.settings.text("level", "info").lower()
    if level not in LEVELS:
        raise SettingError(
            f"{call.action.type}: the setting 'level' is {level!r}; it may be {', '.join(LEVELS)}"
        )
    call.services.log(level, call.settings.text("message"))


TYPES = (
    ActionType("log", perform=log, only_looks=True),
    ActionType("activity_log", perform=activity_log, only_looks=True),
    ActionType("sleep", perform=sleep),
    ActionType("stop_machine", perform=stop_machine, writes_tables=True),
)
