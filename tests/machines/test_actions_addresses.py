"""Private hosts are known in every disguise."""

import pytest

from machines.actions.addresses import Allowed, HostError, is_public, public_addresses

NOTHING = Allowed()


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "93.184.215.14",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
    ],
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - looked at, not bound
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.8.8.8",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.192",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "2001:db8::1",
        "2002:7f00:1::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_every_other_address_is_private(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "0",
        "::1",
        "::ffff:127.0.0.1",
    ],
)
async def test_a_private_host_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(HostError, match="is a private host, and a value may not name one"):
        await public_addresses(host, 80, NOTHING)


@pytest.mark.parametrize("host", ["8.8.8.8", "134744072"])
async def test_a_public_host_gives_the_address_to_connect_to(host: str) -> None:
    assert await public_addresses(host, 80, NOTHING) == ("8.8.8.8",)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 70])
async def test_a_host_without_an_address_is_named(host: str) -> None:
    with pytest.raises(HostError, match=f"there is no host '{host}': "):
        await public_addresses(host, 80, NOTHING)


@pytest.mark.parametrize(
    ("entries", "host", "is_allowed"),
    [
        (["*"], "127.0.0.1", True),
        (["127.0.0.1"], "127.0.0.1", True),
        (["127.0.0.0/8"], "127.9.9.9", True),
        (["10.0.0.0/8", "::1"], "127.0.0.1", False),
        (["127.0.0.0/8"], "::1", False),
        (["LocalHost"], "localhost", True),
        (["localhost"], "127.0.0.1", False),
        ([".localhost"], "localhost", False),
    ],
)
async def test_a_private_host_may_be_allowed(
    entries: list[str], host: str, is_allowed: bool
) -> None:
    allowed = Allowed.read(entries)

    if is_allowed:
        assert await public_addresses(host, 80, allowed)
    else:
        with pytest.raises(HostError, match="allow it with SM_HTTP_ALLOW_PRIVATE="):
            await public_addresses(host, 80, allowed)


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("a.internal", True),
        ("a.b.Internal.", True),
        ("internal", False),
        ("ainternal", False),
    ],
)
def test_a_dot_in_front_allows_all_names_that_end_so(host: str, is_allowed: bool) -> None:
    assert Allowed.read([".internal"]).has_name(host) is is_allowed
