"""What cities have learnt, kind by kind: `/knowledge` says what there is, `/practices` and the others list each kind.

A list is the search with its kind chosen, so it has the same forms (page, JSON, Atom, RDF), facets, orders and cities;
it begins with the newest. Every kind that has a table has a list.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.catalog.search.query import Query
from node.catalog.search.results import Count
from node.errors import Unavailable
from node.records import KINDS
from node.vocab.kinds import TABLES
from node.vocab.kinds.field import KindTable
from node.web.doors.door import Door
from node.web.doors.sight import Seeing, seeing
from node.web.pages import Twin, Visitor
from node.web.parts import Parts, chosen_of, json_document
from node.web.ports.find import Finders
from node.web.records.touching import said_in_words
from node.web.search.search import FORMS, Searching, answered, intro_to
from node.web.wire import answer
from node.web.wire.answer import Document

_KINDS = ("text/html", "application/json")


def router(parts: Parts, finders: Finders) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Knowledge"], default_response_class=Response)
    searching, door = Searching(parts, finders), Door(parts)
    _add_overview(made, parts, finders, door)
    for table in TABLES.values():
        _add_list(made, table, searching, door)
    return made


def _add_list(made: APIRouter, table: KindTable, searching: Searching, door: Door) -> None:
    path = f"/{KINDS[table.kind]}"

    async def listed(request: Request) -> Response:
        reader = searching.parts.pages.visitor(request).language
        return await answered(searching, door, request, intro_to(table.kind, reader))

    said = f"{table.about['en']} The search with this kind chosen: it takes the same parameters."
    forms: dict[int | str, dict[str, object]] = {
        200: {"content": {kind: {} for kind in FORMS.values()}},
        406: {},
        503: {},
    }
    made.get(path, summary=table.plural["en"], description=said, responses=forms)(listed)
    for suffix in FORMS:
        made.get(f"{path}.{suffix}", include_in_schema=False)(listed)


def _add_overview(made: APIRouter, parts: Parts, finders: Finders, door: Door) -> None:
    both: dict[int | str, dict[str, object]] = {200: {"content": {kind: {} for kind in _KINDS}}, 406: {}}

    async def overview(request: Request) -> Response:
        as_json = request.scope["path"].endswith(".json") or chosen_of(request, _KINDS) == "application/json"
        visitor, seen = parts.pages.visitor(request), await seeing(door, parts, request)
        make = _json if as_json else _page
        document = await parts.thread(lambda: make(parts, finders, seen, visitor))
        return answer.reply(request.headers, seen.sealed(document))

    made.get("/knowledge", summary="What cities have learnt", responses=both)(overview)
    made.get("/knowledge.json", include_in_schema=False)(overview)


def _counts(finders: Finders, seen: Seeing) -> dict[str, int]:
    """Count the records of each kind that this caller may find; nothing while the search cannot answer."""
    query = Query(limit=0, facets=("kind",), facet_limit=len(KINDS), highlight=False)
    try:
        found: tuple[Count, ...] = finders.search.find(query, seen.sight, now_ms=0).facets["kind"]
    except Unavailable:
        return {}
    return {one.value: one.count for one in found}


def _page(parts: Parts, finders: Finders, seen: Seeing, visitor: Visitor) -> Document:
    counts, reader = _counts(finders, seen), visitor.language
    kinds = [
        (
            f"/{KINDS[kind]}",
            said_in_words(table.plural, reader),
            said_in_words(table.about, reader),
            counts.get(kind, 0),
        )
        for kind, table in TABLES.items()
    ]
    twins = [Twin("JSON", f"{parts.site.base_url}/knowledge.json")]
    body = parts.pages.render("kinds.html", visitor, nav="knowledge", twins=twins, kinds=kinds)
    return parts.pages.document(body)


def _json(parts: Parts, finders: Finders, seen: Seeing, visitor: Visitor) -> Document:
    counts, base = _counts(finders, seen), parts.site.base_url
    kinds = [
        {
            "kind": kind,
            "title": said_in_words(table.plural, visitor.language),
            "about": said_in_words(table.about, visitor.language),
            "class": table.cls,
            "records": counts.get(kind, 0),
            "list": f"{base}/{KINDS[kind]}",
        }
        for kind, table in TABLES.items()
    ]
    return json_document({"kinds": kinds})
