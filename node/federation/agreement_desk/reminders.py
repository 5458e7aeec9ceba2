"""Reminders: agreements that end soon, have ended, or are to be reviewed, each said once and shown until it is settled.

Owns the table `reminded`: what the log has said already, so that a worker that starts again does not repeat it. What is
shown is worked out anew each time, and goes away when somebody has dealt with it: ended, replaced or prolonged.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from node.db import Database
from node.ends import last_day
from node.federation.agreements.agreements import Agreement, Agreements
from node.federation.agreements.records import FINAL
from node.federation.policy.values import written_ms

_logger = logging.getLogger("citynode.agreements")
DAY_MS = 86_400_000
# How long it is said that one has ended without another in its place.
_LOOK_BACK_MS = 90 * DAY_MS


@dataclass(frozen=True, slots=True)
class Reminder:
    """What a person should know about an agreement; `what` names it for good, so that it is logged once."""

    agreement: str
    peer: str
    what: str
    at_ms: int
    sentence: str


class Reminders:
    """Works out what is due. Safe to share by threads and processes."""

    def __init__(self, db: Database, agreements: Agreements, *, days: int) -> None:
        """Remind so many days before."""
        self._db = db
        self._agreements = agreements
        self._days = days

    def due(self, now_ms: int) -> list[Reminder]:
        """Give what is due now, the soonest first."""
        found = [each for agreement in self._agreements.all() for each in self._of(agreement, now_ms)]
        return sorted(found, key=lambda each: (each.at_ms, each.agreement))

    def tell(self, now_ms: int) -> list[Reminder]:
        """Log what is due and was not logged yet; give it."""
        told = []
        for each in self.due(now_ms):
            sql = "INSERT INTO reminded (agreement, what, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
            if self._db.hot().row(
                "SELECT 1 FROM reminded WHERE agreement = ? AND what = ?", (each.agreement, each.what)
            ):
                continue
            with self._db.write() as tx:
                if tx.run(sql, each.agreement, each.what, now_ms):
                    told.append(each)
        for each in told:
            _logger.warning("%s", each.sentence, extra={"peer": each.peer})
        return told

    def _of(self, agreement: Agreement, now_ms: int) -> list[Reminder]:
        state, found = agreement.state_at(now_ms), []
        if state in FINAL:
            return []
        soon = now_ms + self._days * DAY_MS
        name = agreement.title or agreement.iri
        if now_ms < agreement.ends_at <= soon:
            said = f"{name} with {agreement.peer} ends on {last_day(written_ms(agreement.ends_at))}."
            found.append(self._reminder(agreement, "ends", agreement.ends_at, said))
        if state == "expired" and now_ms - agreement.ends_at < _LOOK_BACK_MS:
            said = f"{name} with {agreement.peer} ended on {last_day(written_ms(agreement.ends_at))}."
            found.append(self._reminder(agreement, "ended", agreement.ends_at, said))
        if state != "expired" and 0 < agreement.review_at <= soon:
            said = f"{name} with {agreement.peer} is to be reviewed by {_day(agreement.review_at)}."
            found.append(self._reminder(agreement, "review", agreement.review_at, said))
        return found

    @staticmethod
    def _reminder(agreement: Agreement, what: str, at_ms: int, sentence: str) -> Reminder:
        # By the day of the moment, whatever is said of it: what was logged once is not logged again.
        return Reminder(agreement.iri, agreement.peer, f"{what} {_day(at_ms)}", at_ms, sentence)


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(written_ms(at_ms) // 1000, UTC).date().isoformat()
