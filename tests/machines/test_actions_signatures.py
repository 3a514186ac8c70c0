"""What built-in types say of themselves is what they do: settings, defaults, events, keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction
from jobqueue.intake import create_job
from jobqueue.models import Job

from machines.actions import context, events, flow, jobs
from machines.actions.base import ActionType, Call
from machines.actions.settings import Settings
from machines.core.definition import Action
from machines.core.settling import Outcome
from machines.core.signatures import Setting, Signature
from machines.models import Machine, MachineDefinition, Process
from tests.machines.action_fakes import NOON, FakeServices

pytestmark = pytest.mark.django_db

TYPES = {found.name: found for module in (flow, context, events, jobs) for found in module.TYPES}


class Watched(Settings):
    """Settings that keep which of them were asked for."""

    def __init__(self, action_type: str, values: Mapping[str, Any]) -> None:
        super().__init__(action_type, values)
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


@dataclass(frozen=True)
class Case:
    """One performance, and what is there for it."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    ready: bool = False  # a job waits in the queue
    claimed: bool = False  # the machine has a current job
    other: str = ""  # the state of a machine called other


OTHER = {"target_machine": "other"}
EXPECTS = {**OTHER, "expected_states": "ready"}
# The first case of a type has no more than it needs; all together reach all it does.
CASES: Mapping[str, tuple[Case, ...]] = {
    "log": (Case(), Case({"success": "said"})),
    "activity_log": (Case(), Case({"success": "said"})),
    "sleep": (Case(),),
    "stop_machine": (Case(), Case(OTHER), Case({**OTHER, "success": "told"})),
    "set_context": (Case({"key": "k"}), Case({"key": "k", "value": 1, "success": "kept"})),
    "add_to_list": (Case({"value": 1}), Case({"list_key": "l", "success": "kept"})),
    "pop_from_list": (
        Case(context={"items": [1, 2]}),
        Case({"list_key": "l", "store_as": "x", "success": "got"}, {"l": [1]}),
        Case(),
        Case({"empty": "none"}),
    ),
    "send_event": (
        Case({**OTHER, "event_type": "ping"}),
        Case({"target": "other", "event": "ping", "fire_and_forget": True}),
    ),
    "check_events": (
        Case({"event_types": "pong"}),
        Case({"event_types": "ping"}),
        Case({"event_types": "pong", "empty": "none"}),
    ),
    "clear_events": (
        Case({"event_types": "ping"}),
        Case({"event_types": "pong", **OTHER}),
        Case({"event_types": "pong", "success": "clear"}),
    ),
    "check_machine_state": (
        Case(EXPECTS, other="ready"),
        Case(EXPECTS, other="busy"),
        Case(EXPECTS),
        Case({**EXPECTS, "not_running": "gone"}),
    ),
    "check_database_queue": (
        Case(ready=True),
        Case(),
        Case({"success": "got"}, ready=True),
        Case({"empty": "none"}),
    ),
    "complete_job": (Case(claimed=True), Case({"success": "shipped"}, claimed=True)),
    "fail_job": (Case(claimed=True), Case({"success": "shipped"}, claimed=True)),
    "create_job": (
        Case({"job_type": "parcel", "job_id": "made"}),
        Case({"job_type": "parcel", "success": "made"}),
    ),
}


@dataclass(frozen=True)
class Seen:
    """What came of a case."""

    outcome: Outcome
    asked: frozenset[str]
    left: tuple[Any, ...]  # what it did besides: lines, events, stops, jobs


def perform(found: ActionType, case: Case) -> Seen:
    """Perform an effect on a database that is as it was before, and will be again."""
    services = FakeServices(inbox=["ping"], running=("other",))
    settings = Watched(found.name, case.settings)
    with transaction.atomic():
        if case.ready or case.claimed:
            create_job(job_type="parcel", job_id="waiting")
        if case.claimed:
            services.hold_job(Job.objects.claim_next(worker="worker", now=NOON))
        if case.other:
            _run_other(case.other)
        assert found.perform is not None
        outcome = found.perform(
            Call(Action(found.name, case.settings), settings, case.context, services)
        )
        queue = list(Job.objects.values("job_id", "data", "priority", "status", "error_message"))
        transaction.set_rollback(True)
    left = (services.lines, services.sent, services.stopped, services.inbox, queue)
    return Seen(outcome, frozenset(settings.asked), left)


def _run_other(state: str) -> None:
    definition = MachineDefinition.objects.create(name="other", version=1, source="")
    process = Process.objects.create(kind="host", host="here", pid=1, heartbeat_at=NOON)
    Machine.objects.create(
        name="other", definition=definition, states=[state], status="running", process=process
    )


def signature(found: ActionType) -> Signature:
    assert found.signature is not None, found.name
    assert found.signature.name == found.name
    return found.signature


def raised(outcome: Outcome) -> str | None:
    """The event of an outcome; that of a wait is raised when it is over."""
    return outcome.event if outcome.delay is None else "wake_up"


def test_every_type_is_driven_here() -> None:
    assert set(CASES) == set(TYPES)


@pytest.mark.parametrize("name", TYPES)
def test_every_declared_setting_is_read_and_no_other(name: str) -> None:
    found = signature(TYPES[name])

    asked = {key for case in CASES[name] for key in perform(TYPES[name], case).asked}

    declared = {setting.name for setting in found.settings}
    assert declared - asked == set()
    assert asked - declared <= {raises.key for raises in found.raises} - {""}


@pytest.mark.parametrize("name", TYPES)
def test_every_event_is_declared_and_every_declared_event_is_raised(name: str) -> None:
    found = signature(TYPES[name])

    seen = [(case, raised(perform(TYPES[name], case).outcome)) for case in CASES[name]]

    for case, event in seen:
        declared = found.events(Action(name, case.settings))
        assert event is None or event in declared
    usual = {raises.event for raises in found.raises} - {None}
    assert usual <= {event for _case, event in seen}


@pytest.mark.parametrize("name", TYPES)
def test_one_event_at_most_is_the_usual_one(name: str) -> None:
    usual = [raises for raises in signature(TYPES[name]).raises if raises.usual]

    assert len(usual) == 1


@pytest.mark.parametrize("name", TYPES)
def test_every_new_key_of_the_context_is_declared(name: str) -> None:
    found = signature(TYPES[name])
    writing = [setting for setting in found.settings if setting.writes]
    made: set[str] = set()

    for case in CASES[name]:
        new = set(perform(TYPES[name], case).outcome.changes) - set(case.context)
        named = {case.settings.get(setting.name, setting.default) for setting in writing}
        assert new <= {*found.sets, *named}
        made |= new

    assert set(found.sets) <= made


@pytest.mark.parametrize("name", TYPES)
def test_who_claims_a_job_and_who_ends_the_round_says_so(name: str) -> None:
    found = signature(TYPES[name])

    seen = [perform(TYPES[name], case).outcome for case in CASES[name]]

    assert found.claims == any(outcome.job for outcome in seen)
    assert found.ends == any(outcome.finish for outcome in seen)
    assert (found.kind.value == "wait") == any(outcome.delay is not None for outcome in seen)


DEFAULTS = [
    (name, setting)
    for name, found in TYPES.items()
    if found.signature is not None
    for setting in found.signature.settings
    if setting.default is not None
]


@pytest.mark.parametrize(
    ("name", "setting"), DEFAULTS, ids=[f"{name} {setting.name}" for name, setting in DEFAULTS]
)
def test_a_default_is_what_leaving_it_out_means(name: str, setting: Setting) -> None:
    case = CASES[name][0]
    assert setting.name not in case.settings

    left_out = perform(TYPES[name], case)
    given = Case(**{**vars(case), "settings": {**case.settings, setting.name: setting.default}})

    assert perform(TYPES[name], given) == left_out


@pytest.mark.parametrize("name", TYPES)
def test_a_default_and_the_choices_are_of_the_declared_kind(name: str) -> None:
    for setting in signature(TYPES[name]).settings:
        for value in (setting.default, *setting.choices):
            Settings(name, {setting.name: value}).of_kind(setting.name, setting.kind)


@pytest.mark.parametrize("name", TYPES)
def test_a_required_setting_has_no_default_and_is_missed(name: str) -> None:
    case = CASES[name][0]
    for setting in signature(TYPES[name]).settings:
        if setting.required:
            left = {key: value for key, value in case.settings.items() if key != setting.name}
            with pytest.raises(Exception, match=f"the setting '{setting.name}' is missing"):
                perform(TYPES[name], Case(left))
            assert setting.default is None


def test_what_needs_settings_context_and_inbox_only_rehearses() -> None:
    assert {name for name, found in TYPES.items() if found.rehearses} == {
        "log", "activity_log", "sleep", "stop_machine", "set_context", "add_to_list",
        "pop_from_list", "send_event", "check_events", "clear_events",
    }  # fmt: skip


@pytest.mark.parametrize("name", TYPES)
def test_every_type_setting_and_event_is_described(name: str) -> None:
    found = signature(TYPES[name])

    assert found.summary.endswith(".")
    assert all(setting.description for setting in found.settings)
    assert all(raises.when for raises in found.raises)
