"""Agreements, put together: offers, negotiations, what is in force, and the office that the staff works in.

Only wiring, one line per part; no logic but what follows from the settings. Opens no connection and reads no journal.
Stands between the peers, whom it needs, and the exchange, which asks it what may be taken.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from node.assembly import offices, speaking
from node.assembly.ground import Ground
from node.catalog.offered import Offered
from node.db import Tx
from node.federation.agreement_desk.notices import AgreementNotices
from node.federation.agreement_desk.offer_office import OfferOffice
from node.federation.agreement_desk.office import AgreementOffice
from node.federation.agreement_desk.register import Register
from node.federation.agreement_desk.residents import AboutResidents
from node.federation.agreements.admission import Admission
from node.federation.agreements.agreements import Agreements
from node.federation.dsp.catalogue import WithData
from node.federation.exchange.blanking import Blanking
from node.federation.negotiations.approvals import Approvals, Persons
from node.federation.offers import Offers
from node.federation.pair_journals import PairJournals
from node.federation.rights.decisions import Decisions
from node.federation.tokens.secrets import NamedTokens

__all__ = ["Agreeing", "Ground", "build"]


@dataclass(frozen=True, slots=True)
class Agreeing:
    """The parts. `office` is what commands and the staff's API use."""

    agreements: Agreements
    decisions: Decisions
    blanking: Blanking
    offers: Offers
    approvals: Approvals
    pairs: PairJournals
    dsp: speaking.Dsp
    office: AgreementOffice
    offer_office: OfferOffice
    notices: AgreementNotices
    register: Register
    persons: Persons


def build(ground: Ground, with_data: WithData, about_residents: AboutResidents) -> Agreeing:
    """Put it together; `with_data` gives those of some records and collections that have data to be transferred.

    `about_residents` says whether a record's data may move under an agreement for a purpose as far as they go.
    """
    db, settings = ground.db, ground.settings

    def is_public(collection: str) -> bool:
        return (
            db.hot().row("SELECT 1 FROM collection WHERE iri = ? AND visibility = 'public'", (collection,)) is not None
        )

    offers, approvals = speaking.offers(ground), Approvals(db, required=settings.agreement_approvals)
    pairs = PairJournals(ground.journals, base_url=settings.base_url, peers=ground.peers, followers=ground.followers)
    agreements = Agreements(db, unsigned=settings.unsigned_agreements, is_public=is_public)
    decisions = Decisions(db, agreements, base_url=settings.base_url)
    offered = Offered(db, ground.journals)

    def homes(iri: str) -> Mapping[str, bool]:
        return {home: is_public(home) for home in offered.collections_of([iri]).get(iri, ())}

    admission = Admission(offers, agreements, base_url=settings.base_url, homes=homes)
    dsp = speaking.build(
        ground,
        offers,
        approvals,
        concluded=pairs.concluded,
        admits=admission.admit,
        is_public=is_public,
        with_data=with_data,
    )
    desks = offices.build(ground, offices.Parts(agreements, decisions, offers, approvals, pairs, dsp, about_residents))
    return Agreeing(
        agreements=agreements,
        decisions=decisions,
        blanking=_blanking(ground, agreements, decisions),
        offers=offers,
        approvals=approvals,
        pairs=pairs,
        dsp=dsp,
        office=desks.agreements,
        offer_office=desks.offers,
        notices=desks.notices,
        register=desks.register,
        persons=Persons(NamedTokens(db)),
    )


def _blanking(ground: Ground, agreements: Agreements, decisions: Decisions) -> Blanking:
    def soon(tx: Tx, local: str) -> None:
        peer, _, collection = local.partition("/")
        ground.peers.change_follow(tx, peer, collection, checked_at=0, etag="")

    return Blanking(ground.journals, agreements, decisions, followers=ground.followers, soon=soon)
