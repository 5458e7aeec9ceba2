"""What everyone may know of the cities this node exchanges with: their names, what is held of them, how it stands.

A reading of `health` without what is only the staff's: errors, evidence, reasons, keys. Proposed cities are not told,
since nothing is agreed with them; blocked ones neither, and what was mirrored of them is hidden.
"""

from collections.abc import Callable
from dataclasses import dataclass

from node.errors import NotFound
from node.federation.health import FollowHealth, Health, PeerHealth
from node.federation.peers import Peers

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


class PublicView:
    """Reads the cities for everyone."""

    def __init__(self, peers: Peers, health: Health, clock_ms: Callable[[], int]) -> None:
        """Read through the book of peers and their health."""
        self._peers = peers
        self._health = health
        self._clock_ms = clock_ms

    def cities(self) -> list[PeerCity]:
        """Give the cities in order of name."""
        now_ms = self._clock_ms()
        since = {peer.name: peer.approved_at for peer in self._peers.list()}
        return [_city(one, since[one.name], now_ms) for one in self._health.all(now_ms) if one.state in _TOLD]

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
