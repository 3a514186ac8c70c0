"""URLs with placeholders: in path and query values are data, percent-encoded as they need it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from machines.actions.settings import SettingError
from machines.core.interpolation import Placeholder, as_text, parse, resolve

_BEFORE_PATH = re.compile(r"[^/?#]*//[^/?#]*")
_HOST = re.compile(
    r"https?://(?:[^/?#{}]*@)?(\[[^\]{}]*\]|[^/?#:@{}\[\]]+)(?=[/?#:]|$)", re.IGNORECASE
)
_CREDENTIALS = re.compile(r"//[^/?#]*@")
_DOTS = re.compile(r"/\.\.?(?=[/?#]|$)")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes. ``shown``: as it stands in the file, without credentials and query.

    ``literal``: its host stands in the file, no value has named it.
    """

    url: httpx.URL
    shown: str
    literal: bool


def fill_url(written: str, names: Mapping[str, Any]) -> Target:
    """Fill in the placeholders of a URL. Raises SettingError, which shows no value.

    One that holds the beginning of the URL, or its host or port, stands as it is; in the path all
    but slashes is encoded, in the query everything.
    """
    written = written.strip()
    shown = without_secrets(written)
    filled = ""
    for part in parse(written):
        filled += part if isinstance(part, str) else _encoded(filled, part, names)
    if _DOTS.search(filled) and not _DOTS.search(written):
        raise SettingError(f"http: a value in the path of {shown} is '..', which leaves its folder")
    try:
        url = httpx.URL(filled)
    except (httpx.InvalidURL, UnicodeError):
        raise SettingError(_no_url(written)) from None
    if url.scheme not in ("http", "https") or not url.host:
        raise SettingError(_no_url(written))
    return Target(url, shown, _is_literal(written, url))


def without_secrets(written: str) -> str:
    """A URL for people: nothing before its host, nothing after its path."""
    return re.split(r"[?#]", _CREDENTIALS.sub("//", written), maxsplit=1)[0]


def _no_url(written: str) -> str:
    # What is no URL may have its credentials anywhere before an @.
    shown = without_secrets(re.sub(r"//.*@", "//", written, flags=re.DOTALL))
    return (
        f"http: the setting 'url' is {shown!r:.200}; filled in, it must be a URL such as"
        " https://example.com/path"
    )


def _encoded(before: str, part: Placeholder, names: Mapping[str, Any]) -> str:
    known, value = resolve(part, names)
    text = as_text(value) if known else part.text
    start = _BEFORE_PATH.match(before)
    if start is None or start.end() == len(before):
        return text
    in_path = "?" not in before and "#" not in before
    return quote(text.encode(errors="replace"), safe="/" if in_path else "")


def _is_literal(written: str, url: httpx.URL) -> bool:
    found = _HOST.match(written)
    if found is None:
        return False
    try:
        return httpx.URL(f"http://{found[1]}/").raw_host == url.raw_host
    except (httpx.InvalidURL, UnicodeError):
        return False
