"""What touches a record, as a document of its own beside the record: JSON for programs, and a page with all of it.

Both directions: `into` are the records that point to it, by kind and field, `out_of` those it points to, also those
that are not held here. The record's page shows the same, but only the newest of each kind.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.catalog.relations import MOST_FOUND
from node.records import PLURALS
from node.web.addresses import At
from node.web.doors.door import Door
from node.web.doors.seen import Seen, seen_by
from node.web.pages import Twin, Visitor
from node.web.parts import Parts, chosen_of, json_document
from node.web.ports.ports import Held
from node.web.reading import Reading, held_by
from node.web.records.records import Iri, Plural, Slug, title_of
from node.web.records.touching import Group, Touched, Touching, field_of, said_in_words
from node.web.wire import answer
from node.web.wire.answer import Document
from node.web.wording.graph import href

_KINDS = ("application/json", "text/html")
_RESPONSES: dict[int | str, dict[str, Any]] = {200: {"content": {kind: {} for kind in _KINDS}}, 404: {}, 406: {}}


def router(parts: Parts) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Records"], default_response_class=Response)
    door = Door(parts)
    said = "The records of any city that point to it, and those it points to, as far as the caller may see them."

    async def of_own(request: Request, plural: Plural, slug: Slug) -> Response:
        return await _answered(door, parts, request, lambda reading: reading.record(PLURALS[plural], slug))

    async def of_any(request: Request, iri: Iri = "") -> Response:
        return await _answered(door, parts, request, lambda reading: held_by(reading, iri))

    for ending, shown in (("", True), (".json", False)):
        made.get(
            f"/{{plural:plural}}/{{slug}}/relations{ending}", summary="What touches a record", description=said,
            responses=_RESPONSES | {410: {}}, include_in_schema=shown,
        )(of_own)  # fmt: skip
        made.get(
            f"/records/relations{ending}", summary="What touches a record, by its IRI", description=said,
            responses=_RESPONSES | {400: {}}, include_in_schema=shown,
        )(of_any)  # fmt: skip
    return made


async def _answered(door: Door, parts: Parts, request: Request, find: Callable[[Reading], Held]) -> Response:
    as_json = request.scope["path"].endswith(".json") or chosen_of(request, _KINDS) == "application/json"
    seen = await seen_by(door, parts, request)
    held = await seen.found(find)
    visitor = parts.pages.visitor(request)
    make = _json if as_json else _page
    document = await parts.thread(lambda: make(parts, seen, held, visitor))
    return answer.reply(request.headers, seen.sealed(document, held.collection))


def _touching(parts: Parts, seen: Seen, held: Held, visitor: Visitor) -> Touching:
    """Tell of what is for everyone only what is for everyone, as its page does."""
    return Touching(seen.parts if seen.is_restricted(held.collection) else parts, visitor.language)


def _page(parts: Parts, seen: Seen, held: Held, visitor: Visitor) -> Document:
    touching, at = _touching(parts, seen, held, visitor), At(parts.site.base_url, held)
    mirror = parts.mirror(held.collection)
    body = parts.pages.render(
        "relations.html",
        visitor,
        nav="data",
        twins=[Twin("JSON", at.beside("relations.json"))],
        held=held,
        title=title_of(seen.parts, held, visitor),
        origin=mirror.city if mirror else parts.site.city,
        groups=touching.into(held, most=MOST_FOUND),
        targets=[each for _, each in touching.out_of(held)],
    )
    return parts.pages.document(body)


def _json(parts: Parts, seen: Seen, held: Held, visitor: Visitor) -> Document:
    touching, reader = _touching(parts, seen, held, visitor), visitor.language
    base = parts.site.base_url
    into = [_told(one, base) | _by(group) for group in touching.into(held, most=MOST_FOUND) for one in group.rows]
    out_of = [
        _told(one, base) | {"field": relation.name, "label": _label(relation.kind, relation.name, reader)}
        for relation, one in touching.out_of(held)
    ]
    return json_document({"record": held.iri, "into": into, "out_of": out_of})


def _by(group: Group) -> dict[str, object]:
    return {"field": group.name, "label": group.label}


def _label(kind: str, name: str, reader: str) -> str:
    field = field_of(kind, name)
    return said_in_words(field.label, reader) if field else name


def _told(one: Touched, base: str) -> dict[str, object]:
    """Say a record at the other end; of one that is not here, only what its address says."""
    held = one.held
    if held is None:
        return {"iri": one.iri, "held": False, "city": one.city or None, "page": href(one.iri) or None}
    return {
        "iri": held.iri,
        "held": True,
        "kind": held.kind,
        "title": one.title.text,
        "title_language": one.title.tag,
        "summary": one.lead.text,
        "city": one.city,
        "collection": held.collection,
        "page": At(base, held).page,
        "published": datetime.fromtimestamp(held.at_ms / 1000, UTC).isoformat(timespec="seconds"),
        "replies": [_told(each, base) for each in one.replies],
    }
