"""Which addresses this node may fetch: by spelling first, then by every answer of the resolver.

Loopback only if our own base URL is loopback, private addresses only for origins that the operator named, and never a
port of our own child processes. What would surprise: an address that merely wraps another one (mapped, NAT64) is judged
by the wrapped one, and one forbidden answer among good ones refuses the host.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Container, Sequence

import httpx

from node.errors import ForbiddenAddress, SourceUnreachable

MAX_ADDRESSES = 4

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Sequence[str]]

# Not public, whatever the library of the day says of them (RFC 6890 and its registries).
_NOT_PUBLIC_4 = [
    ipaddress.IPv4Network(net)
    for net in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
]
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6 = [ipaddress.IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# A last label that is a number or begins like one is an IPv4 address to some readers and a name to others.
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?\Z")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9_.])?\Z")


def system_resolver(host: str, port: int) -> list[str]:
    """Ask the system for a host's addresses, in its order of preference. Blocks; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the open internet; what only wraps another one is judged by that one."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in net for net in _NOT_PUBLIC_4)
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _GLOBAL_6 and not any(address in net for net in _NOT_PUBLIC_6)


def _is_loopback(address: Address) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def origin_of(url: str) -> str:
    """Give `scheme://host:port` in lower case, the port always written; empty if the URL has no host."""
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):
        return ""
    return f"{parts.scheme}://{parts.raw_host.decode().lower()}:{port_of(parts)}" if parts.raw_host else ""


def port_of(url: httpx.URL) -> int:
    """Give the port, also where the address leaves it out."""
    return url.port or (443 if url.scheme == "https" else 80)


class Guard:
    """Refuses what may not be fetched. Holds no state but the rules."""

    def __init__(
        self,
        *,
        loopback_allowed: bool,
        private_origins: frozenset[str],
        child_ports: Container[int],
        resolver: Resolver,
    ) -> None:
        self._loopback_allowed = loopback_allowed
        self._private_origins = frozenset(origin_of(each) for each in private_origins)
        self._child_ports = child_ports
        self._resolver = resolver

    def check(self, url: httpx.URL) -> None:
        """Refuse what can be refused by spelling, before any name is asked for. Raises ForbiddenAddress."""
        if url.scheme not in ("http", "https"):
            raise ForbiddenAddress(
                f"{shown(url)} is neither http nor https.", fix="Give an http or https address."
            ).on_page("no.address.web")
        if url.userinfo:
            raise ForbiddenAddress(
                "The address holds a user name or password.",
                fix="Give it without them.",
            ).on_page("no.address.secret")
        host = url.raw_host.decode()
        literal = _literal(host)
        if literal is not None:
            self._check_address(url, literal)
        elif not _HOST.match(host) or _NUMBER.match(host):
            raise ForbiddenAddress(
                f"{shown(url)} has no proper host name.",
                fix="Write the host's name.",
            ).on_page("no.address.host")

    def addresses(self, url: httpx.URL) -> list[Address]:
        """Resolve and check; blocks. Raises ForbiddenAddress, SourceUnreachable."""
        host = url.raw_host.decode()
        literal = _literal(host)
        if literal is not None:
            return [literal]
        try:
            found = [ipaddress.ip_address(each) for each in self._resolver(host, port_of(url))]
        except OSError as error:
            raise SourceUnreachable(
                f"The host {host} is not known.",
                fix="Check the address, or try later.",
            ).on_page("no.address.unknown", host=host) from error
        if not found:
            raise SourceUnreachable(
                f"The host {host} has no address.",
                fix="Check the address, or try later.",
            ).on_page("no.address.unknown", host=host)
        for address in found:
            self._check_address(url, address)
        return found[:MAX_ADDRESSES]

    def _check_address(self, url: httpx.URL, address: Address) -> None:
        if is_public(address):
            return
        allowed = origin_of(str(url)) in self._private_origins or (self._loopback_allowed and _is_loopback(address))
        if not allowed or port_of(url) in self._child_ports or address.is_multicast or address.is_unspecified:
            raise ForbiddenAddress(
                f"{shown(url)} is at {address}, which this node does not fetch.",
                fix="If it is your own, name its origin in the setting private_origins (CITYNODE_PRIVATE_ORIGINS).",
            ).on_page("no.address.inside")


def parsed(url: str) -> httpx.URL:
    """Read an address. Raises ForbiddenAddress."""
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ForbiddenAddress(
            f"This is no address: {url[:200]!r}.",
            fix="Give an http or https address.",
        ).on_page("no.address.web") from error


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def shown(url: httpx.URL) -> str:
    """Give an address for a message, without secrets: no user, no query."""
    return f"{url.scheme}://{url.raw_host.decode() or '?'}{':' + str(url.port) if url.port else ''}{url.path}"[:200]
