"""What keeps a restored node from writing: marks on own collections that are behind what this city has signed.

A city that goes on from an old backup would sign a second history beside the one its peers hold, and be caught at it
rightly. So the restore leaves a mark, and a mirror that shows more of us than we hold leaves another; while one stands,
own collections take no entry and sign nothing. Marks stand in the table `setting`, so that every process sees them.
Mirrors are not concerned: they go on from what they hold.
"""

import json
from dataclasses import asdict, dataclass

from node.db import Tx
from node.errors import BrokenHistory

_RESTORED = "restored"
_BEHIND = "behind/"
_KEEP = "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
_FIX = "Run citynode recover --check; docs/recover.md says what can be done."


@dataclass(frozen=True, slots=True)
class Behind:
    """What was shown of an own collection: the note of the largest size that was found, and who showed it."""

    collection: str
    size: int
    note: str
    peer: str
    at_ms: int


def mark(tx: Tx, behind: Behind) -> None:
    """Mark an own collection; a mark of a larger size stays."""
    held = marked(tx, behind.collection)
    if held is None or held.size <= behind.size:
        tx.run(_KEEP, _BEHIND + behind.collection, json.dumps(asdict(behind)))


def clear(tx: Tx, name: str) -> None:
    """Take the mark off one collection."""
    tx.run("DELETE FROM setting WHERE key = ?", _BEHIND + name)


def marked(tx: Tx, name: str) -> Behind | None:
    """Give the mark of one collection, or None."""
    row = tx.row("SELECT value FROM setting WHERE key = ?", _BEHIND + name)
    return Behind(**json.loads(row[0])) if row else None


def mark_restored(tx: Tx, at_ms: int) -> None:
    """Say that this database comes from a backup, so that nothing is written before mirrors were asked."""
    tx.run(_KEEP, _RESTORED, str(at_ms))


def clear_restored(tx: Tx) -> None:
    """Say that mirrors were asked, or that a person answers for going on without."""
    tx.run("DELETE FROM setting WHERE key = ?", _RESTORED)


def restored_ms(tx: Tx) -> int:
    """Tell when the database was put back from a backup that nobody has compared with mirrors yet; 0 if it was not."""
    row = tx.row("SELECT value FROM setting WHERE key = ?", _RESTORED)
    return int(row[0]) if row else 0


def check(tx: Tx, name: str, size: int) -> None:
    """Refuse to write to, or to sign, an own collection while a mark stands.

    Raises:
        BrokenHistory: More of it was signed than is here, or nobody has looked since a backup was restored.
    """
    if "/" in name:
        return
    held = tx.rows("SELECT key FROM setting WHERE key IN (?, ?)", _RESTORED, _BEHIND + name)
    if not held:
        return
    found = marked(tx, name)
    if found is None:
        raise BrokenHistory(f"{name} comes from a backup, and no mirror was asked for what is newer.", fix=_FIX)
    raise BrokenHistory(f"{name} has {size} entries, but {found.peer} holds {found.size} that were signed.", fix=_FIX)
