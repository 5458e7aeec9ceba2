"""How often one address or client may ask: token buckets in memory, looked at before anything else is done.

Three doors, each with a rate of its own: tokens, feeds (what peers read and tell), and the public documents. An address
of IPv6 counts by its /64, since one household has 2^64 of them. Whose address it is says the connection, and a header
only if the connection comes from a proxy that the settings trust. Each process has its share of the rate, so the whole
node keeps to it and a caller that stays with one process gets that share. No lock: the event loop is the only user but
for `admit`, and a count lost between two threads costs nothing.
"""

import ipaddress
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import structlog

from node.errors import TooManyRequests
from node.web.ports.ports import Rates
from node.web.wire.answer import DATA_SAFETY, NOT_KEPT
from node.web.wire.bodies import CLOSE, has_body
from node.web.wire.problems import Problem
from node.web.wording.words import words

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Door = Literal["public", "feed", "token"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MOST_BUCKETS = 20_000
log = structlog.get_logger("node.web")
WINDOW_S = 60
SENTENCE, FIX = "This node has answered you as often as it does in one minute.", "Wait as long as Retry-After says."
# Buckets of those who showed tokens that did not hold stand beside the others.
_FALSE = "false "
# What may never be refused: an orchestrator that hears 429 from a health check would kill the node.
_FREE = frozenset({"/healthz", "/readyz", "/metrics"})
_FEED = ("/federation/", "/witness/", "/checkpoints", "/dsp/", "/data/")
# Whatever starts otherwise is a public document; looked at once, since most requests are for those.
_SPECIAL = ("/collections/", "/oauth/", *_FEED, *_FREE)
_FEED_PARTS = frozenset({"checkpoint", "entries", "feed", "snapshot", "tile"})


def door_of(path: str) -> Door | None:
    """Say which rate a path falls under; None for what is never limited."""
    if not path.startswith(_SPECIAL):
        return "public"
    if path.startswith("/collections/"):
        return "feed" if not _FEED_PARTS.isdisjoint(path.split("/", 5)[3:5]) else "public"
    if path.startswith("/oauth/"):
        return "token"
    if path.startswith(_FEED):
        return "feed"
    return None if path in _FREE else "public"


class Buckets:
    """The buckets of one door: each holds a minute's worth and is refilled evenly.

    Bounded without an order to keep: when one generation is full it becomes the old one, and whoever is not seen before
    the next turn is forgotten, which by then has long been full again.
    """

    def __init__(self, per_min: int, processes: int, *, most: int = MOST_BUCKETS) -> None:
        """Take the rate of the whole node and the number of processes that share it."""
        self.per_min = per_min
        self._size = max(1.0, per_min / processes)
        self._rate = self._size / WINDOW_S
        self._most = most
        self._new: dict[str, list[float]] = {}
        self._old: dict[str, list[float]] = {}

    def take(self, who: str, now_s: float) -> float:
        """Take one request; give 0, or the seconds until there is one to take."""
        bucket = self._new.get(who) or self._brought(who, now_s)
        left = bucket[0] + (now_s - bucket[1]) * self._rate
        left = left if left < self._size else self._size  # noqa: FURB136 (min costs as much as all the rest here)
        bucket[1] = now_s
        if left >= 1:
            bucket[0] = left - 1
            return 0.0
        bucket[0] = left
        return (1 - left) / self._rate

    def left(self, who: str, now_s: float) -> tuple[int, int]:
        """Give how many requests are left, and the seconds until all are back."""
        left = self._level(who, now_s)
        return int(left), math.ceil((self._size - left) / self._rate)

    def wait(self, who: str, now_s: float) -> float:
        """Give the seconds until there is a request to take, and take none."""
        return max(0.0, (1 - self._level(who, now_s)) / self._rate)

    def _level(self, who: str, now_s: float) -> float:
        bucket = self._new.get(who) or self._old.get(who) or [self._size, now_s]
        return min(self._size, bucket[0] + (now_s - bucket[1]) * self._rate)

    def _brought(self, who: str, now_s: float) -> list[float]:
        bucket = self._old.get(who) or [self._size, now_s]
        if len(self._new) >= self._most:
            self._old, self._new = self._new, {}
        self._new[who] = bucket
        return bucket

    def __len__(self) -> int:
        """Count the buckets that are kept."""
        return len(self._new) + len(self._old)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request too many: whose, at which door, and the seconds until the next may come."""

    door: Door
    who: str
    wait_s: int


class Limits:
    """All doors of one process. A rate of 0 means no limit."""

    def __init__(self, rates: Rates, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the rates; `clock` gives seconds that never go back."""
        asked: dict[Door, int] = {
            "public": rates.public_per_min,
            "feed": rates.feed_per_min,
            "token": rates.token_per_min,
        }
        self._buckets = {door: Buckets(rate, rates.processes) for door, rate in asked.items() if rate}
        self._trusted = tuple(ipaddress.ip_network(each, strict=False) for each in rates.trusted_proxies)
        self._clock = clock

    def refused(self, scope: Mapping[str, Any]) -> Refusal | None:
        """Take one request of whoever sent this; None means that it may pass."""
        door = door_of(scope["path"])
        buckets = self._buckets.get(door) if door else None
        if buckets is None or door is None:
            return None
        who = self.who(scope)
        wait = buckets.take(who, self._clock())
        return Refusal(door, who, _whole(wait)) if wait else None

    def who(self, scope: Mapping[str, Any]) -> str:
        """Give the address that a request counts for."""
        client = scope.get("client")
        address = client[0] if client else ""
        if self._trusted:
            address = self._forwarded(address, scope)
        return net_of(address) if ":" in address else address

    def is_proxied(self, scope: Mapping[str, Any]) -> bool:
        """Tell whether a request came by a proxy of ours, which says for whom it asks; not all on its machine do."""
        client = scope.get("client")
        forwarded = any(name == b"x-forwarded-for" for name, _ in scope["headers"])
        return _is_of(client[0], self._trusted) if client and forwarded else False

    def connected(self, scope: Mapping[str, Any]) -> str:
        """Give the address of the connection itself."""
        client = scope.get("client")
        return net_of(client[0]) if client else ""

    def spend(self, door: Door, who: str) -> float:
        """Take one request of somebody; give 0, or the seconds until there is one to take."""
        buckets = self._buckets.get(door)
        return buckets.take(who, self._clock()) if buckets is not None else 0.0

    def wait(self, door: Door, who: str) -> float:
        """Give the seconds until somebody may ask again, and take nothing."""
        buckets = self._buckets.get(door)
        return buckets.wait(who, self._clock()) if buckets is not None else 0.0

    def admit(self, name: str) -> None:
        """Take one request of a client that proved its name, wherever it came from.

        Raises:
            TooManyRequests: There is none left.
        """
        wait = self.spend("token", f"client {name}")
        if wait:
            raise TooManyRequests(SENTENCE, retry_after_s=_whole(wait), fix=FIX)

    def headers(self, door: Door, who: str) -> list[tuple[bytes, bytes]]:
        """Say what may still be asked, as draft-ietf-httpapi-ratelimit-headers has it."""
        buckets = self._buckets.get(door)
        if buckets is None:
            return []
        left, back_s = buckets.left(who, self._clock())
        return [
            (b"ratelimit-policy", b'"%s";q=%d;w=%d' % (door.encode(), buckets.per_min, WINDOW_S)),
            (b"ratelimit", b'"%s";r=%d;t=%d' % (door.encode(), left, back_s)),
        ]

    def told(self, scope: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
        """Give those headers for a reply, but for public documents: those go from memory and into caches."""
        door = door_of(scope["path"])
        return self.headers(door, self.who(scope)) if door in ("feed", "token") else []

    def _forwarded(self, address: str, scope: Mapping[str, Any]) -> str:
        """Walk X-Forwarded-For from its end for as long as proxies of ours wrote it."""
        if not _is_of(address, self._trusted):
            return address
        written = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
        for part in reversed(written.decode("latin-1").split(",")[-16:]):
            named = _plain(part.strip())
            if not named:
                break
            address = named
            if not _is_of(named, self._trusted):
                break
        return address


def _whole(seconds: float) -> int:
    # A thousandth less, so that a float a hair above 20 does not become 21.
    return max(1, math.ceil(seconds - 0.001))


class Gate:
    """Stands before everything else and turns away what is too much; `turned_away` counts by door."""

    def __init__(self, limits: Limits, base_url: str) -> None:
        """Guard with these limits; the base URL is for the type of the problem."""
        self.limits = limits
        self.turned_away: Counter[Door] = Counter()
        self.refused = limits.refused
        self._base_url = base_url
        self._warned = False

    def guessing(self, scope: Scope) -> Refusal | None:
        """Refuse a token unseen if its address has shown too many that did not hold."""
        if not any(name == b"authorization" for name, _ in scope["headers"]):
            return None
        who = _FALSE + self.limits.who(scope)
        wait = self.limits.wait("token", who)
        return Refusal("token", who, _whole(wait)) if wait else None

    def answered(self, scope: Scope, status: int) -> None:
        """Count a token that did not hold."""
        if status == 401 and any(name == b"authorization" for name, _ in scope["headers"]):
            self.limits.spend("token", _FALSE + self.limits.who(scope))

    async def turn_away(self, refusal: Refusal, scope: Scope, send: Send) -> None:
        """Answer 429."""
        self.turned_away[refusal.door] += 1
        self._warn(refusal, scope)
        problem = Problem(TooManyRequests.code, 429, SENTENCE, FIX, retry_after_s=refusal.wait_s)
        title = words("en", f"problem.{problem.code}")
        body = problem.document(base_url=self._base_url, instance="", title=title)
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", NOT_KEPT.encode()),
            *((name.encode(), value.encode()) for name, value in problem.headers),
            *self.limits.headers(refusal.door, refusal.who),
            *DATA_SAFETY,
            *([CLOSE] if has_body(scope) else ()),
        ]
        await send({"type": "http.response.start", "status": 429, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _warn(self, refusal: Refusal, scope: Scope) -> None:
        """Say once that a proxy hides its visitors from us: all of them share one rate then."""
        forwarded = any(name == b"x-forwarded-for" for name, _ in scope["headers"])
        if not self._warned and forwarded and refusal.who == self.limits.connected(scope):
            self._warned = True
            log.warning("visitors share one rate: name the proxy in trusted_proxies", proxy=refusal.who)


@lru_cache(maxsize=8192)
def net_of(address: str) -> str:
    """Give what an IPv6 address counts as: its /64, or the IPv4 address it carries; anything else as it is."""
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return f"{ipaddress.IPv6Address(int(found) >> 64 << 64)}/64"


@lru_cache(maxsize=8192)
def _is_of(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return any((mapped or found) in network for network in networks)


def _plain(named: str) -> str:
    """Give the address that a proxy wrote, without brackets and port; empty for what is none."""
    text = named
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
