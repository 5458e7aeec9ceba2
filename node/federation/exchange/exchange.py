"""Pulling from peers: one conditional question, then of each followed collection the pages that are new.

The journal's own size is the cursor, so a pull may die anywhere and the next one goes on from there; there is nothing
else to lose. Everything a peer says is bounded: pages by the size it announced first, requests by the entries they must
bring, time by a deadline. One pull of a peer at a time, whatever the processes, by a lease; a poll that finds nothing
new needs none. What a page must satisfy is checked in `intake`; here is decided what to ask and what an error means.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Event

import orjson

from node.errors import (
    AlreadyRunning,
    Conflict,
    Forbidden,
    Fork,
    NodeError,
    NotAgreed,
    NotFound,
    PeerUnreachable,
    Stopped,
    Unauthenticated,
    Unavailable,
)
from node.federation.client import Head, Heads, PeerClient
from node.federation.exchange.leveller import Fetched, Leveller, Turn
from node.federation.peers.backoff import is_the_peers
from node.federation.peers.peers import Follow, Peer, Peers
from node.federation.peers.states import sentence
from node.journal import Reader
from node.lease import Lease

LEASE_MS = 120_000
PULL_MS = 900_000
# How often a check that found nothing is written down: who asks twice a second must not commit twice a second.
_COARSE_MS = 10_000
_ONLY_MISSING = (NotFound, NotAgreed, Forbidden, Unauthenticated)
_NO_ERROR: dict[str, object] = {"last_error_code": "", "last_error": "", "last_error_at": 0}


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull of a peer did. `unchanged`: the peer said so, and nothing else was asked."""

    peer: str
    unchanged: bool
    collections: tuple[Fetched, ...]
    took_ms: int

    @property
    def level(self) -> bool:
        """Tell whether everything that is followed is held."""
        return all(each.level for each in self.collections)

    @property
    def error(self) -> NodeError | None:
        """Give the gravest of what went wrong: what needs a person before what passes by itself."""
        errors = [each.error for each in self.collections if each.error is not None]
        return min(errors, key=lambda error: isinstance(error, Unavailable), default=None)


class Exchange:
    """Brings mirrors level with their origins. Safe to share by threads and processes."""

    def __init__(
        self,
        *,
        reader: Reader,
        peers: Peers,
        client: PeerClient,
        leveller: Leveller,
        clock_ms: Callable[[], int],
    ) -> None:
        """Take what is needed."""
        self._reader = reader
        self._db = reader.db
        self._peers = peers
        self._client = client
        self._leveller = leveller
        self._clock_ms = clock_ms

    def pull(self, name: str, stop: Event | None = None, *, only: str = "", by_hand: bool = False) -> Pulled:
        """Bring what is followed of a peer level with it, as far as it goes.

        Each collection is on its own: what is wrong with one does not hold up the others, and is in the answer. What
        was taken stays taken, so calling again goes on where this ended.

        Args:
            name: A peer.
            stop: Ends the pull within a second.
            only: The name, at the peer, of one collection; the others are left alone.
            by_hand: A person tries; of a row of failures at most the first lengthens the worker's waits.

        Raises:
            NotFound: There is no such peer, or nothing of it is followed.
            Quarantined: It is held apart; `KeyChanged` when that was found just now.
            Conflict: Its state allows no exchange.
            AlreadyRunning: Somebody else is pulling from it.
            PeerUnreachable: It did not answer. Noted; `Peers.due` says when to try again.
            Stopped: `stop` was set.
        """
        begun = self._clock_ms()
        peer = self._admitted(name, begun)
        follows = [each for each in self._peers.follows(name) if not each.paused and only in ("", each.collection)]
        if not follows:
            raise NotFound(f"Nothing of {name} is followed.", fix=f"citynode peers follow {name} COLLECTION")
        try:
            fetched = self._pulled(peer, follows, stop or Event(), begun, only)
        except NodeError as error:
            if is_the_peers(error):
                self._failed(name, error, by_hand=by_hand)
            raise
        self._judge(name, fetched, by_hand=by_hand)
        seen = fetched or [Fetched(each.local, size=each.known_size, level=True) for each in follows]
        return Pulled(name, not fetched, tuple(seen), self._clock_ms() - begun)

    def tidy(self, now_ms: int) -> None:
        """Remove what pulls that died have left behind."""
        self._leveller.tidy(now_ms)

    def due(self, name: str, now_ms: int, *, poll_ms: int) -> bool:
        """Tell whether a peer should be asked now by the timetable, from what the database says alone.

        After a failure that is when its patience has run out; else a poll after each collection was last asked for.
        """
        if not self._peers.due(name, now_ms):
            return False
        asked = [each.checked_at for each in self._peers.follows(name) if not each.paused]
        if asked and self._peers.get(name).failures:
            return True
        # A clock that was put back must not silence a peer for ever.
        return any(not 0 <= now_ms - at_ms < poll_ms for at_ms in asked)

    def _admitted(self, name: str, now_ms: int) -> Peer:
        peer = self._peers.fresh(name, now_ms)
        if not peer.exchanges:
            raise Conflict(f"{name} is {peer.state}. {sentence(peer.state)}", fix=f"citynode peers show {name}")
        return peer

    def _pulled(self, peer: Peer, follows: Sequence[Follow], stop: Event, begun_ms: int, only: str) -> list[Fetched]:
        """Ask for what is new and take it; then look once more, since a first mirror takes its time.

        Nothing in the list means that the peer said: nothing new.
        """
        restricted = self._restricted(follows)
        public = [each for each in follows if each.local not in restricted]
        # With a restricted one the list is asked for in full: that it stands there now is how it becomes public.
        heads = self._client.heads(peer.url, "" if restricted else _mark_of(public), stop=stop)
        if heads is None:
            self._nothing_new(public)
            return []
        with self._alone(peer, stop, begun_ms) as turn:
            follows, heads = self._widened(peer, follows, heads, only)
            public = [each for each in follows if each.local not in restricted]
            fetched = self._round(turn, follows, heads)
            is_more = bool(heads.etag) and _took(fetched)
            again = self._client.heads(peer.url, heads.etag, stop=stop) if is_more else None
            if again is not None:
                fetched = _joined(fetched, self._round(turn, public, again))
        return fetched

    def _widened(
        self, peer: Peer, follows: Sequence[Follow], heads: Heads, only: str
    ) -> tuple[Sequence[Follow], Heads]:
        """Add what the peer has begun to show, where all of it is followed; of one collection alone nothing else is."""
        if only:
            return follows, heads
        shown = [head.name for head in heads.heads if "/" not in head.name]
        if not self._peers.follow_new(peer.name, shown, self._clock_ms()):
            # Without the mark the next question is answered in full, and what is new is seen again.
            heads = replace(heads, etag="")
        known = {each.collection for each in follows}
        new = [each for each in self._peers.follows(peer.name) if each.collection not in known and not each.paused]
        return [*follows, *new], heads

    def _round(self, turn: Turn, follows: Sequence[Follow], heads: Heads) -> list[Fetched]:
        shown = {(head.collection, head.name): head for head in heads.heads}
        found = []
        for follow in follows:
            found.append(self._one(turn, follow, shown.get((follow.iri, follow.collection)), heads.etag))
            if isinstance(found[-1].error, PeerUnreachable):
                break  # the others would wait for the same silence
        return found

    def _one(self, turn: Turn, follow: Follow, head: Head | None, etag: str) -> Fetched:
        """Level one collection; what goes wrong with it is written down and given back."""
        try:
            if head is not None:
                text, token = head.checkpoint, False
            else:
                text, token = self._asked(turn, follow)
            fetched = self._leveller.level(turn, follow, text, token=token)
        except Fork as error:
            kind = str(orjson.loads(error.evidence)["kind"])
            self._peers.quarantine(follow.peer, kind, error.message, error.evidence, self._clock_ms())
            return self._not_level(follow, error)
        except (Stopped, AlreadyRunning):
            raise
        except NodeError as error:
            return self._not_level(follow, error)
        now_ms = self._clock_ms()
        facts = {"known_size": fetched.size, "known_note": text, "known_at": now_ms}
        facts |= {"checked_at": now_ms, "level_at": now_ms, "etag": "" if token else etag} | _NO_ERROR
        with self._db.write() as tx:
            self._peers.change_follow(tx, follow.peer, follow.collection, **facts)
        return fetched

    def _asked(self, turn: Turn, follow: Follow) -> tuple[str, bool]:
        """Ask for the note of a collection that is not in the list; tells also whether it took a token to see it.

        A list can be broken on its way: what its origin still shows to everybody is not hidden here for that.
        """
        try:
            return self._client.note(turn.peer.url, follow.collection, stop=turn.stop), False
        except (Unauthenticated, Forbidden, NotFound):
            pass
        try:
            return self._client.note(turn.peer.url, follow.collection, token=True, stop=turn.stop), True
        except NotFound as error:
            raise NotFound(
                f"{follow.peer} shows this city no collection {follow.collection}.",
                fix="It takes an agreement in force: citynode agreements list. Else: citynode peers unfollow"
                f" {follow.peer} {follow.collection}",
            ) from error

    def _not_level(self, follow: Follow, error: NodeError) -> Fetched:
        now_ms = self._clock_ms()
        self._peers.follow_failed(follow.peer, follow.collection, error, now_ms)
        with self._db.write() as tx:
            # Without the mark the next question is answered in full, and this collection is tried again.
            facts: dict[str, object] = {"etag": ""}
            if not isinstance(error, Unavailable):
                facts["checked_at"] = now_ms
            self._peers.change_follow(tx, follow.peer, follow.collection, **facts)
        return Fetched(follow.local, size=self._leveller.held(follow), error=error)

    def _failed(self, name: str, error: NodeError, *, by_hand: bool) -> None:
        """Count a failure; a person's tries are no reason for the worker to lose patience."""
        if by_hand and self._peers.get(name).failures:
            self._peers.note_error(name, error, self._clock_ms())
        else:
            self._peers.failed(name, error, self._clock_ms())

    def _judge(self, name: str, fetched: Sequence[Fetched], *, by_hand: bool) -> None:
        """Settle what the whole pull says of the peer: what is only missing there is no failure of it."""
        errors = [each.error for each in fetched if each.error is not None and is_the_peers(each.error)]
        grave = [error for error in errors if not isinstance(error, _ONLY_MISSING)]
        if grave:
            self._failed(name, grave[0], by_hand=by_hand)
        else:
            self._peers.answered(name, self._clock_ms())

    def _nothing_new(self, follows: Sequence[Follow]) -> None:
        now_ms = self._clock_ms()
        stale = [each for each in follows if abs(now_ms - each.checked_at) >= _COARSE_MS]
        if stale:
            with self._db.write() as tx:
                for each in stale:
                    facts = {"checked_at": now_ms, "level_at": now_ms} | _NO_ERROR
                    self._peers.change_follow(tx, each.peer, each.collection, **facts)

    def _restricted(self, follows: Sequence[Follow]) -> frozenset[str]:
        """Name the mirrors that were made with a token; what is not held yet may be either."""
        wanted = {each.local for each in follows}
        with self._db.read() as tx:
            held = self._reader.collections(tx)
        return frozenset(each.name for each in held if each.name in wanted and each.visibility == "restricted")

    @contextlib.contextmanager
    def _alone(self, peer: Peer, stop: Event, begun_ms: int) -> Iterator[Turn]:
        """Hold the right to pull from a peer, and lose it with the deadline."""
        lease = Lease(self._db, f"pull/{peer.name}", length_ms=LEASE_MS)
        renewed_ms = 0

        def keep() -> None:
            nonlocal renewed_ms
            now_ms = self._clock_ms()
            if stop.is_set():
                raise Stopped("The pull was stopped.", fix="The next one goes on where it ended.")
            if now_ms - begun_ms > PULL_MS:
                raise PeerUnreachable(
                    f"{peer.name} was not level after {PULL_MS // 60_000} minutes.",
                    fix="The next pull goes on where this one ended.",
                )
            if not renewed_ms or abs(now_ms - renewed_ms) > LEASE_MS // 4:
                if not lease.hold(now_ms):
                    raise AlreadyRunning(f"Somebody else is pulling from {peer.name}.", fix="Wait for it to end.")
                renewed_ms = now_ms

        keep()
        try:
            yield Turn(peer, stop, keep)
        finally:
            lease.release()


def _mark_of(follows: Sequence[Follow]) -> str:
    """Give the mark of the last list of heads with which all of these are level; empty if there is no such one."""
    marks = {each.etag for each in follows}
    return marks.pop() if len(marks) == 1 else ""


def _took(fetched: Sequence[Fetched]) -> bool:
    return any(each.entries for each in fetched) and not any(each.error for each in fetched)


def _joined(first: Sequence[Fetched], second: Sequence[Fetched]) -> list[Fetched]:
    """Add what a second look brought to what the first one did."""
    later = {each.collection: each for each in second}
    return [_sum(each, later.get(each.collection)) for each in first]


def _sum(one: Fetched, other: Fetched | None) -> Fetched:
    if other is None:
        return one
    return replace(
        other,
        entries=one.entries + other.entries,
        refused=one.refused + other.refused,
        pages=one.pages + other.pages,
    )
