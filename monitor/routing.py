"""The addresses of the WebSockets."""

from typing import Any, cast

from django.urls import path, re_path

from monitor.consumers import FeedConsumer

serve = cast("Any", FeedConsumer())  # an ASGI application, where path() expects a view

websocket_urlpatterns = [
    path("ws/events", serve),
    re_path(r"^ws/machines/(?P<name>[A-Za-z][A-Za-z0-9_-]{0,62})$", serve),
]
