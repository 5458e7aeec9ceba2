"""Which hosts no other city can reach, told by spelling alone, however an address disguises them.

A host is first written as a browser would read it: percent-encoding, Punycode, other forms of letters and digits,
other full stops and characters that nobody sees are resolved, and an IPv6 address that only wraps an IPv4 one is judged
by that one too. `is_private` is what `formats.md` 1 says of record IRIs; `is_inner` is wider, for links. Pure: no name
is ever asked for.
"""

import ipaddress
import re
import unicodedata
from urllib.parse import unquote, urlsplit

# A last label that is a number is an address to some readers and a name to nobody.
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\Z")
# What IDNA maps to nothing (UTS 46), so that a name with it is the name without.
_UNSEEN = re.compile("[\u00ad\u034f\u180b-\u180f\u200b-\u200d\u2060\u2064\ufe00-\ufe0f\ufeff]")
_STOPS = str.maketrans("。．｡", "...")  # noqa: RUF001  (these are meant)
_INNER = (".lan", ".corp", ".home", ".home.arpa", ".intranet", ".private", ".localdomain")
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
# Networks whose addresses hold an IPv4 address, and how many bits stand behind it.
_WRAPPING = (
    *((ipaddress.IPv6Network(net), 0) for net in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")),
    (ipaddress.IPv6Network("2002::/16"), 80),
)


def host_of(address: str) -> str:
    """Give the host of an address as a browser would read it; empty if it has none or is none."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return ""
    if host.isascii() and "%" not in host and "xn--" not in host:  # nearly every host
        return host.rstrip(".")
    host = unicodedata.normalize("NFKC", unquote(host).translate(_STOPS))
    host = ".".join(map(_decoded, _UNSEEN.sub("", host).lower().split(".")))
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", host)).lower().rstrip(".")


def is_private(host: str) -> bool:
    """Tell whether a host, as `host_of` gives it, is private by its spelling: a local name, or no public address."""
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not _is_global(ipaddress.ip_address(host))
    except ValueError:
        return _NUMBER.match(host) is not None


def is_inner(host: str) -> bool:
    """Tell whether a host is one of an inner network: a private one, or a name that only its own network completes."""
    is_short = "." not in host and ":" not in host
    return is_short or is_private(host) or f".{host}".endswith(_INNER)


def _is_global(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global
    for net, behind in _WRAPPING:
        if address in net:
            return ipaddress.IPv4Address(int(address) >> behind & 0xFFFFFFFF).is_global
    return address.is_global and address not in _LOCAL_NAT64


def _decoded(label: str) -> str:
    """Give a label of a name in its own letters."""
    try:
        return label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label
    except UnicodeError:
        return label
