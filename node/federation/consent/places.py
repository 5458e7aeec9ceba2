"""Whether a city or dataset that a consent record names may be another: three-valued, and compared by what it leads to.

A *yes* counts for the very address it names. A *no* counts as soon as its address may be the one that is asked about:
spelt otherwise, above it, below it, or of a form that nobody here can compare. Pure.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

_WEB = re.compile(r"https?://([^/?#]*)([^?#]*)(.*)", re.DOTALL)
_HOST = re.compile(r"([a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])\.?(?::(?:80|443)?|(:[0-9]{1,5}))?", re.ASCII)
# What parts several addresses that somebody wrote into one, and what is left of a sign that was escaped twice.
_SEVERAL = re.compile(r"[;,|%]|:/")


@dataclass(frozen=True, slots=True)
class _Place:
    """An address spelt in one way: the web, or another scheme; host, port and path; what stands behind them."""

    kind: str
    path: str
    more: frozenset[str]


def may_be(said: str, asked: str) -> bool:
    """Tell whether an address may mean another one: true also where that cannot be told."""
    one, other = _placed(said), _placed(asked)
    if said == asked or one is None or other is None or one.kind != other.kind:
        return True
    near = f"{one.path}/".startswith(f"{other.path}/") or f"{other.path}/".startswith(f"{one.path}/")
    return near and (one.more <= other.more or other.more <= one.more)


@lru_cache(maxsize=1_024)
def _placed(address: str) -> _Place | None:
    """Give an address spelt in one way; None for what cannot be compared with any."""
    said = unquote(address).casefold()
    scheme, _, rest = said.partition(":")
    if _SEVERAL.search(rest.removeprefix("//")):
        return None
    web = _WEB.fullmatch(said)
    if web is None:
        # A web address without a host is one that somebody wrote wrongly.
        return None if scheme in ("http", "https") else _Place(scheme, rest, frozenset())
    host = _HOST.fullmatch(_ascii(web[1]))
    if host is None or "/." in web[2]:
        return None
    path = "/".join([host[1] + (host[2] or ""), *filter(None, web[2].split("/"))])
    return _Place("web", path, frozenset(filter(None, re.split("[?&#]", web[3]))))


def _ascii(host: str) -> str:
    """Give a host as the network knows it; empty if it is none."""
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return ""
