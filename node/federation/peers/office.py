"""What the city's staff does with peers, said in JSON values: the one desk behind the command line and the API.

Each method is one act and answers with how things stand afterwards. Times are written as RFC 3339. Knows no caller:
whoever calls has made sure that it is the city's own staff.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from node.errors import Conflict, KeyChanged, Malformed, NodeError
from node.federation.peers import peer_csv
from node.federation.peers.days import PeerDays, no_days
from node.federation.peers.health import FollowHealth, Health, PeerHealth
from node.federation.peers.peer_test import PeerTest, Walk
from node.federation.peers.peers import Evidence, Peers, Review, invitation
from node.federation.peers.states import STATES, sentence
from node.keys import PublicKey

Json = dict[str, object]
_MOST_NAMED = 20
_MOST_SAID = 200
_MOST_NOTE = 1_000
_TIMES = frozenset({"last_out_at", "last_in_at", "next_attempt_at", "last_error_at", "statement_expires_at"})


class PeerOffice:
    """The desk. Safe to share by threads; methods block, and those that ask a peer may take as long as it does."""

    def __init__(
        self,
        peers: Peers,
        health: Health,
        test: PeerTest,
        *,
        fingerprint: Callable[[], str],
        clock_ms: Callable[[], int],
        opened: Callable[[str, str], bool],
        days: PeerDays,
    ) -> None:
        """Work with this book.

        Args:
            peers: The book.
            health: How exchange goes.
            test: The walk to a peer.
            fingerprint: Gives that of our own entity key.
            clock_ms: The time.
            opened: Tells, of a peer's base URL and the IRI of a collection, whether an agreement lets us mirror it.
            days: How peers could be reached.
        """
        self._peers = peers
        self._health = health
        self._test = test
        self._fingerprint = fingerprint
        self._clock_ms = clock_ms
        self._opened = opened
        self._days = days

    # ---------------------------------------------------------------- reading

    def invite(self) -> Json:
        """Give what this city sends to another by a trusted way."""
        fingerprint = self._fingerprint()
        return {
            "invitation": invitation(self._peers.base_url, fingerprint),
            "url": self._peers.base_url,
            "fingerprint": fingerprint,
        }

    def list(self) -> list[Json]:
        """Give every peer with its health and its last thirty days, in order of name."""
        now_ms = self._clock_ms()
        days = self._days.all(now_ms)
        return [
            _health(each) | {"days": [day.reach for day in days.get(each.name) or no_days(now_ms)]}
            for each in self._health.all(now_ms)
        ]

    def show(self, name: str) -> Json:
        """Give all that is known of a peer: health, days, keys, namespaces, evidence."""
        peer, now_ms = self._peers.get(name), self._clock_ms()
        return _health(self._health.of(name, now_ms)) | {
            "days": [day.reach for day in self._days.of(name, now_ms)],
            "fingerprint": peer.fingerprint,
            "note": peer.note,
            "namespaces": list(peer.namespaces),
            "follows_all": peer.follows_all is not None,
            "offered": self._peers.offered(name),
            "shown": self._collections(name),
            "software": self._software(name),
            "added_at": _moment(peer.added_at),
            "approved_at": _moment(peer.approved_at),
            "approved_by": peer.approved_by,
            "keys": [_key(key) for key in self._peers.all_keys(name)],
            "evidence": [_evidence(each) for each in self._peers.evidence(name)],
        }

    def test(self, name: str) -> Json:
        """Walk to a peer, step by step."""
        return self.told(self.walk(name))

    @staticmethod
    def told(walk: Walk) -> Json:
        """Say a walk in JSON values."""
        return _walk(walk)

    def walk(self, name: str) -> Walk:
        """Walk to a peer; with the error, for whoever wants to raise it."""
        return self._test.walk(name, self._clock_ms())

    def review(self, name: str) -> Json:
        """Say what approving a peer would pin; `review` names exactly this."""
        return _review(self._peers.review(name, self._clock_ms()))

    # ---------------------------------------------------------------- acts

    def add(self, invite: str, *, name: str, fingerprint: str = "", note: str = "", untold: bool = False) -> Json:
        """Propose a peer; `untold`: by its address alone, so that approving asks for the fingerprint."""
        now_ms = self._clock_ms()
        self._peers.add(invite, name=name, at_ms=now_ms, fingerprint=fingerprint, note=note, untold=untold)
        return self.show(name)

    def approve(self, name: str, *, by: str, review: str, fingerprint: str = "", told_by: str = "") -> Json:
        """Pin what was reviewed; who at the other city read out the fingerprint is kept with it."""
        now_ms = self._clock_ms()
        peer = self._peers.approve(name, by=by, at_ms=now_ms, expect=review, fingerprint=fingerprint)
        if told_by:
            said = f"{by} compared the fingerprint with {told_by[:_MOST_SAID]}."
            self._peers.remember(name, "compared", said, {"by": by, "told_by": told_by}, peer, now_ms)
        return self.show(name)

    def annotate(self, name: str, note: str, *, mark: str = "") -> Json:
        """Write the note that the city's staff keeps about a peer, in the place of the one before.

        `mark` names the note that was shown (`stale`). Raises Changed if there is another.
        """
        if len(note) > _MOST_NOTE:
            raise Malformed(
                f"A note about a peer has at most {_MOST_NOTE} characters.",
            ).on_page("no.note", field="note", most=_MOST_NOTE)
        self._peers.get(name)
        with self._peers.db.write() as tx:
            self._peers.check_note(tx, name, mark, wanted=note)
            self._peers.change(tx, name, note=note)
        return self.show(name)

    def differs(self, name: str, *, by: str, told_by: str = "") -> Json:
        """Note that the city read out another fingerprint than its address shows, and keep the peer out."""
        now_ms, peer = self._clock_ms(), self._peers.get(name)
        with_whom = f" with {told_by[:_MOST_SAID]}" if told_by else ""
        said = f"{by} compared the fingerprint{with_whom}: it is another one."
        self._peers.remember(name, "other-fingerprint", said, {"by": by, "told_by": told_by}, peer, now_ms)
        return self.block(name)

    def pause(self, name: str) -> Json:
        """Stop all exchange for a while."""
        return self._now(name, self._peers.pause(name))

    def resume(self, name: str) -> Json:
        """End a pause."""
        return self._now(name, self._peers.resume(name))

    def block(self, name: str) -> Json:
        """Stop all exchange until somebody approves the peer again."""
        return self._now(name, self._peers.block(name))

    def follow(
        self, name: str, collections: Sequence[str], *, all_of_them: bool, themes: Sequence[str] = (), mark: str = ""
    ) -> Json:
        """Mirror collections of a peer; `all_of_them`: every public one, now and later, and no names.

        `mark` names what was followed when that was shown. Raises Changed if something else is.
        """
        if bool(collections) == all_of_them:
            raise Malformed(
                "Name the collections, or say that all are meant.", fix="Give names, or --all, not both."
            ).on_page("desk.peers.choose_first")
        warnings = self._doubts(name, collections)
        made = self._peers.follow(name, collections, at_ms=self._clock_ms(), themes=themes, mark=mark)
        follows = [{"collection": f.collection, "local": f.local, "iri": f.iri} for f in made]
        return {"peer": name, "follows": follows, "warnings": warnings}

    def _doubts(self, name: str, collections: Sequence[str]) -> Sequence[str]:
        """Say which names the peer does not show; if it has new ones, its statement is fetched to see them."""
        url = self._peers.get(name).url
        opened = {each for each in collections if self._opened(url, f"{url}/collections/{each}")}
        unseen = set(collections).difference(self._shown(name), opened)
        if unseen and self._peers.get(name).exchanges:
            try:
                self._peers.refresh(name, self._clock_ms())
            except KeyChanged:
                raise
            except NodeError:
                pass  # it is away; what it showed last is all there is to say
        shown = self._shown(name)
        more = ", …" if len(shown) > _MOST_NAMED else ""
        listed = ", ".join(shown[:_MOST_NAMED]) + more or "no public collection"
        return [
            f"{name} shows: {listed}. {each} is not among them; it may be one that takes an agreement."
            for each in dict.fromkeys(collections)
            if each not in shown and each not in opened
        ]

    def _software(self, name: str) -> str:
        identity = self._peers.identity(name)
        return identity.software if identity else ""

    def _collections(self, name: str) -> Sequence[Json]:
        identity = self._peers.identity(name)
        found = identity.collections if identity else ()
        return [{"name": each, "iri": iri, "title": title} for each, iri, title in found]

    def _shown(self, name: str) -> Sequence[str]:
        identity = self._peers.identity(name)
        return [each for each, _, _ in identity.collections] if identity else []

    def unfollow(self, name: str, collection: str) -> Json:
        """Stop mirroring a collection; what is held of it stays."""
        self._peers.unfollow(name, collection)
        return self.show(name)

    # ---------------------------------------------------------------- tables

    def export(self) -> str:
        """Write the peers as CSV."""
        return peer_csv.write(self._peers.list())

    def plan(self, table: bytes) -> Json:
        """Say what a CSV would change; `plan` names exactly this."""
        changes = peer_csv.plan(peer_csv.read(table), self._peers)
        return {"plan": _digest(changes), "changes": [_change(each) for each in changes]}

    def take(self, table: bytes, *, plan: str) -> Json:
        """Do what was planned, all or none. Raises Conflict if it would do something else by now."""
        changes = peer_csv.plan(peer_csv.read(table), self._peers)
        if _digest(changes) != plan:
            raise Conflict(
                "This is not what was planned.", fix="Look at what would change, then import it again."
            ).on_page("no.peer.plan")
        touched = peer_csv.apply(changes, self._peers, at_ms=self._clock_ms())
        return {"touched": touched, "changes": [_change(each) for each in changes]}

    @staticmethod
    def _now(name: str, state: str) -> Json:
        return {"name": name, "state": state, "effect": next(said for one, said in STATES.items() if one == state)}


def _health(health: PeerHealth) -> Json:
    said: Json = {
        key: _moment(value) if key in _TIMES and isinstance(value, int) else value
        for key, value in asdict(health).items()
        if key not in ("warnings", "follows", "sentence")
    }
    return said | {
        "effect": health.sentence,
        "lag": health.lag,
        "at_odds": health.at_odds,
        "warnings": [
            {"warning": each.sentence, "at": _moment(each.at_ms), "about": each.about, "days_left": each.days_left}
            for each in health.warnings
        ],
        "follows": [_follow(each) for each in health.follows],
    }


def _follow(follow: FollowHealth) -> Json:
    return {
        "collection": follow.collection,
        "local": follow.local,
        "iri": follow.iri,
        "themes": list(follow.themes),
        "known_size": follow.known_size,
        "verified_up_to": follow.held_size,
        "lag": follow.lag,
        "checked_ms_ago": None if follow.checked_age_ms < 0 else follow.checked_age_ms,
        "level_ms_ago": None if follow.level_age_ms < 0 else follow.level_age_ms,
        "stale": follow.stale,
        "last_error_code": follow.last_error_code,
        "last_error": follow.last_error,
    }


def _review(review: Review) -> Json:
    peer = review.peer
    return {
        "review": review.digest,
        "name": peer.name,
        "url": peer.url,
        "title": review.identity.name,
        "state": peer.state,
        "effect": sentence(peer.state, quarantine=peer.quarantine),
        "fingerprint": review.identity.fingerprint,
        "told_fingerprint": peer.fingerprint,
        "untold": review.is_untold,
        "vouched": review.vouched,
        "new_keys": [_key(key) for key in review.new_keys],
        "lost_keys": [_key(key) for key in review.lost_keys],
        "namespaces": [asdict(claim) for claim in review.claims],
        "collections": [{"name": name, "iri": iri, "title": title} for name, iri, title in review.identity.collections],
        "warnings": review.warnings,
    }


def _walk(walk: Walk) -> Json:
    return {
        "peer": walk.peer,
        "url": walk.url,
        "state": walk.state,
        "ok": walk.ok,
        "failed_at": walk.failed_at,
        "code": walk.error.code if walk.error else "",
        "steps": [asdict(step) for step in walk.steps],
    }


def _key(key: PublicKey) -> Json:
    return {
        "purpose": key.purpose,
        "kid": key.kid,
        "alg": key.alg,
        "from": _moment(key.since_ms),
        "until": None if key.until_ms is None else _moment(key.until_ms),
        "endorsed_by": key.endorsed_by or None,
    }


def _evidence(evidence: Evidence) -> Json:
    return {
        "id": evidence.id,
        "at": _moment(evidence.at),
        "kind": evidence.kind,
        "summary": evidence.summary,
        "body": evidence.body,
    }


def _change(change: peer_csv.Change) -> Json:
    return {"name": change.name, "change": change.what, "state": change.state, "sentence": change.sentence}


def _digest(changes: Sequence[peer_csv.Change]) -> str:
    said = "\n".join(f"{each.name} {each.what} {each.state} {each.note!r} {each.row}" for each in changes)
    return hashlib.sha256(said.encode()).hexdigest()


def _moment(at_ms: int) -> str | None:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds") if at_ms else None
