"""Values in URLs are data, and a host is known to be the file's or a value's."""

from typing import Any

import pytest

from machines.actions.settings import SettingError
from machines.actions.urls import fill_url

NAMES: dict[str, Any] = {
    "base": "https://api.example:8443/v1",
    "host": "api.example",
    "id": "a/b c?d=1#e&f%2F",
    "number": 5,
    "port": 8000,
    "up": "..",
    "hidden": ".",
    "evil": "80@evil.example",
    "half": "\ud800",
    "secret": {"key": "hunter2"},
}


@pytest.mark.parametrize(
    ("written", "url", "literal"),
    [
        ("https://api.example/x", "https://api.example/x", True),
        (" https://api.example/x\n", "https://api.example/x", True),
        ("https://api.example/u/{id}", "https://api.example/u/a/b%20c%3Fd%3D1%23e%26f%252F", True),
        (
            "https://api.example?q={id}",
            "https://api.example?q=a%2Fb%20c%3Fd%3D1%23e%26f%252F",
            True,
        ),
        ("https://api.example/{number}?n={number}", "https://api.example/5?n=5", True),
        ("https://api.example/{unknown}", "https://api.example/%7Bunknown%7D", True),
        ("https://api.example/{half}", "https://api.example/%3F", True),
        ("https://api.example:{port}/x", "https://api.example:8000/x", True),
        ("https://API.example/{number}", "https://api.example/5", True),
        ("https://bücher.example/", "https://xn--bcher-kva.example/", True),
        ("http://[::1]:{port}/x", "http://[::1]:8000/x", True),
        ("http://me:you@127.0.0.1/{number}", "http://me:you@127.0.0.1/5", True),
        ("{base}", "https://api.example:8443/v1", False),
        ("{base}/{id}", "https://api.example:8443/v1/a/b%20c%3Fd%3D1%23e%26f%252F", False),
        ("https://{host}/x", "https://api.example/x", False),
        ("https://www.{host}/x", "https://www.api.example/x", False),
        ("https://{host}:8000/x", "https://api.example:8000/x", False),
        ("http://me:{number}@127.0.0.1/", "http://me:5@127.0.0.1/", False),
    ],
)
def test_a_url_is_filled_in(written: str, url: str, literal: bool) -> None:
    target = fill_url(written, NAMES)

    assert str(target.url) == url
    assert target.literal is literal


@pytest.mark.parametrize(
    "written", ["http://localhost:{evil}/", "http://localhost{evil}/", "http://{evil}/"]
)
def test_a_value_that_changes_the_host_makes_it_the_values_host(written: str) -> None:
    target = fill_url(written, NAMES)

    assert target.url.host == "evil.example"
    assert not target.literal


@pytest.mark.parametrize(
    "written",
    [
        "https://api.example/{up}/x",
        "https://api.example/a/{up}",
        "https://api.example/{hidden}{hidden}?q",
        "{base}/{up}",
    ],
)
def test_a_value_does_not_leave_the_folder_that_the_file_names(written: str) -> None:
    with pytest.raises(SettingError, match=r"a value in the path of .* is '\.\.'"):
        fill_url(written, NAMES)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("https://me:hunter2@api.example/x?key=hunter2#a", "https://api.example/x"),
        ("https://me:hun/ter2@api.example/x", "https://api.example/x"),
        ("https://api.example/{secret.key}?key={secret.key}", "https://api.example/{secret.key}"),
    ],
)
def test_nothing_secret_is_shown(written: str, shown: str) -> None:
    try:
        found = fill_url(written, NAMES).shown
    except SettingError as error:
        found = str(error)

    assert shown in found
    assert "hunter2" not in found.replace("hun/ter2", "hunter2")
