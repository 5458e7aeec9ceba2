"""Erasure: what an entry must be to be erased, and the blanking itself.

The rule keeps every record's newest state what it was, so that a follower which lived through an erasure and one
that is rebuilt after it hold the same: only superseded entries go, and the withdrawal of a record goes last. The
entry that announces the erasure is appended by `journal.journal`, in the same transaction.
"""

from node.db import Row, Tx
from node.errors import Conflict, NotFound
from node.journal.collection import Collection

_BLANK = (
    "UPDATE entry SET op = NULL, record = NULL, record_key = NULL, slug = NULL, kind = NULL, digest = NULL,"
    " salt = NULL, target = NULL WHERE collection_id = ? AND seq = ?"
)
_OTHERS = "SELECT min(seq), max(seq) FROM entry WHERE collection_id = ? AND record_key = ? AND record = ? AND seq <> ?"
_DROP = "DELETE FROM payload WHERE digest = ? AND NOT EXISTS (SELECT 1 FROM entry WHERE digest = ?)"


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
    tx.run(_BLANK, collection.id, seq)
    return bytes(digest) if digest is not None and tx.run(_DROP, digest, digest) else None


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
