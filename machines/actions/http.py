"""``http``: a request to a server. What it takes is here; what it does is imported when it is used.

The library for HTTP takes longer to import than a whole host to start.
"""

import asyncio
import importlib

from machines.actions.base import ActionType, WorkCall, Worked
from machines.core.signatures import Kind, Raises, Setting, Signature, ValueKind

DEFAULT_TIMEOUT_SECONDS = 30
FORMATS = ("json", "text")
MAX_ANSWER_BYTES = 256 << 10  # unpacked; what a whole context may hold
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


async def http(call: WorkCall) -> Worked:
    """Send the request; the status of its answer says which event is raised."""
    await asyncio.to_thread(importlib.import_module, "machines.actions.http_work")
    from machines.actions.http_work import send

    return await send(call)


_KEPT = "where {} kept"
SIGNATURE = Signature(
    "http",
    Kind.WORK,
    "Send a request over HTTP and keep the answer.",
    settings=(
        Setting("url", ValueKind.TEXT, "where to; values in it are encoded", required=True),
        Setting("method", ValueKind.TEXT, ", ".join(METHODS), default="GET"),
        Setting("headers", ValueKind.MAPPING, "its headers; null leaves one out"),
        Setting("query", ValueKind.MAPPING, "parameters that are added to the URL's query"),
        Setting("json", ValueKind.ANY, "the body, sent as JSON"),
        Setting("body", ValueKind.TEXT, "the body, sent as it is; instead of json"),
        Setting("timeout", ValueKind.SECONDS, "for all of it", default=DEFAULT_TIMEOUT_SECONDS),
        Setting(
            "expected_statuses",
            ValueKind.ANY,
            "a status, a class such as 2xx, or a list of them: all others fail",
            default="2xx",
        ),
        Setting("error_mappings", ValueKind.EVENTS, "statuses, or 4xx, and the events they raise"),
        Setting("follow_redirects", ValueKind.BOOLEAN, "go where the answer leads", default=False),
        Setting("store_as", ValueKind.KEY, _KEPT.format("the answer's body is"), writes=True),
        Setting(
            "parse",
            ValueKind.TEXT,
            "what the body is; left out: what its content type says",
            choices=FORMATS,
        ),
        Setting("status_as", ValueKind.KEY, _KEPT.format("the status is"), writes=True),
        Setting("headers_as", ValueKind.KEY, _KEPT.format("the headers are"), writes=True),
        Setting(
            "max_bytes",
            ValueKind.INTEGER,
            "how much of an answer is read, unpacked",
            default=MAX_ANSWER_BYTES,
        ),
    ),
    raises=(
        Raises("success", "success", "the status is expected", usual=True),
        Raises(None, "error_mappings", "a status that the mapping names", failure=True),
    ),
)

TYPES = (
    ActionType(
        "http",
        work=http,
        raw_settings=frozenset({"url"}),
        null_settings=frozenset({"json", "query", "body"}),
        signature=SIGNATURE,
    ),
)
