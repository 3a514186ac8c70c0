"""What the runtime hands to actions, as small fakes: for actions that need no machine."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from jobqueue.models import Job

from machines.actions.base import Call, StartedMachine, TaskEnd, WorkCall
from machines.actions.settings import Settings
from machines.core.definition import Action
from machines.core.errors import MachineError
from machines.runtime.job_table import JobTable

NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)


@dataclass
class FakeServices:
    """The services of an effect, all in memory. ``inbox``: types that wait for this machine."""

    machine: str = "worker"
    now: datetime = NOON
    inbox: list[str] = field(default_factory=list)
    running: tuple[str, ...] = ()
    job: Job | None = None
    token: str = ""
    lines: list[tuple[str, str]] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    def log(self, level: str, message: str) -> None:
        self.lines.append((level, message))

    def send(self, *, target: str, event_type: str, payload: Any, job_id: str) -> None:
        self.sent.append(
            {"target": target, "event_type": event_type, "payload": payload, "job_id": job_id}
        )

    def waits(self, event_types: Iterable[str]) -> bool:
        return not set(self.inbox).isdisjoint(event_types)

    def clear(self, target: str, event_types: Iterable[str]) -> int:
        if target != self.machine:
            return 0
        wanted = set(event_types)
        left = [event for event in self.inbox if event not in wanted]
        cleared, self.inbox = len(self.inbox) - len(left), left
        return cleared

    def stop(self, target: str) -> None:
        if target not in self.running:
            raise MachineError(f"no machine named {target!r} is running")
        self.stopped.append(target)

    @property
    def jobs(self) -> JobTable:
        return JobTable(self.machine, self.now)

    def held_job(self) -> tuple[Job | None, str]:
        return self.job, self.token

    def hold_job(self, job: Job | None) -> None:
        self.job, self.token = job, "" if job is None else job.claim_token

    def end_claim(self) -> None:
        self.token = ""

    def begin_task(
        self, function: str, args: Sequence[Any], kwargs: Mapping[str, Any], seconds: float
    ) -> str:
        raise MachineError(f"no workers here for {function!r}")

    def task_end(self, token: str) -> TaskEnd | None:
        raise MachineError(f"no run {token!r} here")

    def give_up_task(self, token: str, why: str) -> None:
        raise MachineError(f"no run {token!r} here")

    def start_machine(
        self, yaml_path: str, name: str | None, context: Mapping[str, Any]
    ) -> StartedMachine:
        raise MachineError(f"no host here for {yaml_path!r}")


@dataclass
class FakeWorkServices:
    """The services of work, all in memory."""

    sent: list[tuple[str, str, Any, str]] = field(default_factory=list)
    jobs: list[tuple[str, Any, dict[str, Any]]] = field(default_factory=list)

    async def send_event(
        self, target: str, event_type: str, payload: Any = None, job_id: str = ""
    ) -> None:
        self.sent.append((target, event_type, payload, job_id))

    async def create_job(self, job_type: str, data: Any = None, **options: Any) -> str:
        self.jobs.append((job_type, data, options))
        return f"job-{len(self.jobs)}"

    async def start_process(
        self, yaml_path: str, name: str | None, context: Mapping[str, Any]
    ) -> StartedMachine:
        raise MachineError(f"no processes here for {yaml_path!r}")


def effect_call(
    action_type: str,
    settings: Mapping[str, Any],
    *,
    context: Mapping[str, Any] | None = None,
    services: FakeServices | None = None,
) -> Call:
    """One performance of an effect."""
    return Call(
        Action(action_type, settings),
        Settings(action_type, settings),
        context or {},
        services or FakeServices(),
    )


def work_call(
    action_type: str,
    settings: Mapping[str, Any],
    *,
    names: Mapping[str, Any] | None = None,
    context: Mapping[str, Any] | None = None,
    job: Mapping[str, Any] | None = None,
    printed: bytearray | None = None,
    services: FakeWorkServices | None = None,
) -> WorkCall:
    """One run of work; ``printed`` collects its output."""
    engine = {"machine_name": "worker", "current_state": "busy", "event_data": {}}
    output = bytearray() if printed is None else printed
    return WorkCall(
        action=Action(action_type, settings),
        settings=Settings(action_type, settings),
        names={**(job or {}), **(context or {}), **engine, **(names or {})},
        context=context or {},
        job=job or {},
        machine="worker",
        token="f00",  # noqa: S106 - names a run
        attempt=2,
        output=output.extend,
        services=services or FakeWorkServices(),
    )
