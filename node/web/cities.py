"""The cities this node exchanges with, for people and for programs: who they are, what is held of them, how it stands.

Only what everyone may know: proposed and blocked cities are not told, nor why one is held apart; the desk and the staff
API say more. A reading of what `federation` knows; nothing here asks another node.
"""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.web import answer
from node.web.city_ports import Mirror, PeerCity
from node.web.operators import iso
from node.web.pages import Twin
from node.web.parts import Parts, chosen_of, json_document
from node.web.ports import Federation


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Federation"], default_response_class=Response)
    base = parts.site.base_url

    def told() -> dict[str, object]:
        return {"cities": [_city_json(parts, one) for one in federation.view.cities()]}

    @made.get("/federation.json", include_in_schema=False)
    @made.get("/federation", summary="The cities this node exchanges with", description="What is held of each.")
    async def cities(request: Request) -> Response:
        as_json = request.scope["path"].endswith(".json")
        if as_json or chosen_of(request, ("application/json", "text/html")) == "application/json":
            return answer.reply(request.headers, json_document(await parts.thread(told)))
        visitor = parts.pages.visitor(request)

        def render() -> bytes:
            return parts.pages.render(
                "federation.html",
                visitor,
                nav="cities",
                twins=[Twin("JSON", f"{base}/federation.json")],
                cities=[(one, _held(parts, one)) for one in federation.view.cities()],
                titles={name: info.title for name, info in parts.reading.collections().items()},
            )

        return answer.reply(request.headers, parts.pages.document(await parts.thread(render)))

    return made


def _held(parts: Parts, city: PeerCity) -> int:
    shown = parts.reading.collections()
    return sum(parts.reading.count(mirror.local) for mirror in city.mirrors if mirror.local in shown)


def _city_json(parts: Parts, city: PeerCity) -> Mapping[str, object]:
    return {
        "name": city.name,
        "city": city.city,
        "url": city.url,
        "state": city.state,
        "since": iso(city.since_ms),
        "answered_at": iso(city.answered_at_ms),
        "stale": city.stale,
        "away": city.away,
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
