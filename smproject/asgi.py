"""The ASGI entry: pages, WebSockets, and the live feed of this process behind both."""

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smproject.settings")
pages = get_asgi_application()  # loads the apps, which the imports below need

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from monitor.feed import feed, start_feed  # noqa: E402
from monitor.routing import websocket_urlpatterns  # noqa: E402
from monitor.security import SameOrigin  # noqa: E402

router = ProtocolTypeRouter(
    {"http": pages, "websocket": SameOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))}
)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer one connection. The first one starts the feed, for daphne announces no start."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    start_feed()
    await router(scope, receive, send)


async def lifespan(receive: Any, send: Any) -> None:
    """Start and stop the feed with a server that does announce it."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            start_feed()
        else:
            await feed.stop()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
