"""Erasure: what an entry must be to be erased, and the blanking itself.

The rule keeps every record's newest state what it was, so that a follower which lived through an erasure and one
that is rebuilt after it hold the same: only superseded entries go, and the withdrawal of a record goes last. The
entry that announces the erasure is appended by `journal.journal`, in the same transaction. A mirror obeys its origin
instead (`journal.mirror`) and shares only the blanking.
"""

from collections.abc import Sequence

from node.db import Row, Tx
from node.errors import Conflict, NotFound
from node.journal.collection import Collection

BLANK = (
    "UPDATE entry SET op = NULL, record = NULL, record_key = NULL, slug = NULL, kind = NULL, digest = NULL,"
    " salt = NULL, target = NULL WHERE collection_id = ? AND seq = ?"
)
_OTHERS = "SELECT min(seq), max(seq) FROM entry WHERE collection_id = ? AND record_key = ? AND record = ? AND seq <> ?"
# An entry whose payload was refused, or is not followed, holds none.
_HOLDERS = (
    "SELECT DISTINCT e.digest FROM entry e LEFT JOIN refusal r ON r.collection_id = e.collection_id AND r.seq = e.seq"
    " WHERE r.code IS NULL AND e.digest IN ({})"
)
_CHUNK = 500


def blank(tx: Tx, collection: Collection, seq: int) -> bytes | None:
    """Destroy salt and opening of an entry, and its payload if no other entry, of any collection, holds it.

    Gives the digest of the payload that is gone, or None.
    """
    sql = "SELECT op, record, record_key, digest FROM entry WHERE collection_id = ? AND seq = ?"
    row = tx.row(sql, collection.id, seq)
    if row is None:
        raise NotFound(f"{collection.name} has no entry {seq}.")
    op, _, _, digest = row
    if op is None:
        raise Conflict(f"Entry {seq} of {collection.name} is erased already.")
    if op == "erase":
        raise Conflict(f"Entry {seq} of {collection.name} says an erasure; that cannot be erased.")
    _check_not_stood_on(tx, collection, seq, row)
    tx.run(BLANK, collection.id, seq)
    if digest is None or not unheld(tx, [digest]):
        return None
    return bytes(digest) if tx.run("DELETE FROM payload WHERE digest = ?", digest) else None


def unheld(tx: Tx, digests: Sequence[bytes]) -> list[bytes]:
    """Give those digests whose payload no entry of any collection holds; one look at all entries per 500."""
    free: list[bytes] = []
    for start in range(0, len(digests), _CHUNK):
        part = [bytes(digest) for digest in digests[start : start + _CHUNK]]
        held = {bytes(row[0]) for row in tx.rows(_HOLDERS.format(", ".join("?" * len(part))), *part)}
        free += [digest for digest in dict.fromkeys(part) if digest not in held]
    return free


def _check_not_stood_on(tx: Tx, collection: Collection, seq: int, row: Row) -> None:
    op, record, key, _ = row
    others = tx.row(_OTHERS, collection.id, key, record, seq)
    first, last = others or (None, None)
    if last is not None and last > seq:
        return
    if op == "withdraw" and first is None:
        return
    raise Conflict(
        f"{record} stands on entry {seq} of {collection.name}.",
        fix="Withdraw the record or write a newer state first; erase its withdrawal last.",
    )
