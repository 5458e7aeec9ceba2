"""Marking refused entries to be asked for again: what new namespaces, themes or agreements may have mended.

The rows are the journal's (`journal.mirror`); whoever asks (`again`) takes those that are marked first. They are marked
in the transaction of what changed, so that a crash forgets neither.
"""

from collections.abc import Collection as Many

from node.db import Tx
from node.federation.check import FOREIGN_RECORD, FOREIGN_SUBJECT
from node.journal.mirror import AGREEMENT_ENDED, NOT_FOLLOWED, WITHHELD

# Who may describe what depends on the namespaces of all cities that were approved.
BY_NAMESPACE = frozenset({FOREIGN_RECORD, FOREIGN_SUBJECT})
BY_THEMES = frozenset({NOT_FOLLOWED})
# What an agreement did not permit, or no longer did.
BY_AGREEMENT = frozenset({WITHHELD, AGREEMENT_ENDED})


def ask_again(tx: Tx, codes: Many[str], *, local: str = "") -> int:
    """Mark what was refused for these reasons, of one mirror or of all; give how many entries that were."""
    marks = ", ".join("?" * len(codes))
    sql = f"UPDATE refusal SET tries = -1 WHERE code IN ({marks})"  # noqa: S608 - marks, no values
    if not local:
        return tx.run(sql, *sorted(codes))
    sql += " AND collection_id = (SELECT id FROM collection WHERE name = ?)"
    return tx.run(sql, *sorted(codes), local)
