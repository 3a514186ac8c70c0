"""Actions on inboxes and other machines: send, check and clear events, look at a machine."""

from datetime import timedelta

from machines.actions.base import ActionType, Call
from machines.actions.settings import SettingError
from machines.core.settling import Outcome
from machines.core.signatures import Kind, Raises, Setting, Signature, ValueKind
from machines.models import Machine

DEFAULT_FRESH_SECONDS = 60  # a machine not seen for longer is not running


def send_event(call: Call) -> Outcome:
    """Put an event into another machine's inbox, whether that machine runs or not."""
    settings = call.settings
    call.services.send(
        target=settings.required_text("target_machine"),
        event_type=settings.required_text("event_type"),
        payload=settings.get("payload"),
        job_id=settings.text("job_id"),
    )
    if settings.boolean("fire_and_forget"):
        return Outcome()
    return Outcome(event=settings.event("success", "event_sent"))


def check_events(call: Call) -> Outcome:
    """``no_events`` if none of ``event_types`` waits; else the event itself is judged next."""
    wanted = call.settings.texts("event_types")
    if not wanted:
        raise SettingError("check_events: the setting 'event_types' is missing")
    if call.services.waits(wanted):
        return Outcome(wanted=wanted)
    event = call.settings.event("empty", "no_events")
    return Outcome(event=event, nothing=("events", *wanted))


def clear_events(call: Call) -> Outcome:
    """Mark pending events as processed without judging them."""
    settings = call.settings
    wanted = settings.texts("event_types")
    if not wanted:
        raise SettingError("clear_events: the setting 'event_types' is missing")
    target = settings.text("target_machine") or call.services.machine
    cleared = call.services.clear(target, wanted)
    usual = "events_cleared" if cleared else "no_events_to_clear"
    return Outcome(event=settings.event("success", usual))


def check_machine_state(call: Call) -> Outcome:
    """Compare the state of another machine with those expected."""
    settings = call.settings
    name = settings.required_text("target_machine")
    expected = settings.texts("expected_states")
    if not expected:
        raise SettingError("check_machine_state: the setting 'expected_states' is missing")
    seconds = settings.seconds("timeout_seconds", DEFAULT_FRESH_SECONDS, positive=True)
    fresh = timedelta(seconds=seconds)
    machine = Machine.objects.select_related("process").filter(name=name).first()
    if machine is None or not _lives(machine, call, fresh):
        return Outcome(event=settings.event("not_running", "not_running"))
    if machine.state in expected:
        return Outcome(event=settings.event("success", "in_expected_state"))
    return Outcome(event="unexpected_state", changes={"unexpected_machine_state": machine.state})


def _lives(machine: Machine, call: Call, fresh: timedelta) -> bool:
    if machine.status not in {Machine.Status.RUNNING, Machine.Status.PAUSED}:
        return False
    process = machine.process
    # Idle machines write nothing: it is their host's heartbeat that tells they live.
    return process is not None and call.services.now - process.heartbeat_at <= fresh


def _target(description: str, *, required: bool = False) -> Setting:
    return Setting(
        "target_machine", ValueKind.TEXT, description, required=required, aliases=("target",)
    )


TYPES = (
    ActionType(
        "send_event",
        perform=send_event,
        null_settings=frozenset({"payload"}),
        rehearses=True,
        signature=Signature(
            "send_event",
            Kind.EFFECT,
            "Put an event into a machine's inbox, whether that machine runs or not.",
            settings=(
                _target("who gets it", required=True),
                Setting(
                    "event_type", ValueKind.TEXT, "its name", required=True, aliases=("event",)
                ),
                Setting("payload", ValueKind.ANY, "a mapping, or one placeholder for the whole"),
                Setting("job_id", ValueKind.TEXT, "the job it is about"),
                Setting(
                    "fire_and_forget",
                    ValueKind.BOOLEAN,
                    "true: no event is raised when it is sent",
                    default=False,
                ),
            ),
            raises=(Raises("event_sent", "success", "it is in the inbox", usual=True),),
        ),
    ),
    ActionType(
        "check_events",
        perform=check_events,
        only_looks=True,
        rehearses=True,
        signature=Signature(
            "check_events",
            Kind.EFFECT,
            "Look whether an event waits in the inbox; if so, that event is judged next.",
            settings=(Setting("event_types", ValueKind.TEXTS, "names of events", required=True),),
            raises=(Raises("no_events", "empty", "none of them waits", usual=True),),
            can_fail=False,
        ),
    ),
    ActionType(
        "clear_events",
        perform=clear_events,
        writes_tables=True,
        reads_record=True,
        rehearses=True,
        signature=Signature(
            "clear_events",
            Kind.EFFECT,
            "Mark pending events as processed without judging them.",
            settings=(
                Setting("event_types", ValueKind.TEXTS, "names of events", required=True),
                _target("whose inbox; left out: its own"),
            ),
            raises=(
                Raises("events_cleared", "success", "there were some", usual=True),
                Raises("no_events_to_clear", "success", "there were none"),
            ),
            can_fail=False,
        ),
    ),
    ActionType(
        "check_machine_state",
        perform=check_machine_state,
        reads_record=True,
        only_looks=True,
        signature=Signature(
            "check_machine_state",
            Kind.EFFECT,
            "Compare the state of a machine with those expected.",
            settings=(
                _target("the machine", required=True),
                Setting("expected_states", ValueKind.TEXTS, "names of states", required=True),
                Setting(
                    "timeout_seconds",
                    ValueKind.SECONDS,
                    "not seen for longer, it counts as not running",
                    default=DEFAULT_FRESH_SECONDS,
                ),
            ),
            raises=(
                Raises("in_expected_state", "success", "it is in one of them", usual=True),
                Raises("unexpected_state", when="it is in another one"),
                Raises("not_running", "not_running", "it does not run, or there is none"),
            ),
            sets=("unexpected_machine_state",),
        ),
    ),
)
