"""Where a request may go: redirects, private hosts, names that answer differently."""

import asyncio
import datetime
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from machines.actions import exchange
from machines.actions.base import Worked
from machines.actions.http import http
from tests.machines.action_fakes import work_call
from tests.machines.web import Web, reply, serving

PATIENCE_SECONDS = 20
LOOPBACK = ["127.0.0.0/8", "::1"]


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    """A server, which answers /ok."""
    async with serving() as found:
        found.answers["/ok"] = reply(b"fine")
        yield found


async def perform(settings: Mapping[str, Any], **names: Any) -> Worked:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await http(work_call("http", settings, names=names))


def moved(location: str, status: str = "302 Found") -> bytes:
    return reply(status=status, location=location)


# -- hosts that a value names


async def test_a_value_may_not_name_a_private_host(web: Web) -> None:
    worked = await perform({"url": "{base}/ok"}, base=web.origin)

    assert worked.outcome.error == (
        "GET {base}/ok: 127.0.0.1 is a private host, and a value may not name one; write the host"
        " itself into the file, or allow it with SM_HTTP_ALLOW_PRIVATE=127.0.0.1"
    )
    assert web.asked == []


async def test_a_value_may_name_a_private_host_that_is_allowed(web: Web, settings: Any) -> None:
    settings.SM_HTTP_ALLOW_PRIVATE = LOOPBACK

    worked = await perform({"url": "http://{host}:{port}/ok"}, host="localhost", port=web.port)

    assert worked.outcome.event == "success"
    assert web.header("host") == f"localhost:{web.port}"


async def test_a_name_is_looked_up_once_and_the_address_found_is_connected_to(
    web: Web, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SM_HTTP_ALLOW_PRIVATE = ["127.0.0.1"]
    asked = []

    def answers_differently(host: str, port: int, *_rest: Any, **_more: Any) -> list[Any]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", answers_differently)

    worked = await perform({"url": "http://{host}:{port}/ok"}, host="two.example", port=web.port)

    assert worked.outcome.event == "success"
    assert asked == ["two.example"]
    assert web.header("host") == f"two.example:{web.port}"


# -- redirects


async def test_a_redirect_is_followed_if_the_file_says_so(web: Web) -> None:
    web.answers["/"] = moved("/ok")

    followed = await perform({"url": web.origin, "follow_redirects": True, "store_as": "said"})
    stayed = await perform({"url": web.origin})

    assert followed.outcome.changes == {"said": "fine"}
    assert stayed.outcome.error == (
        f"GET {web.origin}: 302 Found; with follow_redirects: true it is followed"
    )


@pytest.mark.parametrize(
    ("status", "again"), [("303 See Other", b"GET /ok "), ("307 Temporary", b"POST /ok ")]
)
async def test_a_redirect_says_whether_the_body_is_sent_again(
    web: Web, status: str, again: bytes
) -> None:
    web.answers["/"] = moved("/ok", status)

    await perform({"url": web.origin, "method": "POST", "body": "text", "follow_redirects": True})

    assert web.asked[1].startswith(again)
    assert web.asked[1].endswith(b"text") == again.startswith(b"POST")


@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:{other}/ok", "http://localhost:{other}/ok", "//0x7f.1:{other}/ok"]
)
async def test_a_redirect_may_not_lead_to_a_private_host(web: Web, place: str) -> None:
    async with serving() as other:
        web.answers["/"] = moved(place.format(other=other.port))

        worked = await perform({"url": web.origin, "follow_redirects": True})

        assert "is a private host, and a value may not name one" in worked.outcome.error
        assert other.asked == []


async def test_another_host_gets_none_of_the_secrets(web: Web, settings: Any) -> None:
    settings.SM_HTTP_ALLOW_PRIVATE = LOOPBACK
    secrets = {"X-Api-Key": "k", "Authorization": "Bearer k", "Cookie": "k=k", "Accept": "a/b"}
    async with serving() as other:
        other.answers["/ok"] = reply()
        web.answers["/"] = moved(other.origin + "/ok")
        web.answers["/same"] = moved("/ok")
        orders = {"headers": secrets, "follow_redirects": True}

        await perform({"url": web.origin, **orders})
        await perform({"url": web.origin + "/same", **orders})

        assert [other.header(name.lower()) for name in secrets] == [None, None, None, "a/b"]
        assert web.header("x-api-key") == "k"


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("/", "more than 10 redirects"),
        ("ftp://127.0.0.1/", "a redirect leads to 'ftp', which is not HTTP"),
        ("http://host:port/", "the connection broke: Invalid URL in location header"),
    ],
)
async def test_a_redirect_that_leads_nowhere_is_an_error(
    web: Web, location: str, error: str
) -> None:
    web.answers["/"] = moved(location)

    worked = await perform({"url": web.origin, "follow_redirects": True})

    assert worked.outcome.error.startswith(f"GET {web.origin}: {error}")


# -- connections that cannot be


async def test_a_refused_connection_is_an_error_also_when_the_address_was_checked(
    settings: Any,
) -> None:
    settings.SM_HTTP_ALLOW_PRIVATE = ["*"]
    async with serving() as gone:
        origin = gone.origin

    worked = await perform({"url": "{base}"}, base=origin)

    assert worked.outcome.error == "GET {base}: could not connect: Connection refused"


async def test_a_host_that_is_not_there_is_named() -> None:
    literal = await perform({"url": "http://no-such-host.invalid/"})
    filled = await perform({"url": "http://{host}/"}, host="no-such-host.invalid")

    assert "could not connect: " in literal.outcome.error
    assert "there is no host 'no-such-host.invalid': " in filled.outcome.error


# -- TLS


def certificate(folder: Path, name: str) -> Path:
    """A certificate for ``name`` that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    day = datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """The certificate of localhost, which is trusted while the test runs."""
    path = certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    exchange._tls.cache_clear()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    yield context
    exchange._tls.cache_clear()


async def test_the_certificate_is_that_of_the_name_though_the_address_is_connected_to(
    tls: ssl.SSLContext, settings: Any
) -> None:
    settings.SM_HTTP_ALLOW_PRIVATE = LOOPBACK
    async with serving(tls) as web:
        web.answers["/ok"] = reply()

        right = await perform({"url": "https://{host}:{port}/ok"}, host="localhost", port=web.port)
        wrong = await perform({"url": "https://{host}:{port}/ok"}, host="127.0.0.1", port=web.port)

    assert right.outcome.event == "success"
    assert "could not connect: its certificate is not trusted: " in wrong.outcome.error
