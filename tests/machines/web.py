"""A server on this computer that answers as a test says, byte by byte."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

HANG = b""  # an answer that never comes


@dataclass
class Web:
    """``answers``: what a path is answered with; ``asked``: the requests that came, as sent."""

    port: int = 0
    answers: dict[str, bytes] = field(default_factory=dict)
    asked: list[bytes] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    holds: bool = False  # keep a connection open after the answer

    @property
    def origin(self) -> str:
        """The beginning of its URLs."""
        return f"http://127.0.0.1:{self.port}"

    def header(self, name: str, asked: int = -1) -> str | None:
        """A header of one of the requests, the last if none is named."""
        for line in self.asked[asked].partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
            key, _colon, value = line.decode().partition(": ")
            if key.lower() == name:
                return value
        return None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request of a connection."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._answer(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head)
        length = int(self.header("content-length") or 0)
        self.asked[-1] = head + await reader.readexactly(length)
        answer = self.answers[head.split(b" ", 2)[1].decode().partition("?")[0]]
        self.reached.set()
        writer.write(answer)
        await writer.drain()
        if answer == HANG or self.holds:
            await reader.read()
            self.left.set()


def reply(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """An answer; ``content_type`` becomes ``content-type``."""
    fields = {"content-length": str(len(body)), **headers}
    lines = (f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{''.join(lines)}\r\n".encode() + body


def json_reply(body: bytes, status: str = "200 OK") -> bytes:
    """An answer in JSON."""
    return reply(body, status, content_type="application/json; charset=utf-8")


@contextlib.asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Web]:
    """A server while the block runs; afterwards its connections have ended, too."""
    web = Web()
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        await web.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    web.port = server.sockets[0].getsockname()[1]
    try:
        yield web
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.gather(*connections)
