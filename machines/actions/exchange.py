"""One request over HTTP and its answer: to checked addresses only, never read beyond a bound."""

import functools
import os
import socket
import ssl
import zlib
from dataclasses import dataclass

import httpx

from machines.actions.addresses import Allowed, public_addresses
from machines.core.errors import MachineError

MAX_REDIRECTS = 10
# Another host than the one that was asked gets these of the file's headers and no others.
_HARMLESS_HEADERS = frozenset(
    {
        "accept", "accept-encoding", "accept-language", "content-length", "content-type", "host",
        "transfer-encoding", "user-agent",
    }
)  # fmt: skip
_PORTS = {"http": 80, "https": 443}


class ExchangeError(MachineError):
    """A request to which no answer came."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; ``whole``: its body is not longer than what was read of it."""

    status: int
    reason: str
    headers: httpx.Headers
    charset: str
    body: bytes
    whole: bool


async def exchange(
    request: httpx.Request, *, trusted: bool, allowed: Allowed, follow: bool, max_bytes: int
) -> Answer:
    """Send ``request`` and read its answer, at most ``max_bytes`` of it after unpacking.

    ``trusted``: its host may be private; that of a redirect may not, unless ``allowed``.
    ``follow``: go where a redirect leads. Raises ExchangeError or HostError.
    """
    transport = _Transport(request.url if trusted else None, allowed)
    async with httpx.AsyncClient(transport=transport, timeout=None) as client:  # noqa: S113 - the caller's
        try:
            for _hop in range(MAX_REDIRECTS + 1):
                response = await client.send(request, stream=True)
                try:
                    following = response.next_request if follow else None
                    if following is None:
                        return await _read(response, max_bytes)
                finally:
                    await response.aclose()
                request = _forwarded(request, following)
        except (httpx.HTTPError, httpx.InvalidURL, zlib.error) as error:
            raise ExchangeError(_why(error)) from None
    raise ExchangeError(f"more than {MAX_REDIRECTS} redirects")


class _Transport(httpx.AsyncBaseTransport):
    """Connects to the addresses that were checked, whatever their name says a moment later."""

    def __init__(self, trusted: httpx.URL | None, allowed: Allowed) -> None:
        self._trusted = trusted
        self._allowed = allowed
        self._inner = httpx.AsyncHTTPTransport(verify=_tls())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx."""
        url = request.url
        if url.scheme not in _PORTS:
            raise ExchangeError(f"a redirect leads to {url.scheme!r}, which is not HTTP")
        if self._trusted is not None and _same_site(self._trusted, url):
            return await self._inner.handle_async_request(request)
        host = url.raw_host.decode("ascii")
        failed: httpx.ConnectError | None = None
        for address in await public_addresses(host, _port(url), self._allowed):
            try:
                return await self._inner.handle_async_request(_pinned(request, host, address))
            except httpx.ConnectError as error:
                failed = error
        raise failed or httpx.ConnectError("it has no address")

    async def aclose(self) -> None:
        """See httpx."""
        await self._inner.aclose()


def _pinned(request: httpx.Request, host: str, address: str) -> httpx.Request:
    """The same request to an address; certificate and ``Host`` stay those of the name."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers.raw,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host},
    )


def _forwarded(before: httpx.Request, following: httpx.Request) -> httpx.Request:
    if not _same_site(before.url, following.url):
        for name in following.headers.keys() - _HARMLESS_HEADERS:
            del following.headers[name]
    return following


def _same_site(one: httpx.URL, other: httpx.URL) -> bool:
    """True if both have one host and port, or are the one of HTTP and the one of HTTPS."""
    if one.raw_host != other.raw_host:
        return False
    if one.scheme == other.scheme:
        return _port(one) == _port(other)
    return (_port(one), _port(other)) == (_PORTS["http"], _PORTS["https"])


def _port(url: httpx.URL) -> int:
    return url.port or _PORTS.get(url.scheme, 0)


@functools.cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


async def _read(response: httpx.Response, max_bytes: int) -> Answer:
    unpacked = _unpacker(response.headers.get("content-encoding", ""))
    body = bytearray()
    async for piece in response.aiter_raw():
        body += unpacked.feed(piece, max_bytes + 1 - len(body))
        if len(body) > max_bytes:
            break
    else:
        unpacked.end()
    return Answer(
        response.status_code,
        response.reason_phrase,
        response.headers,
        response.charset_encoding or "utf-8",
        bytes(body[:max_bytes]),
        len(body) <= max_bytes,
    )


class _Plain:
    """A body that is not packed."""

    def feed(self, piece: bytes, room: int) -> bytes:
        """The next bytes, at most ``room``."""
        return piece[:room]

    def end(self) -> None:
        """Nothing more comes."""


class _Packed(_Plain):
    """A body in gzip or zlib: a little of it may be very much, so ``room`` bounds each step."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # either header
        self._begun = False

    def feed(self, piece: bytes, room: int) -> bytes:
        self._begun = self._begun or bool(piece)
        found = b""
        while piece and len(found) < room:
            if self._stream.eof:  # a file of gzip may have several members
                self._stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
            found += self._stream.decompress(piece, room - len(found))
            piece = self._stream.unused_data
        return found

    def end(self) -> None:
        if self._begun and not self._stream.eof:
            raise zlib.error("it ends too early")


def _unpacker(encoding: str) -> _Plain:
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return _Plain()
    if name in ("gzip", "x-gzip", "deflate"):
        return _Packed()
    raise ExchangeError(f"the answer is packed with {encoding!r:.40}; gzip was asked for")


def _why(error: Exception) -> str:
    """For a person, and without anything of what was sent."""
    if isinstance(error, httpx.ConnectError):
        return f"could not connect: {_reason(error)}"
    if isinstance(error, httpx.LocalProtocolError):
        return "the request is not what HTTP allows; look at its headers"
    if isinstance(error, httpx.InvalidURL):
        return "a redirect leads to what is no URL"
    if isinstance(error, zlib.error):
        return f"the answer cannot be unpacked: {error}"
    return f"the connection broke: {_reason(error)}"


def _reason(error: BaseException) -> str:
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, BaseExceptionGroup):
            found = found.exceptions[0]
        if isinstance(found, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {found.verify_message}"
        if isinstance(found, socket.gaierror):
            return str(found.strerror)
        if isinstance(found, OSError) and found.errno is not None:
            return os.strerror(found.errno)
        found = found.__cause__ or found.__context__
    return f"{error!s:.200}" or type(error).__name__
