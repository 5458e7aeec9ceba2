"""Linked data of the whole: the catalogue, its collections page by page, the dump, VoID, the context, checkpoints.

Pages are built from stored payloads, never by query; a page of a hundred takes milliseconds, so it is made beside the
event loop. The dump streams in batches and is the same bytes for the same records.
"""

import hashlib
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from node.errors import Malformed, NotFound, Unavailable
from node.vocab import ntriples, serialise
from node.vocab.contexts import CONTEXT_PATH, CONTEXT_V1_BYTES
from node.vocab.ntriples import Triple
from node.web.addresses import At, is_mirror
from node.web.doors.door import Door
from node.web.doors.seen import seen_by
from node.web.pages import Twin, Visitor
from node.web.parts import Parts, form_for, number_in, split_suffix
from node.web.ports.ports import CollectionInfo, Held
from node.web.records import catalogue
from node.web.records.catalogue import Window
from node.web.records.records import FORM_LABELS, PROFILE
from node.web.records.view import look_quickly
from node.web.wire import answer, negotiate
from node.web.wire.answer import Document, Encoded, link
from node.web.wire.front import Still
from node.web.wire.parameters import check_known
from node.web.wording.graph import Described

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?")
DUMP_BATCH = 500
MAX_PAGE = 10_000_000
_ALL: dict[str, dict[str, str]] = {kind: {} for kind in negotiate.FORMS.values()}
_RDF: dict[str, dict[str, str]] = {negotiate.FORMS[form]: {} for form in negotiate.RDF_FORMS}
PageNumber = Annotated[str, Query(description="From 1; a hundred records a page.")]
Since = Annotated[str, Query(description="Only records changed at or after this date or time, ISO 8601.")]
Name = Annotated[str, Path(description="The collection's name, with or without a suffix.")]
PeerName = Annotated[str, Path(description="The peer's name on this node.")]


def since_ms(value: str) -> int:
    """Read `modified_since`; a time without a zone is UTC. Raises Malformed."""
    if not value:
        return 0
    try:
        # An unescaped + arrives as a space. Python alone would take more spellings than ISO 8601 has.
        at = datetime.fromisoformat(_MOMENT.fullmatch(value.replace(" ", "+"))[0])  # type: ignore[index]
    except (TypeError, ValueError):
        raise Malformed(
            f"modified_since={value[:40]!r} is no date.", fix="Write 2026-11-21 or 2026-11-21T03:40:00Z."
        ).on_page("no.page.since", field="modified_since") from None
    return max(0, int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000))


class CatalogDocuments:
    """Builds the documents of catalogue and collections."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._site = parts.site
        self._base = parts.site.base_url

    def _infos(self) -> list[CollectionInfo]:
        return list(self._parts.reading.collections().values())

    def rdf(self, extra: list[Triple], form: str, *, address: str, links: str = "", mark: str = "") -> Document:
        """Write loose triples as a document; its ETag is of its bytes unless a `mark` stands for them."""
        context = self._base + CONTEXT_PATH
        body = serialise.page([], extra, form, context_url=context).body  # type: ignore[arg-type]
        return self._wrap(body, form, address=address, links=links, mark=mark)

    def _wrap(self, body: bytes, form: str, *, address: str, links: str, mark: str = "") -> Document:
        kind = negotiate.FORMS[form]
        version = serialise.VERSIONS[form]  # type: ignore[index]
        return Document(
            body=body,
            media_type=f"{kind}; charset=utf-8" if form == "ttl" else kind,
            tag=f"{mark or hashlib.sha256(body).hexdigest()[:32]}-{version}",
            links=", ".join([*_alternates(address), *([links] if links else [])]),
            location=f"{address}.{form}",
            cache=answer.REVALIDATE,
        )

    def catalog(self, form: str, visitor: Visitor) -> Document:
        """Give the catalogue of all collections."""
        address = f"{self._base}/catalog"
        infos = self._infos()
        more = ", ".join(
            [
                link(f"{self._base}/.well-known/void", "describedby"),
                link(f"{self._base}/openapi.json", "service-desc", type="application/json"),
                link(f"{self._base}/docs", "service-doc", type="text/html"),
                link(PROFILE, "profile"),
            ]
        )
        if form != "html":
            return self.rdf(catalogue.whole(self._site, infos), form, address=address, links=more)
        pages = self._parts.pages
        body = pages.render(
            "catalog.html",
            visitor,
            nav="data",
            twins=_twins(address),
            collections=[(info, self._parts.reading.count(info.name), self._parts.mirror(info.name)) for info in infos],
        )
        return pages.document(body, links=", ".join([*_alternates(address), more]))

    def void(self, form: str) -> Document:
        """Give the VoID description of what this city publishes."""
        infos = self._parts.reading.own()
        counts = [self._parts.reading.count(info.name) for info in infos]
        first = next((self._parts.reading.page(info.name, offset=0, limit=1) for info in infos), [])
        example = At(self._base, first[0]).page if first else ""
        said = catalogue.void(self._site, infos, counts, example)
        return self.rdf(said, form, address=f"{self._base}/.well-known/void")

    def collection(self, name: str, form: str, visitor: Visitor, *, number: int, since: str) -> Document:
        """Give one page of a collection. Raises NotFound past the last page."""
        reading = self._parts.reading
        info, at_ms = reading.collection(name), since_ms(since)
        total = reading.count(name, modified_since_ms=at_ms)
        window = Window(number, total, self._site.page_size, since)
        if number > window.last:
            last = "is one page" if window.last == 1 else f"are {window.last} pages"
            beyond = NotFound(f"There {last}, and no page {number}.", fix="Begin at page=1.")
            beyond.said = ("refuse.beyond", {"number": number, "last": window.last})
            raise beyond
        helds = reading.page(name, offset=window.offset, limit=window.size, modified_since_ms=at_ms)
        address = catalogue.local_iri(self._site, name)
        turns = [
            link(window.address(address, to), "prev" if rel == "previous" else rel)
            for rel, to in window.links().items()
        ]
        origin = [link(info.iri, "via")] if is_mirror(name) else []
        feed = link(f"{address}/feed", "alternate", type="application/trig", title="changes")
        proven = link(f"{address}/checkpoint", "describedby")
        links = ", ".join([*turns, *origin, feed, proven, link(PROFILE, "profile")])
        if form == "html":
            body = self._collection_page(info, helds, window, visitor)
            return self._parts.pages.document(body, links=", ".join([*_alternates(address), links]))
        extra = catalogue.page(self._site, info, helds, window)
        # The mark stands for the bytes: it is made of everything they are made of.
        mark = hashlib.sha256(repr((self._base, extra, [held.digest for held in helds])).encode()).hexdigest()[:32]
        payloads, context = reading.payloads(helds), self._base + CONTEXT_PATH
        page = serialise.page(payloads, extra, form, context_url=context)  # type: ignore[arg-type]
        missing = [link(helds[one.index].iri, "item", title="not in RDF/XML") for one in page.left_out]
        return self._wrap(page.body, form, address=address, links=", ".join([links, *missing]), mark=mark)

    def _collection_page(self, info: CollectionInfo, helds: list[Held], window: Window, visitor: Visitor) -> bytes:
        address = catalogue.local_iri(self._site, info.name)
        return self._parts.pages.render(
            "collection.html",
            visitor,
            nav="data",
            twins=_twins(address),
            info=info,
            mirror=self._parts.mirror(info.name),
            canonical=info.iri if is_mirror(info.name) else "",
            rows=rows_of(self._parts, helds, visitor),
            window=window,
            first=window.offset + 1,
            turn=lambda to: window.address(f"/collections/{info.name}", to),
        )

    def dump_tag(self) -> str:
        """Give a weak ETag: it knows of every entry, but the stream may catch one more on its way."""
        own = self._parts.reading.own()
        state = [(info.iri, info.title, info.size, info.updated_at_ms) for info in own]
        return f'W/"{hashlib.sha256(repr((self._base, state)).encode()).hexdigest()[:32]}"'

    def dump(self) -> Iterator[bytes]:
        """Stream all that this city publishes as gzipped N-Quads, one named graph per record.

        Mirrors are left out: who wants another city's records asks that city, or follows the mirror's feed.
        """
        # wbits 31 is gzip with an empty header: no name, no time, so equal records give equal bytes.
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        infos = self._parts.reading.own()
        lines = sorted({" ".join(triple) for triple in catalogue.whole(self._site, infos)})
        yield packer.compress("".join(f"{line} <{self._base}/catalog> .\n" for line in lines).encode())
        try:
            for info in infos:
                for helds in self._parts.reading.walk(info.name):
                    for start in range(0, len(helds), DUMP_BATCH):
                        yield packer.compress(self._dumped(helds[start : start + DUMP_BATCH]))
        except Unavailable:
            # The status is sent already; without gzip's end every reader sees that this is not all.
            return
        yield packer.flush()

    def _dumped(self, helds: list[Held]) -> bytes:
        pairs = zip(helds, self._parts.reading.payloads(helds), strict=True)
        return b"".join(quads(payload, At(self._base, held).page) for held, payload in pairs)


def quads(payload: bytes, graph: str) -> bytes:
    """Put every triple of a payload into a named graph."""
    # A payload's lines end in " .\n", and LF stands nowhere else in N-Triples.
    return payload.replace(b" .\n", f" <{graph}> .\n".encode())


def rows_of(parts: Parts, helds: list[Held], visitor: Visitor) -> list[tuple[Held, object]]:
    """Work out the rows of a list."""
    payloads = parts.reading.payloads(helds)
    languages = parts.pages.languages
    return [
        (
            held,
            look_quickly(
                Described(ntriples.triples_of(payload), held.iri, visitor.language, languages), city_at=parts.city_at
            ),
        )
        for held, payload in zip(helds, payloads, strict=True)
    ]


def _alternates(address: str) -> list[str]:
    forms = catalogue.forms_at(address)
    return [link(address, "canonical"), *(link(href, "alternate", type=kind) for kind, href in forms.items())]


def _twins(address: str) -> list[Twin]:
    return [Twin(label, f"{address}.{suffix}") for suffix, label in FORM_LABELS.items()]


def router(parts: Parts) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Catalogue"], default_response_class=Response)
    _add_catalog(made, parts)
    _add_collections(made, parts)
    return made


def _add_catalog(made: APIRouter, parts: Parts) -> None:
    # What is for everyone: the dump and VoID say what this city publishes, whoever asks.
    documents = CatalogDocuments(parts)
    base, door = parts.site.base_url, Door(parts)
    forms: dict[int | str, dict[str, object]] = {200: {"content": _ALL}, 406: {}}

    @made.get("/catalog", summary="The catalogue of all collections", responses=forms)
    async def catalog(request: Request) -> Response:
        check_known(request.query_params, "lang")
        _, suffix = split_suffix(request.scope["path"])
        form = form_for(request, suffix, f"{base}/catalog")
        visitor, seen = parts.pages.visitor(request), await seen_by(door, parts, request)

        def make() -> Document:
            document = CatalogDocuments(seen.parts).catalog(form, visitor)
            return seen.sealed(document, *seen.parts.reading.collections())

        return answer.reply(request.headers, await parts.thread(make))

    for suffix in negotiate.FORMS:
        made.get(f"/catalog.{suffix}", include_in_schema=False)(catalog)

    @made.get("/catalog.nq.gz", summary="Everything in one file", description="N-Quads, a named graph per record.")
    async def dump(request: Request) -> Response:
        etag = documents.dump_tag()
        headers = {
            "content-disposition": 'attachment; filename="catalog.nq.gz"',
            "cache-control": answer.REVALIDATE,
            "etag": etag,
        }
        if negotiate.has_copy(request.headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=headers)
        if request.scope["state"].get("head"):
            return StreamingResponse(iter(()), media_type="application/gzip", headers=headers)
        return StreamingResponse(documents.dump(), media_type="application/gzip", headers=headers)

    @made.get("/.well-known/void", summary="VoID description", responses={200: {"content": _RDF}, 406: {}})
    async def void(request: Request) -> Response:
        _, suffix = split_suffix(request.scope["path"])
        form = form_for(request, suffix, f"{base}/.well-known/void", offered=negotiate.RDF_FORMS)
        return answer.reply(request.headers, await parts.thread(lambda: documents.void(form)))

    for suffix in negotiate.RDF_FORMS:
        made.get(f"/.well-known/void.{suffix}", include_in_schema=False)(void)

    @made.get(CONTEXT_PATH, summary="The JSON-LD context")
    async def context(request: Request) -> Response:
        tag = hashlib.sha256(CONTEXT_V1_BYTES).hexdigest()[:32]
        document = Document(
            CONTEXT_V1_BYTES, "application/ld+json", tag=tag, cache="public, max-age=86400", vary=answer.VARY_SUFFIX
        )
        return answer.reply(request.headers, document)


def _add_collections(made: APIRouter, parts: Parts) -> None:
    door = Door(parts)

    @made.get(
        "/collections/{name}",
        summary="A collection, page by page",
        description="A Hydra collection of whole descriptions; `hydra:next` and Link headers lead on.",
        responses={200: {"content": _ALL}, 400: {}, 404: {}, 406: {}},
    )
    async def collection(request: Request, name: Name, page: PageNumber = "1", modified_since: Since = "") -> Response:
        return await _paged(door, parts, request, name, page, modified_since)


def router_of_mirrors(parts: Parts) -> APIRouter:
    """Make the router of mirrored collections; the last of all, since `/collections/{name}/checkpoint` looks alike."""
    made = APIRouter(tags=["Catalogue"], default_response_class=Response)
    door = Door(parts)

    @made.get(
        "/collections/{peer}/{name}",
        summary="A mirrored collection, page by page",
        description="The records of another city's collection as this node holds them, verified.",
        responses={200: {"content": _ALL}, 400: {}, 404: {}, 406: {}},
    )
    async def mirrored(
        request: Request, peer: PeerName, name: Name, page: PageNumber = "1", modified_since: Since = ""
    ) -> Response:
        return await _paged(door, parts, request, f"{peer}/{name}", page, modified_since)

    return made


async def _paged(door: Door, parts: Parts, request: Request, name: str, page: str, modified_since: str) -> Response:
    check_known(request.query_params, "page", "modified_since", "lang")
    bare, suffix = split_suffix(name)
    number, version = number_in("page", page, most=MAX_PAGE), parts.reading.version()
    seen = await seen_by(door, parts, request)
    documents, visitor = CatalogDocuments(seen.parts), parts.pages.visitor(request)

    def make() -> tuple[CollectionInfo, Encoded]:
        info = seen.parts.reading.collection(bare)
        form = form_for(request, suffix, catalogue.local_iri(parts.site, info.name))
        document = documents.collection(bare, form, visitor, number=number, since=modified_since)
        gzipped = negotiate.wants_gzip(request.headers.get("accept-encoding", ""))
        return info, answer.encode(seen.sealed(document, bare), gzipped=gzipped)

    info, encoded = await parts.thread(make)
    if not modified_since and not seen.is_restricted(bare):
        parts.keep(request, encoded, still=_still(parts, info, encoded), version=version)
    return await seen.handed(request, answer.response(request.headers, encoded), bare)


def _still(parts: Parts, info: CollectionInfo, encoded: Encoded) -> Still | None:
    """Tell how to see that a kept page is still so: nothing was appended to its journal.

    Mirrors may get or lose payloads without an entry, and what people read says more than the collection does: those
    are made anew after any commit.
    """
    page = any(name == b"content-type" and value.startswith(b"text/html") for name, value in encoded.headers)
    if page or is_mirror(info.name):
        return None
    return lambda: parts.reading.collections().get(info.name) == info
