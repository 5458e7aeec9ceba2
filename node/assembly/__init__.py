"""Settings in, the whole node out: the one place that knows every part and hands each what it needs.

No logic but what follows from the settings. Nothing is opened before it is used, so building a node costs
milliseconds; `close` gives everything back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import CollectorRegistry

import node
from node.assembly import data_desk as data_desks
from node.assembly import federation as federations
from node.assembly import finding as findings
from node.assembly import graphs
from node.assembly import harvesting as harvestings
from node.assembly import knowledge as knowledges
from node.assembly import readers as readerships
from node.assembly import staff as staffs
from node.assembly import today as days
from node.assembly.clock import clock_ms
from node.catalog.harvest import Harvest
from node.catalog.public_runs import PublicRuns
from node.catalog.relations import RelationsFollower
from node.catalog.runs import Runs
from node.catalog.shelf import Shelf, ShelfFollower
from node.catalog.sources import Sources
from node.catalog.story import Stories
from node.catalog.today import Today
from node.db import Database
from node.errors import Conflict, NodeError
from node.federation.data_desk import DataDesk
from node.federation.evidence.store import EvidenceFollower
from node.federation.feed.feed import Feed
from node.federation.feed.ldes import Stream
from node.federation.peers.health import PeerMarks
from node.journal import Collection, Follower
from node.journal.journal import Journals
from node.journal.proofs import Proofs
from node.keys import Keyring
from node.outbound import Outbound
from node.settings import Settings
from node.vocab import lists
from node.vocab.kinds import TABLES


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that must hold before the node can serve."""

    name: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Rates:
    """How often one caller may ask, in requests a minute of the whole node; 0 means no limit."""

    public_per_min: int
    feed_per_min: int
    token_per_min: int
    processes: int
    trusted_proxies: Sequence[str]


@dataclass(frozen=True, slots=True)
class Site:
    """What the web needs of a node; see `web.ports`."""

    city: str
    base_url: str
    languages: Sequence[str]
    accent: str
    software: str
    contact_name: str
    contact_mailbox: str
    page_size: int
    metrics: bool
    shelf: Shelf
    proofs: Proofs
    runs: PublicRuns
    ready: Callable[[], Sequence[Probe]]
    registry: CollectorRegistry
    feed: Feed
    stream: Stream
    federation: federations.Federation
    finding: findings.Finding
    knowledge: knowledges.Knowledge
    readers: readerships.Readers
    staff: staffs.Staff
    harvesting: harvestings.Harvesting
    today: Today
    rates: Rates
    data_desk: DataDesk


@dataclass(slots=True)
class Node:
    """A city's node, put together."""

    settings: Settings
    db: Database
    keyring: Keyring
    journals: Journals
    shelf: Shelf
    sources: Sources
    runs: Runs
    stories: Stories
    proofs: Proofs
    harvest: Harvest
    harvesting: harvestings.Harvesting
    outbound: Outbound
    followers: tuple[Follower, ...]
    federation: federations.Federation
    finding: findings.Finding
    knowledge: knowledges.Knowledge
    readers: readerships.Readers
    staff: staffs.Staff
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    @property
    def today(self) -> Today:
        """Give what waits for a person."""
        return days.build(
            self.federation,
            self.knowledge,
            self.harvesting,
            quality=self.finding.quality,
            readers=self.readers,
            keyring=self.keyring,
        )

    @property
    def site(self) -> Site:
        """Give what the web process needs."""
        settings = self.settings
        return Site(
            city=settings.name,
            base_url=settings.base_url,
            languages=settings.languages,
            accent=settings.accent,
            software=node.__version__,
            contact_name=settings.contact_name,
            contact_mailbox=settings.contact_mailbox,
            page_size=settings.page_size,
            metrics=settings.metrics,
            shelf=self.shelf,
            proofs=self.proofs,
            runs=PublicRuns(self.runs, self.stories, self.shelf),
            ready=self.probes,
            registry=self.registry,
            feed=self.federation.feed,
            stream=self.federation.stream,
            federation=self.federation,
            finding=self.finding,
            knowledge=self.knowledge,
            harvesting=self.harvesting,
            today=self.today,
            data_desk=data_desks.build(self.federation.moving),
            readers=self.readers,
            staff=self.staff,
            rates=Rates(
                public_per_min=settings.rate_public_per_min,
                feed_per_min=settings.rate_feed_per_min,
                token_per_min=settings.rate_token_per_min,
                processes=settings.workers,
                trusted_proxies=settings.trusted_proxies,
            ),
        )

    def create_collection(
        self, name: str, *, title: str, visibility: str, at_ms: int, exist_ok: bool = False
    ) -> Collection:
        """Open a collection and sign its empty journal.

        Raises:
            Conflict: It exists, unless `exist_ok`.
        """
        iri = f"{self.settings.base_url}/collections/{name}"
        try:
            with self.db.write() as tx:
                collection = self.journals.create(
                    tx, name=name, iri=iri, title=title, visibility=visibility, at_ms=at_ms
                )
        except Conflict:
            if not exist_ok:
                raise
            with self.db.read() as tx:
                collection = self.journals.get(tx, name)
        self.journals.checkpoint(name, at_ms=at_ms)
        return collection

    def published_as(self) -> str:
        """Give the base URL that this node's own collections were made under; empty while there are none."""
        for collection in self.shelf.collections():
            base, found, name = collection.iri.rpartition("/collections/")
            if found and name == collection.name:
                return base
        return ""

    def probes(self) -> list[Probe]:
        """Look whether the node can serve: the database answers, and its tables are the newest."""
        try:
            revision = self.db.revision()
        except NodeError as error:
            return [Probe("database", ok=False, detail=str(error))]
        newest = self.db.newest_revision()
        fix = "run citynode db upgrade" if revision < newest else "install the newer program"
        detail = "" if revision == newest else f"at {revision or 'none'}, wants {newest}: {fix}"
        return [Probe("database", ok=True), Probe("tables", ok=revision == newest, detail=detail)]

    def close(self) -> None:
        """Give back connections and files."""
        self.finding.close()
        self.federation.asking.close()
        self.federation.exchanging.intake.close()
        self.outbound.close()
        self.db.close()


def make_keys(settings: Settings) -> None:
    """Make the node's keys where they are missing."""
    Keyring.create(keys_folder(settings), settings.key_passphrase.get_secret_value(), now_ms=clock_ms())


def keys_folder(settings: Settings) -> Path:
    """Say where the node's keys are."""
    return settings.data / "keys"


def tables_folder(settings: Settings) -> Path:
    """Say where newer editions of the authority tables are."""
    return settings.data / "tables"


def build(settings: Settings, *, outbound: Outbound | None = None) -> Node:
    """Put a node together.

    Args:
        settings: All of them.
        outbound: Another way out than the network, for cities that stand in one process.

    Raises:
        Misconfigured: A key is missing or readable by others, or the database cannot be used.
    """
    lists.grow(tables_folder(settings))
    db = Database(settings.database)
    keyring = Keyring.opened(keys_folder(settings), settings.key_passphrase.get_secret_value(), now_ms=clock_ms())
    journals = Journals(db, keyring)
    followers = _followers(settings, db)
    outbound = outbound or _outbound(settings)
    federation = federations.build(
        settings, db=db, keyring=keyring, journals=journals, outbound=outbound, followers=followers
    )
    shelf, hidden = Shelf(journals), federation.view.hidden
    finding = findings.build(
        settings, db=db, journals=journals, shelf=shelf, outbound=outbound, followers=followers, hidden=hidden
    )
    harvesting = harvestings.build(settings, db=db, journals=journals, shelf=shelf, outbound=outbound)
    made = Node(
        settings=settings,
        db=db,
        keyring=keyring,
        journals=journals,
        shelf=shelf,
        sources=harvesting.sources,
        runs=harvesting.runs,
        stories=harvesting.stories,
        proofs=Proofs(journals, federations.keys_of(journals, federation.peers)),
        harvest=harvesting.harvest,
        harvesting=harvesting,
        outbound=outbound,
        followers=followers,
        federation=federation,
        finding=finding,
        knowledge=knowledges.build(
            settings,
            db=db,
            journals=journals,
            shelf=shelf,
            outbound=outbound,
            followers=followers,
            reminders=federation.agreeing.office.reminders,
            hidden=hidden,
        ),
        readers=readerships.build(settings, db=db, federation=federation, search=finding.search),
        staff=staffs.build(settings, db=db, outbound=outbound),
    )
    made.registry.register(PeerMarks(made.federation.health, clock_ms))
    return made


def _followers(settings: Settings, db: Database) -> tuple[Follower, ...]:
    agreed = federations.agreements_follower(settings, db)
    return (ShelfFollower(), RelationsFollower(TABLES), agreed, EvidenceFollower(settings.base_url))


def _outbound(settings: Settings) -> Outbound:
    return Outbound(
        loopback_allowed=settings.on_loopback,
        private_origins=frozenset(settings.private_origins),
        user_agent=_user_agent(settings),
        child_ports=graphs.child_ports(settings),
    )


def _user_agent(settings: Settings) -> str:
    contact = f"; {settings.contact_mailbox}" if settings.contact_mailbox else ""
    return f"citynode/{node.__version__} (+{settings.base_url}{contact})"
