"""The WebSockets: a snapshot first, then every change in order, for as long as both sides live.

Servers buffer what a browser does not read, so the browser answers pings: one after every
``WINDOW`` frames and one in every quiet while. One that does not answer is dropped, never
waited for.
"""

import asyncio
from typing import Any

import orjson
from channels.db import database_sync_to_async
from django.utils import timezone

from monitor import reading
from monitor.feed import feed, start_feed
from monitor.hub import Frame, Listener
from monitor.messages import Message, encode, error
from monitor.security import is_logged_in

WINDOW = 256  # frames between two pings
PING_SECONDS = 20.0  # of quiet
ANSWER_SECONDS = 15.0  # in which a browser must answer a ping
LOGIN_SECONDS = 30.0  # after which the login is checked again
MAX_ANSWER_LENGTH = 1_024  # characters; a browser sends nothing but answers to pings

LOGIN_NEEDED, TOO_SLOW, UNKNOWN_MACHINE, TOO_LONG = 4401, 4408, 4404, 1009


class FeedConsumer:
    """One browser that follows all machines, or the one that the address names."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one connection until the browser leaves, or has to."""
        await receive()  # websocket.connect
        if not scope["user"].is_authenticated:
            await send({"type": "websocket.close", "code": LOGIN_NEEDED})
            return
        await send({"type": "websocket.accept"})
        machine = scope["url_route"]["kwargs"].get("name")
        # Join before reading: a step in between is then sent twice, never missed.
        with feed.hub.join(machine) as listener:
            await _Conversation(scope, receive, send, listener).hold()


class _Conversation:
    def __init__(self, scope: dict[str, Any], receive: Any, send: Any, listener: Listener) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._listener = listener
        self._seqs: dict[str, int] = {}
        self._answered = asyncio.Event()
        self._checked_at = asyncio.get_running_loop().time()

    async def hold(self) -> None:
        """Talk and listen; whichever ends first ends the other."""
        async with asyncio.TaskGroup() as group:
            talking = group.create_task(self._talk())
            listening = group.create_task(self._listen())
            talking.add_done_callback(lambda _: listening.cancel())
            listening.add_done_callback(lambda _: talking.cancel())

    async def _listen(self) -> None:
        while (message := await self._receive())["type"] != "websocket.disconnect":
            text = message.get("text") or ""
            if len(text) > MAX_ANSWER_LENGTH:
                await self._close(TOO_LONG)
                return
            try:
                kind = orjson.loads(text)["type"]
            except (ValueError, TypeError, KeyError):
                kind = ""
            await self._on(kind)

    async def _on(self, kind: str) -> None:
        if kind == "pong":
            self._answered.set()
        else:
            await self._tell(error('this feed understands {"type": "pong"} only'))

    async def _talk(self) -> None:
        code = await self._say_all()
        await self._close(code)

    async def _say_all(self) -> int:
        try:
            if not await self._say_where_all_stands():
                return UNKNOWN_MACHINE
            while await self._still_logged_in():
                await self._say_what_is_new()
        except TimeoutError:
            return TOO_SLOW
        return LOGIN_NEEDED

    async def _say_where_all_stands(self) -> bool:
        name = self._listener.machine
        snapshot = await database_sync_to_async(reading.snapshot)(name, timezone.now())
        if snapshot is None:
            await self._tell(error(f"no machine named {name!r}"))
            return False
        self._seqs = {each["machine"]: each["seq"] for each in snapshot["machines"]}
        await self._tell(snapshot)
        return True

    async def _say_what_is_new(self) -> None:
        """Say a window of frames, or what comes in a while. Raise TimeoutError if none arrives."""
        said = 0
        quiet_at = asyncio.get_running_loop().time() + PING_SECONDS
        while said < WINDOW and (frames := await self._frames_until(quiet_at)) != []:
            said += 1 if frames is None else len(frames)
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._pass_on(frames)
        await self._ping()

    async def _frames_until(self, quiet_at: float) -> list[Frame] | None:
        try:
            async with asyncio.timeout_at(quiet_at):
                return await self._listener.take()
        except TimeoutError:
            return []

    async def _pass_on(self, frames: list[Frame] | None) -> None:
        if frames is None:  # too many came at once: from a new snapshot on it is right again
            await self._say_where_all_stands()
            return
        for frame in frames:
            if frame.seq is None or frame.seq > self._seqs.get(frame.machine, 0):
                await self._send({"type": "websocket.send", "text": frame.text})

    async def _ping(self) -> None:
        start_feed()  # in case it has ended: nobody else would notice
        self._answered.clear()
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._tell({"type": "ping", "now": timezone.now().isoformat()})
            await self._answered.wait()

    async def _still_logged_in(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self._checked_at < LOGIN_SECONDS:
            return True
        self._checked_at = now
        return await is_logged_in(self._scope)

    async def _tell(self, message: Message) -> None:
        await self._send({"type": "websocket.send", "text": encode(message)})

    async def _close(self, code: int) -> None:
        await self._send({"type": "websocket.close", "code": code})
