"""Requests: what is sent, what is kept of the answer, which event is raised."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from machines.actions import registry
from machines.actions.base import Worked
from machines.actions.http import TYPES, http
from machines.actions.settings import SettingError
from machines.core.signatures import COMMON_KEYS
from tests.machines.action_fakes import work_call
from tests.machines.conftest import Runner
from tests.machines.web import HANG, Web, json_reply, reply, serving

PATIENCE_SECONDS = 20


@pytest.fixture(autouse=True)
def _http_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.BUILT_IN, "http", TYPES[0])


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    """A server, which answers /ok."""
    async with serving() as found:
        found.answers["/ok"] = reply(b"fine", content_type="text/plain")
        yield found


async def perform(
    settings: Mapping[str, Any],
    *,
    names: Mapping[str, Any] | None = None,
    printed: bytearray | None = None,
) -> Worked:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await http(work_call("http", settings, names=names, printed=printed))


# -- which event


@pytest.mark.parametrize(
    ("status", "settings", "event", "error"),
    [
        ("200 OK", {}, "success", ""),
        ("204 No Content", {"success": "told"}, "told", ""),
        ("404 Not Found", {}, None, "404 Not Found"),
        ("404 Not Found", {"error_mappings": {404: "missing"}}, "missing", "404 Not Found"),
        ("404 Not Found", {"error_mappings": {"4xx": "bad", "404": "missing"}}, "missing", "404"),
        ("410 Gone", {"error_mappings": {"4xx": "bad", "404": "missing"}}, "bad", "410 Gone"),
        ("500 Oops", {"error_mappings": {"4xx": "bad"}}, None, "500 Oops"),
        ("404 Not Found", {"expected_statuses": [200, 404]}, "success", ""),
        ("404 Not Found", {"expected_statuses": "4XX"}, "success", ""),
        ("404 No", {"expected_statuses": "4xx", "error_mappings": {404: "m"}}, "m", "404 No"),
        ("200 OK", {"expected_statuses": 201}, None, "200 OK"),
        ("302 Found", {}, None, "302 Found"),
    ],
)
async def test_a_status_says_which_event_is_raised(
    web: Web, status: str, settings: dict[str, Any], event: str | None, error: str
) -> None:
    web.answers["/"] = reply(status=status)

    worked = await perform({"url": web.origin, **settings})

    expected = f"GET {web.origin}: {error}" if error else ""
    assert worked.outcome.event == event
    assert worked.outcome.error.startswith(expected)
    assert bool(worked.outcome.error) == bool(error)


async def test_a_failure_leaves_status_and_answer_in_the_context_and_on_record(web: Web) -> None:
    web.answers["/"] = json_reply(b'{"why": "too young"}', "422 Unprocessable")
    printed = bytearray()

    worked = await perform({"url": web.origin, "store_as": "said"}, printed=printed)

    assert worked.outcome.changes == {
        "last_error_status": 422,
        "last_error_body": {"why": "too young"},
    }
    assert printed.decode() == (
        f'GET {web.origin}: 422 Unprocessable, 20 bytes\n{{"why": "too young"}}\n'
    )


# -- what is sent


async def test_a_request_is_sent_as_the_settings_say(web: Web) -> None:
    worked = await perform(
        {
            "url": web.origin + "/ok?a=1",
            "method": "post",
            "headers": {"X-Number": 5, "Authorization": "Bearer k", "X-None": None},
            "query": {"q": "a&b c", "list": [1, True], "none": None},
            "json": {"name": "it's ☃", "none": None},
        }
    )

    assert worked.outcome.event == "success"
    head, _blank, body = web.asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /ok?a=1&q=a%26b+c&list=1&list=true HTTP/1.1\r\n")
    assert web.header("x-number") == "5"
    assert web.header("authorization") == "Bearer k"
    assert web.header("x-none") is None
    assert web.header("content-type") == "application/json"
    assert web.header("host") == f"127.0.0.1:{web.port}"
    assert body.decode() == '{"name": "it\'s ☃", "none": null}'


@pytest.mark.parametrize(
    ("settings", "body"),
    [
        ({"body": "plain ☃"}, "plain ☃"),
        ({"json": None}, "null"),
        ({"json": "text"}, '"text"'),
        ({"body": None}, ""),
        ({}, ""),
    ],
)
async def test_a_body_is_sent_as_it_is_or_as_json(
    web: Web, settings: dict[str, Any], body: str
) -> None:
    await perform({"url": web.origin + "/ok", "method": "PUT", **settings})

    assert web.asked[0].partition(b"\r\n\r\n")[2].decode() == body


async def test_credentials_in_a_url_are_sent_and_never_shown(web: Web) -> None:
    web.answers["/"] = reply(status="403 Forbidden")
    url = web.origin.replace("//", "//bob:hunter2@")

    worked = await perform({"url": url + "?key=hunter2"})

    assert web.header("authorization") == "Basic Ym9iOmh1bnRlcjI="
    assert worked.outcome.error == f"GET {web.origin}: 403 Forbidden"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": None}, "the setting 'url' is missing"),
        ({"url": 5}, "the setting 'url' is 5; it must be a text"),
        ({"url": "ftp://host/"}, "the setting 'url' is 'ftp://host/'; filled in, it must be a URL"),
        ({"url": "/path"}, "filled in, it must be a URL such as https://example.com/path"),
        ({"url": "http://u:hunter2:x@h:y/"}, "the setting 'url' is 'http://h:y/'"),
        ({"method": "STEAL"}, "the setting 'method' is 'STEAL'; it may be GET, HEAD"),
        ({"json": 1, "body": "a"}, "both 'json' and 'body' are given; give one of them"),
        ({"headers": {"A b": "c"}}, "headers: 'A b' is no name of a header"),
        ({"headers": {"A": "hunter2\r\nB: c"}}, "headers: the value of A has a line break"),
        ({"headers": {"Content-Length": "5"}}, "headers: Content-Length is set by the engine"),
        ({"timeout": 0}, "the setting 'timeout' is 0; it must be more than 0 seconds"),
        ({"max_bytes": 10**6}, "the setting 'max_bytes' is 1000000; it must be 1 to 262144"),
        ({"parse": "xml"}, "the setting 'parse' is 'xml'; it may be json or text"),
        ({"expected_statuses": ["ok"]}, "'ok' is no status; write one such as 404, or 4xx"),
        ({"error_mappings": {"never": "a"}}, "'never' is no status"),
    ],
)
async def test_a_wrong_setting_is_named_without_what_may_be_secret(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingError) as raised:
        await perform({"url": "http://127.0.0.1:1/", **settings})

    assert str(raised.value).startswith("http: ")
    assert message in str(raised.value)
    assert "hunter2" not in str(raised.value)


# -- what is kept


@pytest.mark.parametrize(
    ("answer", "settings", "value"),
    [
        (json_reply(b'{"n": [1]}'), {}, {"n": [1]}),
        (reply(b'{"n": 1}', content_type="application/problem+json"), {}, {"n": 1}),
        (reply(b'{"n": 1}', content_type="text/plain"), {}, '{"n": 1}'),
        (reply(b'{"n": 1}'), {"parse": "json"}, {"n": 1}),
        (json_reply(b'{"n": 1}'), {"parse": "text"}, '{"n": 1}'),
        (json_reply(b""), {}, ""),
        (reply("ä".encode("latin-1"), content_type="text/plain; charset=latin-1"), {}, "ä"),
        (reply(b"a\xff\0b", content_type="text/plain; charset=nonsense"), {}, "a\ufffd\ufffdb"),
        (reply(gzip.compress(b"small", mtime=0), content_encoding="gzip"), {}, "small"),
        (
            reply(
                gzip.compress(b"a", mtime=0) + gzip.compress(b"b", mtime=0), content_encoding="gzip"
            ),
            {},
            "ab",
        ),
        (reply(zlib.compress(b"small"), content_encoding="deflate"), {}, "small"),
        (reply(b"x" * 262_144), {}, "x" * 262_144),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", {}, "until the end"),
    ],
)
async def test_store_as_keeps_the_body(
    web: Web, answer: bytes, settings: dict[str, Any], value: Any
) -> None:
    web.answers["/"] = answer

    worked = await perform({"url": web.origin, "store_as": "said", **settings})

    assert worked.outcome.error == ""
    assert worked.outcome.changes == {"said": value}


async def test_status_and_headers_are_kept_where_the_file_says(web: Web) -> None:
    web.answers["/"] = reply(status="201 Created", location="/jobs/5", content_length="0")

    worked = await perform({"url": web.origin, "status_as": "status", "headers_as": "headers"})

    assert worked.outcome.changes == {
        "status": 201,
        "headers": {"content-length": "0", "location": "/jobs/5"},
    }


BOMB = gzip.compress(bytes(50 << 20), mtime=0)  # the same name of a test in every process


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (json_reply(b"nonsense"), "its answer is not JSON: "),
        (json_reply(b"NaN"), "its answer is not JSON: "),
        (reply(b"x" * 262_145), "its answer is more than 262,144 bytes, too much for store_as"),
        (reply(BOMB, content_encoding="gzip"), "its answer is more than 262,144 bytes"),
        (reply(BOMB[:20], content_encoding="gzip"), "the answer cannot be unpacked: it ends too"),
        (reply(b"no gzip", content_encoding="gzip"), "the answer cannot be unpacked: Error -3"),
        (reply(b"x", content_encoding="br"), "the answer is packed with 'br'; gzip was asked for"),
        (b"SSH-2.0-OpenSSH\r\n", "the connection broke: "),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", "the connection broke: peer closed"),
    ],
)
async def test_an_answer_that_cannot_be_kept_is_an_error(
    web: Web, answer: bytes, error: str
) -> None:
    web.answers["/"] = answer

    worked = await perform({"url": web.origin, "store_as": "said"})

    assert worked.outcome.event is None
    assert worked.outcome.error.startswith(f"GET {web.origin}: {error}")
    assert "said" not in worked.outcome.changes


async def test_what_is_not_stored_may_be_of_any_size(web: Web) -> None:
    web.answers["/"] = reply(b"x" * 3_000_000)

    worked = await perform({"url": web.origin})

    assert worked.outcome.event == "success"


# -- when no answer comes


async def test_a_server_that_hangs_is_left_when_the_time_is_over(web: Web) -> None:
    web.answers["/"] = HANG

    worked = await perform({"url": web.origin, "timeout": "200ms"})

    assert worked.outcome.error == f"GET {web.origin}: timed out after 0.2 s"
    assert worked.outcome.changes == {"last_error_status": None, "last_error_body": None}
    async with asyncio.timeout(PATIENCE_SECONDS):
        await web.left.wait()


async def test_a_body_that_hangs_counts_against_the_same_time(web: Web) -> None:
    web.answers["/"] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"
    web.holds = True

    worked = await perform({"url": web.origin, "timeout": 0.2})

    assert worked.outcome.error == f"GET {web.origin}: timed out after 0.2 s"


async def test_a_refused_connection_is_an_error_that_says_so() -> None:
    async with serving() as gone:
        origin = gone.origin

    worked = await perform({"url": origin})

    assert worked.outcome.error == f"GET {origin}: could not connect: Connection refused"


async def test_a_cancelled_request_closes_its_connection_at_once(web: Web) -> None:
    web.answers["/"] = HANG
    request = asyncio.ensure_future(perform({"url": web.origin}))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await web.reached.wait()

        request.cancel()

        [ended] = await asyncio.gather(request, return_exceptions=True)
        await web.left.wait()
    assert isinstance(ended, asyncio.CancelledError)


# -- in a machine

ASK = """
initial_state: asking
context: {word: "a&b"}
actions:
  asking:
    - type: http
      method: POST
      url: %s/{word}
      json: {word: "{word}", none: "{unknown}"}
      store_as: said
      error_mappings: {404: missing}
transitions:
  - {from: asking, to: done, event: success}
  - {from: asking, to: lost, event: missing}
"""


async def test_a_machine_goes_on_with_what_a_server_says(run: Runner, web: Web) -> None:
    web.answers["/a%26b"] = json_reply(b'{"n": 1}')

    async with run(ASK % web.origin) as machine:
        row = await machine.reaches("done")

        assert row.context["said"] == {"n": 1}
        assert web.asked[0].endswith(b'{"word": "a&b", "none": null}')
        [done] = await machine.runs()
        assert done.output == f"POST {web.origin}/{{word}}: 200 OK, 8 bytes\n"


async def test_a_machine_knows_why_a_server_refused(run: Runner, web: Web) -> None:
    web.answers["/a%26b"] = reply(b"never heard of it", "404 Not Found")

    async with run(ASK % web.origin) as machine:
        row = await machine.reaches("lost")

        assert row.context["last_error"] == f"POST {web.origin}/{{word}}: 404 Not Found"
        assert row.context["last_error_action"] == "http"
        assert row.context["last_error_status"] == 404
        assert row.context["last_error_body"] == "never heard of it"


def test_its_settings_are_none_that_every_action_has() -> None:
    [found] = TYPES

    assert found.signature is not None
    # Of these only `timeout` is the type's own to read; `params` would be flattened away.
    names = {setting.name for setting in found.signature.settings}
    assert names & set(COMMON_KEYS) == {"timeout"}
