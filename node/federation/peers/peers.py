"""The life of a peer: proposed by its address and fingerprint, reviewed, approved by a person, watched for its keys.

Trust is pinned (house decision 6): what a person approved is kept, and a later statement may only add to it what the
pinned keys vouch for. Other keys without such a voucher hold the peer apart, with both statements as evidence. Asks the
peer for its statement and nothing else; the book itself, its tables and its bookkeeping are in `store`.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from node.db import Database
from node.errors import Conflict, KeyChanged, Malformed, NodeError, NotFound, Quarantined, Refuted, TooLarge
from node.federation.client import normal_url
from node.federation.identity.identity import Identity, chain_holds, read_statement
from node.federation.peers.backoff import Backoff
from node.federation.peers.entries import check_wanted, invitation, new_follow, proposed, read_invitation
from node.federation.peers.namespaces import claims_of
from node.federation.peers.review import Review
from node.federation.peers.states import STATES
from node.federation.peers.store import MAX_FOLLOWS, MAX_PEERS, OWN, Evidence, Follow, Peer, PeerStore, owners_of
from node.federation.refused import BY_NAMESPACE, BY_THEMES, ask_again
from node.keys import PublicKey
from node.records import is_collection_name

__all__ = [
    "MAX_PEERS",
    "OWN",
    "STATES",
    "Evidence",
    "Follow",
    "Peer",
    "Peers",
    "Review",
    "Statements",
    "invitation",
    "is_same",
    "owners_of",
    "proposed",
    "read_invitation",
]

FRESH_MS = 3_600_000
_AGAIN_MS = 60_000


class Statements(Protocol):
    """Who fetches entity statements."""

    def statement(self, url: str) -> str:
        """Give the statement at a base URL, unread."""

    def check(self, url: str) -> None:
        """Refuse by its spelling an address that is never fetched. Raises ForbiddenAddress."""


class Held(Protocol):
    """Who counts what is held here."""

    def __call__(self, prefix: str, *, except_of: str) -> int:
        """Count live records that describe a subject under a prefix, leaving out the mirrors of one peer."""


class Peers(PeerStore):
    """Every peer of this node. Safe to share by threads."""

    def __init__(
        self,
        db: Database,
        *,
        base_url: str,
        namespaces: Sequence[str],
        statements: Statements,
        held: Held,
        chance: Callable[[], float],
        allow_http: bool = False,
        backoff: Backoff | None = None,
    ) -> None:
        """Take what is needed.

        Args:
            db: Where the book is.
            base_url: Our own, never a peer's.
            namespaces: The prefixes that this city alone describes, besides its base URL.
            statements: The client.
            held: Counts what new namespaces would forbid.
            chance: A fresh number from 0 up to 1, for the jitter.
            allow_http: Take peers at http addresses of other machines.
            backoff: How patience with failures grows.
        """
        super().__init__(db, chance=chance, backoff=backoff)
        self.base_url = base_url
        self._namespaces = tuple(dict.fromkeys([f"{base_url}/", *namespaces]))
        self._statements = statements
        self._held = held
        self._allow_http = allow_http
        self._tried: dict[str, int] = {}
        self._unlisted: dict[str, frozenset[str]] = {}

    def own_namespaces(self) -> Sequence[str]:
        """Give the prefixes that are ours."""
        return self._namespaces

    # ---------------------------------------------------------------- admitting

    def add(
        self, invite: str, *, name: str, at_ms: int, fingerprint: str = "", note: str = "", untold: bool = False
    ) -> Peer:
        """Propose a peer: fetch its statement and compare its fingerprint; nothing is exchanged yet.

        Args:
            invite: An invitation, or a base URL with `fingerprint`.
            name: What it is called here; the first part of its mirrors' names.
            at_ms: Now.
            fingerprint: The thumbprint of its entity key, told by a trusted way.
            note: For the city's own staff.
            untold: Take an address without a fingerprint: approving then asks for the one that was compared.

        Raises:
            Malformed: The name, address or fingerprint is none; http that is not allowed.
            ForbiddenAddress: An address that this node never fetches.
            Conflict: It is ourselves, or is here already, or there are too many.
            PeerUnreachable: It gives no statement.
            Refuted: Its statement does not hold, or its fingerprint is another.
        """
        address, wanted = read_invitation(invite, fingerprint, untold=untold)
        url = self.checked(address, name)
        identity = self._fetched(url, at_ms)
        if wanted and not is_same(identity.fingerprint, wanted):
            raise Refuted(
                f"The fingerprint of {url} is {identity.fingerprint}, not {wanted}.",
                fix="Ask that city which one is right before you trust either.",
            ).on_page("no.peer.other_print", url=url, shown=identity.fingerprint)
        peer = proposed(name, url, wanted, at_ms=at_ms, title=identity.name, note=note, identity=identity)
        with self.db.write() as tx:
            tx.lock("peers")
            self.insert(tx, peer)
        return peer

    def checked(self, address: str, name: str) -> str:
        """Give a new peer's base URL as it is kept, if it and the name may be taken. Raises as `add` does."""
        url = normal_url(address, allow_http=self._allow_http)
        if not is_collection_name(name):
            raise Malformed(
                f"{name[:80]!r} is no name for a peer.", fix="Use a-z, 0-9 and -, at most 63 characters."
            ).on_page("no.peer.name", field="name")
        if url == normal_url(self.base_url, allow_http=True):
            raise Conflict(
                f"{url} is this node itself.",
                fix="Give another city's address.",
            ).on_page("no.peer.self", field="invite", url=url)
        for peer in self.list():
            if name == peer.name or url == peer.url:
                raise Conflict(
                    f"There is a peer {peer.name} at {peer.url} already.",
                    fix=f"Look at it: citynode peers show {peer.name}",
                ).on_page("no.peer.taken", field="name", name=peer.name, url=peer.url)
        return url

    def check_address(self, url: str) -> None:
        """Refuse by its spelling an address that this node never fetches. Raises ForbiddenAddress."""
        self._statements.check(url)

    def review(self, name: str, now_ms: int) -> Review:
        """Fetch a peer's statement and say what approving it would pin. Raises as `approve` does."""
        peer = self.get(name)
        return self._reviewed(peer, self._fetched(peer.url, now_ms), now_ms, self._held)

    def glance(self, name: str, now_ms: int) -> Review:
        """Like `review`, but counts nothing of what is held here: that may take seconds."""
        peer = self.get(name)
        return self._reviewed(peer, self._fetched(peer.url, now_ms), now_ms, _uncounted)

    def approve(self, name: str, *, by: str, at_ms: int, expect: str = "", fingerprint: str = "") -> Peer:
        """Pin a peer's keys and namespaces as they are now, and end a block or a quarantine.

        Args:
            name: Of a peer in any state.
            by: The person.
            at_ms: Now.
            expect: The digest of the review that the person read; anything else refuses.
            fingerprint: The new one, told by a trusted way, if the pinned keys do not vouch for the new ones.

        Raises:
            PeerUnreachable: It gives no statement.
            Refuted: Its statement does not hold.
            KeyChanged: Its keys are not vouched for, and `fingerprint` is not that of the new ones.
            Conflict: It changed since it was reviewed, or its fingerprint was never told.
        """
        review = self.glance(name, at_ms)
        identity = review.identity
        if expect and not is_same(expect, review.digest):
            raise Conflict(
                f"{name} has changed since it was reviewed.", fix="Look at it again, then approve it."
            ).on_page("no.peer.reviewed", name=name)
        if not review.vouched and not is_same(identity.fingerprint, fingerprint):
            raise review.refusal()
        with self.db.write() as tx:
            self.move(tx, name, "approve")
            self.pin(tx, name, identity.keys, at_ms)
            self.retire(tx, name, [key.kid for key in review.lost_keys], at_ms)
            if review.peer.quarantine:
                body = json.dumps({"by": by, "ended": review.peer.quarantine, "statement": identity.statement})
                self.witness(tx, name, kind="released", summary=f"Approved again by {by}.", body=body, at_ms=at_ms)
            self.change(
                tx,
                name,
                **_seen(identity, at_ms),
                fingerprint=identity.fingerprint,
                quarantine="",
                namespaces=identity.namespaces,
                approved_at=at_ms,
                approved_by=by,
                failures=0,
                open_until=0,
            )
            # Who may describe what is another question now, for all peers.
            ask_again(tx, BY_NAMESPACE)
        return self.get(name)

    # ---------------------------------------------------------------- watching

    def fresh(self, name: str, now_ms: int, *, kid: str = "") -> Peer:
        """Give a peer whose statement is younger than an hour, fetching it if need be; at most once a minute.

        Args:
            name: An approved peer; of others the statement is not fetched.
            now_ms: Now.
            kid: A key that was just met; if it is not pinned, the statement is fetched again.

        Raises:
            KeyChanged: It shows keys that the pinned ones do not vouch for; it is held apart now.
            Quarantined: It is held apart.
        """
        peer = self.get(name)
        if peer.quarantine:
            raise Quarantined(
                f"{name} is held apart: {peer.quarantine}",
                fix=f"citynode peers show {name}",
            ).on_page("no.peer.apart", name=name)
        known = not kid or any(key.kid == kid for key in self.all_keys(name))
        young = now_ms - peer.statement_seen_at < FRESH_MS and now_ms < peer.statement_expires_at
        if not peer.exchanges or (known and young) or now_ms - self._tried.get(name, -_AGAIN_MS) < _AGAIN_MS:
            return peer
        self._tried[name] = now_ms
        try:
            self.refresh(name, now_ms)
        except KeyChanged:
            raise
        except NodeError as error:
            # What is pinned still holds; the exchange that follows says better than this what is wrong.
            if known:
                self.note_error(name, error, now_ms)
                return peer
            raise
        return self.get(name)

    def note_error(self, name: str, error: NodeError, now_ms: int) -> None:
        """Note what went wrong with a peer, without counting it as a failed exchange."""
        with self.db.write() as tx:
            said = "".join(c if c.isprintable() else " " for c in str(error))[:500]
            self.change(tx, name, last_error_code=error.code, last_error=said, last_error_at=now_ms)

    def refresh(self, name: str, now_ms: int) -> Peer:
        """Fetch a peer's statement now and take what the pinned keys vouch for: rotated keys, a new title.

        Namespaces it adds count only when a person approves them.

        Raises:
            KeyChanged: It shows keys that the pinned ones do not vouch for; it is held apart now.
            PeerUnreachable: It gives no statement.
            Refuted: Its statement does not hold.
        """
        peer = self.get(name)
        identity = self._fetched(peer.url, now_ms)
        pinned = self.all_keys(name)
        new = _not_in(identity.keys, pinned)
        if not self._is_newer(peer, identity, new):
            return peer
        if not self._vouched(peer, identity, now_ms):
            raise self._held_apart(peer, identity, now_ms)
        with self.db.write() as tx:
            self.pin(tx, name, identity.keys, now_ms)
            self.change(tx, name, **_seen(identity, now_ms), fingerprint=identity.fingerprint)
            if new:
                kinds = ", ".join(sorted({key.purpose for key in new}))
                body = json.dumps({"before": peer.statement, "after": identity.statement})
                summary = f"New keys, signed by the old ones: {kinds}."
                self.witness(tx, name, kind="rotation", summary=summary, body=body, at_ms=now_ms)
        return self.get(name)

    def identity(self, name: str) -> Identity | None:
        """Give a peer's identity as its last verified statement says it, expired or not; None if there was none."""
        peer = self.get(name)
        if not peer.statement:
            return None
        return read_statement(peer.statement, url=peer.url, now_ms=peer.statement_seen_at)

    def _is_newer(self, peer: Peer, identity: Identity, new: Sequence[PublicKey]) -> bool:
        """Tell whether a statement is at least as young as the last one; an older one may come out of a cache.

        Raises:
            Refuted: It is older and shows keys that were not seen yet: nobody learns those from the past.
        """
        before = self.identity(peer.name)
        if before is None or identity.issued_ms >= before.issued_ms:
            return True
        if new:
            raise Refuted(
                f"{peer.name} shows a statement older than the last one.",
                fix="Ask again later.",
            ).on_page("no.peer.older", name=peer.name)
        return False

    def _held_apart(self, peer: Peer, identity: Identity, now_ms: int) -> KeyChanged:
        summary = f"It shows keys that the pinned ones did not sign; its fingerprint is now {identity.fingerprint}."
        body = json.dumps({"pinned": peer.statement, "shown": identity.statement})
        self.quarantine(peer.name, "key-changed", summary, body, now_ms)
        return KeyChanged(
            f"{peer.name} shows other keys than those that were pinned, not signed by them; it is held apart.",
            fix=f"Ask that city by a trusted way; the evidence: citynode peers show {peer.name}",
        ).on_page("no.peer.key_changed", name=peer.name)

    def _fetched(self, url: str, now_ms: int) -> Identity:
        try:
            return read_statement(self._statements.statement(url), url=url, now_ms=now_ms)
        except (Malformed, Refuted, TooLarge) as error:
            error.on_page("no.deep.statement", url=url)
            raise

    def _vouched(self, peer: Peer, identity: Identity, now_ms: int) -> bool:
        """Tell whether a statement's keys are those that were pinned or told, or signed by them."""
        pinned = self.all_keys(peer.name)
        if not pinned:
            return self._as_told(peer, identity)
        # A key whose time is over vouches for nobody: whoever finds an old one on an old disk gains nothing.
        signing = [key for key in pinned if key.is_in_force(now_ms)]
        # Nor does one that was replaced come back into use: within the overlap it would still be in force.
        replaced = {key.kid for key in pinned if key.until_ms is not None}
        back = any(key.until_ms is None and key.kid in replaced for key in identity.keys)
        return not back and chain_holds(signing, identity.keys, pinned, url=peer.url)

    def _as_told(self, peer: Peer, identity: Identity) -> bool:
        """Judge a peer that was never approved by the fingerprint that came by a trusted way."""
        if not peer.fingerprint:
            return False  # what it showed when it was proposed vouches for nothing
        if is_same(identity.fingerprint, peer.fingerprint):
            return True
        before = self.identity(peer.name)
        return before is not None and chain_holds(before.keys, identity.keys, before.keys, url=peer.url)

    def _reviewed(self, peer: Peer, identity: Identity, now_ms: int, held: Held) -> Review:
        pinned = self.all_keys(peer.name)
        others = {prefix: owners - {peer.name} for prefix, owners in self.namespaces().items()}
        claims = claims_of(
            identity.namespaces, before=peer.namespaces, url=peer.url, others=others, peer=peer.name, held=held
        )
        shown = {key.kid for key in identity.keys}
        return Review(
            peer=peer,
            identity=identity,
            new_keys=tuple(_not_in(identity.keys, pinned)),
            lost_keys=tuple(key for key in pinned if key.kid not in shown and key.is_in_force(now_ms)),
            claims=tuple(claims),
            vouched=self._vouched(peer, identity, now_ms),
            digest=_digest(identity),
        )

    # ---------------------------------------------------------------- following

    def follow(
        self, name: str, collections: Sequence[str], *, at_ms: int, themes: Sequence[str] = (), mark: str = ""
    ) -> list[Follow]:
        """Mirror collections of a peer from now on; of one that is followed already, set the themes.

        Args:
            name: A peer that was approved.
            collections: Their names at the peer; none means all that it names as public, now and later.
            at_ms: Now.
            themes: IRIs; only records with one of them are shown here. None means all.
            mark: Names what was followed when that was shown (`mark_of_follows`).

        Raises:
            Changed: Something else is followed than was shown.
            Conflict: The peer was not approved.
            Malformed: A name or theme is none.
        """
        peer = self.get(name)
        if peer.state in ("proposed", "blocked"):
            raise Conflict(
                f"{name} is {peer.state}. {STATES[peer.state]}", fix=f"citynode peers approve {name}"
            ).on_page("no.peer.exchange", name=name)
        identity = self.identity(name)
        known = {each: iri for each, iri, _ in identity.collections} if identity else {}
        wanted = list(dict.fromkeys(collections or known))
        if not wanted:
            raise NotFound(
                f"{name} names no public collection.",
                fix="Ask that city for the name of one.",
            ).on_page("no.peer.closed", name=name)
        check_wanted(wanted, themes)
        made = [new_follow(peer, each, known.get(each, ""), tuple(dict.fromkeys(themes)), at_ms) for each in wanted]
        with self.db.write() as tx:
            tx.lock(f"peer/{name}")
            before = {each.local: each.themes for each in self.follows(name)}
            if not all(one.local in before and before[one.local] == one.themes for one in made):
                self.check_follows(tx, name, mark)
            for one in made:
                self.insert_follow(tx, one)
                if before.get(one.local, one.themes) != one.themes:
                    ask_again(tx, BY_THEMES, local=one.local)
            if not collections:
                self.change(tx, name, follows_all=tuple(dict.fromkeys(themes)))
        return [self.followed(name, each) for each in wanted]

    def offered(self, name: str) -> list[str]:
        """Name the public collections of a peer, as its last statement lists them, that are not followed."""
        identity = self.identity(name)
        followed = {each.collection for each in self.follows(name)}
        return [each for each, _, _ in identity.collections if each not in followed] if identity else []

    def follow_new(self, name: str, shown: Collection[str], now_ms: int) -> bool:
        """Follow what a peer has begun to show, if all of it is followed; else only learn that it is there.

        Whoever follows all has said so of collections that come later; room for half of what this node can follow
        is left to people.

        Args:
            name: An approved peer.
            shown: The names under which it shows collections of its own at the moment.
            now_ms: Now.

        Returns:
            False if its statement, which is to name them, could not be had: ask again.

        Raises:
            KeyChanged: It shows keys that the pinned ones do not vouch for; it is held apart now.
        """
        followed = {each.collection for each in self.follows(name)}
        unlisted = frozenset(shown) - followed - set(self.offered(name))
        if unlisted and self._unlisted.get(name) != unlisted:
            try:
                self.refresh(name, now_ms)
            except KeyChanged:
                raise
            except NodeError as error:
                self.note_error(name, error, now_ms)
                return False
            self._unlisted[name] = unlisted - set(self.offered(name))
        themes, new = self.get(name).follows_all, self.offered(name)
        room = MAX_FOLLOWS // 2 - len(self.follows())
        if themes is not None and new and room > 0:
            self._follow_too(name, new[:room], themes, now_ms)
        return True

    def _follow_too(self, name: str, new: Sequence[str], themes: tuple[str, ...], now_ms: int) -> None:
        peer, identity = self.get(name), self.identity(name)
        iris = {each: iri for each, iri, _ in identity.collections} if identity else {}
        with self.db.write() as tx:
            tx.lock(f"peer/{name}")
            row = tx.row("SELECT follows_all FROM peer WHERE name = ?", name)
            # Somebody may have stopped it meanwhile.
            for each in new if row and row[0] else ():
                self.insert_follow(tx, new_follow(peer, each, iris.get(each, ""), themes, now_ms))


def is_same(one: str, other: str) -> bool:
    """Compare two secrets or digests in constant time; what a stranger typed may hold any character."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def _uncounted(prefix: str, *, except_of: str) -> int:  # noqa: ARG001  (the shape of what counts)
    return 0


def _seen(identity: Identity, at_ms: int) -> Mapping[str, object]:
    return {
        "title": identity.name[:200],
        "statement": identity.statement,
        "statement_seen_at": at_ms,
        "statement_expires_at": identity.expires_ms,
    }


def _not_in(keys: Sequence[PublicKey], pinned: Sequence[PublicKey]) -> list[PublicKey]:
    known = {key.kid for key in pinned}
    return [key for key in keys if key.kid not in known]


def _digest(identity: Identity) -> str:
    """Name what would be pinned: address, keys and namespaces, but not the hour of the statement."""
    kids = sorted(f"{key.purpose} {key.kid}" for key in identity.keys)
    said = json.dumps([identity.url, identity.fingerprint, kids, sorted(identity.namespaces)])
    return hashlib.sha256(said.encode()).hexdigest()
