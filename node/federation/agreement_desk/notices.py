"""Notices of agreements: telling the other city at once that we stand otherwise to one, and hearing it from them.

What counts is the journal of each side; a notice makes the other side read it now instead of at its next poll. So
nothing of a notice is believed, a lost one costs time alone, and it is tried until it is delivered or a week is over.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import orjson

from node.db import Database, Tx
from node.errors import Malformed, NodeError
from node.federation.agreements.agreements import pair_collection
from node.federation.agreements.records import MAX_IRI, MAX_REASON
from node.federation.dialogues.outgoing import Outbox, Outgoing
from node.federation.peers.store import Peer
from node.federation.signing.integrity import strict_json
from node.journal.entry import at_text

_logger = logging.getLogger("citynode.agreements")
KIND = "notice"
MAX_BODY_BYTES = 16 * 1024


class Teller(Protocol):
    """What is asked of the client."""

    def tell_agreement(self, url: str, said: Mapping[str, object]) -> None:
        """Tell a peer."""


class Prodder(Protocol):
    """Who remembers that a peer has news."""

    def prod(self, peer: str, iri: str, now_ms: int) -> bool:
        """Remember it."""


class Book(Protocol):
    """The book of peers."""

    def get(self, name: str) -> Peer:
        """Give a peer. Raises NotFound."""


@dataclass(frozen=True, slots=True)
class Told:
    """The newest notice about an agreement: what it said, how often it was tried, when it was delivered or given up."""

    state: str
    made_at: int
    delivered_at: int
    tries: int
    error: str

    @property
    def delivered(self) -> bool:
        """Tell whether the other side has taken it."""
        return bool(self.delivered_at and not self.error)

    @property
    def sentence(self) -> str:
        """Say how far it has come."""
        if self.delivered:
            return "delivered"
        if self.delivered_at:
            return f"given up after {self.tries} attempts: {self.error}"
        return f"not delivered yet, {self.tries} attempts so far" + (f": {self.error}" if self.error else "")


class AgreementNotices:
    """Tells and hears. Safe to share by threads and processes."""

    def __init__(self, db: Database, outbox: Outbox, *, client: Teller, base_url: str, peers: Book) -> None:
        """Tell through this client; `base_url` is our own."""
        self._db = db
        self._outbox = outbox
        self._client = client
        self._own_pair = pair_collection(base_url)
        self._peers = peers

    def put(self, tx: Tx, peer: Peer, said: Mapping[str, str], at_ms: int) -> None:
        """Let a notice wait, in the transaction that changes the agreement; `said` has agreement, state and reason."""
        body = orjson.dumps({**said, "at": at_text(at_ms)}, option=orjson.OPT_SORT_KEYS).decode()
        url = f"{peer.url}/federation/agreements"
        subject, step = said["agreement"], said["state"]
        self._outbox.put(tx, kind=KIND, subject=subject, peer=peer.url, step=step, url=url, body=body, at_ms=at_ms)

    def deliver(self, now_ms: int, subject: str = "") -> int:
        """Send what is due, of one agreement or of all; give how many were taken."""
        return self._outbox.deliver(KIND, now_ms, lambda one: self._sent(one, now_ms), subject=subject)

    def told(self, agreement: str) -> Told | None:
        """Give how far the newest notice about an agreement has come; None if there was nothing to tell lately."""
        found = self._outbox.newest(KIND, agreement)
        if found is None:
            return None
        one, done_at = found
        return Told(one.step, one.made_at, done_at, one.tries, one.error)

    def _sent(self, one: Outgoing, now_ms: int) -> bool:
        try:
            self._client.tell_agreement(one.peer, orjson.loads(one.body))
        except NodeError as error:
            if one.is_tried_again(error, now_ms):
                raise
            # It does not take notices, or not from us. Its next poll finds the same in the journal.
            self._closed(one, now_ms, str(error))
            return False
        self._closed(one, now_ms, "")
        return True

    def _closed(self, one: Outgoing, now_ms: int, error: str) -> None:
        with self._db.write() as tx:
            self._outbox.close(tx, one.id, at_ms=now_ms, error=error)
        if error:
            _logger.warning("notice of %s to %s given up: %s", one.subject, one.peer, error)

    def hear(self, peer: str, body: bytes, now_ms: int, prodder: Prodder) -> bool:
        """Take a notice of a peer that was recognised: its journal of this pair is to be read now. True if followed.

        Raises:
            Malformed: It is no notice.
            TooLarge: It is longer than one.
        """
        said = read_notice(body)
        known = self._peers.get(peer)
        _logger.info("%s says: agreement %s is %s", peer, said["agreement"], said["state"], extra={"peer": peer})
        return prodder.prod(peer, f"{known.url}/collections/{self._own_pair}", now_ms)


def read_notice(body: bytes) -> Mapping[str, str]:
    """Read a notice strictly. Raises Malformed, TooLarge."""
    said = strict_json(body, max_bytes=MAX_BODY_BYTES)
    bounds = {"agreement": MAX_IRI, "state": 40, "reason": MAX_REASON, "at": 40}
    if not all(_fits(said.get(name, ""), most) for name, most in bounds.items()):
        raise Malformed("A notice of an agreement names it, its state, a reason and a time, each as plain text.")
    if not said.get("agreement") or not said.get("state"):
        raise Malformed("A notice names an agreement and its state.")
    return {name: said.get(name, "") for name in bounds}


def _fits(value: object, most: int) -> bool:
    return isinstance(value, str) and len(value) <= most and all(c.isprintable() for c in value)
