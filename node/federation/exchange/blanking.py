"""What becomes of a mirror when its agreement ends: blanked by the deadline of its deletion duty, and asked for again.

Hidden it is at once, without anybody's doing: every door asks the decision point. What is held then is destroyed in
good time: openings and payloads go, the entries stay as stubs with the code `agreement-ended`, so that the tree is
whole. Each record stays while an agreement in force permits `index` of it, or one did that is suspended: that is not
over. Else every agreement that did and is over imposes its deletion duty, and the earliest deadline counts; one on
single records concerns these alone. When an agreement permits the mirror again, its stubs are asked for again.
Repeatable at any moment: what is due is what the tables say. Owns `blanking` (by when, and when it was last done) and
`asked_again`.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from node.db import Tx
from node.errors import NodeError
from node.federation.agreements.agreements import Agreement, pair_collection
from node.federation.agreements.bindings import CONSUMER
from node.federation.answers import Records
from node.federation.policy import Rule
from node.federation.policy.model import Atomic, Constraint, Duty, leaves
from node.federation.policy.values import duration, time_ms
from node.federation.refused import BY_AGREEMENT, ask_again
from node.federation.rights.decisions import Decisions
from node.journal import Collection, Follower, gone_in
from node.journal.journal import Journals
from node.journal.mirror import AGREEMENT_ENDED

_logger = logging.getLogger("citynode.agreements")
# So much before its deadline a deletion is done, lest a restart makes it late.
AHEAD_MS = 3_600_000
_BATCH = 500
_OVER = frozenset({"revoked", "superseded", "expired"})
_HELD = "SELECT seq, record FROM entry WHERE collection_id = ? AND seq > ? AND record IS NOT NULL ORDER BY seq LIMIT ?"
_DUE = "INSERT INTO blanking (collection, agreement, due_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_DONE = "UPDATE blanking SET done_at = ? WHERE collection = ? AND agreement = ?"
_ASKED = "INSERT INTO asked_again (collection, agreement, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"


class Book(Protocol):
    """Who reads the agreements."""

    def all(self) -> Sequence[Agreement]:
        """Give every agreement, whatever its state."""


@dataclass(frozen=True, slots=True)
class _Hold:
    """An agreement that lets us hold a mirror: `covers` are records or whole collections, `below` whose are no records.

    `due_ms` is by when they go once it is over, None if it says nothing of that.
    """

    agreement: str
    due_ms: int | None
    covers: frozenset[str]
    below: str

    def concerns(self, collection: str) -> bool:
        """Tell whether it is about a collection, or about records that may be in it."""
        return collection in self.covers or any(not one.startswith(self.below) for one in self.covers)

    def is_due(self, now_ms: int) -> bool:
        return self.due_ms is not None and now_ms >= self.due_ms - AHEAD_MS


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
        self._holds: dict[str, _Hold | None] = {}
        self._left: dict[str, object] = {}  # how things stood when a mirror was last gone through

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
            self._left.pop(mirror.name, None)
            return 0
        ours = [each for each in self._agreements.all() if (each.role, each.peer) == (CONSUMER, peer)]
        paused = [each for each in ours if each.state_at(now_ms) == "suspended" and each.starts_at <= now_ms]
        kept = frozenset[str]().union(*(each.covers for each in self._holding(mirror, paused)))
        keep = extent.only.union(kept)
        over = self._holding(mirror, [each for each in ours if each.state_at(now_ms) in _OVER])
        self._note(mirror, over)
        due = [each for each in over if each.is_due(now_ms)]
        stands = [(each.iri, each.our_at, each.their_at, each.state_at(now_ms)) for each in ours]
        left = (mirror.size, keep, due, stands)
        if not due or mirror.iri in kept or self._left.get(mirror.name) == left:
            return 0
        blanked = sum(self._taken(mirror, keep, due, now_ms))
        with self._db.write() as tx:
            tx.many(_DONE, [(now_ms, mirror.name, each.agreement) for each in due])
        self._left[mirror.name] = left
        if blanked:
            names = ", ".join(each.agreement for each in due)
            _logger.info("%s: %s entries blanked, what permitted them is over: %s", mirror.name, blanked, names)
        return blanked

    def _holding(self, mirror: Collection, agreements: Sequence[Agreement]) -> list[_Hold]:
        """Give those that let us hold a mirror, or single records that may be in it."""
        for each in agreements:
            if each.iri not in self._holds:
                self._holds[each.iri] = _hold_of(each)
        found = (self._holds[each.iri] for each in agreements)
        return [each for each in found if each is not None and each.concerns(mirror.iri)]

    def _note(self, mirror: Collection, over: Sequence[_Hold]) -> None:
        """Note by when what is held goes."""
        sql = "SELECT agreement FROM blanking WHERE collection = ?"
        known = {row[0] for row in self._db.hot().rows(sql, (mirror.name,))}
        news = [
            (mirror.name, each.agreement, each.due_ms)
            for each in over
            if each.due_ms is not None and each.agreement not in known
        ]
        if news:
            with self._db.write() as tx:
                tx.many(_DUE, news)

    def _taken(self, mirror: Collection, keep: Records, due: Sequence[_Hold], now_ms: int) -> Iterator[int]:
        """Blank the entries about what is due and not to be kept, some hundred at a time."""
        covered = frozenset[str]().union(*(each.covers for each in due))
        whole, last = mirror.iri in covered, 0
        while True:
            with self._db.write() as tx:
                rows = tx.rows(_HELD, mirror.id, last, _BATCH)
                seqs = [int(seq) for seq, record in rows if record not in keep and (whole or record in covered)]
                gone = self._journals.take_away(tx, mirror.name, seqs, AGREEMENT_ENDED, at_ms=now_ms)
                for follower in self._followers:
                    gone_in(tx, self._journals, follower, mirror.name, gone, at_ms=now_ms)
            yield len(gone)
            if len(rows) < _BATCH:
                return
            last = int(rows[-1][0])

    # ---------------------------------------------------------------- what begins

    def _ask_again(self, mirror: Collection, now_ms: int) -> int:
        """Mark the stubs of a mirror that an agreement permits from now on, or that became public; once for each.

        What permits it no longer is forgotten: it may permit it once more.
        """
        under = [""]
        if mirror.visibility == "restricted":
            base = mirror.iri.rpartition("/collections/")[0]
            under = [str(each["agreement"]) for each in self._decisions.agreed(base, mirror.iri, now_ms)]
        sql = "SELECT agreement FROM asked_again WHERE collection = ?"
        known = {row[0] for row in self._db.hot().rows(sql, (mirror.name,))}
        news, gone = [each for each in under if each not in known], known.difference(under)
        if not news and not gone:
            return 0
        with self._db.write() as tx:
            sql = "DELETE FROM asked_again WHERE collection = ? AND agreement = ?"
            tx.many(sql, [(mirror.name, each) for each in gone])
            asked = ask_again(tx, BY_AGREEMENT, local=mirror.name) if news else 0
            tx.many(_ASKED, [(mirror.name, each, now_ms) for each in news])
            if asked:
                self._soon(tx, mirror.name)
        return asked


def _hold_of(agreement: Agreement) -> _Hold | None:
    """Read what an agreement lets us hold, and until when; None if it never permitted to hold anything."""
    try:
        text = agreement.text
    except NodeError as error:
        # It holds nothing, as `bindings` lets it permit nothing; what the others oblige to is done all the same.
        _logger.warning("agreement %s cannot be read, nor what it says of deletion: %s", agreement.iri, error)
        return None
    if all(rule.action != "index" for rule in text.policy.permissions):
        return None
    covers = frozenset(agreement.covers or (agreement.target,))
    return _Hold(agreement.iri, deadline_of(agreement), covers, f"{text.assigner}/collections/")


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
