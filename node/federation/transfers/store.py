"""Transfers at rest: how each stands, and every message that was said in it. Owns `transfer` and `transfer_message`.

What they share with negotiations is in `dialogues`: locks, versions, what waits. Tokens are not kept in messages.
Nothing here sends or judges.
"""

from collections.abc import Collection, Sequence
from typing import ClassVar

from node.db import Database, Tx
from node.errors import NotFound
from node.federation.dialogues.dialogues import Dialogues, Said, Shape
from node.federation.transfer import Transfer
from node.federation.transfers.wire import PATHS, unsigned

__all__ = ["TRANSFER", "Said", "TransferStore"]

TRANSFER = "transfer"  # what waits in the outbox for one


class TransferStore(Dialogues[Transfer]):
    """Reads and keeps transfers. Safe to share by threads."""

    shape: ClassVar[Shape] = Shape(
        table="transfer",
        messages="transfer_message",
        owner="transfer",
        kind=TRANSFER,
        parsed=frozenset({"address", "reason"}),
        final=("COMPLETED", "TERMINATED"),
        has_terms=False,
        missing=NotFound(
            "There is no such transfer.",
            fix="List them: citynode data transfers list",
        ).on_page("no.transfer"),
        paths=PATHS,
        another="Request another one.",
    )

    def __init__(self, db: Database) -> None:
        """Keep them in this database."""
        super().__init__(db, Transfer)

    def of_agreement(self, iri: str) -> Sequence[Transfer]:
        """Give those under an agreement, the newest first."""
        return self._where("agreement = ?", iri)

    def provided(self) -> Sequence[Transfer]:
        """Give those that we provide and that have not ended."""
        return self._where(f"role = 'provider' AND {self.shape.open}")

    def agreements(self) -> Sequence[str]:
        """Name the agreements under which we provide something that has not ended."""
        sql = f"SELECT DISTINCT agreement FROM transfer WHERE role = 'provider' AND {self.shape.open}"  # noqa: S608
        return [row[0] for row in self.db.hot().rows(sql)]

    def took(self, peer: str, agreement: str, dataset: str) -> bool:
        """Tell whether anything of a dataset was to come to us from a peer under an agreement, now or once."""
        sql = "SELECT 1 FROM transfer WHERE agreement = ? AND dataset = ? AND peer = ? AND role = 'consumer' LIMIT 1"
        return self.db.hot().row(sql, (agreement, dataset, peer)) is not None

    def moved(self, agreement: str) -> Sequence[str]:
        """Name the datasets of which something began to move under an agreement."""
        sql = "SELECT DISTINCT dataset FROM transfer WHERE agreement = ? AND started_at > 0 ORDER BY dataset"
        return [str(row[0]) for row in self.db.hot().rows(sql, (agreement,))]

    def gave(self, datasets: Collection[str]) -> Sequence[tuple[str, str, str, str, int, int]]:
        """Tell to whom something of these datasets began to go from us: city, agreement, dataset, purpose, from, to."""
        marks = ", ".join("?" * len(datasets))
        sql = (
            "SELECT peer, agreement, dataset, purpose, min(started_at) AS began, max(started_at) FROM transfer"  # noqa: S608
            f" WHERE role = 'provider' AND started_at > 0 AND dataset IN ({marks})"
            " GROUP BY peer, agreement, dataset, purpose ORDER BY began, peer, agreement, dataset, purpose"
        )
        return [tuple(row) for row in self.db.hot().rows(sql, tuple(datasets))] if datasets else []

    def ended(self, after_ms: int, before_ms: int) -> Sequence[Transfer]:
        """Give those that had started and ended between two moments, the newest first."""
        states = ", ".join(f"'{each}'" for each in self.shape.final)
        return self._where(
            f"state IN ({states}) AND started_at > 0 AND changed_at >= ? AND changed_at < ?", after_ms, before_ms
        )

    def forget_receipt(self, tx: Tx, pid: str) -> None:
        """Destroy the receipt of a transfer that has ended, in what was said, too; nothing if there is no such one."""
        tx.lock(f"transfer:{pid}")
        tx.run("UPDATE transfer SET receipt = '', version = version + 1 WHERE pid = ? AND receipt <> ''", pid)
        said = tx.rows("SELECT id, body FROM transfer_message WHERE transfer = ? AND type = 'complete'", pid)
        tx.many(
            "UPDATE transfer_message SET body = ? WHERE id = ?", [(unsigned(body), number) for number, body in said]
        )
        sent = tx.rows(
            "SELECT id, body FROM outgoing WHERE kind = ? AND subject = ? AND step = 'complete' AND done_at > 0",
            *(TRANSFER, pid),
        )
        tx.many("UPDATE outgoing SET body = ? WHERE id = ?", [(unsigned(body), number) for number, body in sent])

    def ask_about(self, tx: Tx, agreement: str, now_ms: int) -> int:
        """Let the decider be asked about all that we provide under an agreement; give how many that are."""
        where = f"agreement = ? AND role = 'provider' AND {self.shape.open}"
        return tx.run(f"UPDATE transfer SET ask_at = ? WHERE {where}", max(now_ms, 1), agreement)  # noqa: S608
