"""Sending an event from within an event loop: to a machine of this process, or of any other.

``sending.py`` is for threads. Here nothing blocks, and giving up the wait is to be cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import orjson
from asgiref.sync import sync_to_async

from machines.core.protocol import MAX_FRAME_BYTES, EventFrame, encode
from machines.runtime import resident, sending
from machines.runtime.inbox import Reply
from machines.runtime.sending import ANSWER_TIMEOUT_SECONDS, HostGone

MAX_WAIT_SECONDS = 86_400.0  # the protocol's bound


async def send(frame: dict[str, Any], wait_seconds: float | None) -> Reply:
    """Send an event and return what became of it, after the commit that holds it.

    ``wait_seconds``: wait for its end, at most so long; None: as long as a machine runs that will
    judge it. Raises Refused, or TimeoutError if the host of another process does not answer.
    """
    seconds = MAX_WAIT_SECONDS if wait_seconds is None else min(wait_seconds, MAX_WAIT_SECONDS)
    target = frame["target"]
    answer = await resident.submit(_as_frame(frame, seconds or None))
    if answer is None or answer.get("code") == "unknown":
        answer = await _ask_elsewhere(frame, seconds)
    if answer is None or answer.get("code") == "unknown":
        return await sync_to_async(sending.insert)(frame)
    return sending.reply_of(answer, target)


async def _ask_elsewhere(frame: dict[str, Any], seconds: float) -> dict[str, Any] | None:
    """What the host of another process says; None if there is none."""
    path = await sync_to_async(_socket_of)(frame["target"])
    if path:
        said = {**frame, "wait": seconds} if seconds else frame
        with contextlib.suppress(HostGone):
            async with asyncio.timeout(seconds + ANSWER_TIMEOUT_SECONDS):
                return await _ask(path, said)
    return None


async def _ask(path: str, frame: dict[str, Any]) -> dict[str, Any]:
    writer: asyncio.StreamWriter | None = None
    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=MAX_FRAME_BYTES)
        writer.write(encode(frame))
        line = await reader.readline()
    except OSError as error:
        raise HostGone(f"{path}: {error}") from error
    finally:
        if writer is not None:
            writer.close()
    if not line.endswith(b"\n"):
        raise HostGone("the connection was closed")
    answer: dict[str, Any] = orjson.loads(line)
    return answer


def _socket_of(target: str) -> str:
    return sending.socket_of(sending.find_target(target, known_only=False))


def _as_frame(frame: dict[str, Any], wait_seconds: float | None) -> EventFrame:
    fields = {name: frame[name] for name in ("target", "type", "payload", "key")}
    return EventFrame(
        **fields,
        source=frame["source"],
        job_id=frame["job_id"],
        actor=frame["actor"],
        wait_seconds=wait_seconds,
    )
