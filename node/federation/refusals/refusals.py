"""What peers told us they refused of our collections, and why: so that both cities see it, and ours can mend it.

The refusing city keeps the entry as a stub; here only seq and code are kept, one per peer and entry, the newest word
counting. What a peer later takes after all it says with an empty code. Bounded by the entries there are. Owns
`refusal_heard`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node.errors import Malformed
from node.journal import Reader

CODE = re.compile(r"[a-z]{1,40}(?:-[a-z]{1,40}){0,7}\Z")
_KEEP = (
    "INSERT INTO refusal_heard (collection_id, seq, peer, code, at) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (collection_id, seq, peer) DO UPDATE SET code = excluded.code, at = excluded.at"
)
_TAKEN = "DELETE FROM refusal_heard WHERE collection_id = ? AND seq = ? AND peer = ?"


@dataclass(frozen=True, slots=True)
class Heard:
    """One refusal as a peer told it."""

    seq: int
    peer: str
    code: str
    at_ms: int


class RefusalsHeard:
    """Keeps and gives what was told. Safe in every thread."""

    def __init__(self, reader: Reader) -> None:
        """Read through the journals."""
        self._reader = reader

    def hear(self, name: str, peer: str, refusals: Sequence[tuple[int, str]], *, at_ms: int) -> None:
        """Keep what a peer refused of a collection of ours; saying it again changes nothing but the time.

        Raises:
            NotFound: There is no such collection.
            Malformed: A code is no code, or a seq is none of this collection; nothing was kept.
        """
        with self._reader.db.write() as tx:
            collection = self._reader.get(tx, name)
            for seq, code in refusals:
                if not 1 <= seq <= collection.size or not (code == "" or CODE.match(code)):
                    raise Malformed(f"{seq} with the code {code[:40]!r} is no refusal of an entry of {name}.")
                if code:
                    tx.run(_KEEP, collection.id, seq, peer, code, at_ms)
                else:
                    tx.run(_TAKEN, collection.id, seq, peer)

    def by_peer(self) -> Mapping[str, int]:
        """Count the entries of ours that each peer refuses now; a peer that refuses none is left out."""
        sql = "SELECT peer, COUNT(*) FROM refusal_heard WHERE code <> '' GROUP BY peer"
        return {str(peer): int(many) for peer, many in self._reader.db.hot().rows(sql, ())}

    def list(self, name: str, *, limit: int = 1_000) -> list[Heard]:
        """Give what peers refuse of a collection, by seq and peer. Raises NotFound."""
        sql = "SELECT seq, peer, code, at FROM refusal_heard WHERE collection_id = ? ORDER BY seq, peer LIMIT ?"
        with self._reader.db.read() as tx:
            rows = tx.rows(sql, self._reader.get(tx, name).id, limit)
        return [Heard(int(row[0]), str(row[1]), str(row[2]), int(row[3])) for row in rows]
