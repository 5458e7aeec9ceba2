"""The office of evidence: writes statements in the caller's transaction, and brings receipts to both signatures.

The collection is made when it is first needed. What is stated is signed by this city with its key for records and
enters the journal with whatever made it true; the checkpoint is signed after the commit. A receipt of the other end is
compared with our own books before we sign it, and what differs is filed as a difference instead. Erasing one takes it
out of the table, the payload and the opening; the entry stays, so every proof of every other statement still holds.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
from typing import Any

from node.db import Tx
from node.errors import Conflict, NodeError, NotFound, Refused, Refuted
from node.federation.evidence import proofs, receipts
from node.federation.evidence.proofs import Hand, KeysOf
from node.federation.evidence.receipts import Difference
from node.federation.evidence.statements import (
    COLLECTION,
    CONTEXT,
    KIND,
    TITLE,
    TYPES,
    Kind,
    Statement,
    payload_of,
    record_of,
    slug_in,
    statement_of,
    written,
)
from node.federation.evidence.store import EvidenceStore
from node.federation.moving import MAX_ANSWER, Going, Moved
from node.federation.signing.integrity import Json, jcs, strict_json, unsecured
from node.journal import Draft, Follower, catch_up_in
from node.journal.journal import Journals
from node.keys import DAY_MS
from node.keys.public import moment
from node.records import KINDS

_logger = logging.getLogger("citynode.evidence")
_ROOMY = 160 * 1024  # what stands in a statement beside a receipt, so that both are a payload still
_LOOK_MS = 3_600_000
_WINDOW_MS = 60 * DAY_MS  # so long a node may have stood still
SETTLING: tuple[Kind, ...] = ("receipt", "difference", "one-sided")
_NO_RECEIPT = "The other end completed the transfer without a receipt."
_NO_ANSWER = "The other end has not signed the receipt."
Books = Callable[[Going], Sequence[Moved]]


@dataclass(frozen=True, slots=True)
class Sources:
    """What the office asks of others.

    `keys_of` gives a city's record keys by its base URL, of now and before; `digest_of` an agreement's digest by its
    IRI; `clause_of` the clause that permits a transfer, or nothing; `books` what we ourselves know that moved in it,
    with an empty digest where we have not seen all bytes; `ended` the transfers that had started and ended between two
    moments; `forget` destroys every other copy of a transfer's receipt, by our id of it.
    """

    keys_of: KeysOf
    digest_of: Callable[[str], str]
    clause_of: Callable[[Going], str]
    books: Books
    ended: Callable[[int, int], Sequence[Going]]
    forget: Callable[[Tx, str], None]


class Evidence:
    """Writes and reads evidence. Safe to share by threads; the caller brings transaction and time."""

    def __init__(
        self, journals: Journals, hand: Hand, sources: Sources, *, followers: Sequence[Follower], receipt_days: int
    ) -> None:
        """Put it together.

        Args:
            journals: Where statements are written.
            hand: Signs for us.
            sources: Who knows what receipts tell of.
            followers: Keep up within each transaction, the table's own among them.
            receipt_days: How long a receipt is awaited once a transfer has ended.
        """
        self._journals, self._hand, self._sources = journals, hand, sources
        self._followers, self._patience_ms = followers, receipt_days * DAY_MS
        self._looked_ms = 0
        self._base = hand.url
        self._signed: int | None = None
        self.store = EvidenceStore(journals.db)

    # ---------------------------------------------------------------- statements

    def put(
        self,
        tx: Tx,
        kind: Kind,
        subject: str,
        said: Mapping[str, Any],
        *,
        other: str = "",
        at_ms: int,
    ) -> Statement:
        """State something, signed by us; saying the same of one subject again replaces what was said.

        Args:
            tx: The transaction of what makes it true.
            kind: Any but a receipt, which two sign.
            subject: What it is about, so that each kind states one thing of it.
            said: Further members; `transfer` (our id), `agreement` and `dataset` are what it is found by. Of a
                person no more than a salted key, which is a pseudonym.
            other: The base URL of the other city.
            at_ms: When it became true.

        Raises:
            Malformed: It has no canonical JSON or is too long.
            Conflict: This city has a public collection called evidence.
        """
        bare = {
            "@context": list(CONTEXT),
            "type": TYPES[kind],
            "by": self._base,
            "at": moment(at_ms),
            **({"other": other} if other else {}),
            **said,
        }
        record = record_of(self._base, kind, subject)
        return self._file(tx, record, written(self._hand.sign(bare, at_ms)), at_ms)

    def said(self, tx: Tx, kind: Kind, subject: str) -> str:
        """Give what was stated of a subject, as it is signed; empty if nothing was, or it was erased."""
        found = self.store.held(tx, record_of(self._base, kind, subject))
        return found.text if found else ""

    def _file(self, tx: Tx, record: str, text: str, at_ms: int) -> Statement:
        found = statement_of(record, text, self._base)
        self._open(tx, at_ms)
        draft = Draft(record, slug_in(record), KIND, "put", payload_of(found))
        self._journals.append_followed(tx, COLLECTION, [draft], self._followers, at_ms=at_ms)
        return found

    def _open(self, tx: Tx, at_ms: int) -> None:
        tx.lock(f"journal/{COLLECTION}")
        try:
            visibility = self._journals.get(tx, COLLECTION).visibility
        except NotFound:
            iri, visibility = f"{self._base}/collections/{COLLECTION}", "restricted"
            self._journals.create(tx, name=COLLECTION, iri=iri, title=TITLE, visibility=visibility, at_ms=at_ms)
        if visibility != "restricted":
            raise Conflict(
                f"The collection {COLLECTION} is public, and evidence is not.",
                fix=f"citynode collections set {COLLECTION} --visibility restricted",
            )

    # ---------------------------------------------------------------- receipts

    def half(self, transfer: Going, moved: Sequence[Moved], *, now_ms: int) -> str:
        """Write the receipt of a transfer that we complete, signed by us; the other end signs over it.

        Raises:
            Malformed: A part has no digest, or the other end has not told its id of the transfer.
            TooLarge: More than a receipt holds; what is handed out under one number of parts never is.
            Conflict: It is the other end that completes transfers of this format.
        """
        receipt = self._composed(transfer, moved, now_ms)
        if receipts.signers_of(receipt)[0] != self._base:
            raise Conflict(f"A transfer of format {transfer.format} is completed by {transfer.peer}.")
        text = written(self._hand.sign(receipt, now_ms))
        receipts.read(text)
        return text

    def concluded(self, tx: Tx, transfer: Going, said: str, *, now_ms: int) -> str:
        """Take the receipt with which the other end completes; give what we answer.

        That is the receipt with both signatures, or the difference that we file where our books say otherwise; nothing
        to one that signs none, whose transfer has what we alone can say.

        Raises:
            Malformed: It is no receipt.
            Refuted, BadSignature: It is of another transfer, or not signed by the other end.
        """
        if not said:
            self._one_sided(tx, transfer, _NO_RECEIPT, now_ms)
            return ""
        theirs = receipts.read(said)
        self._check_meant(transfer, theirs)
        signers = receipts.signers_of(theirs)
        self._check(theirs, signers[:1], now_ms)
        ours = self._composed(transfer, self._sources.books(transfer), now_ms)
        provides = transfer.role == "provider"
        wrong = receipts.differences(ours, theirs, provides=provides, now_ms=now_ms)
        if signers[1] != self._base:
            wrong.append(Difference("format", transfer.format, str(theirs["format"])))
        if wrong:
            return self._differs(tx, transfer, said, wrong, now_ms)
        whole = written(self._hand.sign(theirs, now_ms))
        self._file(tx, record_of(self._base, "receipt", transfer.pid), whole, now_ms)
        return whole

    def answered(self, tx: Tx, transfer: Going, answer: str, *, now_ms: int) -> str:
        """File what the other end answered to the receipt that we signed first; give it as far as it is signed.

        An answer that does not hold counts as none: what we alone can say is filed.
        """
        half, why = transfer.receipt, _NO_ANSWER
        if not half:
            why = _NO_RECEIPT if answer else "This city completed the transfer without a receipt."
        elif answer:
            try:
                kind, text = self._checked_answer(transfer, half, answer, now_ms)
                self._file(tx, record_of(self._base, kind, transfer.pid), text, now_ms)
            except Refused as error:
                why = f"What the other end answered does not hold: {error.message}"
                _logger.warning("The receipt of %s that came from %s: %s", transfer.pid, transfer.peer, error)
            else:
                return answer if kind == "receipt" else half
        self._one_sided(tx, transfer, why, now_ms, half=half)
        return half

    def _checked_answer(self, transfer: Going, half: str, answer: str, now_ms: int) -> tuple[Kind, str]:
        said = strict_json(answer, max_bytes=MAX_ANSWER)
        if said.get("type") == TYPES["difference"]:
            self._check(said, [transfer.peer], now_ms)
            if said.get("receipt") != half:
                raise Refuted("It is a difference about another receipt than ours.")
            bare = {"@context": list(CONTEXT), "type": TYPES["difference"], "by": self._base, "at": moment(now_ms)}
            about = {"other": transfer.peer, **self._about(transfer), "answer": answer}
            # The answer holds the receipt, too.
            about |= {"receipt": half} if len(half) <= _ROOMY else {}
            return "difference", written(self._hand.sign({**bare, **about}, now_ms))
        whole, ours = receipts.read(answer), receipts.read(half)
        if unsecured(whole) != unsecured(ours) or whole["proof"][:1] != ours["proof"]:
            raise Refuted("It is not the receipt that we signed.")
        self._check(whole, receipts.signers_of(whole), now_ms)
        return "receipt", answer

    def _composed(self, transfer: Going, moved: Sequence[Moved], now_ms: int) -> Json:
        under = receipts.Under(self._sources.digest_of(transfer.agreement), self._sources.clause_of(transfer))
        return receipts.composed(transfer, moved, own_url=self._base, under=under, completed_ms=now_ms)

    def _check_meant(self, transfer: Going, theirs: Json) -> None:
        provides = transfer.role == "provider"
        ours = (self._base, transfer.peer) if provides else (transfer.peer, self._base)
        if (theirs["provider"], theirs["consumer"]) != ours:
            raise Refuted("The receipt names other cities than those of this transfer.")

    def _check(self, document: Json, signers: Sequence[str], now_ms: int) -> None:
        proofs.check(document, signers, federation=self._hand.federation, keys_of=self.keys_of, now_ms=now_ms)

    def check(self, document: Json, signer: str, now_ms: int) -> None:
        """Check that one city signed a statement, and nobody else. Raises Malformed, Refuted, BadSignature."""
        self._check(document, [signer], now_ms)

    def keys_of(self, url: str) -> Sequence[Any]:
        """Give the keys for records of a city, ours included, of now and before."""
        return self._hand.keys() if url == self._base else self._sources.keys_of(url)

    def _differs(self, tx: Tx, transfer: Going, said: str, wrong: Sequence[Difference], now_ms: int) -> str:
        found: Json = {"receipt": said, "differences": [each.document() for each in wrong[: receipts.MAX_TOLD]]}
        found |= {"more": len(wrong) - receipts.MAX_TOLD} if len(wrong) > receipts.MAX_TOLD else {}
        filed = self.put(
            tx, "difference", transfer.pid, {**self._about(transfer), **found}, other=transfer.peer, at_ms=now_ms
        )
        shown = "; ".join(f"{each.member}: ours {each.ours!r}, theirs {each.theirs!r}" for each in wrong)
        _logger.warning("The receipt of %s differs from our books: %s", transfer.pid, shown[:1_000])
        return filed.text if len(filed.text) <= MAX_ANSWER else ""

    def _one_sided(self, tx: Tx, transfer: Going, why: str, now_ms: int, half: str = "") -> None:
        if self.store.is_erased(tx, transfer.pid):
            return  # it would bring back what was destroyed, and not be true
        if any(self.store.held(tx, record_of(self._base, kind, transfer.pid)) for kind in SETTLING[:2]):
            return  # what both said is known already
        said = {**self._about(transfer), "why": why, **self._moved(transfer), **({"receipt": half} if half else {})}
        self.put(tx, "one-sided", transfer.pid, said, other=transfer.peer, at_ms=now_ms)

    def _moved(self, transfer: Going) -> Json:
        """Give what our books say that moved, by name; what has no room in a statement is counted."""
        parts = [receipts.part_of(each) for each in self._sources.books(transfer)]
        sizes = accumulate(len(jcs(each)) for each in parts)
        told = list(takewhile(lambda sized: sized[1] <= _ROOMY, zip(parts, sizes, strict=True)))
        more = len(parts) - len(told)
        return {"parts": [part for part, _ in told], **({"more": more} if more else {})}

    @staticmethod
    def _about(transfer: Going) -> Json:
        return {
            "transfer": transfer.pid,
            "otherPid": transfer.other_pid,
            "agreement": transfer.agreement,
            "dataset": transfer.dataset,
        }

    # ---------------------------------------------------------------- what nobody signed

    def cut(self, tx: Tx, transfer: Going, *, why: str, now_ms: int) -> Statement:
        """State that a transfer that had started was held or ended, with what had gone over whole until then."""
        said = {**self._about(transfer), "why": why, **self._moved(transfer)}
        return self.put(tx, "cut", f"{transfer.pid} {now_ms}", said, other=transfer.peer, at_ms=now_ms)

    def tend(self, now_ms: int) -> None:
        """Sign what was written, and hourly see to receipts that are overdue; outside any transaction. Repeatable."""
        if not 0 <= now_ms - self._looked_ms < _LOOK_MS:
            self._looked_ms = now_ms
            late = self.overdue(now_ms)
            if late:
                _logger.warning("%s transfers ended without a receipt of the other end", late)
        self.sign(now_ms)

    def overdue(self, now_ms: int) -> int:
        """File what we alone can say of ended transfers for which no receipt came; give how many there were."""
        before_ms = now_ms - self._patience_ms
        ended = self._sources.ended(before_ms - _WINDOW_MS, before_ms)
        settled = self.store.settled([each.pid for each in ended])
        # Of what never moved there is nothing to say.
        late = [each for each in ended if each.pid not in settled and (each.receipt or self._sources.books(each))]
        for each in late:
            with self._journals.db.write() as tx:
                self._one_sided(tx, each, _NO_ANSWER, now_ms, half=each.receipt)
        return len(late)

    # ---------------------------------------------------------------- journal

    def record(self, name: str) -> str:
        """Give the IRI of the statement with this last part."""
        return f"{self._base}/{KINDS[KIND]}/{name}"

    def sign(self, now_ms: int) -> bool:
        """Sign the newest checkpoint if the journal has grown; after a commit, outside any transaction. Repeatable."""
        size = self._size()
        if size is None or size == self._signed:
            return False
        self._journals.checkpoint(COLLECTION, at_ms=now_ms)
        self._signed = size
        return True

    def _size(self) -> int | None:
        with self._journals.db.read() as tx:
            try:
                return self._journals.get(tx, COLLECTION).size
            except NotFound:
                return None

    def erase(self, record: str, *, now_ms: int) -> int:
        """Destroy a statement for good: payload, salt and opening. Give how many entries held it.

        Of how a transfer ended nothing is stated again then, and no copy of its receipt stays in this node.

        Raises:
            NotFound: There is none of that name, or it is erased already.
        """
        with self._journals.db.write() as tx:
            found = self.store.held(tx, record)
            if found is None:
                raise NotFound(
                    f"There is no evidence {record[:200]}.",
                    fix="List it: citynode evidence list",
                ).on_page("no.evidence")
            if found.transfer and found.kind in SETTLING:
                self._sources.forget(tx, found.transfer)  # first: whoever ends a transfer locks it before the journal
                self.store.note_erased(tx, found.transfer)
            gone = Draft(record, slug_in(record), KIND, "withdraw")
            self._journals.append_followed(tx, COLLECTION, [gone], self._followers, at_ms=now_ms)
            held = sorted(each.seq for each in self._journals.of_record(tx, COLLECTION, record, limit=1_000))
            for seq in held:  # the withdrawal goes last, or the record would stand on what is gone
                self._journals.erase(tx, COLLECTION, seq, at_ms=now_ms)
            for follower in self._followers:
                catch_up_in(tx, self._journals, follower, COLLECTION)
        try:
            self._journals.db.scrub()
        except NodeError as error:
            _logger.warning("the database's files are cleaned with the next scrub: %s", error)
        self.sign(now_ms)
        return len(held)
