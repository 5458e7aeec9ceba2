"""DCAT-US 1.1 at `/data.json`: every public dataset held here, own and mirrored, as its readers know catalogues.

The profile wants fields that a European record may lack. What can be said truly in their place is said (the entry's
time for `modified`, themes for `keyword`, the city for `publisher`, the catalogue's office for `contactPoint`), and
nothing is made up. Streamed in batches, since the document has no pages; `?collection=` gives one collection.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from node.catalog.packages import KINDS
from node.catalog.search.told import Told, told_of
from node.errors import Unavailable
from node.vocab import lists, ntriples
from node.vocab.terms import DCAT, DCT, FOAF, LOCN, SCHEMA, VCARD
from node.web.ckan.package import Json, cities_of
from node.web.parts import Parts
from node.web.ports.find import Finders
from node.web.ports.ports import CollectionInfo, Held
from node.web.wire import answer, negotiate
from node.web.wording import places, text
from node.web.wording.graph import MINTED, Described, href

SCHEMA_URL = "https://project-open-data.cio.gov/v1.1/schema"
BATCH = 500
_LEVELS = {"RESTRICTED": "restricted public", "NON_PUBLIC": "non-public"}


class DcatUs:
    """Writes the document."""

    def __init__(self, parts: Parts, finders: Finders) -> None:
        """Write for a site."""
        self._parts = parts
        self._finders = finders
        self._cities = cities_of(parts)
        self._language = parts.site.languages[0]

    def infos(self, collection: str) -> list[CollectionInfo]:
        """Give the collections that are written. Raises NotFound."""
        reading = self._parts.reading
        return [reading.collection(collection)] if collection else list(reading.collections().values())

    def tag(self, infos: Sequence[CollectionInfo]) -> str:
        """Give a weak ETag: it knows of every entry, but the stream may catch one more on its way."""
        state = [(info.iri, info.size, info.updated_at_ms) for info in infos]
        return f'W/"{hashlib.sha256(repr((self._parts.site.base_url, state)).encode()).hexdigest()[:32]}"'

    def document(self, infos: Iterable[CollectionInfo]) -> Iterator[bytes]:
        """Write the whole document, a batch of datasets at a time."""
        head: Json = {
            "@context": f"{SCHEMA_URL}/catalog.jsonld",
            "@id": f"{self._parts.site.base_url}/data.json",
            "@type": "dcat:Catalog",
            "conformsTo": SCHEMA_URL,
            "describedBy": f"{SCHEMA_URL}/catalog.json",
        }
        yield json.dumps(head, ensure_ascii=False).encode()[:-1] + b', "dataset": [\n'
        between = b""
        try:
            for told in self._datasets(infos):
                yield between + json.dumps(told, ensure_ascii=False).encode()
                between = b",\n"
        except Unavailable:
            # The status is sent already; a document that never closes is seen by every reader to be not all.
            return
        yield b"\n]}\n"

    def _datasets(self, infos: Iterable[CollectionInfo]) -> Iterator[Json]:
        mapped = self._finders.vocabularies.book().code
        for info in infos:
            city, name = self._cities(info.name)
            for walked in self._parts.reading.walk(info.name):
                helds = [held for held in walked if held.kind in KINDS]
                for start in range(0, len(helds), BATCH):
                    some = helds[start : start + BATCH]
                    for held, payload in zip(some, self._parts.reading.payloads(some), strict=True):
                        if payload:
                            told = told_of(held, payload, city=city, mapped=mapped)  # type: ignore[arg-type]
                            yield self.dataset(held, payload, told, name)

    def dataset(self, held: Held, payload: bytes, told: Told, city: str) -> Json:
        """Write one dataset."""
        said = Described(ntriples.triples_of(payload), held.iri, self._language, self._parts.site.languages)
        iri = held.iri
        keywords = [word.text for word in said.texts(iri, DCAT.keyword)]
        themes = [name.text for name in said.names(iri, DCAT.theme)]
        title = said.text(iri, DCT.title).text or held.slug
        modified = datetime.fromtimestamp(held.at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        found: Json = {
            "@type": "dcat:Dataset",
            "@id": iri,
            "identifier": iri,
            "title": title,
            "description": said.text(iri, DCT.description).text or title,
            "keyword": keywords or themes or ["dataset"],
            "modified": said.value(iri, DCT.modified) or modified,
            "issued": said.value(iri, DCT.issued),
            "publisher": {"@type": "org:Organization", "name": next(iter(told.publishers.values()), city)},
            "contactPoint": self._contact(said, city, own="/" not in held.collection),
            "accessLevel": _LEVELS.get(told.access, "public"),
            "license": _licence(said, told),
            "language": told.languages if said.terms(iri, DCT.language) else [],
            "theme": themes,
            "accrualPeriodicity": _frequency(said.value(iri, DCT.accrualPeriodicity)),
            "temporal": _period(said),
            "spatial": _place(said),
            "landingPage": next(iter(said.links(iri, DCAT.landingPage)), ""),
            "conformsTo": next(iter(said.links(iri, DCT.conformsTo)), ""),
            "references": said.links(iri, FOAF.page),
            "isPartOf": said.value(iri, DCAT.inSeries),
            "distribution": [_file(said, file) for file in said.values(iri, DCAT.distribution)],
        }
        return {name: value for name, value in found.items() if value not in ("", [], {})}

    def _contact(self, said: Described, city: str, *, own: bool) -> Json:
        contact = said.value(said.iri, DCAT.contactPoint)
        name, mail = said.text(contact, VCARD.fn).text, said.value(contact, VCARD.hasEmail)
        if not (name or mail) and own:
            mailbox = self._parts.site.contact_mailbox
            name, mail = self._parts.site.contact_name or city, f"mailto:{mailbox}" if mailbox else ""
        told = {"@type": "vcard:Contact", "fn": name or city, "hasEmail": mail if mail.startswith("mailto:") else ""}
        return {key: value for key, value in told.items() if value}


def _licence(said: Described, told: Told) -> str:
    """Give the address of the licence, the dataset's or its files'; the EU's where it is named in words."""
    for node in (said.iri, *said.values(said.iri, DCAT.distribution)):
        if links := said.links(node, DCT.license):
            return links[0]
    known = lists.LICENCES.by_code(told.licences[0])
    return known.iri if known else ""


def _frequency(iri: str) -> str:
    """Give a frequency as ISO 8601 repeats it (`R/P1D`), which is what this profile takes."""
    concept = lists.FREQUENCIES.by_iri(iri)
    return next((word for word in concept.words if word.startswith("R/")), "") if concept else ""


def _period(said: Described) -> str:
    """Give the period if both ends are known: the profile has no open ones."""
    period = said.value(said.iri, DCT.temporal)
    start = said.value(period, DCAT.startDate, SCHEMA.startDate)
    end = said.value(period, DCAT.endDate, SCHEMA.endDate)
    return f"{start}/{end}" if start and end and not text.is_open_end(end) else ""


def _place(said: Described) -> str:
    """Give the box around the place, west first, else its names."""
    terms = said.terms(said.iri, DCT.spatial)
    for term in terms:
        if box := places.box(said.value(ntriples.value_of(term), DCAT.bbox, LOCN.geometry)):
            south, west, north, east = box
            return f"{west:g},{south:g},{east:g},{north:g}"
    return ", ".join(name.text for name in said.names(said.iri, DCT.spatial) if MINTED not in name.text)


def _file(said: Described, file: str) -> Json:
    media = said.value(file, DCAT.mediaType).removeprefix(lists.IANA)
    download, access = (next(iter(said.links(file, each)), "") for each in (DCAT.downloadURL, DCAT.accessURL))
    if not media and (concept := lists.FILE_TYPES.by_iri(said.value(file, DCT.format))):
        media = concept.facts["media"]
    if download and not media:
        # The profile allows a download only with its media type.
        download, access = "", access or download
    told: Json = {
        "@type": "dcat:Distribution",
        "title": said.text(file, DCT.title).text,
        "description": said.text(file, DCT.description).text,
        "downloadURL": download,
        "accessURL": access if access != download else "",
        "mediaType": media if download else "",
        "format": next((name.text for name in said.names(file, DCT.format)), ""),
        "license": next((link for link in map(href, said.values(file, DCT.license)) if link), ""),
    }
    return {name: value for name, value in told.items() if value}


def _packed(parts: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    for part in parts:
        if packed := packer.compress(part):
            yield packed
    yield packer.flush()


def router(parts: Parts, finders: Finders) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Catalogue"], default_response_class=Response)
    documents = DcatUs(parts, finders)
    only = Query(description="One collection by its local name; all public ones without it.", max_length=200)

    @made.get(
        "/data.json",
        summary="DCAT-US 1.1",
        description="Every public dataset held here, own and mirrored, as one catalogue of Project Open Data.",
        responses={200: {"content": {"application/json": {}}}, 404: {}},
    )
    async def data(request: Request, collection: Annotated[str, only] = "") -> Response:
        infos = documents.infos(collection)
        headers = {"cache-control": answer.REVALIDATE, "etag": documents.tag(infos), "vary": answer.VARY_SUFFIX}
        if negotiate.has_copy(request.headers.get("if-none-match", ""), headers["etag"]):
            return Response(status_code=304, headers=headers)
        body = iter(()) if request.scope["state"].get("head") else documents.document(infos)
        if negotiate.wants_gzip(request.headers.get("accept-encoding", "")):
            headers["content-encoding"] = "gzip"
            body = _packed(body)
        return StreamingResponse(body, media_type="application/json", headers=headers)

    return made
