"""The search: one question, answered as a page, JSON, an Atom feed or linked data, by Accept or by suffix.

What is found depends on who asks (`sight`), never on the form. Searching runs beside the event loop; cities that must
be asked live (`federation.asking`) are asked at the same time, for callers who may hear them and on the first page
alone. An answer with anything restricted in it is kept by no cache.
"""

import asyncio
import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.catalog.search.query import Query as Question
from node.catalog.search.results import Count, Results
from node.errors import Malformed, NotAcceptable, Unavailable
from node.federation.asking.asking import Heard, Wanted
from node.records import slug_of
from node.vocab import serialise
from node.vocab.contexts import CONTEXT_PATH
from node.vocab.kinds import TABLES
from node.web.addresses import is_mirror
from node.web.doors.door import Door
from node.web.doors.sight import Seeing, seeing
from node.web.pages import Twin, Visitor, accept_of, is_fragment
from node.web.parts import Parts, json_document
from node.web.ports.find import Finders
from node.web.ports.ports import CollectionInfo, Held
from node.web.records.touching import said_in_words
from node.web.search import rdf as search_rdf
from node.web.search.facts import is_knowledge
from node.web.search.hints import absent, hints, nowhere, unpublished, without_filters
from node.web.search.hits import Row, Teller, facet_label, merged
from node.web.search.looks import Looks
from node.web.search.page import panel
from node.web.search.query import EDGES, PARAMETERS, Asked, read_asked
from node.web.wire import answer, atom, negotiate
from node.web.wire.answer import Document, link
from node.web.wording.words import words

# Suffix -> media type, in the order a caller without a preference gets them.
FORMS: Mapping[str, str] = {
    "json": "application/json",
    "html": "text/html",
    "atom": atom.MEDIA_TYPE,
    "ttl": "text/turtle",
    "jsonld": "application/ld+json",
    "rdf": "application/rdf+xml",
    "nt": "application/n-triples",
}
_OFFERED = tuple(FORMS.values())
_FORM_OF = {kind: name for name, kind in FORMS.items()}
_TWINS = {"json": "JSON", "atom": "Atom", "ttl": "Turtle", "jsonld": "JSON-LD", "rdf": "RDF/XML"}
# The kinds that have a place of their own in the menu.
NAVS = {"practice": "practices", "ai-system": "register"}
LIVE_AT_ONCE = 8
Said = tuple[str, Mapping[str, object]]
NOTHING = Heard()


@dataclass(frozen=True, slots=True)
class Found:
    """An answer before it has a form: rows of this page in order, and what is told of all that was found.

    `unpublished` tells that nothing at all is published (`all`) or nothing of the one kind asked for (`kind`),
    `nowhere` that a place was asked for which no record has, `absent` says so of values, `without` counts what there is
    without filters where with them there is nothing, and `refused` is why nothing could be asked: a key of the words,
    and values.
    """

    asked: Asked
    results: Results
    rows: tuple[Row, ...]
    heard: Heard = NOTHING
    broken: bool = False
    unpublished: str = ""
    nowhere: bool = False
    absent: tuple[str, ...] = ()
    without: int = 0
    refused: Said | None = None

    @property
    def hints(self) -> tuple[str, ...]:
        """Say what of the question may be why there is nothing."""
        if self.total or self.broken:
            return ()
        if self.unpublished:
            return (words(self.asked.query.language, f"search.unpublished_{self.unpublished}"),)
        return (*self.absent, *hints(self.asked, nowhere=self.nowhere))

    @property
    def total(self) -> int:
        """Count what was found here and elsewhere."""
        return self.results.total + self.heard.total

    @property
    def exact(self) -> bool:
        """Tell whether it is exactly that many."""
        return self.results.exact and self.heard.exact

    @property
    def following(self) -> str:
        """Give the address of the next page below the base URL, or nothing."""
        cursor = self.results.cursor
        return self.asked.path(self.asked.at(cursor, self.asked.query.limit)) if cursor else ""


@dataclass(frozen=True, slots=True)
class Intro:
    """What stands above the answer on a page that lists one kind: its name and what it is."""

    kind: str
    title: str
    about: str

    def over(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Put the kind, and the order where none is said, into the parameters: pages that follow are the search's."""
        kept = [("kind", self.kind), *(pair for pair in pairs if pair[0] != "kind")]
        given = {name for name, value in pairs if value.strip()}
        return kept if given & {"q", "sort"} else [*kept, ("sort", "changed")]


class Searching:
    """Asks, and writes the forms. Keeps the names of cities as of one version of the shelf."""

    def __init__(self, parts: Parts, finders: Finders) -> None:
        self.parts, self.finders = parts, finders
        self._looks = Looks(parts.pages.languages, city_at=parts.city_at, titles=self._titles)
        self._live = asyncio.Semaphore(LIVE_AT_ONCE)
        self._cities: tuple[int, Mapping[str, str]] = (-1, {})

    # ------------------------------------------------------------ asking

    async def find(self, asked: Asked, seen: Seeing) -> Found:
        """Ask here and, where this caller may hear it, elsewhere. Raises Unavailable while there is no index."""
        now_ms = int(time.time() * 1000)

        def search() -> Found:
            results = self.finders.search.find(asked.query, seen.sight, now_ms=now_ms)
            found = Found(asked, results, self.rows(results, asked.query))
            return found if results.total else self._why_nothing(found, seen, now_ms)

        found, heard = await asyncio.gather(self.parts.thread(search), self._elsewhere(asked, seen))
        teller = self._teller(asked.query.language)
        others = [[teller.live(hit) for hit in hits] for hits in heard.found]
        together = merged(found.rows, others, asked.query.sort) if any(others) else list(found.rows)
        return replace(found, rows=tuple(together), heard=heard)

    def _why_nothing(self, found: Found, seen: Seeing, now_ms: int) -> Found:
        """Find out why nothing was found: because there is nothing, or because of what was asked; blocks."""
        asked, ask = found.asked, partial(self.finders.search.find, sight=seen.sight, now_ms=now_ms)
        if nothing := unpublished(asked, ask):
            return replace(found, unpublished=nothing)
        return replace(
            found,
            nowhere=nowhere(asked.query.place, ask),
            without=without_filters(asked, ask),
            absent=absent(asked, ask, self.city_named),
        )

    async def _elsewhere(self, asked: Asked, seen: Seeing) -> Heard:
        federation = self.parts.site.federation
        if federation is None or seen.caller.kind not in ("staff", "program") or asked.query.cursor:
            return NOTHING
        wanted = self._wanted(asked)
        async with self._live:
            return await asyncio.to_thread(lambda: federation.asking.ask(seen.caller, wanted))

    @staticmethod
    def _wanted(asked: Asked) -> Wanted:
        cities, not_cities = asked.named("city")
        collections, not_collections = asked.named("collection")
        return Wanted(asked.elsewhere(), asked.query.limit, cities, not_cities, collections, not_collections)

    def rows(self, results: Results, query: Question) -> tuple[Row, ...]:
        """Make the rows of an answer."""
        # Not through the public reading: what may be seen was decided before it was looked for.
        helds = [hit.held for hit in results.hits]
        looks, teller = self._looks.of(helds, query.language, self.parts.reading.payloads), self._teller(query.language)
        return tuple(teller.held(hit, look) for hit, look in zip(results.hits, looks, strict=True) if look is not None)

    def _teller(self, reader: str) -> Teller:
        return Teller(self.parts.site.base_url, reader, self._city_of, self._points)

    def _public(self) -> Iterable[CollectionInfo]:
        return self.parts.reading.collections().values()

    def _titles(self) -> Mapping[str, str]:
        return {info.iri: info.title for info in self._public() if info.title}

    def _points(self, held: Held) -> int | None:
        return self.finders.quality.points(held.collection, held.iri)

    # ------------------------------------------------------------ names of cities

    def _city_of(self, collection: str) -> tuple[str, str]:
        """Give a collection's city: its name here, and how it is called."""
        site = self.parts.site
        if not is_mirror(collection):
            return slug_of(site.city), site.city
        peer = collection.partition("/")[0]
        return peer, self.city_named(peer)

    def city_named(self, name: str) -> str:
        """Call a city by its name here as it calls itself; what is no city stays as it is."""
        site = self.parts.site
        if name == slug_of(site.city):
            return site.city
        version = self.parts.reading.version()
        if self._cities[0] != version:
            view = site.federation.view if site.federation else None
            self._cities = (version, {one.name: one.city for one in view.cities()} if view else {})
        return self._cities[1].get(name, name)

    def label(self, facet: str, count: Count, reader: str) -> str:
        """Say a value of a facet."""
        return facet_label(facet, count.value, count.label, reader, self.city_named)

    # ------------------------------------------------------------ forms

    def document(
        self, found: Found, form: str, visitor: Visitor, suffix: str, intro: Intro | None = None, *, part: bool = False
    ) -> Document:
        """Write the answer in a form; `suffix` is that of the address it was asked at, or nothing.

        Of a page the `part` that depends on what was asked, if only that is wanted; it says what its address is.
        """
        if form == "html":
            made = self._page(found, visitor, intro, part=part)
        elif form == "json":
            made = json_document(self._json(found))
        elif form == "atom":
            made = self._atom(found, visitor, suffix)
        else:
            made = self._rdf(found, form, suffix)
        base = self.parts.site.base_url
        links = [
            *(
                link(base + found.asked.path(suffix=f".{name}"), "alternate", type=kind)
                for name, kind in FORMS.items()
                if name != form
            ),
            *([link(base + found.following, "next")] if found.following else []),
            *([made.links] if made.links else []),
        ]
        vary = f"{answer.VARY}, HX-Request, HX-Request-Type" if form == "html" else answer.VARY
        return Document(
            made.body,
            made.media_type,
            made.tag,
            cache=answer.REVALIDATE,
            vary=vary,
            status=made.status,
            links=", ".join(links),
            extra=made.extra,
        )

    def _json(self, found: Found) -> dict[str, object]:
        results, base, reader = found.results, self.parts.site.base_url, found.asked.query.language
        return {
            "total": found.total,
            "total_is": "exact" if found.exact else "at-least",
            "hits": [row.json for row in found.rows],
            "facets": {
                name: [
                    {"value": one.value, "label": self.label(name, one, reader), "count": one.count} for one in counts
                ]
                for name, counts in results.facets.items()
            },
            "next": base + found.following if found.following else None,
            "did_you_mean": results.did_you_mean or None,
            "fuzzy": results.fuzzy,
            "cut": results.cut,
            "renewed": results.renewed,
            "hint": " ".join(found.hints) or None,
            "asked": [
                {"city": one.peer, "state": one.state, "hits": one.hits, "ms": one.ms} for one in found.heard.asked
            ],
        }

    def _atom(self, found: Found, visitor: Visitor, suffix: str) -> Document:
        site, asked = self.parts.site, found.asked
        text, reader = asked.value("q"), visitor.language
        said = words(reader, "search.feed_for", city=site.city, q=text) if text else ""
        about = atom.About(
            id=site.base_url + asked.path(),
            here=site.base_url + asked.path(asked.pairs, suffix=f".{suffix}" if suffix else ""),
            page=site.base_url + asked.path(suffix=".html"),
            title=said or words(reader, "search.feed", city=site.city),
            subtitle=words(reader, "search.cut") if found.results.cut else "",
            author=site.city,
            language=reader,
            query=text,
            total=found.total,
            per_page=asked.query.limit,
            next=site.base_url + found.following.replace("/search?", "/search.atom?", 1) if found.following else "",
            description=f"{site.base_url}/opensearch.xml",
            updated=atom.moment(max((info.updated_at_ms for info in self._public()), default=0)),
            icon=f"{site.base_url}/static/icon.svg",
            software=site.software,
        )
        body = atom.feed(about, (atom.entry_of(row.json) for row in found.rows))
        return Document(body, f"{atom.MEDIA_TYPE}; charset=utf-8", tag=_tag(body, "atom1"))

    def _rdf(self, found: Found, form: str, suffix: str) -> Document:
        site, asked = self.parts.site, found.asked
        tail = f".{suffix}" if suffix else ""
        following = found.following.replace("/search?", f"/search{tail}?", 1)
        said = search_rdf.page(
            site,
            search=site.base_url + asked.path(),
            here=site.base_url + asked.path(asked.pairs, suffix=tail),
            first=site.base_url + asked.path(suffix=tail),
            following=site.base_url + following if following else "",
            total=found.total,
            members=[str(row.json["iri"]) for row in found.rows],
            language=asked.query.language,
        )
        said += [search_rdf.cut(site.base_url + asked.path(), asked.query.language)] if found.results.cut else []
        held = [row.record for row in found.rows if row.record is not None]
        context = site.base_url + CONTEXT_PATH
        page = serialise.page(self.parts.reading.payloads(held), said, form, context_url=context)  # type: ignore[arg-type]
        missing = [link(held[one.index].iri, "item", title="not in RDF/XML") for one in page.left_out]
        kind = f"{FORMS[form]}; charset=utf-8" if form == "ttl" else FORMS[form]
        version = serialise.VERSIONS[form]  # type: ignore[index]
        return Document(page.body, kind, tag=_tag(page.body, version), links=", ".join(missing))

    def _page(self, found: Found, visitor: Visitor, intro: Intro | None, *, part: bool) -> Document:
        asked, results, base = found.asked, found.results, self.parts.site.base_url
        intro = intro or _intro_of(asked, visitor.language)
        body = self.parts.pages.render(
            "search.html",
            visitor,
            nav=NAVS.get(intro.kind, "knowledge") if intro else "search",
            fragment="results" if part else "",
            part=part,
            intro=intro,
            twins=[Twin(label, base + asked.path(suffix=f".{name}")) for name, label in _TWINS.items()],
            asked=asked,
            found=found,
            rows=found.rows,
            panel=panel(
                asked,
                results.facets,
                found.heard.asked,
                visitor.language,
                self.city_named,
                slug_of(self.parts.site.city),
                intro.kind if intro else "",
            ),
            meant=asked.path(asked.changed("q", results.did_you_mean)) if results.did_you_mean else "",
            feed=asked.path(suffix=".atom"),
        )
        made = self.parts.pages.document(body, status=503 if found.broken else 400 if found.refused else 200)
        if not part or found.refused:
            return made
        # The address that is shown is the shortest of this question: without what a form leaves empty.
        asked_in = (("lang", visitor.language),) if visitor.chosen else ()
        here = asked.path((*asked.lasting, *asked_in))
        return replace(made, extra=(("hx-push-url", self.parts.pages.prefix + here),))


def _intro_of(asked: Asked, reader: str) -> Intro | None:
    """Introduce the kind that is asked for, if it is one alone of those that tell what a city has learnt."""
    kinds = asked.query.filters.get("kind", ())
    return intro_to(kinds[0], reader) if len(kinds) == 1 and is_knowledge(kinds[0]) else None


def intro_to(kind: str, reader: str) -> Intro:
    """Say what a kind that has a table is called, and what it is."""
    table = TABLES[kind]
    return Intro(kind, said_in_words(table.plural, reader), said_in_words(table.about, reader))


def _tag(body: bytes, version: str) -> str:
    return f"{hashlib.sha256(body).hexdigest()[:32]}-{version}"


def _described() -> dict[str, object]:
    """Describe the parameters for the reference: they are read from the address by hand, all at once."""
    single = {"q", "bbox", "place", "from", "to", "sort", "limit", "cursor", "lang"}
    text = {"type": "string"}
    return {
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": said,
                "schema": text if name in single else {"type": "array", "items": text},
            }
            for name, said in PARAMETERS.items()
        ]
    }


def router(parts: Parts, finders: Finders) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Search"], default_response_class=Response)
    searching, door = Searching(parts, finders), Door(parts)
    forms: dict[int | str, dict[str, object]] = {
        200: {"content": {kind: {} for kind in FORMS.values()}},
        400: {},
        406: {},
        503: {},
    }

    @made.get(
        "/search",
        summary="Search all records",
        description="Own and mirrored records, with counts by facet. A leading `-` leaves a value out; values of one"
        " facet are any of them, facets are all of them. `next` leads on.",
        responses=forms,
        openapi_extra=_described(),
    )
    async def search(request: Request) -> Response:
        return await answered(searching, door, request)

    for suffix in FORMS:
        made.get(f"/search.{suffix}", include_in_schema=False)(search)
    return made


async def answered(searching: Searching, door: Door, request: Request, intro: Intro | None = None) -> Response:
    """Answer a question in the form asked for; with an intro, among records of its kind, the newest first."""
    parts = searching.parts
    suffix = request.scope["path"].rpartition("/")[2].partition(".")[2]
    form = suffix or _form(request, parts)
    visitor = parts.pages.visitor(request)
    given = request.query_params.multi_items()
    pairs = intro.over(given) if intro else given
    seen = await seeing(door, parts, request)
    try:
        asked = read_asked(pairs, visitor.language, newest_first=form == "atom")
        seen.check(sorted(asked.named("collection")[0]))
        found = await _found(searching, asked, seen, form)
        if asked.value("q").strip() and not asked.narrowing and not asked.query.cursor and not found.broken:
            parts.count(request, "search", "found" if found.total else "none")
    except Malformed as error:
        if form != "html":
            raise
        found = _refused(error, pairs, visitor)
    part = form == "html" and is_fragment(request)
    document = await parts.thread(lambda: searching.document(found, form, visitor, suffix, intro, part=part))
    return answer.reply(request.headers, seen.sealed(document, live=bool(found.heard.asked)))


async def _found(searching: Searching, asked: Asked, seen: Seeing, form: str) -> Found:
    """Ask; a page stays, with the question in it, also where only the answer is missing."""
    try:
        return await searching.find(asked, seen)
    except Unavailable:
        if form != "html":
            raise
        return Found(asked, Results(0, exact=True, hits=()), (), broken=True)


def _refused(error: Malformed, pairs: Sequence[tuple[str, str]], visitor: Visitor) -> Found:
    """Keep of a question that cannot be asked what can, and say what cannot."""
    said = error.said if error.said[0] else ("refuse.cursor", {})
    wrong = {str(said[1].get("name", "")), "cursor"}
    try:
        asked = read_asked([pair for pair in pairs if pair[0] not in (wrong | _also(wrong))], visitor.language)
    except Malformed:
        asked = read_asked([], visitor.language)
    return Found(asked, Results(0, exact=True, hits=()), (), refused=said)


def _also(wrong: set[str]) -> set[str]:
    return {*EDGES, "bbox"} if "bbox" in wrong else {"from", "to"} if "to" in wrong else set()


def _form(request: Request, parts: Parts) -> str:
    chosen = negotiate.form(accept_of(request), _OFFERED)
    if not chosen:
        available = {kind: f"{parts.site.base_url}/search.{name}" for name, kind in FORMS.items()}
        raise NotAcceptable(
            f"This exists as {', '.join(available)}, and none of these was asked for.",
            available=available,
            fix="Ask for one of these in Accept, or use its address.",
        ).on_page("no.form.kind")
    return _FORM_OF[chosen]
