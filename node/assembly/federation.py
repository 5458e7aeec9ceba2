"""The federation's parts, put together: what `node.assembly.build` adds to a node so that it can meet other cities.

Only wiring: each part gets what it needs and knows none of the others beyond that. Grows by one line per part; no logic
but what follows from the settings.
"""

import random
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import node
from node.assembly import agreeing as agreeings
from node.assembly import exchanging as exchangings
from node.assembly import moving as movings
from node.assembly import oauth as oauths
from node.assembly import peering as peerings
from node.assembly import speaking
from node.assembly import watching as watchings
from node.assembly.clock import clock_ms
from node.db import Database
from node.federation.agreements.follower import AgreementsFollower
from node.federation.asking.askable import Askables
from node.federation.asking.asking import Asking
from node.federation.client import PeerClient
from node.federation.consent.rules import Verdict
from node.federation.exchange.erasures import Erasures
from node.federation.exchange.notices import Notices
from node.federation.feed.feed import Feed, KeysOf
from node.federation.feed.ldes import Stream
from node.federation.identity.key_office import KeyOffice
from node.federation.identity.own import City, Listed, OwnIdentity
from node.federation.peers.days import PeerDays
from node.federation.peers.health import Health
from node.federation.peers.office import PeerOffice
from node.federation.peers.peers import Peers
from node.federation.peers.store import PeerStore
from node.federation.public_view import PublicView
from node.federation.pushes.incoming import Incoming
from node.federation.refusals.office import RefusalOffice
from node.federation.refusals.refusals import RefusalsHeard
from node.federation.rights.decisions import Details
from node.federation.rights.rights import Rights
from node.federation.tokens.access import Access
from node.federation.tokens.secrets import NamedTokens
from node.federation.tokens.source import TokenSource
from node.federation.tokens.tokens import Tokens
from node.journal import Follower
from node.journal.journal import Journals
from node.keys import Keyring
from node.outbound import Outbound
from node.settings import Settings


@dataclass(frozen=True, slots=True)
class Federation:
    """Everything of `node.federation` that commands, jobs and the web use."""

    identity: OwnIdentity
    client: PeerClient
    peers: Peers
    health: Health
    view: PublicView
    office: PeerOffice
    key_office: KeyOffice
    refusal_office: RefusalOffice
    tokens: Tokens
    access: Access
    token_source: TokenSource
    named_tokens: NamedTokens
    rights: Rights
    feed: Feed
    stream: Stream
    erasures: Erasures
    refusals: RefusalsHeard
    watching: watchings.Watching
    exchanging: exchangings.Exchanging
    agreeing: agreeings.Agreeing
    asking: Asking
    moving: movings.Moving

    @property
    def dsp(self) -> speaking.Dsp:
        """Give the services of the Dataspace Protocol."""
        return self.agreeing.dsp

    @property
    def incoming(self) -> Incoming:
        """Give what takes in what providers bring."""
        return self.moving.incoming

    @property
    def notices(self) -> Notices:
        """Give what tells and hears of new checkpoints."""
        return self.exchanging.notices


def build(
    settings: Settings,
    *,
    db: Database,
    keyring: Keyring,
    journals: Journals,
    outbound: Outbound,
    followers: Sequence[Follower] = (),
) -> Federation:
    """Put the federation together; opens no connection."""

    # Peers speak with tokens, and tokens are given to peers: what each needs of the other comes when it is asked for.
    def renew(name: str, now_ms: int, *, kid: str) -> None:
        peering.peers.fresh(name, now_ms, kid=kid)

    def grants(client_id: str, details: Details) -> Details:
        agreeing.decisions.granted(client_id, moving.door.tokens.granted(client_id, details), clock_ms())
        return details

    def claims(peer_url: str, collection: str) -> Details:
        return agreeing.decisions.claims(peer_url, collection, clock_ms())

    def opened(peer_url: str, collection: str) -> bool:
        return bool(agreeing.decisions.agreed(peer_url, collection, clock_ms()))

    def with_data(covers: Sequence[str]) -> Collection[str]:
        return moving.origins.with_data(covers)

    def about_residents(agreement: str, dataset: str, purpose: str) -> Verdict:
        return moving.consenting.gate.would(agreement, dataset, purpose)

    def readers(collection: str) -> frozenset[str]:
        return rights.readers(collection)

    oauth = oauths.build(settings, db=db, keyring=keyring, outbound=outbound, renew=renew, grants=grants, claims=claims)
    identity = _identity(settings, keyring, journals)
    peering = peerings.build(
        settings, db=db, reader=journals, identity=identity, outbound=outbound, oauth=oauth, opened=opened
    )
    watching = watchings.build(
        settings, db=db, keyring=keyring, journals=journals, identity=identity,
        peers=peering.peers, client=peering.client, followers=followers, readers=readers,
    )  # fmt: skip
    ground = agreeings.Ground(
        settings, db, keyring, journals, outbound, identity, peering.peers, peering.client, oauth, followers
    )
    agreeing = agreeings.build(ground, with_data, about_residents)
    rights = Rights(peering.peers, agreeing.decisions, clock_ms=clock_ms)
    exchanging = exchangings.build(
        settings, journals=journals, peers=peering.peers, client=peering.client, watching=watching,
        followers=followers, agreeing=agreeing, rights=rights,
    )  # fmt: skip
    moving = movings.build(ground, agreeing, rights)
    return _together(ground, oauth, peering, watching, agreeing, exchanging, rights, moving)


def _together(
    ground: agreeings.Ground,
    oauth: oauths.OAuth,
    peering: peerings.Peering,
    watching: watchings.Watching,
    agreeing: agreeings.Agreeing,
    exchanging: exchangings.Exchanging,
    rights: Rights,
    moving: movings.Moving,
) -> Federation:
    journals, settings = ground.journals, ground.settings
    askables = Askables(agreeing.decisions, peering.peers, clock_ms=clock_ms)
    deadline_ms, refusals = settings.search_peers_ms, RefusalsHeard(journals)
    return Federation(
        identity=ground.identity,
        client=peering.client,
        peers=peering.peers,
        health=peering.health,
        view=PublicView(
            peering.peers,
            peering.health,
            clock_ms,
            days=PeerDays(journals.db),
            agreed=agreeing.agreements.in_force,
            place=settings.point,
        ),
        office=peering.office,
        key_office=_key_office(ground),
        refusal_office=RefusalOffice(exchanging.reports, refusals, journals),
        tokens=oauth.tokens,
        access=oauth.access,
        token_source=oauth.source,
        named_tokens=oauth.named,
        rights=rights,
        feed=Feed(journals, keys_of(journals, peering.peers)),
        stream=Stream(journals, settings.base_url),
        erasures=Erasures(journals, rights.readers),
        refusals=refusals,
        watching=watching,
        exchanging=exchanging,
        agreeing=agreeing,
        asking=Asking(askables, peering.client, peering.peers, deadline_ms=deadline_ms, monotonic=time.monotonic),
        moving=moving,
    )


def _key_office(ground: agreeings.Ground) -> KeyOffice:
    def sign_again(now_ms: int) -> None:
        with ground.db.read() as tx:
            own = [each.name for each in ground.journals.collections(tx) if not each.is_mirror]
        for name in own:
            ground.journals.checkpoint(name, at_ms=now_ms)

    return KeyOffice(ground.keyring, issuer=ground.settings.base_url, sign_again=sign_again, clock_ms=clock_ms)


def agreements_follower(settings: Settings, db: Database) -> AgreementsFollower:
    """Make what reads agreements out of the journals; it knows peers by the book alone."""
    book = PeerStore(db, chance=random.random)

    def name_of(url: str) -> str:
        peer = book.by_url(url)
        return peer.name if peer else ""

    return AgreementsFollower(settings.base_url, name_of, clock_ms=clock_ms)


def keys_of(journals: Journals, peers: Peers) -> KeysOf:
    """Tell by a collection's name which keys may have signed its checkpoints: our own, or those pinned for its peer."""

    def keys(name: str) -> Sequence[bytes]:
        peer, mark, _ = name.partition("/")
        return [key.raw for key in peers.keys(peer, "checkpoint")] if mark else journals.public_keys()

    return keys


def _identity(settings: Settings, keyring: Keyring, journals: Journals) -> OwnIdentity:
    def listed() -> list[Listed]:
        with journals.db.read() as tx:
            held = journals.collections(tx)
        return [(one.name, one.iri, one.title) for one in held if one.visibility == "public" and not one.is_mirror]

    city = City(
        url=settings.base_url,
        name=settings.name,
        software=f"citynode/{node.__version__}",
        federation=settings.federation,
        namespaces=settings.namespaces,
        mailbox=settings.contact_mailbox,
        place=settings.point,
        accent=settings.accent,
    )
    return OwnIdentity(city, keyring, collections=listed)
