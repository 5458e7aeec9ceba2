"""The Dataspace Protocol, put together: what this city offers, negotiates and says in it, and how it speaks to others.

Only wiring. Offers come from the table, what they are of from the shelf, negotiations from the worker's rounds and the
web alike; the client shows OAuth's tokens first and DCP's where a connector takes nothing else.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from node.assembly.clock import clock_ms
from node.assembly.ground import Ground
from node.catalog.offered import Offered
from node.federation.agreements.signing import Signing
from node.federation.dcp import SelfIssued, SelfIssuedTokens
from node.federation.dsp.catalogue import Catalogue, WithData
from node.federation.dsp.client import DspClient
from node.federation.dsp.documents import PATH, own_versions
from node.federation.negotiation import Negotiation, Role
from node.federation.negotiations.approvals import Approvals, ApprovedDecider
from node.federation.negotiations.moves import Concluded
from node.federation.negotiations.negotiations import House, Negotiations
from node.federation.negotiations.parties import PeerParties
from node.federation.offers import Offers
from node.federation.pulls.taking import taker
from node.federation.signing.messages import MessageSigning


@dataclass(frozen=True, slots=True)
class Dsp:
    """The parts. The web uses all but the client and the decider."""

    versions: Mapping[str, Any]
    catalogue: Catalogue
    negotiations: Negotiations
    decider: ApprovedDecider
    self_issued: SelfIssuedTokens
    client: DspClient
    messages: MessageSigning


def offers(ground: Ground) -> Offers:
    """Give what this city offers."""
    return Offers(
        ground.db,
        base_url=ground.settings.base_url,
        holdings=Offered(ground.db, ground.journals),
        peers=ground.peers,
        new_id=_new_id,
    )


def build(
    ground: Ground,
    offers: Offers,
    approvals: Approvals,
    *,
    concluded: Concluded,
    admits: Callable[[str, Role, Mapping[str, Any]], None],
    is_public: Callable[[str], bool],
    with_data: WithData,
) -> Dsp:
    """Put it together.

    Args:
        ground: What stands before.
        offers: What this city offers.
        approvals: Who approved what.
        concluded: Called in the transaction that stores FINALIZED.
        admits: Refuses negotiations that may not begin.
        is_public: Tells of a collection whether everyone may read it anyway.
        with_data: Gives those of some records and collections that have data to be transferred.
    """
    settings = ground.settings
    base_url = settings.base_url

    def suffices(negotiation: Negotiation) -> bool:
        # The target too: what it covers is what the other side wrote beside it.
        named = {negotiation.target, *negotiation.about.get("covers", ())}
        public = settings.unsigned_agreements == "public" and all(map(is_public, named))
        return public or settings.unsigned_agreements == "always"

    client, decider = _client(ground), _decider(ground, offers, approvals)
    house = House(
        base_url=base_url,
        callback=base_url + PATH,
        clock_ms=clock_ms,
        chance=random.random,
        about_of=offers.about_of,
        admits=admits,
        suffices=suffices,
        new_id=_new_id,
    )
    return Dsp(
        versions=own_versions(base_url),
        catalogue=_catalogue(ground, offers, with_data),
        negotiations=Negotiations(
            ground.db,
            house,
            parties=PeerParties(ground.peers),
            sender=client,
            decider=decider,
            signing=Signing(ground.keyring, url=base_url, federation=settings.federation),
            concluded=concluded,
        ),
        decider=decider,
        self_issued=ground.oauth.self_issued,
        client=client,
        messages=ground.oauth.messages,
    )


def _decider(ground: Ground, offers: Offers, approvals: Approvals) -> ApprovedDecider:
    def is_automatic(negotiation: Negotiation) -> bool:
        return offers.is_automatic(negotiation.peer, negotiation.offer_id, negotiation.terms)

    is_taken = taker(ground.settings.data_auto_templates)
    return ApprovedDecider(approvals, is_automatic=is_automatic, is_taken=is_taken)


def _catalogue(ground: Ground, offers: Offers, with_data: WithData) -> Catalogue:
    settings = ground.settings
    language = settings.languages[0]
    return Catalogue(offers, base_url=settings.base_url, title=settings.name, language=language, with_data=with_data)


def _client(ground: Ground) -> DspClient:
    settings, oauth = ground.settings, ground.oauth
    own = SelfIssued(settings.base_url, ground.keyring, clock_ms=clock_ms, allow_http=settings.allow_http_peers)
    return DspClient(ground.outbound, oauth.source, others={"dcp": own}, signing=oauth.messages, clock_ms=clock_ms)


def _new_id() -> str:
    return str(uuid4())
