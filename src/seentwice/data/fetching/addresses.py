"""Which internet addresses photos may be fetched from: public ones, whatever name leads there."""

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], list[Address]]
"""From host name and port to addresses; raises OSError where there are none."""

_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Whether an address is that of a machine on the internet.

    Private, loopback, link-local (cloud metadata servers among them), shared (CGNAT), multicast
    and reserved ones are not, nor is an IPv6 address that stands for such an IPv4 address:
    IPv4-mapped, 6to4, Teredo or NAT64.
    """
    if isinstance(address, IPv6Address):
        translated = _translated(address)
        if translated is not None:
            return is_public(translated)
        tunnelled = [address.sixtofour, *(address.teredo or ())]
        if address.is_site_local or not all(is_public(end) for end in tunnelled if end is not None):
            return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


def _translated(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv4-mapped or a NAT64 address (RFC 6052) is."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped


def resolve_host(host: str, port: int) -> list[Address]:
    """Ask the operating system for the addresses of a host, in its order.

    Decimal and octal forms of IPv4, such as 2130706433, come out as the addresses they are.

    Raises:
        OSError: the name is unknown, or is none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that is empty or too long
        raise socket.gaierror(socket.EAI_NONAME, f"no host name: {error}") from error
    return list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))
