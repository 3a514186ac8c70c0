"""Which hosts are private: what a value may not make a machine connect to, unless it is allowed.

A name is looked up once; whoever asked connects to the very address that was found public, so that
a name that answers differently a moment later gains nothing.
"""

import asyncio
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from machines.core.errors import MachineError

_GLOBAL_IPV6 = IPv6Network("2000::/3")  # all that IANA has given out for the public internet
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
# What looks public: Azure's metadata, and IETF's own network with Oracle's in it.
_SPECIAL = (IPv4Network("168.63.129.16/32"), IPv4Network("192.0.0.0/24"))


class HostError(MachineError):
    """A host that has no address, or none that may be connected to."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Private hosts that a value may name all the same.

    ``names``: whole names, or with a dot in front all names that end so.
    """

    everything: bool = False
    names: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def read(cls, entries: Iterable[str]) -> "Allowed":
        """From names, addresses, networks such as ``10.1.0.0/16``, or ``*`` for every host."""
        names, networks = set(), []
        for entry in entries:
            try:
                networks.append(ip_network(entry, strict=False))
            except ValueError:
                names.add(entry.lower())
        return cls("*" in names, frozenset(names), tuple(networks))

    def has_name(self, host: str) -> bool:
        """True if every address of that name is allowed."""
        host = host.lower().rstrip(".")
        ends = (name for name in self.names if name.startswith("."))
        return self.everything or host in self.names or any(map(host.endswith, ends))

    def has_address(self, address: str) -> bool:
        """True if the address lies in one of the networks."""
        found = ip_address(address)
        return any(found.version == net.version and found in net for net in self.networks)


def is_public(address: str) -> bool:
    """True if the address belongs to the public internet; one inside another counts as itself."""
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        inner = _inside(found)
        if inner is None:
            return found in _GLOBAL_IPV6 and found.is_global
        found = inner
    if found.is_multicast or found.is_reserved or any(found in special for special in _SPECIAL):
        return False
    return found.is_global


async def public_addresses(host: str, port: int, allowed: Allowed) -> tuple[str, ...]:
    """The addresses of a host, the system's favourite first.

    Raises HostError if it has none, or if one of them is private and not allowed.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise HostError(f"there is no host {host!r}: {_why(error)}") from None
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    if allowed.has_name(host):
        return addresses
    for address in addresses:
        if not (is_public(address) or allowed.has_address(address)):
            shown = host if address == host else f"{host} ({address})"
            raise HostError(
                f"{shown} is a private host, and a value may not name one; write the host itself"
                f" into the file, or allow it with SM_HTTP_ALLOW_PRIVATE={host}"
            )
    return addresses


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or "it is no name"


def _inside(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one carries, in each of the ways to do so."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or address in _COMPATIBLE:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
