"""Evidence, put together: who writes statements, what our own books say moved, and what an export is made of.

Only wiring. What moved is said by the books of whoever moved it: the streams of what we handed out or brought, what
arrived where a city brought it to us. A consumer's own pulls are no books: it signs
first what it has verified itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node.assembly.agreeing import Agreeing
from node.assembly.clock import clock_ms
from node.assembly.ground import Ground
from node.db import Tx
from node.errors import NodeError
from node.federation.agreement_desk.export import Sources as AgreementSources
from node.federation.agreements.bindings import CONSUMER, PROVIDER
from node.federation.answers import Ask
from node.federation.consent.store import Withdrawal
from node.federation.consent.withdrawals import State
from node.federation.evidence import bundle
from node.federation.evidence.desk import EvidenceDesk
from node.federation.evidence.office import Evidence, Sources
from node.federation.evidence.proofs import PURPOSE, Hand
from node.federation.moving import PUSH, Going, Moved, Part
from node.federation.policy.terms import CHANNELS
from node.federation.transfer import Transfer
from node.federation.transfers.store import TransferStore
from node.federation.witness.cosign import Cosigning
from node.keys import PublicKey

# What our books know of a transfer: by its id, and the parts of its dataset as they stand now.
Delivered = Callable[[str, Mapping[str, Part]], Sequence[Moved]]
Arrived = Callable[[str], Sequence[Moved]]


@dataclass(frozen=True, slots=True)
class Books:
    """Who knows what moved; each is called when it is asked, so that none needs to be there before the others."""

    known: Callable[[str], Sequence[Part]]
    delivered: Delivered
    arrived: Arrived

    def of(self, transfer: Going) -> Sequence[Moved]:
        """Give what we ourselves know that moved whole."""
        if transfer.role == "consumer":
            return self.arrived(transfer.pid) if transfer.format == PUSH else ()
        return self.delivered(transfer.pid, self._parts(transfer.dataset))

    def _parts(self, dataset: str) -> Mapping[str, Part]:
        """Give the parts as far as they are known here: within a transaction nobody else is asked."""
        try:
            return {each.name: each for each in self.known(dataset)}
        except NodeError:
            return {}


@dataclass(frozen=True, slots=True)
class Evidencing:
    """The parts. `evidence` writes, `desk` reads, exports and erases."""

    evidence: Evidence
    desk: EvidenceDesk

    def concluded(self, tx: Tx, transfer: Transfer, said: str) -> str:
        """Take the receipt with which the other end completes."""
        return self.evidence.concluded(tx, transfer, said, now_ms=clock_ms())

    def answered(self, tx: Tx, transfer: Transfer, said: str) -> str:
        """Take what the other end answered to ours."""
        return self.evidence.answered(tx, transfer, said, now_ms=clock_ms())

    def stopped(self, tx: Tx, transfer: Transfer) -> None:
        """State that a transfer that had started was held or ended."""
        why = " ".join(transfer.reasons) or f"It is {transfer.state.lower()}."
        self.evidence.cut(tx, transfer, why=why, now_ms=clock_ms())

    def state(self, tx: Tx, kind: State, each: Withdrawal, said: Mapping[str, Any], at_ms: int) -> str:
        """State what became of a withdrawal; give it as it is signed."""
        return self.evidence.put(tx, kind, f"{each.direction} {each.id}", said, other=each.peer, at_ms=at_ms).text

    def stated(self, tx: Tx, kind: State, each: Withdrawal) -> str:
        """Give what was stated of a withdrawal, as it is signed; empty once it was erased."""
        return self.evidence.said(tx, kind, f"{each.direction} {each.id}")


def build(ground: Ground, agreeing: Agreeing, books: Books) -> Evidencing:
    """Put it together."""
    settings = ground.settings
    hand = Hand(ground.keyring, url=settings.base_url, federation=settings.federation)

    def keys_of(url: str) -> Sequence[PublicKey]:
        peer = ground.peers.by_url(url)
        return ground.peers.keys(peer.name, PURPOSE) if peer else ()

    def digest_of(agreement: str) -> str:
        held = agreeing.agreements.find(agreement)
        return held.digest if held else ""

    def clause_of(transfer: Going) -> str:
        return transfer.clause or _clause(agreeing, transfer, settings.base_url)

    transfers = TransferStore(ground.db)
    found = Sources(keys_of, digest_of, clause_of, books.of, transfers.ended, transfers.forget_receipt)
    days = settings.data_receipt_days
    evidence = Evidence(ground.journals, hand, found, followers=ground.followers, receipt_days=days)
    agreed = AgreementSources(ground.journals, ground.keyring, ground.identity, ground.peers, settings.federation)
    cosigning = Cosigning(ground.db, ground.journals, ground.peers, ground.client, witnesses=settings.witnesses)
    sources = bundle.Sources(agreed, agreeing.agreements, cosigning.lines, hand, evidence.sign)

    def pins() -> Mapping[str, str]:
        known = {each.url: each.fingerprint for each in ground.peers.list() if each.fingerprint}
        return {**known, settings.base_url: ground.identity.fingerprint}

    return Evidencing(evidence, EvidenceDesk(evidence, sources, pins, clock_ms))


def _clause(agreeing: Agreeing, transfer: Going, own_url: str) -> str:
    """Read in the agreement which clause permits a transfer, as the side that was not told."""
    held = agreeing.agreements.find(transfer.agreement)
    if held is None:
        return ""
    collection = next((each for each in (held.target, *held.covers) if "/collections/" in each), "")
    provides = transfer.role == "provider"
    detail = {"agreement": held.iri, **({"purpose": transfer.purpose} if transfer.purpose else {})}
    ask = Ask(
        "use",
        collection,
        record=transfer.dataset,
        role=PROVIDER if provides else CONSUMER,
        peer=held.peer,
        recipient=transfer.peer if provides else own_url,
        channel=CHANNELS["transfer"].iri,
        details=(detail,),
        bound=True,
    )
    decided = agreeing.decisions.decide(ask, clock_ms())
    return decided.clause if decided else ""
