import pytest
from django.http import HttpRequest, HttpResponse
from pytest_django import Settings

from monitor.security import CONTENT_SECURITY_POLICY, allowed_origins, content_security_policy

HEADER = "Content-Security-Policy"


def test_policy_allows_no_inline_script_and_no_other_host() -> None:
    rules = dict(rule.split(" ", 1) for rule in CONTENT_SECURITY_POLICY.split("; "))

    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == "'self'"
    assert "http" not in CONTENT_SECURITY_POLICY


def test_policy_is_added_to_a_response() -> None:
    respond = content_security_policy(lambda _request: HttpResponse())

    response = respond(HttpRequest())

    assert isinstance(response, HttpResponse)
    assert response[HEADER] == CONTENT_SECURITY_POLICY


async def test_policy_is_added_to_a_response_that_comes_later() -> None:
    async def answer(_request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    later = content_security_policy(answer)(HttpRequest())

    assert not isinstance(later, HttpResponse)
    response = await later

    assert response[HEADER] == CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(
    ("scheme", "host", "origins"),
    [
        ("ws", b"127.0.0.1:8000", ["http://127.0.0.1:8000"]),
        ("wss", b"panel.example", ["https://panel.example"]),
        ("ws", b"evil.example:8000", []),
        ("ws", b"", []),
    ],
)
def test_allowed_origins_are_full_and_of_an_allowed_host(
    settings: Settings, scheme: str, host: bytes, origins: list[str]
) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "panel.example"]

    found = allowed_origins({"scheme": scheme, "headers": [(b"host", host)]})

    assert found == origins


def test_allowed_origins_have_those_that_are_trusted(settings: Settings) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://panel.example", "https://*.example"]

    found = allowed_origins({"headers": []})

    assert found == ["https://panel.example", "https://.example"]
