"""What ``http`` does: a request to a server, its answer kept in the context."""

import asyncio
from typing import Any

from django.conf import settings as project

from machines.actions.addresses import Allowed, HostError
from machines.actions.answers import read_json
from machines.actions.base import WorkCall, Worked
from machines.actions.exchange import Answer, ExchangeError, exchange
from machines.actions.http_order import Order, read_order
from machines.core.settling import Outcome
from machines.core.storable import storable

MAX_ERROR_BYTES = 4 << 10  # of the answer to a failed request, in the context and on record


async def send(call: WorkCall) -> Worked:
    """Send the request; the status of its answer says which event is raised."""
    order = read_order(call)
    try:
        async with asyncio.timeout(order.seconds):
            answer = await exchange(
                order.request,
                trusted=order.target.literal,
                allowed=Allowed.read(project.SM_HTTP_ALLOW_PRIVATE),
                follow=order.follow,
                max_bytes=order.max_bytes,
            )
    except TimeoutError:
        return _failed(f"{order.shown}: timed out after {order.seconds:g} s")
    except (ExchangeError, HostError) as error:
        return _failed(f"{order.shown}: {error}")
    _print(call, order, answer)
    if not order.expects(answer.status):
        event = order.event_of(answer.status)
        return _failed(f"{order.shown}: {_status(order, answer)}", answer, event)
    return _done(call, order, answer)


def _status(order: Order, answer: Answer) -> str:
    said = f"{answer.status} {answer.reason}".strip()
    if 300 <= answer.status < 400 and "location" in answer.headers and not order.follow:
        return f"{said}; with follow_redirects: true it is followed"
    return said


def _print(call: WorkCall, order: Order, answer: Answer) -> None:
    """Put on record what came back; the body too if it was not what was wanted."""
    said = f"{answer.status} {answer.reason}".strip()
    call.output(f"{order.shown}: {said}, {len(answer.body)} bytes\n".encode(errors="replace"))
    if answer.status >= 400:
        call.output(_text(answer)[:MAX_ERROR_BYTES].encode() + b"\n")


def _done(call: WorkCall, order: Order, answer: Answer) -> Worked:
    changes: dict[str, Any] = {}
    if order.status_as:
        changes[order.status_as] = answer.status
    if order.headers_as:
        changes[order.headers_as] = {
            name: storable(value) for name, value in answer.headers.items()
        }
    if order.store_as:
        if not answer.whole:
            more = f"its answer is more than {order.max_bytes:,} bytes, too much for store_as"
            return _failed(f"{order.shown}: {more}", answer)
        try:
            changes[order.store_as] = _value(order, answer)
        except ValueError as error:
            return _failed(f"{order.shown}: its answer is not JSON: {error}", answer)
    return Worked(Outcome(event=call.settings.event("success", "success"), changes=changes))


def _value(order: Order, answer: Answer) -> Any:
    if order.parse == "json" or (order.parse is None and answer.body and _is_json(answer)):
        return read_json(answer.body)
    return _text(answer)


def _is_json(answer: Answer) -> bool:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return bool(kind.endswith(("/json", "+json")))


def _text(answer: Answer) -> str:
    try:
        text = answer.body.decode(answer.charset, errors="replace")
    except LookupError:
        text = answer.body.decode(errors="replace")
    return storable(text)


def _failed(why: str, answer: Answer | None = None, event: str | None = None) -> Worked:
    changes = {
        "last_error_status": None if answer is None else answer.status,
        "last_error_body": None if answer is None else _excerpt(answer),
    }
    expected = event is not None
    return Worked(Outcome(event=event, error=storable(why), changes=changes, expected=expected))


def _excerpt(answer: Answer) -> Any:
    """What the server said of a failure: a short JSON text as its value, else its beginning."""
    if answer.whole and len(answer.body) <= MAX_ERROR_BYTES and _is_json(answer):
        try:
            return read_json(answer.body)
        except ValueError:
            pass
    return _text(answer)[:MAX_ERROR_BYTES]
