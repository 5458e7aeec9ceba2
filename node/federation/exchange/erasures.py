"""What this city erased, and which mirrors have confirmed that it is gone there too: the origin's side.

An erasure travels as an entry that names a seq. Each mirror blanks its copy and says so; here is kept who said it, so
that somebody can ask after the rest. A peer counts as a mirror of a collection if it was seen to show it, if it may
read a restricted one, or if it ever answered for it. Owns `erasure_heard` and `erasure_reason`.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Collection as Many
from dataclasses import dataclass

from node.db import Row, Tx
from node.journal import Collection, Reader

_ERASED = (
    "SELECT e.target, e.seq, e.at, COALESCE(r.reason, '') FROM entry e LEFT JOIN erasure_reason r"
    " ON r.collection_id = e.collection_id AND r.target = e.target"
    " WHERE e.collection_id = ? AND e.op = 'erase' ORDER BY e.target"
)
_CONFIRM = (
    "INSERT INTO erasure_heard (collection_id, target, peer, at) SELECT collection_id, target, ?, ? FROM entry"
    " WHERE collection_id = ? AND op = 'erase' AND target = ? ON CONFLICT DO NOTHING"
)
_REASON = (
    "INSERT INTO erasure_reason (collection_id, target, reason) VALUES (?, ?, ?)"
    " ON CONFLICT (collection_id, target) DO UPDATE SET reason = excluded.reason"
)
# `seen_head` tells which peers showed a head of this collection when heads were compared: those hold a mirror of it.
_MIRRORS = (
    "SELECT seen_by FROM seen_head WHERE collection = ? UNION SELECT peer FROM erasure_heard WHERE collection_id = ?"
    " UNION SELECT peer FROM refusal_heard WHERE collection_id = ?"
)


@dataclass(frozen=True, slots=True)
class Erased:
    """One erasure: the seq that is gone, the entry that says so and its time, who confirmed when (ms), who has not."""

    seq: int
    said_in: int
    at_ms: int
    reason: str
    confirmed: Mapping[str, int]
    waiting: tuple[str, ...]


class Erasures:
    """Reads and keeps what is known of erasures. Safe in every thread."""

    def __init__(self, reader: Reader, readers: Callable[[str], Many[str]]) -> None:
        """Read through the journals; `readers` names the peers that may read a restricted collection of ours."""
        self._reader = reader
        self._readers = readers

    def list(self, name: str) -> list[Erased]:
        """Give the erasures of a collection of ours by the seq that is gone. Raises NotFound."""
        readers = set(self._readers(name))
        with self._reader.db.read() as tx:
            collection = self._reader.get(tx, name)
            rows = tx.rows(_ERASED, collection.id)
            mirrors = readers | _mirrors(tx, collection)
            heard = _heard(tx, collection)
        return [_erased(row, heard.get(int(row[0]), {}), mirrors) for row in rows]

    def hear(self, name: str, peer: str, seqs: Sequence[int], *, at_ms: int) -> None:
        """Keep that a peer has blanked these entries of a collection of ours.

        Heard twice is heard once, and the first time stays; a seq that was not erased here is passed over.
        """
        with self._reader.db.write() as tx:
            collection = self._reader.get(tx, name)
            for seq in sorted(set(seqs)):
                if 1 <= seq <= collection.size:
                    tx.run(_CONFIRM, peer, at_ms, collection.id, seq)

    def explain(self, tx: Tx, name: str, seq: int, reason: str) -> None:
        """Keep why an entry was erased; for the city's own eyes, it does not travel."""
        tx.run(_REASON, self._reader.get(tx, name).id, seq, reason)


def _mirrors(tx: Tx, collection: Collection) -> set[str]:
    return {str(row[0]) for row in tx.rows(_MIRRORS, collection.iri, collection.id, collection.id)}


def _heard(tx: Tx, collection: Collection) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    sql = "SELECT target, peer, at FROM erasure_heard WHERE collection_id = ? ORDER BY target, peer"
    for target, peer, at in tx.rows(sql, collection.id):
        found.setdefault(int(target), {})[str(peer)] = int(at)
    return found


def _erased(row: Row, heard: dict[str, int], mirrors: set[str]) -> Erased:
    target, seq, at_ms, reason = row
    return Erased(int(target), int(seq), int(at_ms), str(reason), heard, tuple(sorted(mirrors - heard.keys())))
