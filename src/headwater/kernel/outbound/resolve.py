"""From a name to an address that may be called."""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Protocol

from headwater.kernel.outbound.errors import PrivateAddress, UpstreamUnreachable

Address = IPv4Address | IPv6Address
_NAT64 = ip_network("64:ff9b::/96")


class Resolver(Protocol):
    """Finds the addresses of a name."""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Every address of the host, in the order to be tried; raises `OSError` where there is none."""
        ...


class SystemResolver:
    """Asks the operating system, which also knows every spelling of an address: `127.1`, `0x7f000001`."""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Every address of the host; see `Resolver`."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Gate:
    """Says which addresses may be called: those of the whole internet, and what the settings list."""

    def __init__(self, resolver: Resolver, allowed: Iterable[str]) -> None:
        self._resolver = resolver
        self._names: set[str] = set()
        self._networks: list[IPv4Network | IPv6Network] = []
        for text in allowed:
            try:
                self._networks.append(ip_network(text.strip("[]"), strict=False))
            except ValueError:
                self._names.add(text.lower())

    async def admit(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a host, every one of which may be called.

        A name with one private address among public ones is refused as a whole: that is how rebinding looks.
        Raises `PrivateAddress` and `UpstreamUnreachable`.
        """
        try:
            found = await self._resolver.resolve(host, port)
        except (OSError, UnicodeError) as failure:
            raise UpstreamUnreachable(host=host, reason="its name has no address") from failure
        if not found:
            raise UpstreamUnreachable(host=host, reason="its name has no address")
        if host.lower().rstrip(".") not in self._names and not all(map(self._may_be_called, found)):
            raise PrivateAddress(host=host)
        return found

    def _may_be_called(self, text: str) -> bool:
        address = ip_address(text.partition("%")[0])
        return is_public(address) or any(address in network for network in self._networks)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the whole internet (RFC 6890), also what it stands for in another notation."""
    if isinstance(address, IPv6Address):
        inner = _embedded(address)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to: mapped, 6to4, Teredo, NAT64."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour
