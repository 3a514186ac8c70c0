"""Sending an event from outside: pages, API, command line, custom actions.

A machine that runs is told through its host's control socket, whose journal writes the event. For
one that does not run the row is inserted here, and found when it comes up. Either way the answer
follows the commit. Every event sent has a key, so asking again after a broken connection cannot
double it.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

import orjson
from asgiref.sync import sync_to_async
from django.utils import timezone

from machines.core.protocol import encode
from machines.models import Machine, MachineDefinition
from machines.runtime import intake
from machines.runtime.definitions import did_you_mean
from machines.runtime.group import new_key
from machines.runtime.inbox import Reply, insert
from machines.runtime.intake import Refused, UnknownTarget
from machines.runtime.ownership import lives

ANSWER_TIMEOUT_SECONDS = 40.0  # the journal gives up on a locked database after 20
__all__ = [
    "HostClient",
    "HostGone",
    "Refused",
    "Reply",
    "UnknownTarget",
    "insert",
    "send_event",
    "send_event_now",
]


class HostGone(Exception):  # noqa: N818 - reads as what happened
    """The host that was talked to is not there any more."""


class HostClient:
    """A connection to the control socket of a host; frames are answered in their order."""

    def __init__(self, path: str) -> None:
        """Connect. Raises HostGone if nobody listens there."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(ANSWER_TIMEOUT_SECONDS)
        try:
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise HostGone(f"{path}: {error}") from error
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._lines.close()
        self._socket.close()

    def put(self, frames: Iterable[dict[str, Any]]) -> None:
        """Send frames without waiting for their answers. Raises HostGone."""
        try:
            self._socket.sendall(b"".join(encode(frame) for frame in frames))
        except OSError as error:
            raise HostGone(str(error)) from error

    def get(self, *, timeout_seconds: float = ANSWER_TIMEOUT_SECONDS) -> dict[str, Any]:
        """The next answer. Raises HostGone, or TimeoutError if it does not come in time."""
        self._socket.settimeout(timeout_seconds)
        try:
            line = self._lines.readline()
        except ConnectionError as error:
            raise HostGone(str(error)) from error
        if not line:
            raise HostGone("the connection was closed")
        try:
            answer = orjson.loads(line)
        except ValueError:  # it ended in the middle of the line
            answer = None
        if not isinstance(answer, dict):
            raise HostGone(f"an answer that is none: {line[:100]!r}")
        return answer

    def ask(self, frame: dict[str, Any], *, timeout_seconds: float | None = None) -> dict[str, Any]:
        """Send one frame and wait for its answer."""
        self.put([frame])
        return self.get(timeout_seconds=timeout_seconds or ANSWER_TIMEOUT_SECONDS)


def send_event_now(
    *,
    target: str,
    type: str,  # noqa: A002 - the word of the command line and the API
    payload: Any = None,
    job_id: str = "",
    source: str = "",
    key: str | None = None,
    actor: str = "",
    wait_seconds: float | None = None,
    known_only: bool = True,
) -> Reply:
    """Send one event and return what became of it, after the commit that holds it.

    ``wait_seconds``: wait for its end, at most so long. ``known_only``: refuse a target that is
    neither a machine nor a definition. Raises Refused, UnknownTarget, or TimeoutError if the host
    does not answer.
    """
    frame = checked_frame(
        target=target,
        type=type,
        payload=payload,
        job_id=job_id,
        source=source,
        key=key,
        actor=actor,
    )
    if wait_seconds is not None:
        frame["wait"] = wait_seconds
    machine = find_target(target, known_only=known_only)
    path = socket_of(machine)
    if path:
        with contextlib.suppress(HostGone), HostClient(path) as host:
            margin = (wait_seconds or 0) + ANSWER_TIMEOUT_SECONDS
            answer = host.ask(frame, timeout_seconds=margin)
            if answer.get("code") != "unknown":
                return reply_of(answer, target)
    return insert(frame)


send_event = sync_to_async(send_event_now)


def checked_frame(
    *,
    target: str,
    type: str,  # noqa: A002 - as above
    payload: Any = None,
    job_id: str = "",
    source: str = "",
    key: str | None = None,
    actor: str = "",
) -> dict[str, Any]:
    """The frame of an event, with a key. Raises Refused if a host would."""
    intake.encoded_payload(payload)
    return {
        "target": intake.checked_target(target),
        "type": intake.checked_type(type),
        "payload": payload,
        "job_id": intake.checked_name("job_id", job_id),
        "source": intake.checked_name("source", source),
        "actor": intake.checked_name("actor", actor),
        "key": intake.checked_name("key", key) if key else new_key(),
    }


def find_target(target: str, *, known_only: bool = True) -> Machine | None:
    """The machine of that name. UnknownTarget if there is not even a definition of it."""
    machine = Machine.objects.select_related("process").filter(name=target).first()
    if machine is None and known_only:
        definitions = set(MachineDefinition.objects.values_list("name", flat=True))
        if target not in definitions:
            known = definitions | set(Machine.objects.values_list("name", flat=True))
            raise UnknownTarget(f"no machine named {target!r}{did_you_mean(target, known)}")
    return machine


def socket_of(machine: Machine | None) -> str:
    """The control socket of the host that runs the machine on this computer, or nothing."""
    if machine is None or machine.process is None or not machine.process.is_here:
        return ""
    return machine.process.socket_path if lives(machine.process, timezone.now()) else ""


def reply_of(answer: dict[str, Any], target: str) -> Reply:
    """A host's answer as a reply. Raises Refused if it says no."""
    if not answer.get("ok"):
        raise Refused(str(answer.get("error", "the host refused the event")))
    return Reply(
        event=answer["event"],
        status=answer["status"],
        running=bool(answer.get("running", True)),
        machine=answer.get("machine", target),
        state=answer.get("state"),
        reason=answer.get("reason"),
    )
