"""How the exchange with each peer stands: one value that the command line, the API, metrics and pages all show.

Read from the book of peers and the sizes of the mirrors; asks nobody and keeps nothing. *Stale* means that the origin
has not answered for longer than three polls and an hour: what is held of it stays, and says how old it may be. *Away*
means only that the last visit failed, which is told at once. *At odds* means that it answers, and that what it shows
was refused several times in a row: no waiting mends that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from node.db import Database
from node.errors import Forbidden, NotAgreed, NotFound, Refused, Unauthenticated
from node.federation.peers.backoff import Backoff
from node.federation.peers.peers import Follow, Peer, Peers
from node.federation.peers.states import EXCHANGING, sentence
from node.keys import PublicKey

DAY_MS = 86_400_000
WARN_DAYS = (3, 14, 30)
_LEAST_STALE_MS = 3_600_000
_AT_ODDS_AFTER = 3  # in a row: one alone may be a city that was just being restored
_ONLY_MISSING = (NotFound, NotAgreed, Forbidden, Unauthenticated)


def _codes(kind: type[Refused]) -> Iterator[str]:
    yield kind.code
    for each in kind.__subclasses__():
        yield from _codes(each)


# What a peer shows is refused; what it does not show us, or not any more, is no fault of it.
_REFUSED = frozenset(_codes(Refused)) - {each.code for each in _ONLY_MISSING}


@dataclass(frozen=True, slots=True)
class Expiry:
    """Something that will stop working: days left, 0 if it has, and the step of the warning (30, 14 or 3 days).

    `about` is the purpose of a key, or `statement`.
    """

    about: str
    what: str
    at_ms: int
    days_left: int
    step: int

    @property
    def sentence(self) -> str:
        """Say it."""
        if self.days_left <= 0:
            return f"{self.what} has run out."
        return f"{self.what} runs out in {self.days_left} day{'s' if self.days_left != 1 else ''}."


@dataclass(frozen=True, slots=True)
class FollowHealth:
    """How one mirror stands. `lag` counts entries that are known and not held; -1 for an age means never.

    `public` is said of what everyone may know of: held in public, or not held yet and named by its origin's statement.
    """

    collection: str
    local: str
    iri: str
    themes: tuple[str, ...]
    known_size: int
    held_size: int
    checked_age_ms: int
    level_age_ms: int
    stale: bool
    away: bool
    last_error_code: str
    last_error: str
    public: bool

    @property
    def lag(self) -> int:
        """Count the entries that are known and not held."""
        return max(0, self.known_size - self.held_size)


@dataclass(frozen=True, slots=True)
class PeerHealth:
    """How one peer stands. Times in ms, 0 for never; -1 for an age means never."""

    name: str
    url: str
    title: str
    state: str
    sentence: str
    quarantine: str
    last_out_at: int
    last_in_at: int
    silent_ms: int
    stale: bool
    away: bool
    failures: int
    circuit: str
    next_attempt_at: int
    last_error_code: str
    last_error: str
    last_error_at: int
    statement_expires_at: int
    warnings: tuple[Expiry, ...]
    follows: tuple[FollowHealth, ...]

    @property
    def lag(self) -> int:
        """Count the entries of all mirrors that are known and not held."""
        return sum(each.lag for each in self.follows)

    @property
    def at_odds(self) -> bool:
        """Tell whether it answers with what is refused, and a person has to ask there why."""
        refused = self.failures >= _AT_ODDS_AFTER and self.last_error_code in _REFUSED
        return refused and self.state in EXCHANGING


class Health:
    """Reads how every peer stands."""

    def __init__(self, db: Database, peers: Peers, *, poll_ms: int, backoff: Backoff | None = None) -> None:
        """Judge by how often peers are polled."""
        self._db = db
        self._peers = peers
        self._poll_ms = poll_ms
        self._stale_ms = max(3 * poll_ms, _LEAST_STALE_MS)
        self._backoff = backoff or Backoff()

    def all(self, now_ms: int) -> list[PeerHealth]:
        """Give every peer, in order of name."""
        sizes = self._held()
        follows: dict[str, list[Follow]] = {}
        for follow in self._peers.follows():
            follows.setdefault(follow.peer, []).append(follow)
        return [self._of(peer, follows.get(peer.name, []), sizes, now_ms) for peer in self._peers.list()]

    def of(self, name: str, now_ms: int) -> PeerHealth:
        """Give one peer. Raises NotFound."""
        return self._of(self._peers.get(name), self._peers.follows(name), self._held(), now_ms)

    def _held(self) -> dict[str, tuple[int, bool]]:
        """Give size of every mirror, and whether it is public, by name."""
        rows = self._db.hot().rows("SELECT name, size, visibility FROM collection WHERE name LIKE '%/%'")
        return {str(row[0]): (int(row[1]), row[2] == "public") for row in rows}

    def _of(
        self, peer: Peer, follows: Sequence[Follow], held: Mapping[str, tuple[int, bool]], now_ms: int
    ) -> PeerHealth:
        named = self._named(peer.name) if any(each.local not in held for each in follows) else frozenset[str]()
        silent = now_ms - (peer.last_out_at or peer.approved_at)
        return PeerHealth(
            name=peer.name,
            url=peer.url,
            title=peer.title,
            state=peer.state,
            sentence=sentence(peer.state, quarantine=peer.quarantine),
            quarantine=peer.quarantine,
            last_out_at=peer.last_out_at,
            last_in_at=peer.last_in_at,
            silent_ms=_age(peer.last_out_at, now_ms),
            stale=bool(peer.approved_at) and silent > self._stale_ms,
            away=peer.failures > 0,
            failures=peer.failures,
            circuit=self._backoff.state(peer.failures, peer.open_until, now_ms),
            next_attempt_at=self._next(peer, now_ms),
            last_error_code=peer.last_error_code,
            last_error=peer.last_error,
            last_error_at=peer.last_error_at,
            statement_expires_at=peer.statement_expires_at,
            warnings=tuple(_warnings(peer, self._peers.all_keys(peer.name), now_ms)),
            follows=tuple(
                self._follow(peer, each, held.get(each.local, (0, each.iri in named)), now_ms) for each in follows
            ),
        )

    def _named(self, name: str) -> frozenset[str]:
        """Give the IRIs of the collections that a peer itself calls public."""
        identity = self._peers.identity(name)
        return frozenset(iri for _, iri, _ in identity.collections) if identity else frozenset()

    def _next(self, peer: Peer, now_ms: int) -> int:
        if not peer.exchanges:
            return 0
        return max(peer.open_until, peer.last_out_at + self._poll_ms if not peer.failures else 0, now_ms)

    def _follow(self, peer: Peer, follow: Follow, held: tuple[int, bool], now_ms: int) -> FollowHealth:
        size, public = held
        silent = now_ms - (follow.checked_at or follow.created_at)
        return FollowHealth(
            collection=follow.collection,
            local=follow.local,
            iri=follow.iri,
            themes=follow.themes,
            known_size=follow.known_size,
            held_size=size,
            checked_age_ms=_age(follow.checked_at, now_ms),
            level_age_ms=_age(follow.level_at, now_ms),
            stale=silent > self._stale_ms,
            # A success clears both, so either is younger than the last answer.
            away=peer.failures > 0 or bool(follow.last_error_code),
            last_error_code=follow.last_error_code,
            last_error=follow.last_error,
            public=public,
        )


def _age(at_ms: int, now_ms: int) -> int:
    return max(0, now_ms - at_ms) if at_ms else -1


def _warnings(peer: Peer, keys: Sequence[PublicKey], now_ms: int) -> Iterator[Expiry]:
    """Warn of the keys that the peer still signs with, and of a statement that is not renewed.

    A key that was replaced within its overlap is no worry while a newer one of its purpose is pinned.
    """
    lasting = {key.purpose for key in keys if key.until_ms is None}
    for key in keys:
        if key.until_ms is not None and key.purpose not in lasting:
            yield from _warning(key.purpose, f"The last {key.purpose} key of {peer.name}", key.until_ms, now_ms)
    # A statement lives for a day and is renewed every hour, so only its end itself says something.
    if peer.state not in ("proposed", "blocked") and peer.statement_expires_at <= now_ms:
        yield Expiry("statement", f"The statement of {peer.name}", peer.statement_expires_at, 0, WARN_DAYS[0])


def _warning(about: str, what: str, at_ms: int, now_ms: int) -> Iterator[Expiry]:
    days = max(0, -(-(at_ms - now_ms) // DAY_MS))
    for step in WARN_DAYS:
        if days <= step:
            yield Expiry(about, what, at_ms, days, step)
            return


class PeerMarks(Collector):
    """Gauges of every peer, read when asked: contact, failures, lag, what is held, staleness, quarantine."""

    def __init__(self, health: Health, clock_ms: Callable[[], int]) -> None:
        self._health = health
        self._clock_ms = clock_ms

    def collect(self) -> Iterator[Metric]:
        """Read them."""
        by_peer = {
            name: GaugeMetricFamily(f"citynode_peer_{name}", said, labels=("peer",))
            for name, said in {
                "last_contact_seconds": "When the peer last answered, seconds since 1970.",
                "last_heard_seconds": "When the peer last asked, seconds since 1970.",
                "failures": "Failed exchanges in a row.",
                "stale": "1 if the peer has been silent for too long.",
                "quarantined": "1 if the peer is held apart.",
            }.items()
        }
        by_mirror = {
            name: GaugeMetricFamily(f"citynode_mirror_{name}", said, labels=("peer", "collection"))
            for name, said in {
                "known_entries": "Entries that the origin has signed, as far as is known here.",
                "verified_entries": "Entries that are verified and held.",
                "stale": "1 if the origin has been silent for too long.",
            }.items()
        }
        for peer in self._health.all(self._clock_ms()):
            by_peer["last_contact_seconds"].add_metric((peer.name,), peer.last_out_at / 1000)
            by_peer["last_heard_seconds"].add_metric((peer.name,), peer.last_in_at / 1000)
            by_peer["failures"].add_metric((peer.name,), peer.failures)
            by_peer["stale"].add_metric((peer.name,), peer.stale)
            by_peer["quarantined"].add_metric((peer.name,), bool(peer.quarantine))
            for follow in (each for each in peer.follows if each.public):
                label = (peer.name, follow.collection)
                by_mirror["known_entries"].add_metric(label, follow.known_size)
                by_mirror["verified_entries"].add_metric(label, follow.held_size)
                by_mirror["stale"].add_metric(label, follow.stale)
        yield from by_peer.values()
        yield from by_mirror.values()
