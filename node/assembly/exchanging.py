"""Exchange, put together: what takes pages in, what fetches them, what tells and hears of news, what reports back.

Only wiring. The parser lives as long as the node and starts its child process with the first page; closing `intake`
ends it. The clock is the wall's; whatever needs another one is built by hand.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from node.assembly.agreeing import Agreeing
from node.assembly.clock import clock_ms
from node.assembly.watching import Watching
from node.federation.client import PeerClient
from node.federation.exchange.again import Again
from node.federation.exchange.exchange import Exchange
from node.federation.exchange.intake import Intake
from node.federation.exchange.leveller import Leveller
from node.federation.exchange.notices import Notices
from node.federation.exchange.visits import Visits
from node.federation.peers.days import PeerDays
from node.federation.peers.peers import Peers
from node.federation.refusals.reports import Reports
from node.federation.rights.rights import Rights
from node.journal import Follower
from node.journal.journal import Journals
from node.settings import Settings
from node.vocab.parse import Parser


@dataclass(frozen=True, slots=True)
class Exchanging:
    """The parts. `visits` is what the worker and the commands use; it goes through the others."""

    intake: Intake
    exchange: Exchange
    again: Again
    reports: Reports
    visits: Visits
    notices: Notices


def build(
    settings: Settings,
    *,
    journals: Journals,
    peers: Peers,
    client: PeerClient,
    watching: Watching,
    followers: Sequence[Follower],
    agreeing: Agreeing,
    rights: Rights,
) -> Exchanging:
    """Put the parts together; opens no connection and starts no process."""
    db, parser = journals.db, Parser(memory_bytes=settings.parser_memory_mib << 20)
    intake = Intake(
        db=db, journals=journals, followers=followers, peers=peers, parser=parser, agreed=agreeing.decisions
    )
    leveller = Leveller(
        reader=journals,
        peers=peers,
        client=client,
        intake=intake,
        change=journals.change,
        folder=settings.data / "work",
        clock_ms=clock_ms,
    )
    exchange = Exchange(reader=journals, peers=peers, client=client, leveller=leveller, clock_ms=clock_ms)
    reports = Reports(db, peers, client)
    again = Again(reader=journals, peers=peers, client=client, intake=intake, reports=reports, clock_ms=clock_ms)
    return Exchanging(
        intake=intake,
        exchange=exchange,
        again=again,
        reports=reports,
        visits=Visits(
            exchange=exchange,
            heads=watching.heads,
            epochs=watching.epochs,
            again=again,
            reports=reports,
            peers=peers,
            days=PeerDays(db),
            clock_ms=clock_ms,
        ),
        notices=Notices(
            journals,
            peers,
            client,
            readers=rights.readers,
            after_ms=settings.notify_after_ms,
            chance=random.random,
        ),
    )
