"""Negotiations at rest: how each stands, and every message that was said in it. Owns `negotiation` and `message`.

What they share with transfers is in `dialogues`: locks, versions, what waits. Messages are what two versions are
compared by, and what an auditor reads. Nothing here sends or judges.
"""

import json
from collections.abc import Sequence
from typing import ClassVar

from node.db import Database, Tx
from node.errors import NotFound
from node.federation.dialogues.dialogues import Dialogues, Said, Shape
from node.federation.negotiation import Negotiation
from node.federation.negotiations.wire import PATHS

__all__ = ["NegotiationStore", "Said"]


class NegotiationStore(Dialogues[Negotiation]):
    """Reads and keeps negotiations. Safe to share by threads."""

    shape: ClassVar[Shape] = Shape(
        table="negotiation",
        messages="message",
        owner="negotiation",
        kind="dsp",
        parsed=frozenset({"offer", "about", "reason"}),
        final=("FINALIZED", "TERMINATED"),
        has_terms=True,
        missing=NotFound(
            "There is no such negotiation.",
            fix="List them: citynode agreements list",
        ).on_page("no.agreement"),
        paths=PATHS,
        another="Begin a new one.",
    )

    def __init__(self, db: Database) -> None:
        """Keep them in this database."""
        super().__init__(db, Negotiation)

    def ended(self, *, peer: str = "", limit: int) -> Sequence[Negotiation]:
        """Give the newest of those that ended without an agreement: of all, or of those with one city."""
        where, params = (" AND peer = ?", (peer,)) if peer else ("", ())
        return self._where("state = 'TERMINATED'" + where, *params, cut=(limit, 0))

    def of_agreement(self, iri: str) -> Negotiation | None:
        """Give the one in which an agreement was written, if it was in one."""
        found = self._where("agreement = ?", iri, cut=(1, 0)) if iri else ()
        return found[0] if found else None

    def parts_of(self, document: str) -> Sequence[Negotiation]:
        """Give those about a part of a document that are open or ended in an agreement, the newest first."""
        written = json.dumps({"partOf": document}, ensure_ascii=False)[1:-1]
        for special in "!%_":
            written = written.replace(special, "!" + special)
        found = self._where("state <> 'TERMINATED' AND about LIKE ? ESCAPE '!'", f"%{written}%")
        # LIKE looks at the text of the JSON, deeper values included, and in SQLite at letters of either case.
        return [each for each in found if each.about.get("partOf") == document]

    def versions(self, pid: str) -> int:
        """Count the different terms that were said in a negotiation."""
        sql = "SELECT count(DISTINCT terms) FROM message WHERE negotiation = ? AND terms <> ''"
        row = self.db.hot().row(sql, (pid,))
        return int(row[0]) if row else 0

    def knows_agreement(self, tx: Tx, iri: str, *, beside: str) -> bool:
        """Tell whether an agreement of this name is held, or was written in another negotiation than this one.

        Keeps others from writing one of this name until the transaction ends.
        """
        tx.lock(f"agreement:{iri}")
        elsewhere = tx.row("SELECT 1 FROM negotiation WHERE agreement = ? AND pid <> ?", iri, beside)
        return elsewhere is not None or tx.row("SELECT 1 FROM agreement WHERE iri = ?", iri) is not None
