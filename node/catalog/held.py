"""How much of what is held describes things under a prefix: what a new namespace of a peer would forbid.

Reads payloads, because a record of one city may describe a distribution under another's prefix. For a person who is
about to approve a peer, so seconds are fine; beyond a hundred thousand records the count stops, and says "at least".
"""

from node.db import Database
from node.journal import Reader

MOST_READ = 100_000
_PAGE = 500


def held_under(db: Database, reader: Reader, prefix: str, *, except_of: str) -> int:
    """Count live records with a subject under an IRI prefix, leaving out the mirrors of one peer."""
    start = f"<{prefix}".encode()
    found, after, read = 0, (0, -(1 << 63)), 0
    with db.read() as tx:
        leave = [c.id for c in reader.collections(tx) if c.name.startswith(f"{except_of}/")]
        marks = "".join(" AND collection_id <> ?" for _ in leave)
        sql = (
            "SELECT collection_id, record_key, digest FROM shelf WHERE digest IS NOT NULL AND"  # noqa: S608
            f" (collection_id, record_key) > (?, ?){marks} ORDER BY collection_id, record_key LIMIT {_PAGE}"
        )
        while read < MOST_READ:
            rows = tx.rows(sql, *after, *leave)
            digests = [f"sha256:{bytes(row[2]).hex()}" for row in rows]
            payloads = reader.payloads(tx, set(digests))
            found += sum(_has(payloads.get(digest, b""), start) for digest in digests)
            read += len(rows)
            if len(rows) < _PAGE:
                break
            after = (rows[-1][0], rows[-1][1])
    return found


def _has(payload: bytes, start: bytes) -> bool:
    """Tell whether a payload has such a subject; its lines begin with their subjects."""
    return payload.startswith(start) or b"\n" + start in payload
