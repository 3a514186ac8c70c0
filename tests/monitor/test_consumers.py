import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import Client

from machines.models import Machine
from monitor import consumers
from monitor.feed import feed
from smproject.asgi import application
from tests.monitor.conftest import TakeStep

pytestmark = pytest.mark.django_db(transaction=True)

HOST = b"127.0.0.1:8000"
ORIGIN = b"http://127.0.0.1:8000"
SECONDS = 10.0  # to wait for a message, at most

Open = Callable[..., WebsocketCommunicator]


@pytest.fixture
def cookie(viewer: User, client: Client) -> bytes:
    """What the browser of somebody who is logged in sends."""
    client.force_login(viewer)
    return f"sessionid={client.cookies['sessionid'].value}".encode()


@pytest.fixture
async def open_socket(cookie: bytes) -> AsyncIterator[Open]:
    """Opens WebSockets as a logged-in browser does; all are closed in the end."""
    opened: list[WebsocketCommunicator] = []

    def open_socket(path: str, **headers: bytes) -> WebsocketCommunicator:
        sent = {"host": HOST, "origin": ORIGIN, "cookie": cookie} | headers
        named = [(name.encode(), value) for name, value in sent.items()]
        opened.append(WebsocketCommunicator(application, path, headers=named))
        return opened[-1]

    yield open_socket
    for socket in opened:
        await socket.disconnect()
    await feed.stop()


async def messages_until(
    socket: WebsocketCommunicator, last: Callable[[dict[str, Any]], bool]
) -> list[dict[str, Any]]:
    """All messages up to and with the first for which ``last`` is true; pings are answered."""
    found: list[dict[str, Any]] = []
    while not found or not last(found[-1]):
        found.append(orjson.loads(await socket.receive_from(timeout=SECONDS)))
        if found[-1]["type"] == "ping":
            await socket.send_to('{"type": "pong"}')
    return found


async def closed_with(socket: WebsocketCommunicator) -> int:
    """The code with which the server closes, whatever it says before."""
    while (output := await socket.receive_output(SECONDS))["type"] != "websocket.close":
        pass
    code: int = output["code"]
    return code


def is_step(seq: int) -> Callable[[dict[str, Any]], bool]:
    return lambda message: message["type"] == "state_change" and message["seq"] == seq


async def test_feed_begins_with_where_all_machines_stand(
    open_socket: Open, kitchen: Machine, take_step: TakeStep
) -> None:
    await sync_to_async(take_step)(kitchen, "cooking")
    socket = open_socket("/ws/events")
    await socket.connect(SECONDS)

    first = (await messages_until(socket, lambda _: True))[0]

    assert first["type"] == "initial"
    assert [(m["machine"], m["state"], m["seq"]) for m in first["machines"]] == [
        ("kitchen", "cooking", 1)
    ]
    assert first["jobs"]["pending"] == 0


async def test_feed_of_a_machine_begins_with_its_context(
    open_socket: Open, kitchen: Machine
) -> None:
    await Machine.objects.aupdate(context={"eggs": 2})
    socket = open_socket("/ws/machines/kitchen")
    await socket.connect(SECONDS)

    first = (await messages_until(socket, lambda _: True))[0]

    assert first["machines"][0]["context"] == {"eggs": 2}


@pytest.mark.parametrize("path", ["/ws/events", "/ws/machines/kitchen"])
async def test_feed_goes_on_with_every_step_in_order(
    open_socket: Open, kitchen: Machine, take_step: TakeStep, path: str
) -> None:
    await sync_to_async(take_step)(kitchen, "cooking")
    socket = open_socket(path)
    await socket.connect(SECONDS)
    begun = await messages_until(socket, lambda m: m["type"] == "initial")
    for number in range(50):
        await sync_to_async(take_step)(kitchen, ("waiting", "cooking")[number % 2])

    found = await messages_until(socket, is_step(51))

    known = begun[-1]["machines"][0]["seq"]
    steps = [m["seq"] for m in found if m["type"] == "state_change"]
    assert known == 1
    # A feed that was told to begin anew has the first of them in its second snapshot.
    again = [m["machines"][0]["seq"] for m in found if m["type"] == "initial"]
    assert steps == list(range((again[-1] if again else known) + 1, 52))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": b"http://evil.example"},
        {"origin": b"http://127.0.0.1:9000"},
        {"origin": b"https://127.0.0.1:8000"},
        {"origin": b""},
        {"host": b"evil.example", "origin": b"http://evil.example"},
    ],
)
async def test_other_origins_are_refused(open_socket: Open, headers: dict[str, bytes]) -> None:
    socket = open_socket("/ws/events", **headers)

    accepted, _code = await socket.connect(SECONDS)

    assert not accepted


async def test_feed_is_refused_without_login(open_socket: Open) -> None:
    socket = open_socket("/ws/events", cookie=b"")

    accepted, code = await socket.connect(SECONDS)

    assert (accepted, code) == (False, consumers.LOGIN_NEEDED)


async def test_feed_of_an_unknown_machine_says_so_and_ends(open_socket: Open) -> None:
    socket = open_socket("/ws/machines/nobody")
    await socket.connect(SECONDS)

    first = (await messages_until(socket, lambda _: True))[0]

    assert first == {"type": "error", "message": "no machine named 'nobody'"}
    assert await closed_with(socket) == consumers.UNKNOWN_MACHINE


async def test_browser_that_does_not_answer_is_dropped(
    open_socket: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "PING_SECONDS", 0.05)
    monkeypatch.setattr(consumers, "ANSWER_SECONDS", 0.5)
    socket = open_socket("/ws/events")
    await socket.connect(SECONDS)

    code = await closed_with(socket)

    assert code == consumers.TOO_SLOW
    await socket.wait(SECONDS)
    assert len(feed.hub) == 0


async def test_browser_that_logs_out_is_dropped(
    open_socket: Open, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "PING_SECONDS", 0.05)
    monkeypatch.setattr(consumers, "LOGIN_SECONDS", 0.0)
    socket = open_socket("/ws/events")
    await socket.connect(SECONDS)
    await messages_until(socket, lambda m: m["type"] == "ping")

    await sync_to_async(client.logout)()

    async with asyncio.timeout(SECONDS):
        while (output := await socket.receive_output(SECONDS))["type"] != "websocket.close":
            await socket.send_to('{"type": "pong"}')
    assert output["code"] == consumers.LOGIN_NEEDED


@pytest.mark.parametrize("text", ["{", "3", "[]", '{"type": "dance"}'])
async def test_feed_says_what_it_understands(open_socket: Open, text: str) -> None:
    socket = open_socket("/ws/events")
    await socket.connect(SECONDS)
    await socket.send_to(text)

    found = await messages_until(socket, lambda m: m["type"] == "error")

    assert "pong" in found[-1]["message"]


async def test_answer_that_is_too_long_ends_the_feed(open_socket: Open) -> None:
    socket = open_socket("/ws/events")
    await socket.connect(SECONDS)
    await socket.send_to("x" * (consumers.MAX_ANSWER_LENGTH + 1))

    assert await closed_with(socket) == consumers.TOO_LONG
