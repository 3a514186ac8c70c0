"""A machine on record, and the steps that it takes: written as a host would, then the bell rung."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from machines.models import Machine, MachineDefinition, Step
from machines.runtime.bells import Ringer
from machines.runtime.ownership import HostLock, register_host

KITCHEN = """\
name: kitchen
initial_state: waiting
transitions:
  - {from: waiting, to: cooking, event: order}
  - {from: cooking, to: waiting, event: done}
  - {from: "*", to: burnt, event: error}
"""

TakeStep = Callable[..., Step]


@pytest.fixture(autouse=True)
def run_directory(settings: Settings) -> Iterator[Path]:
    """A run directory of its own for every test; pytest's are too long for a socket's name."""
    with TemporaryDirectory(prefix="sm-") as path:
        settings.SM_RUN_DIR = path
        yield Path(path)


@pytest.fixture(autouse=True)
def static_root(settings: Settings, tmp_path: Path) -> None:
    """A place for collected files, which a fresh checkout has none of."""
    settings.STATIC_ROOT = tmp_path


@pytest.fixture
def make_machine(db: None) -> Callable[..., Machine]:
    """Makes a machine of the kitchen's definition, in its first state."""

    def make(name: str, **fields: object) -> Machine:
        definition, _ = MachineDefinition.objects.get_or_create(
            name="kitchen", version=1, defaults={"sha256": "0" * 64, "source": KITCHEN}
        )
        fields = {"status": Machine.Status.STOPPED, "states": ["waiting"]} | fields
        return Machine.objects.create(
            name=name, definition=definition, entered_at=timezone.now(), **fields
        )

    return make


@pytest.fixture
def kitchen(make_machine: Callable[..., Machine]) -> Machine:
    """A machine that waits and has not taken a step."""
    return make_machine("kitchen")


@pytest.fixture
def ringer(run_directory: Path) -> Iterator[Ringer]:
    """What a host rings with."""
    ringer = Ringer()
    yield ringer
    ringer.close()


@pytest.fixture
def take_step(ringer: Ringer) -> TakeStep:
    """Writes a machine's next step and rings."""

    def take(machine: Machine, target: str, event: str = "order", transition: int = 0) -> Step:
        now = timezone.now()
        source = machine.state
        machine.seq += 1
        machine.states = [target]
        machine.entered_at = now
        machine.save(update_fields=["seq", "states", "entered_at"])
        step = Step.objects.create(
            machine=machine,
            seq=machine.seq,
            event=event,
            source=source,
            target=target,
            transition=transition,
            definition=machine.definition,
            at=now,
        )
        ringer.ring_web()
        return step

    return take


class LiveHost:
    """A host on record that holds its lock, until it dies."""

    def __init__(self) -> None:
        self.lock = HostLock()
        self.lock.acquire()
        self.process = register_host("", "", timezone.now())

    def die(self) -> None:
        """Let go of the lock, as the kernel does for a process that was killed."""
        self.lock.release()


@pytest.fixture
def live_host(db: None, run_directory: Path) -> Iterator[LiveHost]:
    """A host that lives in this process."""
    host = LiveHost()
    yield host
    host.die()


@pytest.fixture
def viewer(db: None) -> User:
    """Somebody who can log in."""
    return User.objects.create_user("ada", password="correct horse")  # noqa: S106
