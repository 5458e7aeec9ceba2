"""When what this city keeps to know residents again is forgotten: once nobody can owe anything by it any more.

A city that may hold rows must hear of every withdrawal, however late, and whom it was told of must be known again, or
everybody would be told anew. So what is kept of an agreement goes all at once, and only when the city that got the rows
has said, signed, that all it fetched under it is deleted, and has erased whatever it was told. What we heard ourselves
goes once it is erased and the other city has taken our word. What was signed stays in evidence.
"""

import logging
from collections.abc import Callable, Mapping

from node.federation.consent.store import ConsentStore
from node.federation.consent.went import forget as forget_went

_logger = logging.getLogger("citynode.consent")
DAY_MS = 86_400_000
# The agreements whose taker has said that all of it is deleted, each with the moment at which that was heard.
Deleted = Callable[[], Mapping[str, int]]


class Retention:
    """Forgets. Safe to share by threads and processes."""

    def __init__(self, store: ConsentStore, *, deleted: Deleted, days: int) -> None:
        """Forget what has been settled for so many days; 0 forgets nothing."""
        self._store, self._deleted, self._days = store, deleted, days

    def forget(self, now_ms: int) -> int:
        """Forget what is settled, a bounded number of what was heard at a time; give how many rows. Repeatable."""
        if not self._days:
            return 0
        before_ms = now_ms - self._days * DAY_MS
        kept = {each.agreement for each in self._store.reads()}
        over = sorted(each for each, at_ms in self._deleted().items() if at_ms <= before_ms and each in kept)
        return sum(self._forgotten(each, before_ms) for each in over) + self._store.forget_heard(before_ms)

    def _forgotten(self, agreement: str, before_ms: int) -> int:
        datasets = {each.dataset for each in self._store.reads(agreement)}
        with self._store.db.write() as tx:
            for dataset in sorted(datasets):
                tx.lock(f"withdrawals/{dataset}")
            if self._store.is_owed(tx, agreement, before_ms):
                return 0
            forget_went(tx, agreement)
            count = self._store.forget_agreement(tx, agreement)
        _logger.info("what was kept to know residents again under %s is forgotten: %d rows", agreement, count)
        return count
