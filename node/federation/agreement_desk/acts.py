"""What a city does with an agreement that stands: suspend, resume, revoke, and let a newer one take its place.

Each is one entry in our journal of that pair and holds from its commit on; nobody else is asked. The other side is told
in the same transaction, by a notice that waits until it is delivered, and reads the same in our journal. An agreement
that is over stays so: there is no way back but a new one.
"""

import logging
from collections.abc import Callable
from typing import Literal

from node.db import Database
from node.errors import Conflict, Malformed
from node.federation.agreement_desk.notices import AgreementNotices, Book
from node.federation.agreements.agreements import WORDS, Agreement, Agreements
from node.federation.agreements.records import FINAL, MAX_REASON
from node.federation.pair_journals import SUPERSEDED, PairJournals

_logger = logging.getLogger("citynode.agreements")
Act = Literal["suspend", "resume", "revoke"]
_BECOMES: dict[Act, str] = {"suspend": "suspended", "resume": "in-force", "revoke": "revoked"}
_FROM: dict[Act, tuple[str, ...]] = {
    "suspend": ("in-force",),
    "resume": ("suspended",),
    "revoke": ("in-force", "suspended"),
}


class AgreementActs:
    """Does it. Safe to share by threads and processes."""

    def __init__(
        self,
        db: Database,
        *,
        agreements: Agreements,
        pairs: PairJournals,
        notices: AgreementNotices,
        peers: Book,
        clock_ms: Callable[[], int],
    ) -> None:
        """Take what is needed."""
        self._db = db
        self._agreements = agreements
        self._pairs = pairs
        self._notices = notices
        self._peers = peers
        self._clock_ms = clock_ms

    def act(self, act: Act, iri: str, *, reason: str = "", by: str = "") -> Agreement:
        """Suspend, resume or revoke an agreement from now on; doing it again changes nothing.

        Args:
            act: What to do.
            iri: The agreement.
            reason: Why, in a sentence that the other city reads; needed but for resuming.
            by: Who does it, for our own log.

        Raises:
            NotFound: There is no such agreement.
            Malformed: There is no reason, or one that is too long.
            Conflict: It is over, or it is not suspended.
        """
        check_reason(act, reason)
        now_ms = self._clock_ms()
        with self._db.write() as tx:
            tx.lock(f"agreement/{iri}")
            held = self._agreements.get(iri)
            if held.our_state == _BECOMES[act] and act != "resume" and (act == "revoke" or not held.is_final):
                return held
            _check_may(act, held, now_ms)
            self._pairs.change(tx, iri, _BECOMES[act], reason, now_ms)
            said = {"agreement": iri, "state": _BECOMES[act], "reason": reason}
            self._notices.put(tx, self._peers.get(held.peer), said, now_ms)
        self._pairs.sign(now_ms)
        _logger.info("agreement %s %s by %s: %s", iri, _BECOMES[act], by or "the operator", reason)
        return self._agreements.get(iri)

    def supersede(self, now_ms: int) -> list[Agreement]:
        """Say in our journals of agreements that others have taken the place of that they are superseded; give them."""
        due = [each for each in self._agreements.all() if _is_replaced(each, now_ms)]
        done = [each for each in due if self._superseded(each.iri, now_ms)]
        if done:
            self._pairs.sign(now_ms)
        return done

    def _superseded(self, iri: str, now_ms: int) -> bool:
        with self._db.write() as tx:
            tx.lock(f"agreement/{iri}")
            # Again under the lock: whoever has just revoked it has said the last word on it.
            if not _is_replaced(self._agreements.get(iri), now_ms):
                return False
            self._pairs.change(tx, iri, "superseded", SUPERSEDED, now_ms)
        _logger.info("agreement %s superseded", iri)
        return True


def _is_replaced(held: Agreement, now_ms: int) -> bool:
    return not held.is_final and held.superseded_from is not None and held.superseded_from <= now_ms


def check_reason(act: Act, reason: str) -> None:
    """Refuse a reason that the other city could not be told. Raises Malformed."""
    if not reason.strip() and act != "resume":
        raise Malformed(
            "The other city is told why.",
            fix="Say it in a sentence: --reason TEXT",
        ).on_page("no.agreement.why", field="reason")
    if len(reason) > MAX_REASON or not all(c.isprintable() for c in reason):
        raise Malformed(
            f"A reason is one line of at most {MAX_REASON} characters.",
        ).on_page("no.agreement.reason", field="reason", most=MAX_REASON)


def _check_may(act: Act, held: Agreement, now_ms: int) -> None:
    state = held.state_at(now_ms)
    if state in FINAL:
        raise Conflict(
            f"The agreement is {WORDS[state]}.",
            fix="Propose a new one: citynode agreements draft",
        ).on_page("no.agreement.over")
    if act == "resume" and held.our_state == "in-force":
        if held.their_state == "suspended":
            raise Conflict(
                f"{held.peer} suspended it; only {held.peer} can resume it.",
            ).on_page("no.agreement.theirs", name=held.peer)
        raise Conflict(f"Nothing is suspended: the agreement is {WORDS[state]}.").on_page("no.agreement.running")
    if held.our_state not in _FROM[act]:
        raise Conflict(
            f"The agreement is {held.our_state} here; nothing is to be done to {act} it.",
        ).on_page("no.agreement.done")
