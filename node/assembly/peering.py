"""Peers, put together: the client that speaks to them, the book, how each stands, and the desk of the city's staff.

Only wiring. What counts held records is handed over from the catalogue, since the two wings do not know each other.
The book asks peers through the client alone, and the client holds no key: its tokens come from outside.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from node.assembly.clock import clock_ms
from node.assembly.oauth import OAuth
from node.catalog.held import held_under
from node.db import Database
from node.federation.client import PeerClient
from node.federation.identity.own import OwnIdentity
from node.federation.peers.backoff import Backoff
from node.federation.peers.days import PeerDays
from node.federation.peers.health import Health
from node.federation.peers.office import PeerOffice
from node.federation.peers.peer_test import PeerTest
from node.federation.peers.peers import Peers
from node.journal import Reader
from node.outbound import Outbound
from node.settings import Settings

LONGEST_WAIT_POLLS = 6


@dataclass(frozen=True, slots=True)
class Peering:
    """The parts. `office` is what commands and the staff's API use."""

    client: PeerClient
    peers: Peers
    health: Health
    office: PeerOffice


def build(
    settings: Settings,
    *,
    db: Database,
    reader: Reader,
    identity: OwnIdentity,
    outbound: Outbound,
    oauth: OAuth,
    opened: Callable[[str, str], bool],
) -> Peering:
    """Put it together; opens no connection. `opened` tells whether an agreement lets us mirror a peer's collection."""

    def held(prefix: str, *, except_of: str) -> int:
        return held_under(db, reader, prefix, except_of=except_of)

    # A city that is polled often is also missed soon: at the default of 300 s the longest wait is half an hour.
    backoff = Backoff(longest_ms=LONGEST_WAIT_POLLS * settings.peer_poll_s * 1000)
    client = PeerClient(outbound, oauth.source, sign=oauth.messages.sign_request)
    peers = Peers(
        db,
        base_url=settings.base_url,
        namespaces=settings.namespaces,
        statements=client,
        held=held,
        chance=random.random,
        backoff=backoff,
        allow_http=settings.allow_http_peers,
    )
    health = Health(db, peers, poll_ms=settings.peer_poll_s * 1000, backoff=backoff)
    test = PeerTest(peers, outbound, client)
    office = PeerOffice(
        peers,
        health,
        test,
        fingerprint=lambda: identity.fingerprint,
        clock_ms=clock_ms,
        opened=opened,
        days=PeerDays(db),
    )
    return Peering(client, peers, health, office)
