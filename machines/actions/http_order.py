"""What an ``http`` action asks for: its settings, checked before anything is sent."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from machines.actions.base import WorkCall
from machines.actions.http import (
    DEFAULT_TIMEOUT_SECONDS,
    FORMATS,
    MAX_ANSWER_BYTES,
    METHODS,
)
from machines.actions.settings import SettingError
from machines.actions.urls import Target, fill_url
from machines.core.interpolation import as_text

_JSON = b"application/json"
_STATUSES = re.compile(r"[1-5]([0-9]{2}|xx)")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_FAULT = re.compile(r"[\0-\x08\x0a-\x1f\x7f]")
# How a body is cut is told by the engine alone, or two servers may disagree where it ends.
_OWN_HEADERS = frozenset(
    {"connection", "content-length", "te", "trailer", "transfer-encoding", "upgrade"}
)


@dataclass(frozen=True, slots=True)
class Order:
    """One request, and what is to be done with its answer.

    ``expected`` and the keys of ``events`` are statuses, or classes of them such as ``4xx``.
    """

    target: Target
    request: httpx.Request
    seconds: float
    max_bytes: int
    follow: bool
    expected: tuple[str, ...]
    events: Mapping[str, str]
    parse: str | None
    store_as: str | None
    status_as: str | None
    headers_as: str | None

    @property
    def shown(self) -> str:
        """Method and URL for people."""
        return f"{self.request.method} {self.target.shown}"

    def event_of(self, status: int) -> str | None:
        """What the file calls that failure, if it does; the status itself before its class."""
        return self.events.get(str(status), self.events.get(_class_of(status)))

    def expects(self, status: int) -> bool:
        """True if it is no failure; an event for it says more than its class."""
        if str(status) in self.expected:
            return True
        return self.event_of(status) is None and _class_of(status) in self.expected


def read_order(call: WorkCall) -> Order:
    """What an action asks for. Raises SettingError, which shows no value that may be a secret."""
    settings = call.settings
    target = fill_url(_text_of_url(call), call.names)
    return Order(
        target=target,
        request=_request(call, target),
        seconds=settings.seconds("timeout", DEFAULT_TIMEOUT_SECONDS, positive=True),
        max_bytes=_max_bytes(call),
        follow=settings.boolean("follow_redirects"),
        expected=tuple(map(_statuses, _listed(settings.get("expected_statuses", "2xx")))),
        events={
            _statuses(key): str(event)
            for key, event in settings.mapping("error_mappings").items()
            if event is not None
        },
        parse=_format(call),
        store_as=settings.optional_text("store_as"),
        status_as=settings.optional_text("status_as"),
        headers_as=settings.optional_text("headers_as"),
    )


def _text_of_url(call: WorkCall) -> str:
    written = call.settings.required("url")
    if not isinstance(written, str):
        raise SettingError(f"http: the setting 'url' is {written!r:.200}; it must be a text")
    return written


def _request(call: WorkCall, target: Target) -> httpx.Request:
    settings = call.settings
    method = settings.text("method", "GET").upper()
    if method not in METHODS:
        raise SettingError(
            f"http: the setting 'method' is {method!r:.40}; it may be {', '.join(METHODS)}"
        )
    headers = {b"accept": b"*/*", b"accept-encoding": b"gzip", b"user-agent": b"state-machine"}
    content, kind = _content(call)
    if kind:
        headers[b"content-type"] = kind
    headers |= _headers(settings.mapping("headers"))
    url, query = target.url, _query(settings.mapping("query"))
    if query:
        url = url.copy_merge_params(query)
    return httpx.Request(method, url, headers=list(headers.items()), content=content)


def _content(call: WorkCall) -> tuple[bytes | None, bytes]:
    """The body and its type; no type if the author has to name it."""
    given, body = call.settings.as_mapping(), call.settings.get("body")
    if "json" in given and body is not None:
        raise SettingError("http: both 'json' and 'body' are given; give one of them")
    if "json" in given:
        return json.dumps(given["json"], ensure_ascii=False).encode(errors="replace"), _JSON
    if body is None:
        return None, b""
    return call.settings.text("body").encode(errors="replace"), b""


def _headers(given: Mapping[str, Any]) -> dict[bytes, bytes]:
    """Names in lower case; null leaves a header out. No error shows a value."""
    found = {}
    for name, value in given.items():
        if not _HEADER_NAME.fullmatch(name):
            raise SettingError(f"http: headers: {name!r:.80} is no name of a header")
        if name.lower() in _OWN_HEADERS:
            raise SettingError(f"http: headers: {name} is set by the engine; leave it out")
        text = "" if value is None else as_text(value).strip()
        if _HEADER_FAULT.search(text):
            raise SettingError(
                f"http: headers: the value of {name} has a line break or another control"
                " character; take it out"
            )
        if value is not None:
            found[name.lower().encode()] = text.encode(errors="replace")
    return found


def _query(given: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """A list is a parameter given several times; null leaves it out."""
    return {
        name: [_param(item) for item in value] if isinstance(value, list) else _param(value)
        for name, value in given.items()
        if value is not None
    }


def _param(value: Any) -> str:
    return as_text(value).encode(errors="replace").decode()


def _max_bytes(call: WorkCall) -> int:
    found = call.settings.integer("max_bytes", MAX_ANSWER_BYTES)
    if not 1 <= found <= MAX_ANSWER_BYTES:
        raise SettingError(
            f"http: the setting 'max_bytes' is {found}; it must be 1 to {MAX_ANSWER_BYTES}"
        )
    return found


def _format(call: WorkCall) -> str | None:
    parse = call.settings.optional_text("parse")
    if parse not in (None, *FORMATS):
        raise SettingError(f"http: the setting 'parse' is {parse!r}; it may be json or text")
    return parse


def _class_of(status: int) -> str:
    return f"{status // 100}xx"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _statuses(value: Any) -> str:
    text = str(value).lower()
    if not _STATUSES.fullmatch(text):
        raise SettingError(f"http: {value!r:.80} is no status; write one such as 404, or 4xx")
    return text
