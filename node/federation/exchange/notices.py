"""Notices: "there is a new checkpoint", told to peers and heard from them. Polling is the floor; this is the quick way.

Owns the tables `told` (what each peer was told last) and `nudge` (who told us something that is news). Out: changes
are gathered, then each peer gets one list of the heads it may see. Nothing of a notice is believed: it makes us pull
sooner, and the pull checks everything. So hearing costs one read, a storm is one row, a lost notice nothing but time.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Collection as Many
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import NamedTuple, Protocol

import orjson

from node.db import Database, Tx
from node.errors import Malformed, NodeError, TooLarge, Unavailable
from node.federation.peers.backoff import Backoff
from node.federation.peers.peers import Follow, Peer
from node.journal import Reader
from node.journal.note import MAX_NOTE_BYTES, checkpoint_of, parse

MAX_BODY_BYTES = 256 * 1024
MAX_HEADS = 500
JITTER = 0.15
_AT_ONCE = 8
_PAUSE_S = 0.3  # before the one repetition
_PATIENCE = Backoff(first_ms=30_000, opens_after=1)
_TOLD = (
    "INSERT INTO told (peer, collection, size, at) VALUES (?, ?, ?, ?) ON CONFLICT (peer, collection)"
    " DO UPDATE SET size = excluded.size, at = excluded.at"
)
_NUDGE = (
    "INSERT INTO nudge (peer, at, heads) VALUES (?, ?, ?) ON CONFLICT (peer)"
    " DO UPDATE SET at = excluded.at, heads = excluded.heads"
)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest signed state of one collection: its IRI at the origin, size and note."""

    collection: str
    size: int
    checkpoint: str


@dataclass(frozen=True, slots=True)
class _Own:
    """A head of ours; one that is not public is for those alone who may read its collection."""

    head: Head
    name: str
    public: bool


class _Silence(NamedTuple):
    """How often in a row a peer took no notice, and until when it gets none."""

    failures: int = 0
    until_ms: int = 0


_NO_SILENCE = _Silence()


@dataclass(frozen=True, slots=True)
class Nudge:
    """A peer said that it has news: when it last did, and the sizes it named by collection IRI."""

    peer: str
    at_ms: int
    sizes: Mapping[str, int]


class Addresses(Protocol):
    """What notices ask the book of peers."""

    def list(self) -> Sequence[Peer]:
        """Give all peers."""

    def follows(self, name: str) -> Sequence[Follow]:
        """Give what is followed of a peer."""


class Messenger(Protocol):
    """What notices ask of the client."""

    def notify(self, url: str, heads: Sequence[Mapping[str, object]], *, stop: Event | None = None) -> None:
        """Tell a peer of heads."""


class Notices:
    """Tells peers of new checkpoints, and remembers which peers told us of some."""

    def __init__(
        self,
        reader: Reader,
        peers: Addresses,
        client: Messenger,
        *,
        readers: Callable[[str], Many[str]],
        after_ms: int,
        chance: Callable[[], float],
    ) -> None:
        """Take what is needed.

        Args:
            reader: Of the journals.
            peers: The book.
            client: Sends the notices.
            readers: Names the peers that may read one of our restricted collections.
            after_ms: How long news are gathered.
            chance: A fresh number from 0 up to 1.
        """
        self._reader = reader
        self._db: Database = reader.db
        self._peers = peers
        self._client = client
        self._readers = readers
        self._after_ms = after_ms
        self._chance = chance
        self._due_ms: int | None = None
        self._silence: dict[str, _Silence] = {}

    # ---------------------------------------------------------------- out

    @property
    def pending(self) -> bool:
        """Tell whether something is being gathered."""
        return self._due_ms is not None

    def look(self, now_ms: int) -> bool:
        """See whether there is anything to tell, and whether it was gathered long enough; True when `tell` is due.

        The first news start the clock and later ones join them, so that a harvest of an hour is told of while it
        runs. Cheap enough for every change of the database: a few reads by key.
        """
        if self._due_ms is None and self._news(now_ms):
            self._due_ms = now_ms + int(self._after_ms * (1 + JITTER * self._chance()))
        return self._due_ms is not None and now_ms >= self._due_ms

    def tell(self, now_ms: int, stop: Event | None = None) -> int:
        """Send every peer its list, side by side; give how many took it.

        What could not be told after one repetition counts as told: the peer will ask by itself.
        """
        self._due_ms = None
        news = self._news(now_ms)
        if not news:
            return 0
        with ThreadPoolExecutor(min(_AT_ONCE, len(news)), thread_name_prefix="notice") as pool:
            taken = list(pool.map(lambda each: self._told(each[0], each[1], stop), news.items()))
        for name, took in zip(news, taken, strict=True):
            self._noted(name, now_ms, taken=took)
        with self._db.write() as tx:
            for name, heads in news.items():
                tx.many(_TOLD, [(name, own.head.collection, own.head.size, now_ms) for own in heads])
        return sum(taken)

    def _told(self, name: str, heads: Sequence[_Own], stop: Event | None) -> bool:
        url = next((peer.url for peer in self._peers.list() if peer.name == name), "")
        said = [{"collection": o.head.collection, "size": o.head.size, "checkpoint": o.head.checkpoint} for o in heads]
        for last in (False, True):
            try:
                self._client.notify(url, said, stop=stop)
            except Unavailable:
                if last or (stop or Event()).wait(_PAUSE_S):
                    return False
            except NodeError:
                return False
            else:
                return True
        return False

    def _is_silent(self, peer: Peer, now_ms: int) -> bool:
        return now_ms < self._silence.get(peer.name, _NO_SILENCE).until_ms

    def _noted(self, name: str, now_ms: int, *, taken: bool) -> None:
        """Leave a peer alone that took no notice, for longer each time, so that the others are not kept waiting."""
        if taken:
            self._silence.pop(name, None)
            return
        failures = self._silence.get(name, _NO_SILENCE).failures + 1
        self._silence[name] = _Silence(failures, now_ms + _PATIENCE.wait_ms(failures, self._chance()))

    def _news(self, now_ms: int) -> dict[str, list[_Own]]:
        """Give, by peer, the heads it may see and was not told of."""
        peers = [
            peer
            for peer in self._peers.list()
            if peer.state in ("approved", "active") and not peer.quarantine and not self._is_silent(peer, now_ms)
        ]
        if not peers:
            return {}
        with self._db.read() as tx:
            heads = self._heads(tx)
            told = {(peer, iri): size for peer, iri, size in tx.rows("SELECT peer, collection, size FROM told")}
        readers = {own.name: set(self._readers(own.name)) for own in heads if not own.public}
        found: dict[str, list[_Own]] = {}
        for peer in peers:
            for own in heads:
                may = own.public or peer.name in readers[own.name]
                if may and own.head.size > told.get((peer.name, own.head.collection), 0):
                    found.setdefault(peer.name, []).append(own)
        # What is too much for one list waits for the next.
        return {name: news[:MAX_HEADS] for name, news in found.items()}

    def _heads(self, tx: Tx) -> list[_Own]:
        found = []
        for collection in self._reader.collections(tx):
            note = None if "/" in collection.name else self._reader.newest_checkpoint(tx, collection.name)
            if note:
                size = checkpoint_of(parse(note).text).size
                public = collection.visibility == "public"
                found.append(_Own(Head(collection.iri, size, note), collection.name, public))
        return found

    # ---------------------------------------------------------------- in

    def hear(self, peer: str, body: bytes, now_ms: int) -> bool:
        """Take a notice of a peer that was recognised; True if it is news. Repeating it changes nothing.

        Raises:
            Malformed: It is no list of heads.
            TooLarge: It is longer than a notice may be.
        """
        sizes = {head.collection: head.size for head in read_heads(body)}
        wanted = {each.iri: each for each in self._peers.follows(peer) if not each.paused}
        news = {iri: size for iri, size in sizes.items() if iri in wanted and size > wanted[iri].known_size}
        if not news:
            return False
        said = orjson.dumps(news, option=orjson.OPT_SORT_KEYS).decode()
        held = self._db.hot().row("SELECT heads FROM nudge WHERE peer = ?", (peer,))
        if held is None or held[0] != said:
            with self._db.write() as tx:
                tx.run(_NUDGE, peer, now_ms, said)
        return True

    def prod(self, peer: str, iri: str, now_ms: int) -> bool:
        """Remember that a peer has news in a collection of its own that we follow, however it said so; True if so."""
        if not any(each.iri == iri and not each.paused for each in self._peers.follows(peer)):
            return False
        with self._db.write() as tx:
            tx.lock(f"nudge/{peer}")
            held = tx.row("SELECT heads FROM nudge WHERE peer = ?", peer)
            said = {iri: 0, **(orjson.loads(held[0]) if held else {})}
            tx.run(_NUDGE, peer, now_ms, orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode())
        return True

    def nudges(self) -> list[Nudge]:
        """Give what was heard and not yet settled, the oldest first."""
        rows = self._db.hot().rows("SELECT peer, at, heads FROM nudge ORDER BY at, peer")
        return [Nudge(peer, at, orjson.loads(heads)) for peer, at, heads in rows]

    def settle(self, nudge: Nudge) -> None:
        """Forget a nudge that was followed, unless the peer has said something newer meanwhile."""
        with self._db.write() as tx:
            tx.run("DELETE FROM nudge WHERE peer = ? AND at = ?", nudge.peer, nudge.at_ms)


def read_heads(body: bytes) -> list[Head]:
    """Read a notice strictly; the notes in it are looked at for their form alone.

    Raises:
        Malformed: It is no list of heads.
        TooLarge: It is longer than a notice may be.
    """
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(f"A notice has at most {MAX_BODY_BYTES} bytes.", fix="Send the newest heads only.")
    try:
        said = orjson.loads(body)
    except ValueError as error:
        raise Malformed("A notice is one JSON object.", fix='Send {"heads": [...]}.') from error
    heads = said.get("heads") if isinstance(said, dict) else None
    if not isinstance(heads, list) or len(heads) > MAX_HEADS:
        raise Malformed(f"A notice names at most {MAX_HEADS} heads in a list.", fix='Send {"heads": [...]}.')
    return [_head(each) for each in heads]


def _head(said: object) -> Head:
    match said:
        case {"collection": str(iri), "size": int(size), "checkpoint": str(note)} if _fits(iri, size, note):
            return Head(iri, size, note)
    raise Malformed("A head has a collection, a size and a checkpoint.", fix="Send what /checkpoints says.")


def _fits(iri: str, size: int, note: str) -> bool:
    return len(iri) <= 2_000 and not isinstance(size, bool) and 0 <= size < 1 << 53 and len(note) <= MAX_NOTE_BYTES
