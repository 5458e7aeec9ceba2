"""Tries links, politely: one at a time per origin, seconds apart, as its `robots.txt` allows, HEAD before a GET.

What is due stands in the database, so a worker may die at any moment and nothing is asked twice. Links were written by
strangers: the way out is `node.outbound` with its rules of addresses, every redirect is looked at like a first address
(its origin's robots.txt too), and ports of other protocols are never spoken to. Owns no table; writes through `links`.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from node.catalog.quality import links, robots
from node.catalog.quality.links import Due, Host, Links, host_of
from node.catalog.quality.robots import Robots
from node.catalog.quality.verdicts import (
    DAY_MS,
    OF_HOST,
    TRIES,
    Answered,
    Detail,
    detail_of,
    gap_ms,
    host_wait_ms,
    outcome_of,
    size_of,
    wait_of,
)
from node.db import Database
from node.errors import Stopped
from node.outbound import Looked

AT_ONCE = 4
_HOSTS = 16  # origins of one round
_MAX_HOPS = 5
_LOOK_S = 15.0
_LINK_S = 60.0
_PAUSE_S = 1.0
_KEPT_ROBOTS = 2_000
_WEB_PORTS = (80, 443)


class Way(Protocol):
    """The way out, as far as links need it."""

    def look(
        self,
        url: str,
        *,
        method: str = "HEAD",
        headers: Mapping[str, str] | None = None,
        max_bytes: int = 0,
        deadline_s: float,
        stop: threading.Event,
    ) -> Looked:
        """Look whether an address answers."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How links are tried: `every_ms` one that gives no trouble; `pause_s` between two requests for one link."""

    every_ms: int
    pause_s: float = _PAUSE_S


@dataclass(slots=True)
class _Try:
    """One link being tried: when to give up, and when to stop."""

    until: float
    stop: threading.Event


class LinkChecker:
    """Tries what is due. One at a time per database: whoever calls it holds a lease."""

    def __init__(
        self,
        db: Database,
        way: Way,
        pace: Pace,
        *,
        clock_ms: Callable[[], int],
        ticks: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        """Try nothing yet.

        Args:
            db: Where links stand.
            way: The way out.
            pace: How often, and how slowly.
            clock_ms: The wall clock.
            ticks: A clock that never goes back, in seconds.
            chance: Gives a fresh number from 0 up to 1.
        """
        self._db = db
        self._links = Links(db.hot())
        self._way = way
        self._pace = pace
        self._clock_ms = clock_ms
        self._ticks = ticks
        self._chance = chance
        self._robots: OrderedDict[str, tuple[int, Robots]] = OrderedDict()
        self._lock = threading.Lock()

    def round(self, stop: threading.Event) -> int:
        """Try one link of each origin that may be asked now, some at once; give how many were tried."""
        hosts = self._links.hosts_due(self._clock_ms(), _HOSTS)
        if not hosts:
            return 0
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="links") as pool:
            return sum(pool.map(lambda host: self._visit(host, stop), hosts))

    def _visit(self, host: Host, stop: threading.Event) -> int:
        due = self._links.due(host.name, self._clock_ms())
        try:
            answered = self._try(due.url, stop) if due is not None and not stop.is_set() else None
        except Stopped:
            return 0
        if stop.is_set():
            return 0
        self._save(host, due, answered)
        return 1 if answered else 0

    def _save(self, host: Host, due: Due | None, answered: Answered | None) -> None:
        now_ms = self._clock_ms()
        with self._db.write() as tx:
            if due is None or answered is None:
                links.rest(tx, host.name, until_ms=now_ms, fails=host.fails)
            elif answered.detail in OF_HOST:
                fails = host.fails + 1
                wait_ms = host_wait_ms(fails)
                if fails >= TRIES:
                    links.give_up(tx, host.name, answered.detail, at_ms=now_ms, next_ms=now_ms + wait_ms)
                links.rest(tx, host.name, until_ms=now_ms + wait_ms, fails=fails)
            else:
                spread = self._chance()
                links.save(tx, outcome_of(due, answered, now_ms=now_ms, every_ms=self._pace.every_ms, chance=spread))
                wait_ms = max(answered.wait_ms, gap_ms(self._known(host.name).delay_s))
                links.rest(tx, host.name, until_ms=now_ms + wait_ms, fails=0)

    def _try(self, url: str, stop: threading.Event) -> Answered:
        """Follow a link to its end."""
        one = _Try(self._ticks() + _LINK_S, stop)
        first, seen = host_of(url), 0
        while True:
            refusal = self._refused(url, one)
            answered, location = (refusal, "") if refusal else self._look(url, one)
            if not location:
                # That the place it leads to cannot be reached says nothing of the origin that sent us there.
                of_other = answered.detail in OF_HOST and host_of(url) != first
                return Answered(answered.status, "broken") if of_other else answered
            seen, url = seen + 1, location
            if seen > _MAX_HOPS:
                return Answered(answered.status, "redirects")
            self._pause(one)

    def _refused(self, url: str, one: _Try) -> Answered | None:
        """Say why an address is not asked for, if it is not: its port, its robots.txt, or our time."""
        if not _is_web(url):
            return Answered(0, "port")
        if self._ticks() >= one.until:
            return Answered(0, "late")
        trouble = self._learn(host_of(url), one)
        if trouble is not None:
            return trouble
        return None if self._known(host_of(url)).allows(url) else Answered(0, "robots")

    def _look(self, url: str, one: _Try) -> tuple[Answered, str]:
        """Ask with HEAD, and with a GET of one byte where HEAD brought nothing good; give where it leads, too."""
        looked = self._asked(url, one, "HEAD")
        if looked.location:
            return Answered(looked.status), looked.location
        if _is_in_doubt(looked):
            self._pause(one)
            again = self._asked(url, one, "GET", {"Range": "bytes=0-0"})
            # An answer to the second question is better than none to the first, and never the other way round.
            looked = again if again.status or not looked.status else looked
        return _answered(looked), looked.location

    def _asked(
        self, url: str, one: _Try, method: str, headers: Mapping[str, str] | None = None, max_bytes: int = 0
    ) -> Looked:
        left_s = max(0.1, min(_LOOK_S, one.until - self._ticks()))
        return self._way.look(
            url, method=method, headers=headers, max_bytes=max_bytes, deadline_s=left_s, stop=one.stop
        )

    def _learn(self, origin: str, one: _Try) -> Answered | None:
        """Read an origin's robots.txt, once a day; says what kept us from it, if that keeps us from all it has."""
        with self._lock:
            kept = self._robots.get(origin)
        now_ms = self._clock_ms()
        if kept is not None and 0 <= now_ms - kept[0] < DAY_MS:
            return None
        url = f"{origin}/robots.txt"
        looked = self._asked(url, one, "GET", max_bytes=robots.MAX_BYTES)
        for _ in range(_MAX_HOPS):
            if not looked.location or not _is_web(looked.location):
                break
            url = looked.location
            looked = self._asked(url, one, "GET", max_bytes=robots.MAX_BYTES)
        detail = looked.trouble or detail_of(looked.status)
        # RFC 9309, 2.3.1.3 and 2.3.1.4: what is not there forbids nothing, what cannot be had forbids everything.
        if detail in OF_HOST:
            return Answered(0, detail if host_of(url) == origin else "broken")
        if looked.trouble or looked.status >= 500 or detail == "busy":
            return Answered(looked.status, "busy", wait_ms=wait_of(looked.headers.get("retry-after", "")))
        self._keep(origin, now_ms, robots.read(looked.body) if not detail else robots.EVERYTHING)
        self._pause(one)
        return None

    def _keep(self, origin: str, now_ms: int, found: Robots) -> None:
        with self._lock:
            self._robots[origin] = (now_ms, found)
            self._robots.move_to_end(origin)
            while len(self._robots) > _KEPT_ROBOTS:
                self._robots.popitem(last=False)

    def _known(self, origin: str) -> Robots:
        with self._lock:
            kept = self._robots.get(origin)
        return kept[1] if kept else robots.EVERYTHING

    def _pause(self, one: _Try) -> None:
        if one.stop.wait(self._pace.pause_s):
            raise Stopped("The request was stopped.")


def _is_web(url: str) -> bool:
    """Tell whether an address speaks of a port where the web may be: no mail server is ever talked to."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and (port is None or port in _WEB_PORTS or port >= 1024)


def _is_in_doubt(looked: Looked) -> bool:
    """Tell whether a HEAD deserves a GET: many servers answer it badly, few answer a GET badly."""
    if looked.trouble:
        return looked.trouble in ("late", "broken")
    return detail_of(looked.status) not in ("", "busy")


def _answered(looked: Looked) -> Answered:
    detail: Detail = looked.trouble or detail_of(looked.status)
    headers = looked.headers
    ranged = looked.status == 206
    return Answered(
        status=looked.status,
        detail=detail,
        size=size_of(headers.get("content-length", ""), headers.get("content-range", ""), ranged=ranged),
        media_type=headers.get("content-type", "").partition(";")[0].strip().lower()[:100],
        wait_ms=wait_of(headers.get("retry-after", "")) if detail == "busy" else 0,
    )
