"""The desks of agreements and offers, put together: what commands and the staff's API work with.

Only wiring. Names of collections come from the journals and from what peers say of themselves, so that sentences speak
of "Plans of Helsinki" and not of an address alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from node.assembly import speaking
from node.assembly.clock import clock_ms
from node.assembly.ground import Ground
from node.catalog.offered import Offered
from node.catalog.shelf import Shelf
from node.federation.agreement_desk.acts import AgreementActs
from node.federation.agreement_desk.asked import Asked
from node.federation.agreement_desk.comments import Comments
from node.federation.agreement_desk.drafting import Drafting, Held
from node.federation.agreement_desk.drafts import Drafts
from node.federation.agreement_desk.export import Sources
from node.federation.agreement_desk.finder import Finder
from node.federation.agreement_desk.notices import AgreementNotices
from node.federation.agreement_desk.offer_office import OfferOffice
from node.federation.agreement_desk.office import AgreementOffice, Desk
from node.federation.agreement_desk.readings import Readings
from node.federation.agreement_desk.register import Register
from node.federation.agreement_desk.reminders import Reminders
from node.federation.agreement_desk.residents import AboutResidents
from node.federation.agreement_desk.view import Views
from node.federation.agreements.agreements import Agreements
from node.federation.negotiations.approvals import Approvals
from node.federation.negotiations.parties import PeerParties
from node.federation.offers import Offers
from node.federation.pair_journals import PairJournals
from node.federation.refusals.refusals import RefusalsHeard
from node.federation.refusals.reports import Reports
from node.federation.rights.decisions import Decisions
from node.keys import PublicKey
from node.records import is_nodes_own


@dataclass(frozen=True, slots=True)
class Parts:
    """What the offices stand on, besides the ground."""

    agreements: Agreements
    decisions: Decisions
    offers: Offers
    approvals: Approvals
    pairs: PairJournals
    dsp: speaking.Dsp
    about_residents: AboutResidents


@dataclass(frozen=True, slots=True)
class Offices:
    """The desks, who hears notices, and what everyone may know."""

    agreements: AgreementOffice
    offers: OfferOffice
    notices: AgreementNotices
    register: Register


def build(ground: Ground, parts: Parts) -> Offices:
    """Put them together."""
    settings, base_url, peers = ground.settings, ground.settings.base_url, ground.peers
    talks = parts.dsp.negotiations
    notices = AgreementNotices(ground.db, talks.outbox, client=ground.client, base_url=base_url, peers=peers)
    drafts, drafting = Drafts(ground.db), _drafting(ground, parts.offers)
    finder = Finder(drafts, talks, parts.agreements)
    name_of = partial(_name_of, ground)
    views = Views(talks, parts.approvals, parts.dsp.decider, notices, name_of, peers.follows, finder.document_of)
    readings = Readings(
        finder=finder,
        talks=talks,
        agreements=parts.agreements,
        decisions=parts.decisions,
        peers=peers,
        catalogues=parts.dsp.client,
        sources=_sources(ground),
        city=settings.name,
        base_url=base_url,
        names=lambda: _titles(ground),
        asked=_asked(ground, parts.offers),
        about_residents=parts.about_residents,
        clock_ms=clock_ms,
    )
    desk = Desk(
        agreements=parts.agreements,
        drafts=drafts,
        drafting=drafting,
        talks=talks,
        approvals=parts.approvals,
        acts=AgreementActs(
            ground.db, agreements=parts.agreements, pairs=parts.pairs, notices=notices, peers=peers, clock_ms=clock_ms
        ),
        notices=notices,
        pairs=parts.pairs,
        reminders=Reminders(ground.db, parts.agreements, days=settings.agreement_reminder_days),
        finder=finder,
        views=views,
        readings=readings,
        comments=Comments(ground.db),
        peers=peers,
        base_url=base_url,
        clock_ms=clock_ms,
    )
    offers = OfferOffice(parts.offers, readings, views, base_url=base_url, clock_ms=clock_ms)
    return Offices(AgreementOffice(desk), offers, notices, _register(ground, parts.agreements))


def _register(ground: Ground, agreements: Agreements) -> Register:
    parties, own = PeerParties(ground.peers), ground.settings.base_url

    def keys_of(url: str) -> Sequence[PublicKey]:
        return ground.keyring.published() if url == own else parties.keys(url)

    return Register(
        reader=ground.journals,
        book=agreements,
        base_url=own,
        federation=ground.settings.federation,
        keys_of=keys_of,
        here=Reports(ground.db, ground.peers, ground.client),
        there=RefusalsHeard(ground.journals),
        sources=_sources(ground),
        clock_ms=clock_ms,
    )


def _sources(ground: Ground) -> Sources:
    return Sources(ground.journals, ground.keyring, ground.identity, ground.peers, ground.settings.federation)


def _drafting(ground: Ground, offers: Offers) -> Drafting:
    peers = ground.peers

    def ours() -> Held:
        # What the node alone writes is no subject of an agreement.
        with ground.db.read() as tx:
            listed = ground.journals.collections(tx)
        own = [each for each in listed if not each.is_mirror and not is_nodes_own(each.name)]
        return Held([each.iri for each in own], [each.iri for each in own if each.visibility == "public"])

    def theirs(peer: str) -> Sequence[str]:
        identity = peers.identity(peer)
        listed = identity.collections if identity else ()
        return [iri for name, iri, _ in listed if not is_nodes_own(name)]

    shelf = Shelf(ground.journals)

    def mirrored(peer: str, iri: str) -> bool:
        return any(held.collection.startswith(f"{peer}/") for held in shelf.all_by_iri(iri))

    return Drafting(
        base_url=ground.settings.base_url,
        peers=peers,
        ours=ours,
        theirs=theirs,
        check=offers.check,
        mirrored=mirrored,
        new_id=lambda: str(uuid4()),
    )


def _asked(ground: Ground, offers: Offers) -> Asked:
    offered = Offered(ground.db, ground.journals)

    def homes(record: str) -> Sequence[str]:
        return offered.collections_of([record]).get(record, ())

    return Asked(ground.settings.base_url, offers.holds, homes, offered.named)


def _name_of(ground: Ground, url: str) -> str:
    peer = ground.peers.by_url(url)
    return peer.name if peer else ""


def _titles(ground: Ground) -> Mapping[str, str]:
    """Give the titles of collections by IRI: of what is held here, and of what peers say that they have."""
    found: dict[str, str] = {}
    for peer in ground.peers.list():
        identity = ground.peers.identity(peer.name)
        found |= {iri: title for _, iri, title in identity.collections} if identity else {}
    with ground.db.read() as tx:
        found |= {each.iri: each.title for each in ground.journals.collections(tx)}
    return {iri: title for iri, title in found.items() if title}
