"""What an action is to the runtime: its kind, what it is handed, and what it gives back.

An *effect* is performed inside the transaction that records it; *work* runs outside, in the
host's loop. A wait is an effect that answers with a delay. Effects reach everything but our
database through the ``Services`` they are handed, work through its ``WorkServices``.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from jobqueue.models import Job

from machines.actions.settings import TRUE, Settings
from machines.core.definition import Action
from machines.core.interpolation import Unknown, interpolate
from machines.core.settling import Outcome
from machines.core.signatures import Signature
from machines.core.turn import Subscription


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """How a function in the background ended: what it returned, or why it failed."""

    result: Any = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class StartedMachine:
    """An instance that was started, and the process that runs it."""

    name: str
    pid: int


class JobStore(Protocol):
    """The queue, on behalf of one machine. What it refuses raises JobError."""

    def claim_next(self, job_type: str | None, machine_type: str | None) -> Job | None:
        """Claim the most urgent ready job of a kind; None in a place is any."""

    def claim(self, job_id: str) -> Job | None:
        """Claim one job; None if it is unknown, not ready or taken."""

    def ready(self, job_type: str | None, machine_type: str | None, limit: int) -> Sequence[Job]:
        """The ready jobs of a kind, the most urgent first."""

    def find(self, job_id: str) -> Job | None:
        """The job with that id."""

    def statuses(self, job_ids: Sequence[str]) -> Mapping[str, str]:
        """The status of each of these jobs that exists."""

    def create(self, **columns: Any) -> Job:
        """Put a new job into the queue."""

    def finish(self, job: Job, token: str | None, result: Any) -> None:
        """Complete a job; with a token, only while that claim is the current one."""

    def fail(self, job: Job, token: str | None, reason: str) -> None:
        """Give a job up; the token is as for ``finish``."""


class Services(Protocol):
    """What an effect may do, inside the journal's transaction, on behalf of one machine."""

    @property
    def machine(self) -> str:
        """The name of the machine."""

    @property
    def now(self) -> datetime:
        """The time of this transaction."""

    def log(self, level: str, message: str) -> None:
        """Keep a line and show it live, after the commit."""

    def send(self, *, target: str, event_type: str, payload: Any, job_id: str) -> None:
        """Put an event into another machine's inbox. Raises MachineError if it is refused."""

    def waits(self, event_types: Iterable[str]) -> bool:
        """True if an event of one of these types waits in this machine's inbox."""

    def clear(self, target: str, event_types: Iterable[str]) -> int:
        """Mark a machine's pending events of these types as cleared; how many there were."""

    def stop(self, target: str) -> None:
        """Ask the owner of another machine to stop it. Raises MachineError if there is none."""

    @property
    def jobs(self) -> JobStore:
        """The queue."""

    def held_job(self) -> tuple[Job | None, str]:
        """The current job and the token of this machine's claim on it (empty: not its claim)."""

    def hold_job(self, job: Job | None) -> None:
        """Make a job just claimed the current one, or none when nothing was there to claim."""

    def end_claim(self) -> None:
        """The current job has ended: its names stay, its claim is gone."""

    def begin_task(
        self, function: str, args: Sequence[Any], kwargs: Mapping[str, Any], seconds: float
    ) -> str:
        """Let the background workers call ``function``; the token of the run on record."""

    def task_end(self, token: str) -> TaskEnd | None:
        """How that run ended, None if it has not."""

    def give_up_task(self, token: str, why: str) -> None:
        """End that run on record; what still comes of it is not heard."""

    def start_machine(
        self, yaml_path: str, name: str | None, context: Mapping[str, Any]
    ) -> StartedMachine:
        """Start an instance in this host, handing over jobs whose id is among ``context``.

        Raises MachineError if it cannot be run, or a live or resumable machine has its name.
        """


@dataclass(frozen=True, slots=True)
class Call:
    """One performance of an effect: its settings filled in, and what it may look at.

    ``resumed``: what it asked to wait for, if it is asked again after that. ``names``: all that
    placeholders see.
    """

    action: Action
    settings: Settings
    context: Mapping[str, Any]
    services: Services
    resumed: Subscription = ()
    names: Mapping[str, Any] = field(default_factory=dict)


class WorkServices(Protocol):
    """What work may do outside the transaction."""

    async def send_event(
        self, target: str, event_type: str, payload: Any = None, job_id: str = ""
    ) -> None:
        """Put an event into another machine's inbox. Raises MachineError if it is refused."""

    async def create_job(self, job_type: str, data: Any = None, **options: Any) -> str:
        """Create a job and return its job_id. Raises JobError if it is refused."""

    async def start_process(
        self, yaml_path: str, name: str | None, context: Mapping[str, Any]
    ) -> StartedMachine:
        """As ``Services.start_machine``, in a process of its own that ends with this host."""


@dataclass(frozen=True, slots=True)
class WorkCall:
    """One run of work. ``output`` takes what it prints, piece by piece."""

    action: Action
    settings: Settings
    names: Mapping[str, Any]
    context: Mapping[str, Any]
    job: Mapping[str, Any]
    machine: str
    token: str
    attempt: int
    output: Callable[[bytes], None]
    services: WorkServices


@dataclass(frozen=True, slots=True)
class Worked:
    """What came of work: its outcome for the machine, and what only the record keeps."""

    outcome: Outcome
    exit_code: int | None = None


Perform = Callable[[Call], Outcome]
Work = Callable[[WorkCall], Awaitable[Worked]]


@dataclass(frozen=True, slots=True)
class ActionType:
    """A type of action as the registry knows it: either ``perform`` or ``work`` is there.

    With both it is an effect, unless its setting ``work_setting`` is true.
    ``writes_tables``: it gets a savepoint of its own. ``reads_record``: it looks at machines or
    events, so all that happened before it in its transaction is written first. ``only_looks``:
    it leaves nothing behind when it finds nothing. ``raw_settings``: those whose placeholders it
    fills in itself; ``null_settings``: those in which an unknown placeholder that stands alone
    becomes null. ``origin``: where a custom one came from. ``rehearses``: it is performed as it
    is where nothing runs (settings, context and inbox are all it needs); so is one that is
    ``on_jobs`` where there is a queue. Others are answered for.
    """

    name: str
    perform: Perform | None = None
    work: Work | None = None
    work_setting: str = ""
    writes_tables: bool = False
    reads_record: bool = False
    only_looks: bool = False
    raw_settings: frozenset[str] = field(default_factory=frozenset)
    null_settings: frozenset[str] = field(default_factory=frozenset)
    origin: Path | None = None
    signature: Signature | None = None
    rehearses: bool = False
    on_jobs: bool = False

    def is_work(self, action: Action, names: Mapping[str, Any]) -> bool:
        """True if ``action`` runs outside the transaction that records it."""
        if self.perform is None or self.work is None:
            return self.work is not None
        asked = interpolate(action.settings.get(self.work_setting), names)
        return str(asked).lower() in TRUE

    def filled(self, action: Action, names: Mapping[str, Any]) -> dict[str, Any]:
        """The settings of ``action`` with their placeholders filled in."""
        return {
            key: value
            if key in self.raw_settings
            else interpolate(
                value,
                names,
                unknown=Unknown.NULL if key in self.null_settings else Unknown.AS_WRITTEN,
            )
            for key, value in action.settings.items()
        }
