"""The documents of OGC API Records for one caller: each as JSON and as what its page shows.

A record's id is `{plural}.{slug}`, or for a mirrored one `iri.` and its IRI in base64url: both stand in a path as they
are, since clients do not encode ids. Lists come from the search and hold what the caller's sight shows; single records
are handed in by whoever looked them up. No request and no clock here.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlencode

from node.catalog.search.query import Query
from node.catalog.search.reader import MAX_TEXT, MAX_WORDS
from node.catalog.search.results import Results
from node.catalog.search.told import told_of
from node.catalog.shelf import Held as ShelfHeld
from node.errors import Malformed, NotFound, Unavailable
from node.records import KINDS, PLURALS
from node.vocab import ntriples
from node.web.addresses import MAX_IRI, is_mirror
from node.web.doors.sight import Seeing
from node.web.ogc import api as ogc_api
from node.web.ogc import ask as ogc_ask
from node.web.ogc.api import ALL, Texts, both, collection_of, name_of
from node.web.ogc.record import GEOJSON, Json, Place, feature, link
from node.web.pages import Twin, Visitor
from node.web.parts import Parts
from node.web.ports.ports import CollectionInfo, Held
from node.web.reading import Reading
from node.web.records.catalog import rows_of
from node.web.wire.answer import Document
from node.web.wording.graph import Described
from node.web.wording.words import title_said, words

JSON = "application/json"
_IRI = "iri."


def id_of(held: Held) -> str:
    """Give a record's id; `iri_of` reads it back."""
    if is_mirror(held.collection):
        return _IRI + base64.urlsafe_b64encode(held.iri.encode()).decode().rstrip("=")
    return f"{KINDS[held.kind]}.{held.slug}"


def iri_of(reading: Reading, given: str) -> str:
    """Give the IRI of the record with an id, or nothing."""
    if given.startswith(_IRI):
        try:
            packed = given[len(_IRI) :].encode("ascii")
            return base64.b64decode(packed + b"=" * (-len(packed) % 4), b"-_", validate=True).decode()[:MAX_IRI]
        except (binascii.Error, ValueError):
            return ""
    plural, _, slug = given.partition(".")
    held = reading.find(PLURALS[plural], slug) if plural in PLURALS else None
    return held.iri if held else ""


@dataclass(frozen=True, slots=True)
class Page:
    """What the page of a document shows: links to go on with, and rows of records."""

    title: str
    lead: str = ""
    up: tuple[str, str] = ("", "")
    entries: Sequence[tuple[str, str, str]] = ()  # label, address, what it is
    helds: Sequence[Held] = ()
    total: int = 0
    first: int = 1
    turns: Mapping[str, str] = field(default_factory=dict)
    address: str = ""  # to copy into a program


class OgcDocuments:
    """Builds the documents for one caller."""

    def __init__(self, parts: Parts, seen: Seeing, visitor: Visitor) -> None:
        self._parts, self._seen, self._visitor = parts, seen, visitor
        self._base, self.root = parts.site.base_url, f"{parts.site.base_url}/ogc"
        reader, site = visitor.language, parts.site
        self._texts = Texts(
            title=words(reader, "catalog.title", city=site.city),
            lead=words(reader, "ogc.lead", city=site.city),
            language=reader,
            called=self._called,
            about=self._about,
        )

    def _called(self, info: CollectionInfo) -> str:
        """Name a collection; among other cities' with its city, since many cities name theirs alike."""
        title = title_said(info.title, self._visitor.language)
        return f"{title} ({self._city(info.name)})" if self._parts.site.federation else title

    def _about(self, info: CollectionInfo) -> str:
        mirror = self._parts.mirror(info.name)
        city = mirror.city if mirror else self._parts.site.city
        return words(self._visitor.language, "mirror.of" if mirror else "home.what", city=city)

    def infos(self) -> list[CollectionInfo]:
        """List the collections in which the caller may find something."""
        public, known = self._parts.reading.collections(), self._parts.reading.known()
        more = [known[allowed.collection] for allowed in self._seen.sight.restricted]
        return [*public.values(), *more]

    def info(self, name: str) -> CollectionInfo:
        """Find a collection by the id of its catalogue. Raises NotFound, or NotAgreed to a party it refuses."""
        self._seen.check([collection_of(name)])
        found = {name_of(info.name): info for info in self.infos()}.get(name)
        if found is None:
            raise NotFound("There is no such catalogue here.", fix="They are listed at /ogc/collections.")
        return found

    # ------------------------------------------------------------ about the API

    def landing(self) -> tuple[Json, Page]:
        """Say what there is."""
        told = ogc_api.landing(self._base, self._texts)
        entries = [
            (self._word("ogc.catalogues"), f"{self.root}/collections?f=html", ""),
            (self._word("ogc.conformance"), f"{self.root}/conformance?f=html", ""),
            ("OpenAPI 3.0", f"{self.root}/api", ""),
            (self._word("nav.api"), f"{self._base}/docs", ""),
        ]
        return told, Page(self._texts.title, self._texts.lead, entries=entries, address=self.root)

    def conformance(self) -> tuple[Json, Page]:
        """Say what of the standards is held to."""
        entries = [(uri, uri, "") for uri in ogc_api.CONFORMANCE]
        page = Page(self._word("ogc.conformance"), up=(self._texts.title, self.root), entries=entries)
        return {"conformsTo": list(ogc_api.CONFORMANCE)}, page

    def openapi(self) -> Json:
        """Give the OpenAPI 3.0 document."""
        names = [ALL, *(name_of(info.name) for info in self.infos())]
        return ogc_api.openapi(self._base, self._texts.title, self._parts.site.software, names)

    def catalogues(self) -> tuple[Json, Page]:
        """List the catalogues."""
        infos = self.infos()
        entries = [(self._texts.title, f"{self.root}/collections/{ALL}?f=html", self._texts.lead)]
        entries += [
            (self._texts.called(info), f"{self.root}/collections/{name_of(info.name)}?f=html", self._about(info))
            for info in infos
        ]
        page = Page(self._word("ogc.catalogues"), up=(self._texts.title, self.root), entries=entries)
        return ogc_api.catalogues(self._base, infos, self._texts), page

    def catalogue(self, name: str) -> tuple[Json, Page]:
        """Describe one catalogue."""
        if name == ALL:
            told = ogc_api.everything(self._base, self.infos(), self._texts)
        else:
            told = ogc_api.catalogue(self._base, self.info(name), self._texts)
        here = f"{self.root}/collections/{name}"
        entries = [(self._word("ogc.records"), f"{here}/items?f=html", "")]
        up = (self._word("ogc.catalogues"), f"{self.root}/collections")
        return told, Page(str(told["title"]), str(told["description"]), up, entries)

    def schema(self, name: str, what: str) -> Json:
        """Say what can be sorted by or asked for."""
        told, _ = self.catalogue(name)
        return ogc_api.schema(f"{self.root}/collections/{name}", what, str(told["title"]))

    # ------------------------------------------------------------ records

    def records(self, name: str, params: Mapping[str, str], *, now_ms: int) -> tuple[Json, Page]:
        """Search the records of a catalogue. Raises NotFound, Malformed, Unavailable."""
        finding, info = self._parts.site.finding, None if name == ALL else self.info(name)
        if finding is None:
            raise Unavailable("This node has no search.", fix="Read its collections at /catalog instead.")
        reading = self._parts.reading
        asked = ogc_ask.question(
            params,
            collection=info.name if info else "",
            language=self._visitor.language,
            iri_of=lambda given: iri_of(reading, given),
        )
        found = finding.search.find(asked.query, self._seen.sight, now_ms=now_ms)
        if found.cut:
            raise Malformed(
                f"q is longer than it is read: {MAX_WORDS} terms, {MAX_TEXT:,} characters.", fix="Ask for fewer terms."
            ).on_page("refuse.long", name="q", most=MAX_TEXT)
        hits, helds = found.hits, [hit.held for hit in found.hits]
        here, turns = f"{self.root}/collections/{name}/items", _turns(asked.query, found, len(hits))
        turned = {rel: _address(here, asked.repeated, more) for rel, more in turns.items()}
        own = _address(here, asked.repeated, _where(asked.query))
        told: Json = {
            "type": "FeatureCollection",
            "numberMatched": found.total,
            "numberReturned": len(hits),
            "links": [
                *both(own, machine=GEOJSON),
                *(link(address, rel, GEOJSON) for rel, address in turned.items()),
                link(f"{self.root}/collections/{name}", "collection", JSON),
            ],
            "features": self.features(name, helds),
        }
        up = (self._called(info) if info else self._texts.title, f"{self.root}/collections/{name}")
        page = Page(self._word("ogc.records"), "", up, (), helds, found.total, asked.query.offset + 1, turned)
        return told, page

    def features(self, name: str, helds: Sequence[Held]) -> list[Json]:
        """Write records, in order; one that was erased meanwhile is left out."""
        known, languages = self._parts.reading.known(), self._parts.pages.languages
        pairs = zip(helds, self._parts.reading.payloads(helds), strict=True)
        return [
            feature(
                Described(ntriples.triples_of(payload), held.iri, self._visitor.language, languages),
                told_of(cast(ShelfHeld, held), payload, city="", mapped=_unmapped),
                held,
                known[held.collection],
                Place(f"{self.root}/collections/{name}", id_of(held)),
                base=self._base,
                city=self._city(held.collection),
            )
            for held, payload in pairs
            if payload
        ]

    def _city(self, collection: str) -> str:
        mirror = self._parts.mirror(collection)
        return mirror.city if mirror else self._parts.site.city

    # ------------------------------------------------------------ as documents

    def _word(self, key: str) -> str:
        return words(self._visitor.language, key)

    def page(self, page: Page, path: str) -> Document:
        """Render a page."""
        parts = self._parts
        body = parts.pages.render(
            "ogc.html",
            self._visitor,
            nav="api",
            page=page,
            rows=rows_of(parts, list(page.helds), self._visitor),
            twins=[Twin("JSON", f"{self._base}{path}?f=json")],
        )
        return parts.pages.document(body)


def _unmapped(table: str, value: str, city: str) -> str:  # noqa: ARG001
    """Map nothing: place, time and change, which are all that is asked of `told` here, need no city's own words."""
    return ""


def _where(query: Query) -> dict[str, str]:
    """Say where a page begins: by a cursor, else by an offset."""
    if query.cursor:
        return {"cursor": query.cursor}
    return {"offset": str(query.offset)} if query.offset else {}


def _turns(query: Query, found: Results, shown: int) -> dict[str, dict[str, str]]:
    """Give where the next and the previous page begin, if there are any."""
    turns: dict[str, dict[str, str]] = {}
    if found.cursor and shown:
        turns["next"] = {"cursor": found.cursor}
    if query.offset and not query.cursor:
        turns["prev"] = {"offset": str(max(0, query.offset - query.limit))}
    return turns


def _address(here: str, repeated: Sequence[tuple[str, str]], more: Mapping[str, str]) -> str:
    asked = urlencode([*repeated, *more.items()])
    return f"{here}?{asked}" if asked else here
