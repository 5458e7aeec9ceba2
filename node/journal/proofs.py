"""What proves a record: its entry and opening, the way up the tree, and the signed checkpoint on top.

A reading of the journals for those who want to check a city's catalogue without trusting its node. Values are JSON
ready; bytes are base64 as C2SP notes write them.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from node.errors import Refuted
from node.journal import note
from node.journal.reading import Reader


class Located(Protocol):
    """Where a record's newest entry stands."""

    @property
    def collection(self) -> str:
        """Give the collection's local name."""

    @property
    def seq(self) -> int:
        """Give the entry's number."""

    @property
    def digest(self) -> str:
        """Give the digest that is shown of it."""


@dataclass(frozen=True, slots=True)
class SignedState:
    """A signed state of a journal; `key` is the C2SP verifier key that checks the note's signature."""

    size: int
    note: str
    signed_at_ms: int
    key: str


class Proofs:
    """Reads checkpoints and inclusion proofs."""

    def __init__(self, reader: Reader, keys_of: Callable[[str], Sequence[bytes]]) -> None:
        """Read through the journals' reader.

        Args:
            reader: Where the journals are.
            keys_of: Gives the public keys that may have signed a collection's checkpoints, the one in use first, by
                the collection's name here: our own, replaced ones too, or those of the peer whose mirror it is.
        """
        self._reader = reader
        self._keys_of = keys_of

    def checkpoint(self, collection: str) -> SignedState | None:
        """Give the newest checkpoint of a collection, or None before the first."""
        sql = (
            "SELECT p.size, p.note, p.signed_at, c.iri FROM checkpoint p JOIN collection c ON c.id = p.collection_id"
            " WHERE c.name = ? ORDER BY p.size DESC LIMIT 1"
        )
        row = self._reader.db.hot().row(sql, (collection,))
        if row is None:
            return None
        return SignedState(int(row[0]), str(row[1]), int(row[2]), self._key(collection, row[3], row[1]))

    def _key(self, collection: str, iri: str, signed: str) -> str:
        """Give the newest key that made a line of this note, as C2SP tools take it; empty if none did."""
        found = next((key for key in self._keys_of(collection) if note.names_key(signed, key)), None)
        return note.verifier_key(note.origin_of(iri), found) if found else ""

    def proof(self, held: Located) -> dict[str, object] | None:
        """Give the proof of a record's newest entry, or None while no checkpoint covers it."""
        signed = self.checkpoint(held.collection)
        if signed is None or signed.size < held.seq:
            return None
        with self._reader.db.read() as tx:
            entry = self._reader.entry(tx, held.collection, held.seq)
            hashes = self._reader.inclusion(tx, held.collection, held.seq, signed.size)
        if entry.opening is not None and entry.opening.digest != held.digest:
            raise Refuted("What is shown of this record is not what its journal holds.", fix="Ask the city to look.")
        return {
            "entry": entry.document(),
            "opening": entry.opening.document() if entry.opening else None,
            "inclusion": {
                "leaf_index": held.seq - 1,
                "tree_size": signed.size,
                "hashes": [base64.b64encode(value).decode() for value in hashes],
            },
            "checkpoint": signed.note,
            "key": signed.key,
        }
