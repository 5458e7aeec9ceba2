"""STAC under `/stac`: the city models that are held here, for programs that browse them by place.

Collections and items are what `sight` lets the caller find, as good as the index, a second behind; one item is read
from the shelf like any other document of a record, and counts like one. Only the catalogue is a page as well, for who
comes with a browser; people find the same models at `/models`. Ids are those of `/ogc`.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, cast
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from node.catalog.search.query import Query
from node.catalog.search.results import Results
from node.errors import Malformed, NotFound
from node.records import slug_of
from node.vocab import lists, ntriples
from node.vocab.kinds import TABLES
from node.vocab.kinds.reading import said_in
from node.vocab.terms import DCT
from node.web.addresses import At
from node.web.doors.door import Door
from node.web.doors.seen import seen_by
from node.web.doors.sight import Seeing, seeing
from node.web.ogc import ask as ogc_ask
from node.web.ogc.api import collection_of, name_of
from node.web.ogc.documents import Page, id_of, iri_of
from node.web.ogc.record import GEOJSON, Json, link, spdx_of
from node.web.ogc.stac_documents import (
    CONFORMANCE,
    JSON,
    MOST_SUMMED,
    Addresses,
    Model,
    Shelf,
    catalog,
    collection,
    item,
)
from node.web.pages import Twin, accept_of
from node.web.parts import Parts, json_document
from node.web.ports.find import Finders
from node.web.ports.ports import CollectionInfo, Held
from node.web.reading import Reading
from node.web.wire import answer, negotiate
from node.web.wire.answer import Document
from node.web.wording.graph import Described
from node.web.wording.text import number
from node.web.wording.words import title_said, words

KIND = "city-model"
_TABLE = TABLES[KIND]
_ITEMS = ("limit", "offset", "cursor", "bbox", "lang")
Name = Annotated[str, Path(description="The collection: its name, or `city.name` for a mirror.")]
Id = Annotated[str, Path(description="The model's id in the collection.")]


class StacDocuments:
    """Builds the documents for one caller."""

    def __init__(self, parts: Parts, finders: Finders, seen: Seeing, reader: str) -> None:
        self._parts, self._finders, self._seen, self._reader = parts, finders, seen, reader
        self._at = Addresses(parts.site.base_url)

    def catalog(self) -> Json:
        """Write the catalogue."""
        shelves = [self._shelf(info) for info in self._infos()]
        city, title = self._parts.site.city, words(self._reader, "stac.title")
        about = words(self._reader, "stac.lead", city=city)
        return catalog(self._at, slug_of(city) or "city", title, about, shelves)

    def lists(self) -> list[tuple[str, str, str]]:
        """Say where a person finds the models of each collection: its title, the address of the list, how many."""
        counts, base = self._counts(), self._parts.site.base_url
        told = []
        for info in self._infos():
            asked = urlencode({"kind": KIND, "collection": info.name, "lang": self._reader})
            count = counts[info.name]
            many = words(self._reader, "search.found", n=number(count, self._reader))
            said = words(self._reader, "search.found_one") if count == 1 else many
            told.append((self._shelf(info).title, f"{base}/search?{asked}", said))
        return told

    def collections(self) -> Json:
        """List the collections that hold models."""
        told = [self._collection(info) for info in self._infos()]
        here = f"{self._at.root}/collections"
        return {"collections": told, "links": [link(here, "self", JSON), link(self._at.root, "root", JSON)]}

    def collection(self, name: str) -> Json:
        """Write one collection. Raises NotFound, or NotAgreed to a party it refuses."""
        return self._collection(self._info(name))

    def items(self, name: str, params: Mapping[str, str]) -> Json:
        """List the models of a collection. Raises as `collection`, and Malformed."""
        info = self._info(name)
        known = {key: value for key, value in params.items() if key != "lang"}
        asked = ogc_ask.question(
            known | {"type": KIND, "sortby": "title"},
            collection=info.name,
            language=self._reader,
            iri_of=lambda given: iri_of(self._parts.reading, given),
        )
        found = self._find(asked.query)
        here = f"{self._at.collection(name)}/items"
        repeated = [(key, params[key]) for key in ("limit", "bbox", "lang") if key in params]
        more = [("cursor", found.cursor)] if found.cursor and found.hits else []
        return {
            "type": "FeatureCollection",
            "numberMatched": found.total,
            "numberReturned": len(found.hits),
            "features": self.told(name, [hit.held for hit in found.hits]),
            "links": [
                link(f"{here}?{urlencode(params)}" if params else here, "self", GEOJSON),
                link(self._at.root, "root", JSON),
                link(self._at.collection(name), "collection", JSON),
                *([link(f"{here}?{urlencode([*repeated, *more])}", "next", GEOJSON)] if more else []),
            ],
        }

    def told(self, name: str, helds: Sequence[Held]) -> list[Json]:
        """Write models in order; one that was erased meanwhile is left out."""
        known = self._parts.reading.known()
        return [item(self._at, self._shelf(known[collection_of(name)]), model) for model in self._models(helds)]

    def _collection(self, info: CollectionInfo) -> Json:
        found = self._find(Query(filters=_in(info), limit=MOST_SUMMED, sort="title", highlight=False, grouped=False))
        whole = found.total <= MOST_SUMMED
        models = self._models([hit.held for hit in found.hits]) if whole else []
        return collection(self._at, self._shelf(info), models, len(models) if whole else found.total)

    def _find(self, query: Query) -> Results:
        return self._finders.search.find(query, self._seen.sight, now_ms=int(time.time() * 1000))

    def _infos(self) -> list[CollectionInfo]:
        """List the collections in which the caller may find a model, ours first."""
        names = self._counts()
        return [info for info in self._all() if info.name in names]

    def _counts(self) -> dict[str, int]:
        query = Query(filters={"kind": (KIND,)}, facets=("collection",), facet_limit=1000, limit=0, grouped=False)
        return {count.value: count.count for count in self._find(query).facets.get("collection", ()) if count.count}

    def _info(self, name: str) -> CollectionInfo:
        self._seen.check([collection_of(name)])
        found = next((info for info in self._infos() if name_of(info.name) == name), None)
        if found is None:
            raise NotFound("There is no such collection of city models here.", fix="They are listed at /stac.")
        return found

    def _all(self) -> list[CollectionInfo]:
        public, known = self._parts.reading.collections(), self._parts.reading.known()
        return [*public.values(), *(known[each.collection] for each in self._seen.sight.restricted)]

    def _shelf(self, info: CollectionInfo) -> Shelf:
        mirror = self._parts.mirror(info.name)
        city, title = mirror.city if mirror else self._parts.site.city, title_said(info.title, self._reader)
        about = words(self._reader, "stac.lead", city=city)
        return Shelf(name_of(info.name), f"{title} ({city})" if mirror else title, about)

    def _models(self, helds: Sequence[Held]) -> list[Model]:
        pairs = zip(helds, self._parts.reading.payloads(helds), strict=True)
        return [self._model(held, payload) for held, payload in pairs if payload]

    def _model(self, held: Held, payload: bytes) -> Model:
        said = Described(ntriples.triples_of(payload), held.iri, self._reader, self._parts.pages.languages)
        licence = next(iter(said.links(held.iri, DCT.license)), "")
        publisher = next(iter(said.names(held.iri, DCT.publisher)), None)
        return Model(
            id=id_of(held),
            said=said_in(_TABLE, held.iri, payload),
            texts={
                "title": said.text(held.iri, DCT.title).text,
                "description": said.text(held.iri, DCT.abstract).text,
                "publisher": publisher.text if publisher else "",
            },
            at_ms=held.at_ms,
            page=At(self._parts.site.base_url, held).page,
            licence=(spdx_of(licence) or "other") if licence else "",
            links=[link(licence, "license", "", lists.label(licence, self._reader))] if licence else [],
        )


def _in(info: CollectionInfo) -> dict[str, tuple[str, ...]]:
    return {"kind": (KIND,), "collection": (info.name,)}


class _Desk:
    """Answers requests: reads parameters, finds out who asks, and does the work beside the event loop."""

    def __init__(self, parts: Parts, finders: Finders) -> None:
        self._parts, self._finders = parts, finders
        self._door = Door(parts)

    async def tell(
        self, request: Request, known: Sequence[str], make: Callable[[StacDocuments, dict[str, str]], Json], kind: str
    ) -> Response:
        """Answer with what the search finds."""
        params = ogc_ask.check_names(parse_qsl(request.url.query, keep_blank_values=True), known)
        seen = await seeing(self._door, self._parts, request)
        documents = StacDocuments(self._parts, self._finders, seen, self._reader(request))
        told = await self._parts.thread(lambda: make(documents, params))
        return answer.reply(request.headers, seen.sealed(_document(told, kind)))

    async def landing(self, request: Request) -> Response:
        """Answer with the catalogue: a page to who asks for one, else JSON."""
        params = ogc_ask.check_names(parse_qsl(request.url.query, keep_blank_values=True), ogc_ask.COMMON)
        if params.get("f", "json") not in ("json", "html"):
            raise Malformed(
                f"There is no form {params['f'][:20]!r} here.",
                fix="Write f=json or f=html.",
            ).on_page("no.form.address")
        seen = await seeing(self._door, self._parts, request)
        visitor, pages = self._parts.pages.visitor(request), self._parts.pages
        documents = StacDocuments(self._parts, self._finders, seen, visitor.language)
        as_page = params["f"] == "html" if "f" in params else negotiate.wants_page(accept_of(request))

        def make() -> Document:
            told = documents.catalog()
            if not as_page:
                return _document(told, JSON)
            root = _self_of(told)
            page = Page(str(told["title"]), str(told["description"]), entries=documents.lists(), address=root)
            twins = [Twin("JSON", f"{root}?f=json")]
            return pages.document(pages.render("ogc.html", visitor, nav="api", page=page, rows=[], twins=twins))

        return answer.reply(request.headers, seen.sealed(await self._parts.thread(make)))

    async def item(self, request: Request, name: str, given: str) -> Response:
        """Answer with one model, as whoever asks may see it."""
        ogc_ask.check_names(parse_qsl(request.url.query, keep_blank_values=True), ("lang",))
        seen = await seen_by(self._door, self._parts, request)

        def find(reading: Reading) -> Held:
            iri = iri_of(reading, given)
            held = reading.find_iri(iri) if iri else None
            if held is None or held.kind != KIND or name_of(held.collection) != name:
                raise NotFound("There is no such city model in this collection.", fix="They are listed at /stac.")
            return held

        held = await seen.found(find)
        documents = StacDocuments(seen.parts, self._finders, Seeing(), self._reader(request))

        def make() -> Document:
            told = documents.told(name, [held])
            if not told:
                raise NotFound("This record was erased.", fix="The models are listed at /stac.")
            return _document(told[0], GEOJSON)

        document = seen.sealed(await self._parts.thread(make), held.collection)
        return await seen.handed(request, answer.reply(request.headers, document), held.collection, held.iri)

    def _reader(self, request: Request) -> str:
        return self._parts.pages.visitor(request).language


def _links(told: Json, rel: str) -> list[dict[str, str]]:
    return [each for each in cast("list[dict[str, str]]", told["links"]) if each["rel"] == rel]


def _self_of(told: Json) -> str:
    return _links(told, "self")[0]["href"]


def _document(told: Json, kind: str) -> Document:
    document = json_document(told)
    tag = hashlib.sha256(kind.encode() + document.body).hexdigest()[:32]
    return Document(document.body, kind, tag=f"{tag}-stac1", cache=answer.REVALIDATE)


def router(parts: Parts, finders: Finders) -> APIRouter:
    """Make the router."""
    made, desk = APIRouter(tags=["STAC"], default_response_class=Response), _Desk(parts, finders)
    plain: dict[int | str, dict[str, object]] = {200: {"content": {JSON: {}}}, 400: {}, 404: {}, 503: {}}
    both = plain | {200: {"content": {JSON: {}, "text/html": {}}}}
    geo = plain | {200: {"content": {GEOJSON: {}}}}

    @made.get("/stac", summary="The city models as a STAC catalogue", responses=both)
    @made.get("/stac/", include_in_schema=False)
    async def landing(request: Request) -> Response:
        return await desk.landing(request)

    @made.get("/stac/conformance", summary="What of STAC API is held to", responses=plain)
    async def conformance(request: Request) -> Response:
        told: Json = {"conformsTo": list(CONFORMANCE)}
        return answer.reply(request.headers, _document(told, JSON))

    @made.get("/stac/collections", summary="The collections that hold city models", responses=plain)
    async def collections(request: Request) -> Response:
        return await desk.tell(request, ("lang",), lambda documents, _: documents.collections(), JSON)

    @made.get("/stac/collections/{name}", summary="One collection of city models", responses=plain)
    async def one(request: Request, name: Name) -> Response:
        return await desk.tell(request, ("lang",), lambda documents, _: documents.collection(name), JSON)

    @made.get("/stac/collections/{name}/items", summary="City models, also by `bbox`", responses=geo)
    async def items(request: Request, name: Name) -> Response:
        return await desk.tell(request, _ITEMS, lambda documents, params: documents.items(name, params), GEOJSON)

    @made.get("/stac/collections/{name}/items/{model}", summary="One city model as a STAC item", responses=geo)
    async def model(request: Request, name: Name, model: Id) -> Response:
        return await desk.item(request, name, model)

    return made
