"""What went out by consent, and since when this city knows of each withdrawal that bears on it. Rows `seen`, and reads.

Before rows go under an agreement for the first time, everybody who has withdrawn by then is noted as known before: that
city never had their rows and need hear nothing, nor of anybody else whose rows were never let through. Whoever
withdraws later is noted when it is first seen, whatever day the record bears. What began stays on the books, with each
source by whose word it went: what follows from it follows from the rows that are there, whatever the city sets, moves
or agrees afterwards. Keys are salted for this city alone.
"""

import secrets
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass

from node.db import Tx
from node.federation.consent.records import Asked
from node.federation.consent.sources import ConsentSource, Sources
from node.federation.consent.store import SALT_BYTES, ConsentRead, ConsentStore, Withdrawal, salted_key
from node.federation.consent.went import Went
from node.federation.moved import UnfilteredTold

BEFORE = 0


@dataclass(frozen=True, slots=True)
class Noticed:
    """Notes and tells. Safe to share by threads and processes."""

    store: ConsentStore
    sources: Sources
    went: Went

    def allowed(self, source: ConsentSource, agreement: str, asked: Asked, clock_ms: Callable[[], int]) -> Set[str]:
        """Give the keys of those whose rows may leave now, once the books say that they may have gone.

        First who is left out, then whose rows pass: who withdraws in between is told of, and never overlooked.

        Raises:
            ConsentUnknown: The source cannot be asked.
        """
        read = self._begun(source, agreement, asked, clock_ms())
        allowed = self.sources.allowed(source, asked, clock_ms()) - {""}
        self.went.mark(read, allowed)
        return allowed

    def _begun(self, source: ConsentSource, agreement: str, asked: Asked, now_ms: int) -> ConsentRead:
        """Note, before the first read under an agreement, who has withdrawn already; later reads note no person."""
        begun = self.store.reads(agreement, asked)
        same = next((each for each in begun if each.source == source.name), None)
        if same is not None:
            return same
        # Of rows that went by another source's word, nobody can say that they were never there.
        found = {} if begun else self.sources.withdrawn(source, asked, now_ms)
        with self.store.db.write() as tx:
            tx.lock(f"withdrawals/{asked.dataset}")
            salt = self.store.salt(tx, agreement, asked.dataset) or secrets.token_hex(SALT_BYTES)
            said = (agreement, asked.dataset, asked.recipient, asked.purpose)
            read = ConsentRead(*said, source.name, salt, now_ms)
            if self.store.begin(tx, read):
                self.since(tx, read, found, BEFORE)
        return read

    def begun_before(self, left: UnfilteredTold, source: str, now_ms: int) -> None:
        """Note what went with all its rows before anything was known of consent: everybody's row, so nobody is marked.

        Who had withdrawn by then has to be told, too: nothing was left out. Repeatable.
        """
        asked = Asked(left.dataset, left.purpose, left.peer)
        if self.store.reads(left.agreement, asked):
            return
        with self.store.db.write() as tx:
            tx.lock(f"withdrawals/{left.dataset}")
            salt = self.store.salt(tx, left.agreement, left.dataset) or secrets.token_hex(SALT_BYTES)
            said = (left.agreement, left.dataset, left.peer, left.purpose)
            self.store.begin(tx, ConsentRead(*said, source, salt, now_ms))

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
