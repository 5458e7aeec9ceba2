"""What went out by consent, and since when this city knows of each withdrawal that bears on it. Rows `seen`, and reads.

Before rows go under an agreement for the first time, everybody who has withdrawn by then is noted as known before: that
city never had their rows and need hear nothing. Whoever withdraws later is noted when it is first seen, whatever day
the record bears. What began stays on the books, with each source by whose word it went: what follows from it follows
from the rows that are there, whatever the city sets, moves or agrees afterwards. Keys are salted for this city alone.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from node.db import Tx
from node.federation.consent.records import Asked
from node.federation.consent.sources import ConsentSource, Sources
from node.federation.consent.store import SALT_BYTES, ConsentRead, ConsentStore, Withdrawal, salted_key

BEFORE = 0


@dataclass(frozen=True, slots=True)
class Noticed:
    """Notes and tells. Safe to share by threads and processes."""

    store: ConsentStore
    sources: Sources

    def begin(self, source: ConsentSource, agreement: str, asked: Asked, now_ms: int) -> None:
        """Note, before the first read under an agreement, who has withdrawn already; later reads note no person.

        Raises:
            ConsentUnknown: The source cannot be asked.
        """
        begun = self.store.reads(agreement, asked)
        if any(each.source == source.name for each in begun):
            return
        # Of rows that went by another source's word, nobody can say that they were never there.
        found = {} if begun else self.sources.withdrawn(source, asked, now_ms)
        with self.store.db.write() as tx:
            tx.lock(f"withdrawals/{asked.dataset}")
            salt = self.store.salt(tx, agreement, asked.dataset) or secrets.token_hex(SALT_BYTES)
            said = (agreement, asked.dataset, asked.recipient, asked.purpose)
            if self.store.begin(tx, ConsentRead(*said, source.name, salt, now_ms)):
                self.since(tx, ConsentRead(*said, source.name, salt, now_ms), found, BEFORE)

    def since(self, tx: Tx, read: ConsentRead, found: Mapping[str, int], now_ms: int) -> Mapping[str, int]:
        """Give since when we know of each withdrawal, 0 for before the first read; note those that are new."""
        known = {each.salted: each for each in self.store.of_agreement(tx, "seen", read.agreement, read.dataset)}
        since: dict[str, int] = {}
        for subject, at_ms in found.items():
            salted = salted_key(read.salt, f"{read.peer} {read.purpose} {subject}")
            before = known.get(salted)
            # Two sources may give one withdrawal two dates: only a later one is another.
            if before is not None and before.withdrawn_at >= at_ms:
                since[subject] = before.at
                continue
            since[subject] = now_ms
            if before is not None:
                self.store.forget(tx, before)
            name = secrets.token_hex(SALT_BYTES)
            where = (read.agreement, read.dataset, read.source)
            self.store.put(tx, Withdrawal(name, "seen", "", *where, "", salted, at_ms, now_ms))
        return since
