"""A follower whose effect is in the database: the newest digest of each record, in a table of settings."""

from collections.abc import Sequence

from node.db import Tx
from node.journal import Collection, Entry, Payloads


class Stored:
    """Keeps `record → digest` where a crash can hurt it."""

    name = "stored"

    def apply(self, tx: Tx, collection: Collection, entries: Sequence[Entry], payloads: Payloads) -> None:
        for entry in entries:
            if entry.opening and entry.opening.record:
                tx.run("DELETE FROM setting WHERE key = ?", entry.opening.record)
            if entry.opening and entry.opening.op == "put":
                tx.run("INSERT INTO setting (key, value) VALUES (?, ?)", entry.opening.record, entry.opening.digest)

    def clear(self, tx: Tx) -> None:
        tx.run("DELETE FROM setting")

    @staticmethod
    def state(tx: Tx) -> list[tuple[str, str]]:
        return [(row[0], row[1]) for row in tx.rows("SELECT key, value FROM setting ORDER BY key")]
