"""Pulls, put together: where datasets are found, under what they may be had, and who brings them.

Only wiring. Records of other cities come from the shelf and the search of the catalogue, which pulls know by a protocol
alone; the index is opened when a title is first asked for. Opens nothing else and makes no folder before data come.
"""

import random
from dataclasses import dataclass

from node.assembly.agreeing import Agreeing
from node.assembly.clock import clock_ms
from node.assembly.ground import Ground
from node.catalog.elsewhere import Elsewhere
from node.catalog.search.index import Indexes
from node.catalog.search.search import Search
from node.catalog.shelf import Shelf
from node.federation.pulls.agreeing import Terms
from node.federation.pulls.bringing import Bringer
from node.federation.pulls.door import DataDoor
from node.federation.pulls.download import Downloader
from node.federation.pulls.finding import Finder
from node.federation.pulls.naming import Naming
from node.federation.pulls.office import PullDesk, PullOffice
from node.federation.pulls.ports import Receipts, Sinks, Transfers
from node.federation.pulls.receiving import Incoming, Receiver
from node.federation.pulls.room import Room
from node.federation.pulls.runner import Crew, Runner
from node.federation.pulls.searching import Searcher
from node.federation.pulls.store import PullStore
from node.federation.pushes.address import at_our_door
from node.federation.signing.messages import SignedTokens

FOLDER, RECEIVED = "pulls", "received"


@dataclass(frozen=True, slots=True)
class Pulling:
    """The parts: the desk of commands and the API, that of the pages, and the books that receipts are written from."""

    office: PullOffice
    desk: PullDesk
    store: PullStore


@dataclass(frozen=True, slots=True)
class Others:
    """What pulls stand on: transfers, who writes receipts, stores elsewhere, and the door for what is brought."""

    transfers: Transfers
    receipts: Receipts
    sinks: Sinks
    incoming: Incoming


def build(ground: Ground, agreeing: Agreeing, others: Others) -> Pulling:
    """Put it together."""
    settings, client = ground.settings, agreeing.dsp.client

    def agreed(iri: str) -> str:
        granting = agreeing.decisions.granting(clock_ms())
        return next((each.agreement.peer for each in granting if iri in each.records), "")

    finder = Finder(_elsewhere(ground), ground.peers, client, agreed, Searcher(ground.client).named)
    terms = Terms(
        agreeing.decisions,
        agreeing.office,
        client,
        settings.base_url,
        settings.data_auto_templates,
    )
    store, folder = PullStore(ground.db), (settings.data / FOLDER).absolute()
    naming, room = Naming(store, clock_ms), Room(settings.data)
    tokens = SignedTokens(ground.oauth.source, ground.oauth.messages)
    allow_http = settings.on_loopback or settings.allow_http_peers
    max_bytes = settings.data_max_gib << 30
    door = DataDoor(ground.outbound, tokens, ground.oauth.messages, max_bytes=max_bytes, allow_http=allow_http)
    crew = Crew(
        store,
        finder,
        terms,
        others.transfers,
        Bringer(store, door, Downloader(door, random.random), others.transfers, naming, room, folder, clock_ms),
        Receiver(store, others.incoming, naming, room, at_our_door(settings.base_url), folder, clock_ms),
        others.receipts,
        others.sinks,
        ground.oauth.source.thumbprint,
        clock_ms,
        random.random,
    )
    office = PullOffice(
        store, Runner(crew), finder, terms, received=(settings.data / RECEIVED).absolute(), clock_ms=clock_ms
    )
    return Pulling(office, PullDesk(office), store)


def _elsewhere(ground: Ground) -> Elsewhere:
    shelf = Shelf(ground.journals)
    return Elsewhere(shelf, Search(Indexes(ground.settings.data / "search"), shelf), clock_ms=clock_ms)
