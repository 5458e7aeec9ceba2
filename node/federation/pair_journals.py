"""Writing the journals of agreements: one restricted collection of ours per city, and what is public also in public.

An agreement enters when its negotiation is finalized, in the same transaction; saying it again writes nothing. Every
change of state (suspended, resumed, revoked, superseded) is one more entry of the same record. Followers take it in
within the transaction, so that what was revoked permits nothing from the commit on; the checkpoint is signed after it,
and the other city follows the journal, as we follow its one of this pair.
"""

import json
import logging
from collections.abc import Sequence
from typing import Protocol

from node.db import Tx
from node.errors import Conflict, Malformed, NotFound
from node.federation.agreements.agreements import PUBLIC_COLLECTION, pair_collection
from node.federation.agreements.records import KIND, Statement, payload_of, record_in, slug_in
from node.federation.agreements.text import AgreementText, of_message, read_text
from node.federation.negotiation import Negotiation
from node.federation.peers.entries import new_follow
from node.federation.peers.store import Follow, Peer
from node.journal import Draft, Follower
from node.journal.journal import Journals

_logger = logging.getLogger("citynode.agreements")
_MAX_TITLE = 200
SUPERSEDED = "Another agreement has taken its place."
_IN_IT = (
    "SELECT a.signed FROM collection c JOIN entry e ON e.collection_id = c.id JOIN agreement a ON a.record = e.record"
    " WHERE c.name = ? LIMIT 1"
)


class Book(Protocol):
    """What is asked of the book of peers."""

    def by_url(self, url: str) -> Peer | None:
        """Find a peer by its base URL."""

    def follows(self, name: str) -> Sequence[Follow]:
        """Give what is followed of a peer."""

    def insert_follow(self, tx: Tx, follow: Follow) -> None:
        """Write a follow."""


class PairJournals:
    """Writes agreements and their states. Safe to share by threads; the caller brings transaction and time."""

    def __init__(self, journals: Journals, *, base_url: str, peers: Book, followers: Sequence[Follower]) -> None:
        """Write as the city at `base_url`; `followers` keep up within each transaction."""
        self._journals = journals
        self._base = base_url
        self._own_pair = pair_collection(base_url)
        self._peers = peers
        self._followers = followers
        self._signed: dict[str, int] = {}

    def concluded(self, tx: Tx, negotiation: Negotiation, at_ms: int) -> None:
        """Take in what a finalized negotiation agreed, and begin to follow the peer's journal of this pair.

        Repeatable: what is there already stays as it is. Call `sign` after the commit.

        Raises:
            Malformed: There is no agreement in it.
            Conflict: Another agreement is held under its name, or its journal is that of another pair.
        """
        text = text_of(negotiation)
        name = pair_collection(self._other(text))
        held = tx.row("SELECT digest FROM agreement WHERE iri = ?", text.iri)
        if held is not None and held[0] != text.digest:
            raise Conflict(f"Another agreement is held under the name {text.iri}.")
        if held is None:
            self._open(tx, name, text, at_ms)
            self._put(tx, name, text, Statement(text.iri, text.signed, "in-force", ""), at_ms)
            self._supersede(tx, text.iri, at_ms)
        self._follow(tx, self._other(text), at_ms)

    def _supersede(self, tx: Tx, iri: str, at_ms: int) -> None:
        """Say of what an agreement replaces that it is superseded, if the new one is in force already."""
        sql = (
            "SELECT old.iri FROM agreement new JOIN agreement old ON old.iri = new.replaces AND old.peer = new.peer"
            " AND old.role = new.role WHERE new.iri = ? AND new.signed_by = 'both' AND new.starts_at <= ?"
            " AND old.our_state IN ('in-force', 'suspended')"
        )
        for row in tx.rows(sql, iri, at_ms):
            self.change(tx, row[0], "superseded", SUPERSEDED, at_ms)

    def change(self, tx: Tx, iri: str, state: str, reason: str, at_ms: int) -> bool:
        """Say how we stand to an agreement from now on; False if that is what our journal says already.

        The caller has checked that it may change so.

        Raises:
            NotFound: We hold no such agreement.
        """
        row = tx.row("SELECT signed, our_state, our_reason FROM agreement WHERE iri = ?", iri)
        if row is None:
            raise NotFound(
                f"There is no agreement {iri[:200]}.",
                fix="List them: citynode agreements list",
            ).on_page("no.agreement")
        if (row[1], row[2]) == (state, reason):
            return False
        text = read_text(row[0])
        self._put(tx, pair_collection(self._other(text)), text, Statement(iri, row[0], state, reason), at_ms)
        return True

    def unsigned(self) -> bool:
        """Tell whether one of these journals may have grown beyond its checkpoint; one read."""
        return bool(self._grown())

    def sign(self, at_ms: int) -> None:
        """Sign the newest checkpoints of these journals; after the commit, outside any transaction. Repeatable."""
        for name, size in self._grown():
            self._journals.checkpoint(name, at_ms=at_ms)
            self._signed[name] = size

    def _grown(self) -> list[tuple[str, int]]:
        with self._journals.db.read() as tx:
            own = [(each.name, each.size) for each in self._journals.collections(tx) if _is_ours(each.name)]
        return [(name, size) for name, size in own if self._signed.get(name) != size]

    def _other(self, text: AgreementText) -> str:
        if self._base not in (text.assigner, text.assignee):
            raise Malformed(f"{text.iri} is no agreement of this city.")
        return text.assignee if text.assigner == self._base else text.assigner

    def _put(self, tx: Tx, name: str, text: AgreementText, said: Statement, at_ms: int) -> None:
        record = record_in(text.iri, self._base)
        payload = payload_of(record, text, said, at_ms=at_ms)
        draft = Draft(record, slug_in(text.iri, self._base), KIND, "put", payload)
        self._journals.append_followed(tx, name, [draft], self._followers, at_ms=at_ms)
        if text.about.get("public") and self._is_open(tx, at_ms):
            self._journals.append_followed(tx, PUBLIC_COLLECTION, [draft], self._followers, at_ms=at_ms)

    def _open(self, tx: Tx, name: str, text: AgreementText, at_ms: int) -> None:
        """Open the journal of this pair, if this is its first agreement.

        Raises:
            Conflict: The journal of that name is of the pair with another city, whose address gives the same name.
        """
        tx.lock(f"journal/{name}")
        row = tx.row(_IN_IT, name)
        if row is not None and self._other(read_text(row[0])) != self._other(text):
            raise Conflict(
                f"The collection {name} holds the agreements with another city.",
            ).on_page("no.agreement.journal", name=name)
        peer = self._peers.by_url(self._other(text))
        title = f"Agreements with {(peer.title or peer.name) if peer else self._other(text)}"[:_MAX_TITLE]
        self._made(tx, name, title, "restricted", at_ms)

    def _is_open(self, tx: Tx, at_ms: int) -> bool:
        """Open the public collection of agreements if it is not there; False if a restricted one has its name."""
        tx.lock(f"journal/{PUBLIC_COLLECTION}")
        if self._made(tx, PUBLIC_COLLECTION, "Agreements with other cities", "public", at_ms) == "public":
            return True
        _logger.warning("the collection %s is restricted: public agreements are not published", PUBLIC_COLLECTION)
        return False

    def _made(self, tx: Tx, name: str, title: str, visibility: str, at_ms: int) -> str:
        """Give the visibility of a collection of ours, making it if it is not there."""
        try:
            return self._journals.get(tx, name).visibility
        except NotFound:
            iri = f"{self._base}/collections/{name}"
            self._journals.create(tx, name=name, iri=iri, title=title, visibility=visibility, at_ms=at_ms)
            return visibility

    def _follow(self, tx: Tx, other: str, at_ms: int) -> None:
        peer = self._peers.by_url(other)
        if peer is None or any(each.collection == self._own_pair for each in self._peers.follows(peer.name)):
            return
        iri = f"{peer.url}/collections/{self._own_pair}"
        self._peers.insert_follow(tx, new_follow(peer, self._own_pair, iri, (), at_ms))


def _is_ours(name: str) -> bool:
    return "/" not in name and (name == PUBLIC_COLLECTION or name.startswith(f"{PUBLIC_COLLECTION}-"))


def text_of(negotiation: Negotiation) -> AgreementText:
    """Give the agreement that a negotiation came to: as it was signed, or as the message of one that signs none.

    Raises:
        Malformed: There is none in it.
    """
    if negotiation.signed:
        return read_text(negotiation.signed)
    if not negotiation.message:
        raise Malformed(f"The negotiation {negotiation.pid} has no agreement.")
    return of_message(json.loads(negotiation.message))
