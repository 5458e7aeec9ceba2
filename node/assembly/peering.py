"""Peers, put together: the client that speaks to them, the book, how each stands, and the desk of the city's staff.

Only wiring. What counts held records is handed over from the catalogue, since the two wings do not know each other.
The book asks peers through the client alone, and the client holds no key: its tokens come from outside.
"""

import random
import time
from dataclasses import dataclass

from node.catalog.held import held_under
from node.db import Database
from node.federation.client import PeerClient
from node.federation.health import Health
from node.federation.own_identity import OwnIdentity
from node.federation.peer_office import PeerOffice
from node.federation.peer_test import PeerTest
from node.federation.peers import Peers
from node.federation.token_source import TokenSource
from node.journal import Reader
from node.outbound import Outbound
from node.settings import Settings


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
    source: TokenSource,
) -> Peering:
    """Put it together; opens no connection."""

    def held(prefix: str, *, except_of: str) -> int:
        return held_under(db, reader, prefix, except_of=except_of)

    client = PeerClient(outbound, source)
    peers = Peers(
        db,
        base_url=settings.base_url,
        namespaces=settings.namespaces,
        statements=client,
        held=held,
        chance=random.random,
        allow_http=settings.allow_http_peers,
    )
    health = Health(db, peers, poll_ms=settings.peer_poll_s * 1000)
    test = PeerTest(peers, outbound, client)
    office = PeerOffice(peers, health, test, fingerprint=lambda: identity.fingerprint, clock_ms=_clock_ms)
    return Peering(client, peers, health, office)


def _clock_ms() -> int:
    return time.time_ns() // 1_000_000
