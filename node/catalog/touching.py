"""The numbers under which changes are noted: written by the shelf within its own transaction, read by `touched`.

A number is given under a lock, so that they become visible in their order: a reader that has seen one never misses a
smaller one. Writes the table `touched` and nothing else.
"""

from collections.abc import Sequence

from node.db import Tx


def touch(tx: Tx, records: Sequence[tuple[int, int, str]]) -> None:
    """Give each record (collection id, record key, IRI) the next number; the last one a record got stands."""
    if not records:
        return
    tx.lock("touched")
    first = _newest(tx) + 1
    tx.many(
        "INSERT INTO touched (collection_id, record_key, iri, n) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (collection_id, record_key) DO UPDATE SET iri = excluded.iri, n = excluded.n",
        [(*record, n) for n, record in enumerate(records, first)],
    )


def touch_collection(tx: Tx, collection_id: int) -> None:
    """Give every record of a collection a new number, in the order they had."""
    tx.lock("touched")
    tx.run("UPDATE touched SET n = n + ? WHERE collection_id = ?", _newest(tx), collection_id)


def touch_all(tx: Tx) -> None:
    """Give every record a new number, in the order they had: whatever was read of them is to be read again."""
    tx.lock("touched")
    tx.run(
        "UPDATE touched SET n = ? + again.place FROM (SELECT collection_id AS c, record_key AS r,"
        " row_number() OVER (ORDER BY n) AS place FROM touched) AS again"
        " WHERE touched.collection_id = again.c AND touched.record_key = again.r",
        _newest(tx),
    )


def _newest(tx: Tx) -> int:
    row = tx.row("SELECT max(n) FROM touched")
    return int(row[0] or 0) if row else 0
