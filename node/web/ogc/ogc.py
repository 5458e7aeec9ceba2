"""OGC API Records 1.0 under `/ogc`: the catalogue as GIS programs ask for it, as GeoJSON and as pages.

Lists show what `sight` lets the caller find, and are as good as the index, a second behind; single records are read
from the shelf like any other document of a record, and count like one. Without `f` and Accept everything is JSON, since
that is how OWSLib and QGIS ask.
"""

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from node.errors import Malformed, NotFound
from node.web.doors.door import Door
from node.web.doors.seen import seen_by
from node.web.doors.sight import Seeing, seeing
from node.web.ogc import ask as ogc_ask
from node.web.ogc.api import ALL, OPENAPI, SCHEMA, name_of
from node.web.ogc.documents import JSON, OgcDocuments, Page, iri_of
from node.web.ogc.record import GEOJSON, Json
from node.web.parts import Parts, chosen_of, json_document
from node.web.ports.ports import Held
from node.web.reading import Reading
from node.web.wire import answer
from node.web.wire.answer import Document

_BOTH: dict[int | str, dict[str, object]] = {200: {"content": {JSON: {}, "text/html": {}}}, 400: {}, 404: {}, 406: {}}
_RECORDS: dict[int | str, dict[str, object]] = _BOTH | {200: {"content": {GEOJSON: {}, "text/html": {}}}, 503: {}}
Name = Annotated[str, Path(description="The catalogue: `_all`, a collection's name, or `city.name` for a mirror.")]
Id = Annotated[str, Path(description="The record's id in the catalogue.")]
Tell = Callable[[OgcDocuments], tuple[Json, Page]]


def _form(request: Request, params: Mapping[str, str], *offered: str) -> str:
    """Choose the media type: by `f`, else by Accept. Raises Malformed, NotAcceptable."""
    if not params.get("f"):
        return chosen_of(request, (*offered, "text/html"))
    if params["f"] not in ("json", "html"):
        raise Malformed(
            f"There is no form {params['f'][:20]!r} here.",
            fix="Write f=json or f=html.",
        ).on_page("no.form.address")
    return "text/html" if params["f"] == "html" else offered[0]


def _data(told: Json, kind: str) -> Document:
    document = json_document(told)
    tag = hashlib.sha256(kind.encode() + document.body).hexdigest()[:32]
    return Document(document.body, kind, tag=f"{tag}-ogc1", cache=answer.REVALIDATE)


def _params(request: Request, known: Sequence[str]) -> dict[str, str]:
    return ogc_ask.check_names(parse_qsl(request.url.query, keep_blank_values=True), known)


class _Desk:
    """Answers requests: reads parameters, finds out who asks, and does the work beside the event loop."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._door = Door(parts)

    async def about(self, request: Request, tell: Tell) -> Response:
        """Answer with a document about the API or a catalogue."""
        return await self._told(request, _params(request, ogc_ask.COMMON), tell, JSON)

    async def records(self, request: Request, name: str) -> Response:
        """Answer with the records of a catalogue."""
        params, now_ms = _params(request, tuple(ogc_ask.PARAMETERS)), int(time.time() * 1000)

        def tell(documents: OgcDocuments) -> tuple[Json, Page]:
            return documents.records(name, params, now_ms=now_ms)

        return await self._told(request, params, tell, GEOJSON, JSON)

    async def _told(self, request: Request, params: Mapping[str, str], tell: Tell, *offered: str) -> Response:
        form, (documents, seen) = _form(request, params, *offered), await self._documents(request)

        def make() -> Document:
            told, page = tell(documents)
            return documents.page(page, request.scope["path"]) if form == "text/html" else _data(told, form)

        return answer.reply(request.headers, seen.sealed(await self._parts.thread(make)))

    async def data(self, request: Request, kind: str, tell: Callable[[OgcDocuments], Json]) -> Response:
        """Answer with a document that has no page."""
        _params(request, ogc_ask.COMMON)
        documents, seen = await self._documents(request)
        told = await self._parts.thread(lambda: tell(documents))
        return answer.reply(request.headers, seen.sealed(_data(told, kind)))

    async def record(self, request: Request, name: str, given: str) -> Response:
        """Answer with one record, as whoever asks may see it."""
        params = _params(request, ogc_ask.COMMON)
        form = _form(request, params, GEOJSON, JSON)
        seen = await seen_by(self._door, self._parts, request)
        held = await seen.found(lambda reading: _held(reading, name, given))
        documents = OgcDocuments(seen.parts, Seeing(), self._parts.pages.visitor(request))

        def make() -> Document:
            told = documents.features(name, [held])
            if not told:
                raise NotFound("This record was erased.", fix="The records are listed at /ogc/collections.")
            if form != "text/html":
                return _data(told[0], form)
            up = (name, f"{documents.root}/collections/{name}")
            page = Page(str(told[0]["properties"]["title"]), "", up, helds=[held], total=1)  # type: ignore[index]
            return documents.page(page, request.scope["path"])

        document = seen.sealed(await self._parts.thread(make), held.collection)
        return await seen.handed(request, answer.reply(request.headers, document), held.collection, held.iri)

    async def _documents(self, request: Request) -> tuple[OgcDocuments, Seeing]:
        seen = await seeing(self._door, self._parts, request)
        return OgcDocuments(self._parts, seen, self._parts.pages.visitor(request)), seen


def _held(reading: Reading, name: str, given: str) -> Held:
    """Find a record of a catalogue by its id. Raises NotFound."""
    iri = iri_of(reading, given)
    held = reading.find_iri(iri) if iri else None
    if held is None or (name != ALL and name_of(held.collection) != name):
        raise NotFound("There is no such record in this catalogue.", fix="Search its records at …/items.")
    return held


def router(parts: Parts) -> APIRouter:
    """Make the router."""
    made, desk = APIRouter(tags=["OGC API Records"], default_response_class=Response), _Desk(parts)

    @made.get("/ogc", summary="What OGC API Records offers here", responses=_BOTH)
    @made.get("/ogc/", include_in_schema=False)
    async def landing(request: Request) -> Response:
        return await desk.about(request, OgcDocuments.landing)

    @made.get("/ogc/conformance", summary="What of OGC's standards is held to", responses=_BOTH)
    async def conformance(request: Request) -> Response:
        return await desk.about(request, OgcDocuments.conformance)

    @made.get("/ogc/api", summary="The OGC API as OpenAPI 3.0", responses={200: {"content": {OPENAPI: {}}}})
    async def api(request: Request) -> Response:
        return await desk.data(request, OPENAPI, OgcDocuments.openapi)

    @made.get("/ogc/collections", summary="The catalogues", responses=_BOTH)
    async def catalogues(request: Request) -> Response:
        return await desk.about(request, OgcDocuments.catalogues)

    @made.get("/ogc/collections/{name}", summary="One catalogue", responses=_BOTH)
    async def catalogue(request: Request, name: Name) -> Response:
        return await desk.about(request, lambda documents: documents.catalogue(name))

    _add_records(made, desk)
    return made


def _add_records(made: APIRouter, desk: _Desk) -> None:
    said = "; ".join(f"`{name}`: {about}" for name, (about, _) in ogc_ask.PARAMETERS.items())

    @made.get("/ogc/collections/{name}/items", summary="Search its records", description=said, responses=_RECORDS)
    async def records(request: Request, name: Name) -> Response:
        return await desk.records(request, name)

    @made.get("/ogc/collections/{name}/items/{record}", summary="One record as GeoJSON", responses=_RECORDS)
    async def record(request: Request, name: Name, record: Id) -> Response:
        return await desk.record(request, name, record)

    for what, summary in (("queryables", "What can be asked for"), ("sortables", "What can be sorted by")):
        made.get(
            f"/ogc/collections/{{name}}/{what}", summary=summary, responses={200: {"content": {SCHEMA: {}}}, 404: {}}
        )(_schema(desk, what))


def _schema(desk: _Desk, what: str) -> Callable[[Request, Name], Awaitable[Response]]:
    async def schema(request: Request, name: Name) -> Response:
        return await desk.data(request, SCHEMA, lambda documents: documents.schema(name, what))

    return schema
