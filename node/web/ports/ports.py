"""What the web needs from the rest of the node, and nothing more.

`assembly` hands `node.app.create_app` one object with this shape. Protocols and not classes, so that the web knows no
table and no key: tests drive it with the real shelf, benchmarks with one in memory. Every method is synchronous; those
of `Shelf` answer in microseconds and are called in line (house decision 3).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry

from node.federation.tokens.request import Asked, Reply
from node.records import Finding
from node.web.ports.agreements import Agreeing
from node.web.ports.cities import Cities
from node.web.ports.dsp import Dsp, Moving
from node.web.ports.feed import Access, ErasuresHeard, Feed, Notices, RefusalsHeard, Rights, Stream
from node.web.ports.find import Asking, Finders
from node.web.ports.history import Watching
from node.web.ports.incoming import Incoming
from node.web.ports.knowledge import Knowers
from node.web.ports.moved import DataDesk
from node.web.ports.peers import KeyOffice, Office, RefusalOffice
from node.web.ports.readers import Readers
from node.web.ports.sources import Harvesting, Today
from node.web.ports.staff import Staff


class Held(Protocol):
    """One live record as the shelf holds it. Two are equal when nothing a document shows has changed."""

    @property
    def collection(self) -> str:
        """Give the collection's local name."""

    @property
    def iri(self) -> str:
        """Give the record's IRI, the source's or ours."""

    @property
    def kind(self) -> str:
        """Give a key of `records.KINDS`."""

    @property
    def slug(self) -> str:
        """Give the last segment of its address here."""

    @property
    def digest(self) -> str:
        """Give `sha256:` and 64 hex digits."""

    @property
    def seq(self) -> int:
        """Give the number of its newest journal entry."""

    @property
    def at_ms(self) -> int:
        """Give that entry's time, milliseconds since 1970 UTC."""


class CollectionInfo(Protocol):
    """One collection as its readers see it."""

    @property
    def name(self) -> str:
        """Give the local name."""

    @property
    def iri(self) -> str:
        """Give the IRI at its origin."""

    @property
    def title(self) -> str:
        """Give the title its city chose."""

    @property
    def visibility(self) -> str:
        """Give `public` or `restricted`."""

    @property
    def size(self) -> int:
        """Count the entries of its journal."""

    @property
    def updated_at_ms(self) -> int:
        """Give the newest entry's time, 0 for none."""


class Shelf(Protocol):
    """The newest state of every record; a reading of the journals."""

    def record(self, kind: str, slug: str) -> Held | None:
        """Find a live record by its address."""

    def by_iri(self, iri: str) -> Held | None:
        """Find a live record by its IRI."""

    def all_by_iri(self, iri: str) -> Sequence[Held]:
        """List the live records with an IRI, in every collection that holds one."""

    def withdrawn(self, kind: str, slug: str) -> tuple[str, int] | None:
        """Tell the IRI and time (ms) of a record that was here and is withdrawn."""

    def gone(self, iri: str) -> Sequence[tuple[str, int]]:
        """Tell the public collections from which a record with this IRI was withdrawn, and when (ms)."""

    def payload(self, held: Held, /) -> bytes:
        """Give the canonical payload."""

    def page(
        self, collection: str, *, offset: int, limit: int, modified_since_ms: int = 0, kind: str | None = None
    ) -> Sequence[Held]:
        """List live records in order of slug."""

    def count(self, collection: str, *, modified_since_ms: int = 0, kind: str | None = None) -> int:
        """Count live records."""

    def payloads(self, helds: Sequence[Held], /) -> Sequence[bytes]:
        """Give payloads in the order asked for."""

    def findings(self, held: Held, /) -> Sequence[Finding]:
        """Say what was found wrong with a record."""

    def collections(self) -> Sequence[CollectionInfo]:
        """List every collection, also restricted ones."""

    def version(self) -> int:
        """Give a number that differs after anything changed."""


class Checkpoint(Protocol):
    """A signed state of a journal."""

    @property
    def size(self) -> int:
        """Count the entries it covers."""

    @property
    def note(self) -> str:
        """Give the C2SP signed note, to the byte."""

    @property
    def signed_at_ms(self) -> int:
        """Give the time it was signed."""

    @property
    def key(self) -> str:
        """Give the C2SP verifier key that checks the note."""


class Proofs(Protocol):
    """Reads the journals for those who want to check."""

    def checkpoint(self, collection: str) -> Checkpoint | None:
        """Give the newest checkpoint of a collection by local name."""

    def proof(self, held: Held, /) -> Mapping[str, object] | None:
        """Give what proves a record as JSON values; nothing while no checkpoint covers its entry yet.

        Keys: `entry` and `opening` (formats 3), `inclusion` {`leaf_index`, `tree_size`, `hashes` base64},
        `checkpoint` the signed note.
        """


class Run(Protocol):
    """A harvest run as the timetable knows it."""

    @property
    def id(self) -> int:
        """Give its number."""

    @property
    def source(self) -> str:
        """Give the source's name, never its address."""

    @property
    def state(self) -> str:
        """Give queued, running, succeeded, partial, failed, cancelled or held."""

    @property
    def dry(self) -> bool:
        """Tell whether nothing was to be written."""

    @property
    def started_at(self) -> int | None:
        """Give ms or nothing."""

    @property
    def heartbeat_at(self) -> int | None:
        """Give the last sign of life, ms or nothing."""

    @property
    def ended_at(self) -> int | None:
        """Give ms or nothing."""

    @property
    def stage(self) -> str:
        """Give reach, read, check, publish, withdraw or empty."""

    @property
    def counters(self) -> Mapping[str, object]:
        """Give numbers by name: added, changed, unchanged, withdrawn, refused, held and those of the stages."""

    @property
    def reason(self) -> str:
        """Say in one sentence why it ended as it did, or nothing."""


class RunRow(Protocol):
    """One record of a run that somebody should look at."""

    @property
    def change(self) -> str:
        """Give refused, held or finding."""

    @property
    def title(self) -> str:
        """Give the record's title or its key."""

    @property
    def iri(self) -> str:
        """Give the record's IRI or nothing."""

    @property
    def owner(self) -> str:
        """Say whose dataset it is."""

    @property
    def code(self) -> str:
        """Give the stable code."""

    @property
    def message(self) -> str:
        """Say what to fix."""


class Runs(Protocol):
    """Reads the harvest runs."""

    def recent(self, limit: int) -> Sequence[Run]:
        """List runs, newest first."""

    def get(self, number: int) -> Run | None:
        """Find a run."""

    def rows(self, number: int, *, limit: int) -> Sequence[RunRow]:
        """List what a run refused, held or found, in its order."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that must hold before the node can serve."""

    name: str
    ok: bool
    detail: str = ""


class Identity(Protocol):
    """This city, as it shows itself to other nodes."""

    def statement(self, now_ms: int) -> str:
        """Give the signed entity statement."""

    def did(self) -> Mapping[str, object]:
        """Give the DID document."""

    def jwks(self) -> Mapping[str, object]:
        """Give every key that was ever published."""


class TokenServer(Protocol):
    """The authorization server. All block, so they are called beside the event loop; may raise TooManyRequests."""

    def answer(self, asked: Asked) -> Reply:
        """Answer at the token endpoint."""

    def introspect(self, asked: Asked) -> Reply:
        """Tell a client about its own token."""

    def revoke(self, asked: Asked) -> Reply:
        """End a client's own token."""

    def metadata(self) -> Mapping[str, object]:
        """Give the metadata of the authorization server."""

    def resource(self) -> Mapping[str, object]:
        """Give the metadata of the protected resource."""


class Federation(Protocol):
    """What the web needs of the federation; each router names here what it reads."""

    @property
    def identity(self) -> Identity:
        """Give who this city is."""

    @property
    def access(self) -> Access:
        """Give what tells callers apart."""

    @property
    def tokens(self) -> TokenServer:
        """Give the authorization server."""

    @property
    def office(self) -> Office:
        """Give the desk where the city's staff deals with peers."""

    @property
    def key_office(self) -> KeyOffice:
        """Give the desk where the city's staff deals with the node's own keys."""

    @property
    def refusal_office(self) -> RefusalOffice:
        """Give what is refused between us and a peer."""

    @property
    def rights(self) -> Rights:
        """Give what decides who may read."""

    @property
    def notices(self) -> Notices:
        """Give where news of peers go."""

    @property
    def erasures(self) -> ErasuresHeard:
        """Give where confirmations go."""

    @property
    def refusals(self) -> RefusalsHeard:
        """Give where refusals go."""

    @property
    def watching(self) -> Watching:
        """Give what watches over histories."""

    @property
    def dsp(self) -> Dsp:
        """Give the services of the Dataspace Protocol."""

    @property
    def moving(self) -> Moving:
        """Give what moves data under agreements."""

    @property
    def incoming(self) -> Incoming:
        """Give what takes in what providers bring."""

    @property
    def asking(self) -> Asking:
        """Give what asks other cities live."""

    @property
    def agreeing(self) -> Agreeing:
        """Give the desks of agreements."""

    @property
    def view(self) -> Cities:
        """Give what everyone may know of the other cities."""


class Rates(Protocol):
    """How often one address or client may ask, in requests a minute of the whole node; 0 means no limit."""

    @property
    def public_per_min(self) -> int:
        """Give the rate of public documents."""

    @property
    def feed_per_min(self) -> int:
        """Give the rate of feeds and of what peers tell."""

    @property
    def token_per_min(self) -> int:
        """Give the rate of tokens, and of tokens that do not hold."""

    @property
    def processes(self) -> int:
        """Say how many web processes share the rates."""

    @property
    def trusted_proxies(self) -> Sequence[str]:
        """List the addresses or networks whose X-Forwarded-For is believed."""


class Site(Protocol):
    """Everything `assembly` hands to the web."""

    @property
    def rates(self) -> Rates | None:
        """Give the rates; nothing where nobody is limited."""

    @property
    def federation(self) -> Federation | None:
        """Give what is shared with other cities; nothing where a node stands alone."""

    @property
    def finding(self) -> Finders | None:
        """Give what finds records; nothing where only documents are served."""

    @property
    def knowledge(self) -> Knowers | None:
        """Give what knows practices, AI systems, models, challenges and reuses; nothing where none are kept."""

    @property
    def readers(self) -> Readers | None:
        """Give what readers report and how they use the catalogue; nothing where neither is kept."""

    @property
    def data_desk(self) -> DataDesk | None:
        """Give what knows of data that move under agreements; nothing where none do."""

    @property
    def harvesting(self) -> Harvesting | None:
        """Give sources and runs as the staff sees them; nothing where nothing is harvested."""

    @property
    def today(self) -> Today | None:
        """Give what waits for a person; nothing where there is no desk."""

    @property
    def staff(self) -> Staff | None:
        """Give the city's own staff; nothing where there is no desk."""

    @property
    def city(self) -> str:
        """Give the city's name as it is spoken of."""

    @property
    def base_url(self) -> str:
        """Give the public origin and path prefix without a trailing slash."""

    @property
    def languages(self) -> Sequence[str]:
        """List the languages of the pages, the city's own first."""

    @property
    def accent(self) -> str:
        """Give the city's colour as `#rrggbb`."""

    @property
    def software(self) -> str:
        """Give the program's version."""

    @property
    def contact_name(self) -> str:
        """Say who answers questions about the catalogue, or nothing."""

    @property
    def contact_mailbox(self) -> str:
        """Give a role's mailbox for that, or nothing."""

    @property
    def page_size(self) -> int:
        """Say how many records a page of a collection has."""

    @property
    def metrics(self) -> bool:
        """Tell whether metrics are given out."""

    @property
    def shelf(self) -> Shelf:
        """Give the reader of records."""

    @property
    def proofs(self) -> Proofs:
        """Give the reader of journals."""

    @property
    def feed(self) -> Feed:
        """Give what other nodes read of the journals."""

    @property
    def stream(self) -> Stream:
        """Give the journals as event streams."""

    @property
    def runs(self) -> Runs:
        """Give the reader of runs."""

    @property
    def ready(self) -> Callable[[], Sequence[Probe]]:
        """Give the readiness probe."""

    @property
    def registry(self) -> CollectorRegistry:
        """Give where metrics are registered."""
