"""The desk: what a host says to the frames of its control socket."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import Any

from machines.core.protocol import ControlFrame, EventFrame
from machines.core.schemas import parsed_payload
from machines.runtime import intake
from machines.runtime.control import Answer
from machines.runtime.group import new_key
from machines.runtime.live import Live
from machines.runtime.requests import Control, Request, Submit


class Desk:
    """Hands frames to the journal, and its answers back."""

    def __init__(self, put: Callable[[Request], None], lives: Mapping[str, Live]) -> None:
        self._put = put
        self._lives = lives

    def serve(self, frame: EventFrame | ControlFrame, answer: Answer) -> None:
        """Answer one frame, now or after a commit."""
        if isinstance(frame, ControlFrame):
            self._control(frame, answer)
            return
        try:
            submit = _submit(frame, answer)
        except intake.Refused as error:
            answer({"ok": False, "code": "refused", "error": str(error)})
            return
        self._put(submit)

    def _control(self, frame: ControlFrame, answer: Answer) -> None:
        if frame.control == "ping":
            answer({"ok": True, "pid": os.getpid()})
        elif frame.control == "status" and not frame.target:
            machines = {name: live.status for name, live in self._lives.items()}
            answer({"ok": True, "pid": os.getpid(), "machines": machines})
        else:
            self._put(Control(frame.target, frame.control, answer))


def _submit(frame: EventFrame, answer: Answer) -> Submit:
    payload = parsed_payload(frame.payload)
    return Submit(
        machine=intake.checked_target(frame.target),
        type=intake.checked_type(frame.type),
        payload=payload,
        raw_payload=intake.encoded_payload(payload),
        key=intake.checked_name("key", frame.key) or new_key(),
        keyed=bool(frame.key),
        source=intake.checked_name("source", frame.source),
        job_id=intake.checked_name("job_id", frame.job_id),
        actor=intake.checked_name("actor", frame.actor),
        # Last: patience with a frame that is refused would answer it once more.
        reply=answer if frame.wait_seconds is None else _Patience(answer, frame.wait_seconds).hear,
        wait=frame.wait_seconds is not None,
    )


class _Patience:
    """Waits for the end of an event; when it has waited long enough, says how far it came."""

    def __init__(self, answer: Answer, seconds: float) -> None:
        self._answer: Answer | None = answer
        self._so_far: dict[str, Any] = {
            "ok": False,
            "code": "busy",
            "error": f"not on record after {seconds:g} s; send it again with the same key",
        }
        self._timer = asyncio.get_running_loop().call_later(seconds, self._give_up)

    def hear(self, said: dict[str, Any]) -> None:
        """Take what the journal says: that it is accepted, or how it ended."""
        if said.get("status") == "accepted" and said.get("running", True):
            self._so_far = said
            return
        self._timer.cancel()
        self._say(said)

    def _give_up(self) -> None:
        self._say({**self._so_far, "timed_out": True})

    def _say(self, said: dict[str, Any]) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            answer(said)
