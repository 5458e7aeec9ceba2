"""What agreements say of transfers: whether one may be requested, may start, goes on, stands still, or is over.

The right is `use` of the dataset, under the agreement that the request names and for the purpose it names. Asked when
a request is heard, when it starts (then it is counted, once), and whenever agreements change; the door that hands out
asks again for each request. Only what we provide is decided here: the consumer's steps follow from what it does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from node.db import Tx
from node.errors import Malformed, NotAgreed, NotFound, Unavailable
from node.federation.agreements.agreements import Agreement
from node.federation.answers import REQUEST_ANEW, Ask, Decision, refusal
from node.federation.moving import FORMATS, NS_DATASET, PULL, Origins, checked_part
from node.federation.policy.terms import CHANNELS
from node.federation.transfer import Json, Step, Transfer

CHANNEL = CHANNELS["transfer"].iri
# What may pass: the transfer waits, or stands still. Everything else is over for it.
PASSING = frozenset({"suspended", "not-yet", "agreed"})
_SHOWN = 5
_NONE = "None of what it covers has data here: ask the city."


class Decides(Protocol):
    """The decision point."""

    def decide(self, ask: Ask, now_ms: int) -> Decision:
        """Answer a question; changes nothing."""

    def execute_in(self, tx: Tx, asks: Sequence[Ask], now_ms: int) -> Decision:
        """Answer, and count the use in the caller's transaction."""

    def alive(self, agreement: str, now_ms: int) -> Decision:
        """Tell whether an agreement is in force, and if not how it stands."""


class Book(Protocol):
    """Reads agreements."""

    def find(self, iri: str) -> Agreement | None:
        """Give one agreement, or None."""


class Further(Protocol):
    """What else must hold before data move: legal bases, consent. Raises NotAgreed."""

    def __call__(self, transfer: Transfer) -> None:
        """Raise NotAgreed where it does not."""


@dataclass(frozen=True, slots=True)
class Permission:
    """Says what the agreement of a transfer permits. `further` says what else must hold."""

    decisions: Decides
    book: Book
    origins: Origins
    further: Further = lambda _: None

    def admitted(self, asked: Transfer, now_ms: int) -> Transfer:
        """Give what a peer requests with its dataset named.

        Raises:
            NotAgreed: It is no party of such an agreement, or that permits no such use now or for this purpose.
            Malformed: It is not told which dataset, or there is no such part.
        """
        agreement = self._of(asked)
        found = self._named(asked, agreement)
        self._check_part(found)
        decision = self.decide(found, now_ms)
        if not decision and decision.code not in PASSING:
            raise refusal(decision, REQUEST_ANEW)
        self.further(found)
        return found

    def ask(self, transfer: Transfer) -> Ask:
        """Give the question that a transfer of ours is: its own use, once counted, does not count against itself."""
        agreement = self.book.find(transfer.agreement)
        detail = {"agreement": transfer.agreement} | ({"purpose": transfer.purpose} if transfer.purpose else {})
        return Ask(
            "use",
            self._collection(transfer, agreement),
            record=transfer.dataset,
            peer=agreement.peer if agreement else "",
            recipient=transfer.peer,
            channel=CHANNEL,
            details=[detail],
            bound=True,
            used=transfer.clause if transfer.used_at else "",
        )

    def decide(self, transfer: Transfer, now_ms: int) -> Decision:
        """Say whether a transfer of ours may go on; changes nothing."""
        return self.decisions.decide(self.ask(transfer), now_ms)

    def spend(self, tx: Tx, transfer: Transfer, now_ms: int) -> str:
        """Count the use of a transfer that starts, and give the clause that permits it. Raises NotAgreed."""
        self.further(transfer)
        found = self.decisions.execute_in(tx, (self.ask(transfer),), now_ms)
        if not found:
            raise refusal(found, REQUEST_ANEW)
        return found.clause

    def resumes(self, transfer: Transfer, now_ms: int) -> None:
        """Raise NotAgreed where a transfer may not start again."""
        self.further(transfer)
        found = self.decide(transfer, now_ms)
        if not found:
            raise refusal(found, REQUEST_ANEW)

    def _of(self, asked: Transfer) -> Agreement:
        found = self.book.find(asked.agreement)
        if found is None or found.role != "provider" or found.text.assignee != asked.peer:
            raise NotAgreed("There is no such agreement with you.", fix="Name one by its IRI, in which we provide.")
        return found

    def _named(self, asked: Transfer, agreement: Agreement) -> Transfer:
        """Name the dataset of a request that does not, if only one can be meant."""
        with_data = self.origins.covered(agreement.covers or (agreement.target,))
        if asked.dataset in with_data:
            return asked
        if asked.dataset:
            raise Malformed(
                f"There are no data of {asked.dataset[:200]} here under this agreement.", fix=_others(with_data)
            )
        if len(with_data) != 1:
            raise Malformed(f"This agreement covers {len(with_data)} datasets with data.", fix=_choices(with_data))
        return replace(asked, dataset=with_data[0])

    def _check_part(self, asked: Transfer) -> None:
        if not asked.part:
            return
        try:
            names = [each.name for each in self.origins.parts(asked.dataset)]
        except Unavailable:
            return  # told when it is asked for
        except NotFound:
            names = []
        if checked_part(asked.part) not in names:
            raise Malformed(f"This dataset has no part {asked.part}.", fix=f"It has: {', '.join(names[:_SHOWN])}.")

    def _collection(self, transfer: Transfer, agreement: Agreement | None) -> str:
        """Give the covered collection that a dataset stands in; empty where it is covered by itself."""
        covers = (agreement.covers or (agreement.target,)) if agreement else ()
        if transfer.dataset in covers:
            return ""
        return next((each for each in covers if transfer.dataset in self.origins.covered([each])), "")


@dataclass(frozen=True, slots=True)
class AgreedDecider:
    """Decides for the provider by its agreements, and never for the consumer."""

    permission: Permission

    def next(self, transfer: Transfer, now_ms: int) -> Step | None:
        """Give the next step of ours, or None to wait."""
        if transfer.role != "provider" or not transfer.state or transfer.is_final:
            return None
        found = self.permission.decide(transfer, now_ms)
        if found:
            return Step("start") if _may_start(transfer) else None
        reasons = (f"{found.why} {REQUEST_ANEW}",)
        if found.code not in PASSING:
            return Step("terminate", code=found.code, reasons=reasons)
        if transfer.state == "STARTED":
            return Step("suspend", code=found.code, reasons=reasons, paused_by="agreement")
        return None


def check_asked(format_: str, address: Json, part: str) -> None:
    """See that what is asked for is of a form that we have, before anything is looked up. Raises Malformed."""
    if format_ not in FORMATS:
        raise Malformed(f"The format {format_[:80]!r} is none of ours.", fix=f"Ask for {' or '.join(FORMATS)}.")
    if format_ == PULL and address:
        raise Malformed("A pull has no address of the consumer's.", fix="Leave dataAddress out.")
    if format_ != PULL and not str(address.get("endpoint", "")):
        raise Malformed("To be delivered, data need an address.", fix="Name it as the endpoint of dataAddress.")
    if part:
        checked_part(part)


def _may_start(transfer: Transfer) -> bool:
    return transfer.state == "REQUESTED" or (transfer.state == "SUSPENDED" and transfer.paused_by == "agreement")


def _others(datasets: Sequence[str]) -> str:
    """Say what could be asked for instead."""
    shown = ", ".join(datasets[:_SHOWN]) + (", …" if len(datasets) > _SHOWN else "")
    return f"Of what it covers there are data of {shown}." if datasets else _NONE


def _choices(datasets: Sequence[str]) -> str:
    """Say how one is named, to a connector that named none."""
    shown = ", ".join(datasets[:_SHOWN]) + (", …" if len(datasets) > _SHOWN else "")
    return f"Name one as {NS_DATASET}: {shown}." if datasets else _NONE
