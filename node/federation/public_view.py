"""What everyone may know of the cities this node exchanges with: their names, what is held of them, how it stands.

A reading of `health` without what is only the staff's: errors, evidence, reasons, keys. Proposed cities are not told,
since nothing is agreed with them; blocked ones neither, and what was mirrored of them is hidden. Of agreements only
those that both cities publish are named.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from node.errors import NodeError, NotFound
from node.federation.agreements.agreements import Agreement
from node.federation.identity.identity import read_statement
from node.federation.peers.days import PeerDay, PeerDays, no_days
from node.federation.peers.health import FollowHealth, Health, PeerHealth
from node.federation.peers.peers import Peer, Peers

Place = tuple[float, float]
_TOLD = frozenset({"approved", "active", "paused"})


@dataclass(frozen=True, slots=True)
class Mirror:
    """A collection of another city that is held here."""

    local: str
    peer: str
    city: str
    url: str
    checked_at_ms: int
    known_size: int
    stale: bool
    away: bool


@dataclass(frozen=True, slots=True)
class PeerCity:
    """A city this node exchanges with; `state` is approved, active, paused or quarantined."""

    name: str
    city: str
    url: str
    state: str
    since_ms: int
    answered_at_ms: int
    stale: bool
    away: bool
    mirrors: tuple[Mirror, ...]


@dataclass(frozen=True, slots=True)
class Agreed:
    """A public agreement in force; `ends_at_ms` is 0 where it has no end, `opens` says that we open records by it."""

    iri: str
    title: str
    ends_at_ms: int
    opens: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """A city with how it could be reached in the last thirty days, where it is, and what is agreed with it in public.

    `level`: all that is followed of it in public is held, as far as it is known here.
    """

    city: PeerCity
    days: Sequence[PeerDay]
    place: Place | None
    agreements: tuple[Agreed, ...]
    level: bool


class PublicView:
    """Reads the cities for everyone."""

    def __init__(
        self,
        peers: Peers,
        health: Health,
        clock_ms: Callable[[], int],
        *,
        days: PeerDays,
        agreed: Callable[[int], Sequence[Agreement]],
        place: Place | None = None,
    ) -> None:
        """Read through the book of peers and their health.

        Args:
            peers: The book.
            health: How exchange goes.
            clock_ms: The time.
            days: How peers could be reached.
            agreed: Gives the agreements in force at a time.
            place: Where this city is.
        """
        self._peers = peers
        self._health = health
        self._clock_ms = clock_ms
        self._days = days
        self._agreed = agreed
        self.place = place

    def cities(self) -> list[PeerCity]:
        """Give the cities in order of name."""
        now_ms = self._clock_ms()
        since = {peer.name: peer.approved_at for peer in self._peers.list()}
        return [_city(one, since[one.name], now_ms) for one in self._health.all(now_ms) if one.state in _TOLD]

    def standings(self) -> list[Standing]:
        """Give the cities in order of name, with all that the page of the federation says of them."""
        now_ms = self._clock_ms()
        days, peers = self._days.all(now_ms), {peer.name: peer for peer in self._peers.list()}
        agreed = [
            (each.peer, Agreed(each.iri, each.title, each.ends_at, each.role == "provider"))
            for each in self._agreed(now_ms)
            if each.public
        ]
        told = [one for one in self._health.all(now_ms) if one.state in _TOLD]
        return [
            Standing(
                city=_city(one, peers[one.name].approved_at, now_ms),
                days=days.get(one.name) or no_days(now_ms),
                place=_place(peers[one.name]),
                agreements=tuple(each for peer, each in agreed if peer == one.name),
                level=all(each.lag == 0 for each in one.follows if each.public),
            )
            for one in told
        ]

    def accents(self) -> dict[str, str]:
        """Give the colours that cities declare, by the names that their peers bear here."""
        told = {peer.name: _said(peer) for peer in self._peers.list() if peer.state in _TOLD}
        return {name: said.accent for name, said in told.items() if said and said.accent}

    def mirror(self, local: str) -> Mirror | None:
        """Say how one mirrored collection stands; nothing for one that is not followed any more."""
        now_ms = self._clock_ms()
        try:
            peer = self._health.of(local.partition("/")[0], now_ms)
        except NotFound:
            return None
        return next((_mirror(peer, one, now_ms) for one in peer.follows if one.local == local), None)

    def hidden(self) -> frozenset[str]:
        """Name the peers whose mirrors are not shown."""
        return frozenset(peer.name for peer in self._peers.list() if peer.state == "blocked")


@dataclass(frozen=True, slots=True)
class _Said:
    """What pages want of a statement."""

    place: Place | None
    accent: str


def _place(peer: Peer) -> Place | None:
    said = _said(peer)
    return said.place if said else None


def _said(peer: Peer) -> _Said | None:
    return _read(peer.statement, peer.url, peer.statement_seen_at) if peer.statement else None


@lru_cache(maxsize=512)
def _read(statement: str, url: str, seen_ms: int) -> _Said | None:
    """Read a statement; remembered, since reading one checks its signature."""
    try:
        read = read_statement(statement, url=url, now_ms=seen_ms)
    except NodeError:
        return None
    return _Said(read.place, read.accent)


def _city(peer: PeerHealth, since_ms: int, now_ms: int) -> PeerCity:
    return PeerCity(
        name=peer.name,
        city=peer.title or peer.name,
        url=peer.url,
        state="quarantined" if peer.quarantine else peer.state,
        since_ms=since_ms,
        answered_at_ms=peer.last_out_at,
        stale=peer.stale,
        away=peer.away,
        mirrors=tuple(_mirror(peer, one, now_ms) for one in peer.follows if one.public),
    )


def _mirror(peer: PeerHealth, follow: FollowHealth, now_ms: int) -> Mirror:
    return Mirror(
        local=follow.local,
        peer=peer.name,
        city=peer.title or peer.name,
        url=peer.url,
        checked_at_ms=now_ms - follow.checked_age_ms if follow.checked_age_ms >= 0 else 0,
        known_size=follow.known_size,
        stale=follow.stale,
        away=follow.away,
    )
