"""One city's agreements on a bare database: journals, follower, readers, and negotiations written by hand."""

from dataclasses import replace
from typing import Any

from node.db import Database
from node.federation.agreements.agreements import Agreements
from node.federation.agreements.follower import AgreementsFollower
from node.federation.agreements.text import AgreementText, compose
from node.federation.negotiation import Negotiation
from node.federation.pair_journals import PairJournals
from node.federation.peers.entries import proposed
from node.federation.peers.store import PeerStore
from node.journal import rebuild
from node.journal.journal import Journals
from node.keys import Keyring

US = "http://127.0.0.1:8001"
LONDON = "http://127.0.0.1:8002"
OSLO = "http://127.0.0.1:8003"
T0 = 1_800_000_000_000
DAY = 86_400_000
PLANS = f"{US}/collections/plans"
RULES: dict[str, Any] = {"permission": [{"action": "odrl:index"}, {"action": "use"}]}


def until(end: str, *, start: str = "") -> dict[str, Any]:
    """Rules with one permission that ends, and may begin later."""
    bounds = [{"leftOperand": "odrl:dateTime", "operator": "lt", "rightOperand": end}]
    if start:
        bounds.append({"leftOperand": "odrl:dateTime", "operator": "gteq", "rightOperand": start})
    return {"permission": [{"action": "odrl:index", "constraint": bounds}]}


def text_of(
    name: str = "11111111-1111-4111-8111-111111111111",
    *,
    by: str = US,
    to: str = LONDON,
    target: str = PLANS,
    rules: dict[str, Any] = RULES,
    at_ms: int = T0,
    signed: bool = True,
    **about: Any,
) -> AgreementText:
    """An agreement, with two proofs that nobody checks here."""
    made = compose(f"{by}/agreements/{name}", target, by, to, at_ms, {"title": "Plans", **about}, rules)
    return made.with_proofs({"id": "a"}, {"id": "b"}) if signed else made


def negotiation_of(text: AgreementText, *, us: str = US, pid: str = "pid-1") -> Negotiation:
    """The negotiation that ended with it."""
    provider = text.assigner == us
    return Negotiation(
        pid=pid,
        role="provider" if provider else "consumer",
        peer=text.assignee if provider else text.assigner,
        other_pid="other",
        other_url="",
        state="FINALIZED",
        offer={"@id": "urn:offer", "target": text.target, **text.rules},
        about=text.about,
        offered_by="us",
        terms="sha256:0",
        agreement=text.iri,
        message="{}",
        signed=text.signed,
        reason={},
        opened_by="",
        created_at=T0,
        changed_at=T0,
        ask_at=0,
        version=1,
    )


class Standing:
    """A city with two peers."""

    def __init__(self, db: Database, keyring: Keyring, *, unsigned: str = "public") -> None:
        self.db, self.now_ms = db, T0
        self.journals = Journals(db, keyring)
        self.peers = PeerStore(db, chance=lambda: 0.0)
        with db.write() as tx:
            for name, url in (("london", LONDON), ("oslo", OSLO)):
                peer = proposed(name, url, "x" * 43, at_ms=T0, title=name.capitalize())
                self.peers.insert(tx, replace(peer, state="active", approved_at=T0))
            iri, title = PLANS, "Plans"
            self.journals.create(tx, name="plans", iri=iri, title=title, visibility="restricted", at_ms=T0)
        self.follower = AgreementsFollower(US, self.name_of, clock_ms=lambda: self.now_ms)
        self.pairs = PairJournals(self.journals, base_url=US, peers=self.peers, followers=(self.follower,))
        self.agreements = Agreements(db, unsigned=unsigned, is_public=self.is_public)  # type: ignore[arg-type]

    def name_of(self, url: str) -> str:
        peer = self.peers.by_url(url)
        return peer.name if peer else ""

    def is_public(self, iri: str) -> bool:
        with self.db.read() as tx:
            return any(each.iri == iri and each.visibility == "public" for each in self.journals.collections(tx))

    def conclude(self, text: AgreementText, at_ms: int = T0) -> str:
        with self.db.write() as tx:
            self.pairs.concluded(tx, negotiation_of(text), at_ms)
        self.pairs.sign(at_ms)
        return text.iri

    def change(self, iri: str, state: str, reason: str = "", at_ms: int = T0 + 1_000) -> bool:
        with self.db.write() as tx:
            return self.pairs.change(tx, iri, state, reason, at_ms)

    def state(self, iri: str, now_ms: int = T0 + 2_000) -> str:
        return self.agreements.get(iri).state_at(now_ms)

    def sizes(self) -> dict[str, int]:
        with self.db.read() as tx:
            return {each.name: each.size for each in self.journals.collections(tx) if each.name != "plans"}

    def tables(self) -> list[Any]:
        """Everything the follower keeps."""
        with self.db.read() as tx:
            return [
                tx.rows("SELECT * FROM agreement ORDER BY iri"),
                tx.rows("SELECT * FROM stated ORDER BY peer, agreement"),
            ]

    def rebuilt(self) -> list[Any]:
        rebuild(self.journals, self.follower)
        return self.tables()
