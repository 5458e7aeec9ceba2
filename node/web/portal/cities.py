"""The cities this node exchanges with, for people and for programs: who they are, what is held of them, how it stands.

Only what everyone may know: proposed and blocked cities are not told, nor why one is held apart; the desk and the staff
API say more. A reading of what `federation` knows; nothing here asks another node.
"""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.federation.agreements.records import record_in
from node.records import slug_of
from node.web.pages import Twin, Visitor
from node.web.parts import Parts, chosen_of, json_document
from node.web.portal.reach import reach_of
from node.web.ports.cities import Mirror, PeerCity, Standing
from node.web.ports.ports import Federation
from node.web.wire import answer
from node.web.wire.parameters import check_known
from node.web.wording.plain import iso


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Federation"], default_response_class=Response)

    def told() -> dict[str, object]:
        return {"cities": [_city_json(parts, one) for one in federation.view.standings()]}

    @made.get("/federation.json", include_in_schema=False)
    @made.get("/federation", summary="The cities this node exchanges with", description="What is held of each.")
    async def cities(request: Request) -> Response:
        check_known(request.query_params, "lang")
        as_json = request.scope["path"].endswith(".json")
        if as_json or chosen_of(request, ("application/json", "text/html")) == "application/json":
            return answer.reply(request.headers, json_document(await parts.thread(told)))
        visitor = parts.pages.visitor(request)
        page = await parts.thread(lambda: _page(parts, federation, visitor))
        return answer.reply(request.headers, parts.pages.document(page))

    @made.get("/join", include_in_schema=False)
    async def join(request: Request) -> Response:
        chosen_of(request, ("text/html",))
        page = parts.pages.render(
            "join.html",
            parts.pages.visitor(request),
            nav="cities",
            mailbox=parts.site.contact_mailbox,
            slug=slug_of(parts.site.city) or "city",
        )
        return answer.reply(request.headers, parts.pages.document(page))

    return made


def _page(parts: Parts, federation: Federation, visitor: Visitor) -> bytes:
    standings, here = federation.view.standings(), federation.view.place
    return parts.pages.render(
        "federation.html",
        visitor,
        nav="cities",
        twins=[Twin("JSON", f"{parts.site.base_url}/federation.json")],
        cities=[(one, _held(parts, one.city), reach_of([day.reach for day in one.days])) for one in standings],
        titles={name: info.title for name, info in parts.reading.collections().items()},
        here_at=here,
        # In our journal an agreement that the other city made has a name of ours.
        held_of=lambda iri: parts.reading.find_iri(record_in(iri, parts.site.base_url)) or parts.reading.find_iri(iri),
        placed=any(one.place for one in standings),
    )


def _held(parts: Parts, city: PeerCity) -> int:
    shown = parts.reading.collections()
    return sum(parts.reading.count(mirror.local) for mirror in city.mirrors if mirror.local in shown)


def _city_json(parts: Parts, one: Standing) -> Mapping[str, object]:
    city = one.city
    return {
        "name": city.name,
        "city": city.city,
        "url": city.url,
        "state": city.state,
        "since": iso(city.since_ms),
        "answered_at": iso(city.answered_at_ms),
        "stale": city.stale,
        "away": city.away,
        "place": list(one.place) if one.place else None,
        "days": [{"day": str(iso(day.at_ms))[:10], "reach": day.reach} for day in one.days],
        "agreements": [
            {
                "agreement": each.iri,
                "title": each.title,
                "assigner": parts.site.base_url if each.opens else city.url,
                "ends_at": iso(each.ends_at_ms),
            }
            for each in one.agreements
        ],
        "mirrors": [_mirror_json(parts, mirror) for mirror in city.mirrors],
    }


def _mirror_json(parts: Parts, mirror: Mirror) -> Mapping[str, object]:
    info = parts.reading.collections().get(mirror.local)
    return {
        "collection": info.iri if info else None,
        "held_at": f"{parts.site.base_url}/collections/{mirror.local}",
        "entries": info.size if info else 0,
        "known_entries": mirror.known_size,
        "records": parts.reading.count(mirror.local) if info else 0,
        "checked_at": iso(mirror.checked_at_ms),
        "stale": mirror.stale,
        "away": mirror.away,
    }
