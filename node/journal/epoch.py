"""Cutting a journal back to one of its former sizes, which only a new epoch of a collection does.

A mirror is cut back after a person approved its origin's epoch statement; nothing else removes an entry. Everything
behind the cut goes: entries, tiles, notes and the payloads that nothing else holds. Readings (followers) that have seen
more than is left are told to begin again, in the same transaction, because none of them can take an entry back.
"""

from collections.abc import Sequence
from dataclasses import replace

from node.db import Tx
from node.errors import NotFound
from node.journal import collection as collections
from node.journal.collection import Collection
from node.journal.follow import Follower
from node.journal.reading import Reader

_CHUNK = 500
_LEVELS = 8  # 256**7 leaves are more than any journal will have


def opened(tx: Tx, reader: Reader, name: str, number: int) -> Collection:
    """Give a collection the number of its new epoch; its entries stay."""
    tx.lock(f"journal/{name}")
    fresh = replace(reader.get(tx, name), epoch=number)
    collections.save(tx, fresh)
    return fresh


def truncate(tx: Tx, reader: Reader, name: str, size: int, *, followers: Sequence[Follower]) -> Collection:
    """Cut a journal back to its first `size` entries; call `follow.catch_up` for each follower after the commit.

    Raises:
        NotFound: The journal is shorter than `size`.
    """
    tx.lock(f"journal/{name}")
    tx.lock("payloads")
    held = reader.get(tx, name)
    if not 0 <= size <= held.size:
        raise NotFound(f"{name} has {held.size} entries, not {size}.")
    frontier = reader.frontier(tx, name, size)
    last = tx.row("SELECT at FROM entry WHERE collection_id = ? AND seq = ?", held.id, size)
    _remove(tx, held.id, size)
    cut = replace(
        held,
        size=size,
        root=frontier.root(),
        frontier=frontier.to_bytes(),
        last_at_ms=last[0] if last else 0,
    )
    collections.save(tx, cut)
    for follower in followers:
        tx.lock(f"follower/{follower.name}")
        follower.clear(tx)
        tx.run("DELETE FROM cursor WHERE follower = ?", follower.name)
    return cut


def drop_notes(tx: Tx, collection_id: int, size: int) -> list[str]:
    """Take away the notes of sizes beyond `size` and give them, smallest first: they are evidence of what was."""
    found = tx.rows(
        "SELECT note FROM checkpoint WHERE collection_id = ? AND size > ? ORDER BY size", collection_id, size
    )
    tx.run("DELETE FROM checkpoint WHERE collection_id = ? AND size > ?", collection_id, size)
    return [str(row[0]) for row in found]


def _remove(tx: Tx, collection_id: int, size: int) -> None:
    held = tx.rows(
        "SELECT DISTINCT digest FROM entry WHERE collection_id = ? AND seq > ? AND digest IS NOT NULL",
        collection_id,
        size,
    )
    tx.run("DELETE FROM entry WHERE collection_id = ? AND seq > ?", collection_id, size)
    drop_notes(tx, collection_id, size)
    _remove_tiles(tx, collection_id, size)
    _remove_payloads(tx, [bytes(row[0]) for row in held])


def _remove_tiles(tx: Tx, collection_id: int, size: int) -> None:
    # A hash of a level stands for 256**level leaves; those that lie wholly within the cut stay.
    sql = "DELETE FROM tile WHERE collection_id = ? AND level = ? AND idx >= ?"
    tx.many(sql, [(collection_id, level, size // 256**level) for level in range(1, _LEVELS)])


def _remove_payloads(tx: Tx, digests: list[bytes]) -> None:
    for start in range(0, len(digests), _CHUNK):
        part = digests[start : start + _CHUNK]
        marks = ", ".join("?" * len(part))
        used = {bytes(row[0]) for row in tx.rows(f"SELECT DISTINCT digest FROM entry WHERE digest IN ({marks})", *part)}  # noqa: S608
        tx.many("DELETE FROM payload WHERE digest = ?", [(digest,) for digest in part if digest not in used])
