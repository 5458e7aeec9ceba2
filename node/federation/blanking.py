"""What becomes of a mirror when its agreement ends: blanked by the deadline of its deletion duty, and asked for again.

Hidden it is at once, without anybody's doing: every door asks the decision point. What is held then is destroyed in
good time: openings and payloads go, the entries stay as stubs with the code `agreement-ended`, so that the tree is
whole. An agreement that is suspended is not over. When a later one permits the mirror, its stubs are asked for again.
Repeatable at any moment: what is due is what the tables say. Owns `blanking` and `asked_again`.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from node.db import Tx
from node.federation.agreements import Agreement, pair_collection
from node.federation.bindings import CONSUMER
from node.federation.decisions import Decisions
from node.federation.policy import Rule
from node.federation.policy.model import Atomic, Constraint, Duty, leaves
from node.federation.policy.values import duration, time_ms
from node.federation.refused import BY_AGREEMENT, ask_again
from node.journal import Collection, Follower, gone_in
from node.journal.journal import Journals
from node.journal.mirror import AGREEMENT_ENDED

_logger = logging.getLogger("citynode.agreements")
# So much before its deadline a deletion is done, lest a restart makes it late.
AHEAD_MS = 3_600_000
_BATCH = 500
_OVER = frozenset({"revoked", "superseded", "expired"})
_WAITING = frozenset({"in-force", "suspended", "not-yet"})
_HELD = "SELECT seq, record FROM entry WHERE collection_id = ? AND seq > ? AND record IS NOT NULL ORDER BY seq LIMIT ?"
_DUE = (
    "INSERT INTO blanking (collection, agreement, due_at) VALUES (?, ?, ?) ON CONFLICT (collection, agreement)"
    " DO UPDATE SET due_at = excluded.due_at WHERE blanking.done_at = 0"
)
_DONE = "UPDATE blanking SET done_at = ? WHERE collection = ? AND agreement = ?"
_ASKED = "INSERT INTO asked_again (collection, agreement, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"


class Book(Protocol):
    """Who reads the agreements."""

    def all(self) -> Sequence[Agreement]:
        """Give every agreement, whatever its state."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look did: entries that were blanked, and stubs that are to be asked for again."""

    blanked: int = 0
    asked: int = 0


class Blanking:
    """Sees to mirrors whose agreements ended or began. Safe to share by threads and processes."""

    def __init__(
        self,
        journals: Journals,
        agreements: Book,
        decisions: Decisions,
        *,
        followers: Sequence[Follower],
        soon: Callable[[Tx, str], None],
    ) -> None:
        """Take what is needed; `soon` makes a mirror be pulled next."""
        self._journals = journals
        self._db = journals.db
        self._agreements = agreements
        self._decisions = decisions
        self._followers = tuple(followers)
        self._soon = soon

    def look(self, now_ms: int) -> Looked:
        """Do what is due of every mirror."""
        blanked = asked = 0
        with self._db.read() as tx:
            mirrors = [each for each in self._journals.collections(tx) if each.is_mirror]
        for mirror in mirrors:
            if mirror.name.rpartition("/")[2] != pair_collection(self._decisions.base_url):
                asked += self._ask_again(mirror, now_ms)
                blanked += self._blank(mirror, now_ms) if mirror.visibility == "restricted" else 0
        if blanked:
            self._db.scrub()
        return Looked(blanked, asked)

    # ---------------------------------------------------------------- what is over

    def _blank(self, mirror: Collection, now_ms: int) -> int:
        peer = mirror.name.partition("/")[0]
        extent = self._decisions.mirrored(peer, mirror.iri, now_ms, name=mirror.name)
        if extent.only is None:
            return 0
        about = self._about(mirror, peer)
        ended = _last_over(mirror, about, now_ms)
        due_ms = deadline_of(ended) if ended else None
        if ended is None or due_ms is None or not self._is_open(mirror, ended, due_ms):
            return 0
        if now_ms < due_ms - AHEAD_MS:
            return 0
        waiting = [each.covers for each in about if each.state_at(now_ms) in _WAITING]
        blanked = sum(self._taken(mirror, extent.only.union(*waiting), now_ms))
        with self._db.write() as tx:
            tx.run(_DONE, now_ms, mirror.name, ended.iri)
        if blanked:
            _logger.info("%s: %s entries blanked, their agreement %s is over", mirror.name, blanked, ended.iri)
        return blanked

    def _about(self, mirror: Collection, peer: str) -> list[Agreement]:
        """Give the agreements with its origin on a mirror, or on single records that may be in it."""
        below = f"{mirror.iri.rpartition('/collections/')[0]}/collections/"
        return [
            each
            for each in self._agreements.all()
            if (each.role, each.peer) == (CONSUMER, peer)
            and (mirror.iri in each.covers or any(not one.startswith(below) for one in each.covers))
        ]

    def _is_open(self, mirror: Collection, ended: Agreement, due_ms: int) -> bool:
        """Note by when the mirror goes; False if it has gone already."""
        sql = "SELECT due_at, done_at FROM blanking WHERE collection = ? AND agreement = ?"
        row = self._db.hot().row(sql, (mirror.name, ended.iri))
        if row is None or (row[0] != due_ms and not row[1]):
            with self._db.write() as tx:
                tx.run(_DUE, mirror.name, ended.iri, due_ms)
        return row is None or not row[1]

    def _taken(self, mirror: Collection, keep: frozenset[str], now_ms: int) -> Iterator[int]:
        """Blank all but the entries about these records, some hundred at a time."""
        last = 0
        while True:
            with self._db.write() as tx:
                rows = tx.rows(_HELD, mirror.id, last, _BATCH)
                seqs = [int(seq) for seq, record in rows if record not in keep]
                gone = self._journals.take_away(tx, mirror.name, seqs, AGREEMENT_ENDED, at_ms=now_ms)
                for follower in self._followers:
                    gone_in(tx, self._journals, follower, mirror.name, gone, at_ms=now_ms)
            yield len(gone)
            if len(rows) < _BATCH:
                return
            last = int(rows[-1][0])

    # ---------------------------------------------------------------- what begins

    def _ask_again(self, mirror: Collection, now_ms: int) -> int:
        """Mark the stubs of a mirror that an agreement permits from now on, or that became public; once for each."""
        under = [""]
        if mirror.visibility == "restricted":
            base = mirror.iri.rpartition("/collections/")[0]
            under = [str(each["agreement"]) for each in self._decisions.claims(base, mirror.iri, now_ms)]
        sql = "SELECT agreement FROM asked_again WHERE collection = ?"
        known = {row[0] for row in self._db.hot().rows(sql, (mirror.name,))}
        news = [each for each in under if each not in known]
        if not news:
            return 0
        with self._db.write() as tx:
            if "" not in under:  # it may become public once more
                tx.run("DELETE FROM asked_again WHERE collection = ? AND agreement = ''", mirror.name)
            asked = ask_again(tx, BY_AGREEMENT, local=mirror.name)
            tx.many(_ASKED, [(mirror.name, each, now_ms) for each in news])
            if asked:
                self._soon(tx, mirror.name)
        return asked


def _last_over(mirror: Collection, about: Sequence[Agreement], now_ms: int) -> Agreement | None:
    """Give the last agreement under which a mirror was held, if it is over and none on all of it waits to go on."""
    if any(each.state_at(now_ms) in _WAITING and mirror.iri in each.covers for each in about):
        return None
    over = [each for each in about if each.state_at(now_ms) in _OVER]
    return max(over, key=lambda each: (each.agreed_at, each.iri), default=None)


def deadline_of(agreement: Agreement) -> int | None:
    """Say by when what was held under an agreement must be gone, now that it is over; None if it says nothing of that.

    The earliest of its deletion duties counts: a day, a time since the agreement was made, or at once.
    """
    text = agreement.text
    found = [_deadline(each.constraints, text.issued_ms) for each in _deletions(text.policy.rules)]
    return min(found, default=None)


def _deletions(rules: Sequence[Rule]) -> Iterator[Rule | Duty]:
    for rule in rules:
        if rule.kind == "obligation" and rule.action == "delete":
            yield rule
        yield from (duty for duty in rule.duties if duty.action == "delete")


def _deadline(constraints: Sequence[Constraint], agreed_ms: int) -> int:
    """Give the first moment that a deletion names; what names none was due all along."""
    moments = [at for each in leaves(tuple(constraints)) if (at := _moment(each, agreed_ms)) is not None]
    return min(moments, default=agreed_ms)


def _moment(each: Atomic, agreed_ms: int) -> int | None:
    if each.left == "dateTime" and each.operator in ("lt", "lteq"):
        return time_ms(each.right[0])
    length = duration(each.right[0]) if each.left == "elapsedTime" else None
    return length.after(agreed_ms) if length is not None else None
