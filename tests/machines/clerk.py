"""Both ends of a control socket, as tests use them: who answers frames, and who sends them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from machines.core.protocol import MAX_FRAME_BYTES, ControlFrame, EventFrame
from machines.runtime.control import Answer, ControlServer

PATIENCE_SECONDS = 20


class Clerk:
    """Takes the frames of a control socket; answers them at once, or when it is told to."""

    def __init__(self) -> None:
        self.server = ControlServer(self._serve)
        self.frames: list[EventFrame | ControlFrame] = []
        self.held: list[Answer] = []
        self.holds = False
        self.said: dict[str, Any] = {}
        self._arrived: asyncio.Queue[None] = asyncio.Queue()

    def _serve(self, frame: EventFrame | ControlFrame, answer: Answer) -> None:
        self.frames.append(frame)
        self._arrived.put_nowait(None)
        if self.holds:
            self.held.append(answer)
        else:
            answer(self._numbered(len(self.frames)))

    async def has_got(self, count: int) -> None:
        """Wait until so many more frames have arrived."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            for _ in range(count):
                await self._arrived.get()

    def answers(self, *numbers: int) -> None:
        """Answer frames that were held back; they count from 1."""
        for number in numbers:
            self.held[number - 1](self._numbered(number))

    def _numbered(self, number: int) -> dict[str, Any]:
        return {"ok": True, "number": number, **self.said}


class Client:
    """One end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    def puts(self, *frames: dict[str, Any]) -> None:
        """Send frames in one piece."""
        self.writer.write(b"".join(orjson.dumps(frame) + b"\n" for frame in frames))

    async def hears(self) -> dict[str, Any]:
        """The next answer."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            found: dict[str, Any] = orjson.loads(await self._reader.readline())
            return found

    async def numbers(self, count: int) -> list[int]:
        """The numbers of the next answers."""
        return [(await self.hears())["number"] for _ in range(count)]

    async def is_hung_up_on(self) -> bool:
        """True if nothing more comes: the server has closed the connection."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                return await self._reader.read() == b""
            except ConnectionError:  # it closed before it had read all that was sent
                return True


@asynccontextmanager
async def connected(path: Path) -> AsyncIterator[Client]:
    """A client of the socket at ``path``."""
    reader, writer = await asyncio.open_unix_connection(path, limit=MAX_FRAME_BYTES)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
