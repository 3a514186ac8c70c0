"""What a browser may load, and who may open a WebSocket."""

from collections.abc import Awaitable, Callable
from importlib import import_module
from inspect import iscoroutinefunction
from typing import Any, cast

from channels.auth import get_user
from channels.security.websocket import OriginValidator
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.utils.decorators import sync_and_async_middleware

# Mermaid writes a <style> into its drawing, hence 'unsafe-inline' for styles, and only for them.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

Respond = Callable[[HttpRequest], HttpResponse]
RespondLater = Callable[[HttpRequest], Awaitable[HttpResponse]]


@sync_and_async_middleware
def content_security_policy(get_response: Respond | RespondLater) -> Respond | RespondLater:
    """Forbid every page inline scripts, ``eval`` and whatever is on another host."""
    if iscoroutinefunction(get_response):

        async def respond_later(request: HttpRequest) -> HttpResponse:
            return _with_policy(await cast("RespondLater", get_response)(request))

        return respond_later

    def respond(request: HttpRequest) -> HttpResponse:
        return _with_policy(cast("Respond", get_response)(request))

    return respond


def _with_policy(response: HttpResponse) -> HttpResponse:
    response.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    return response


def allowed_origins(scope: dict[str, Any]) -> list[str]:
    """The full origins that may open this WebSocket: the page's own, and trusted ones.

    Its own is scheme, host and port that the browser itself addressed, if ``ALLOWED_HOSTS`` has
    the host; another port or scheme is another origin. Behind a proxy that speaks TLS the origin
    must be named in ``CSRF_TRUSTED_ORIGINS``, which Django's forms ask for as well.
    """
    trusted = [origin.replace("://*.", "://.") for origin in settings.CSRF_TRUSTED_ORIGINS]
    host = dict(scope["headers"]).get(b"host", b"").decode("latin1")
    domain, _port = split_domain_port(host)
    if not validate_host(domain, settings.ALLOWED_HOSTS):
        return trusted
    scheme = "https" if scope.get("scheme") == "wss" else "http"
    return [f"{scheme}://{host}", *trusted]


async def is_logged_in(scope: dict[str, Any]) -> bool:
    """True if the session of a WebSocket is still somebody's; it is read anew, not remembered."""
    sessions = import_module(settings.SESSION_ENGINE)
    session = sessions.SessionStore(scope["session"].session_key)
    user = await get_user({"session": session})
    return bool(user.is_authenticated)


class SameOrigin:
    """Lets a WebSocket through only from the origins that ``allowed_origins`` names."""

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass the connection on, or refuse it with status 403."""
        validator = OriginValidator(self._application, allowed_origins(scope))
        await validator(scope, receive, send)
