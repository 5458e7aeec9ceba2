"""What changed, in the order of its last change: how readings that live outside the database stay level with it.

The shelf notes each record it touches here (a new state, a withdrawal, a stub filled late, what an erasure or the end
of an agreement took away) under a number that rises with every commit. A reading (search index, triple store, quality)
remembers the number up to which it has read, asks what came after, and takes in the newest state of each: doing so
twice is doing it once. One row per record, so a reading that starts at 0 meets every record exactly once. Touches its
own table only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.catalog.shelf import Held, Shelf
from node.catalog.touching import touch
from node.db import Tx
from node.journal import key_of

__all__ = ["Change", "Touched", "touch"]


@dataclass(frozen=True, slots=True)
class Change:
    """One record to look at again: `held` is its state now, None if it must go."""

    n: int
    collection_id: int
    record_key: int
    collection: str
    iri: str
    held: Held | None


class Touched:
    """Reads what changed; safe in every thread."""

    def __init__(self, shelf: Shelf) -> None:
        """Read what this shelf notes."""
        self._shelf = shelf
        self._hot = shelf.hot

    def newest(self) -> int:
        """Give the number of the last change; 0 where nothing ever changed.

        A reading that has read further belongs to another database, or to one that was restored: it must start anew.
        """
        row = self._hot.row("SELECT max(n) FROM touched")
        return int(row[0] or 0) if row else 0

    def after(self, n: int, limit: int) -> list[Change]:
        """Give up to `limit` records whose last change came after number `n`, in order of that change."""
        rows = self._hot.rows(
            "SELECT t.n, t.collection_id, t.record_key, t.iri, c.name FROM touched t"
            " JOIN collection c ON c.id = t.collection_id WHERE t.n > ? ORDER BY t.n LIMIT ?",
            (n, limit),
        )
        helds = self._shelf.some([(row[4], row[3]) for row in rows])
        return [
            Change(int(row[0]), row[1], row[2], row[4], row[3], held) for row, held in zip(rows, helds, strict=True)
        ]

    def behind(self, n: int) -> int:
        """Count the records whose last change came after number `n`."""
        row = self._hot.row("SELECT count(*) FROM touched WHERE n > ?", (n,))
        return int(row[0]) if row else 0

    def again(self, tx: Tx, records: Iterable[tuple[int, str]]) -> None:
        """Note records, by collection id and IRI, whose reading changed though they did not: their quality, say."""
        touch(tx, [(collection_id, key_of(iri), iri) for collection_id, iri in records])


def position(tx: Tx, name: str) -> int:
    """Give the number up to which a reading that is kept in the database has read; 0 before the first."""
    row = tx.row("SELECT n FROM reader WHERE name = ?", name)
    return int(row[0]) if row else 0


def save_position(tx: Tx, name: str, n: int) -> None:
    """Remember it, in the transaction of what was made of the changes."""
    tx.run("INSERT INTO reader (name, n) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = excluded.n", name, n)


def keys_of(changes: Sequence[Change]) -> list[tuple[int, int]]:
    """Give the keys under which tables keep what was made of records."""
    return [(change.collection_id, change.record_key) for change in changes]
