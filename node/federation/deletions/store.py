"""What was said of deletion, agreement by agreement: by us of what we fetched, by others of ours. Owns `deletion`.

An agreement has one direction, so it has one city that says so, once. What must be deleted is kept nowhere: it follows
from agreements and transfers, and is worked out at each look.
"""

from dataclasses import dataclass

from node.db import Database, Tx

_COLUMNS = "agreement, peer, at, by, told_at"


@dataclass(frozen=True, slots=True)
class Said:
    """That what was fetched under an agreement is deleted. `by` is a person of ours, or the other city's address.

    `told_at` is when the other city had taken it, 0 for not yet; of what it said itself, when it said so.
    """

    agreement: str
    peer: str
    at: int
    by: str
    told_at: int = 0


class DeletionStore:
    """Keeps it. Safe to share by threads and processes."""

    def __init__(self, db: Database) -> None:
        """Keep it in this database."""
        self.db = db

    def all(self) -> dict[str, Said]:
        """Give everything, by agreement."""
        rows = self.db.hot().rows(f"SELECT {_COLUMNS} FROM deletion ORDER BY agreement")  # noqa: S608
        return {str(row[0]): Said(*row) for row in rows}

    def untold(self) -> list[Said]:
        """Give what the other city has not taken yet."""
        rows = self.db.hot().rows(f"SELECT {_COLUMNS} FROM deletion WHERE told_at = 0 ORDER BY at, agreement")  # noqa: S608
        return [Said(*row) for row in rows]

    def put(self, tx: Tx, said: Said) -> bool:
        """Keep what was said; False if it was said before."""
        sql = f"INSERT INTO deletion ({_COLUMNS}) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608
        return tx.run(sql, said.agreement, said.peer, said.at, said.by, said.told_at) == 1

    def told(self, tx: Tx, agreement: str, at_ms: int) -> None:
        """Note that the other city has taken it."""
        tx.run("UPDATE deletion SET told_at = ? WHERE agreement = ? AND told_at = 0", at_ms, agreement)
