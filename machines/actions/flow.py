"""Actions that speak, wait or end: log, activity_log, sleep, stop_machine."""

from datetime import timedelta

from machines.actions.base import ActionType, Call
from machines.actions.settings import SettingError
from machines.core.interpolation import as_text
from machines.core.settling import Outcome
from machines.core.signatures import Kind, Raises, Setting, Signature, ValueKind

LEVELS = ("debug", "info", "success", "warning", "error")


def log(call: Call) -> Outcome:
    """Keep a line; raises only an event that ``success:`` names."""
    _write(call)
    return Outcome(event=call.settings.event("success", None))


def activity_log(call: Call) -> Outcome:
    """Keep a line and raise ``continue``."""
    _write(call)
    return Outcome(event=call.settings.event("success", "continue"))


def sleep(call: Call) -> Outcome:
    """Wait for ``duration``, across restarts; then ``wake_up``."""
    return Outcome(delay=timedelta(seconds=call.settings.seconds("duration", 1)))


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
    call.services.log(level, as_text(call.settings.get("message", "")))


_LINE = (
    Setting("message", ValueKind.TEXT, "the line; a list or mapping becomes JSON", default=""),
    Setting("level", ValueKind.TEXT, "how it is shown", default="info", choices=LEVELS),
)
_OTHER = Setting(
    "target_machine", ValueKind.TEXT, "the machine; left out: this one", aliases=("target",)
)

TYPES = (
    ActionType(
        "log",
        perform=log,
        only_looks=True,
        rehearses=True,
        signature=Signature(
            "log",
            Kind.EFFECT,
            "Write a line to the log and to the machine's page.",
            settings=_LINE,
            raises=(Raises(None, "success", "it is written", usual=True),),
            can_fail=False,
        ),
    ),
    ActionType(
        "activity_log",
        perform=activity_log,
        only_looks=True,
        rehearses=True,
        signature=Signature(
            "activity_log",
            Kind.EFFECT,
            "Write a line as log does, and go on.",
            settings=_LINE,
            raises=(Raises("continue", "success", "it is written", usual=True),),
            can_fail=False,
        ),
    ),
    ActionType(
        "sleep",
        perform=sleep,
        rehearses=True,
        signature=Signature(
            "sleep",
            Kind.WAIT,
            "Wait; the time goes on while the host is down.",
            settings=(Setting("duration", ValueKind.SECONDS, "how long", default=1),),
            raises=(Raises("wake_up", "success", "the time has passed", usual=True),),
            can_fail=False,
        ),
    ),
    ActionType(
        "stop_machine",
        perform=stop_machine,
        writes_tables=True,
        rehearses=True,
        signature=Signature(
            "stop_machine",
            Kind.EFFECT,
            "Finish this machine, or stop another one.",
            settings=(_OTHER,),
            raises=(Raises(None, "success", "another machine is told to stop", usual=True),),
            ends=True,
        ),
    ),
)
