"""Numbers of this city's catalogue for everybody: what is in it, how good and fresh it is, how often it is used.

Sums alone: nothing of a visitor was ever kept that could be told here. Everybody sees what is public; staff, with a
token, also what is restricted and what is exchanged with each city.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.catalog.numbers import Told
from node.web.addresses import At
from node.web.doors.door import ANYBODY, Door
from node.web.doors.sight import seeing, sight_for
from node.web.doors.staff import Staff
from node.web.pages import Twin, Visitor
from node.web.parts import Parts, chosen_of, json_document
from node.web.portal.numbers_view import Named, charts_of, days_of, json_of, share_good
from node.web.ports.readers import Numbers
from node.web.records.records import title_of
from node.web.wire import answer
from node.web.wire.parameters import check_known


def router(parts: Parts, numbers: Numbers) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Operators"], default_response_class=Response)
    base = parts.site.base_url

    @made.get("/numbers.json", include_in_schema=False)
    @made.get("/numbers", summary="Numbers of this city's catalogue, of what everybody may see")
    async def public(request: Request) -> Response:
        check_known(request.query_params, "lang")
        as_json = request.scope["path"].endswith(".json") or (
            chosen_of(request, ("application/json", "text/html")) == "application/json"
        )
        visitor = parts.pages.visitor(request)
        told = await parts.thread(lambda: numbers.now(sight_for(parts, ANYBODY).sight, language=visitor.language))
        if as_json:
            shown = json_of(told, visitor.language, lambda iri: parts.reading.find_iri(iri) is not None)
            return answer.reply(request.headers, json_document(shown))

        def render() -> bytes:
            twins = [Twin("JSON", f"{base}/numbers.json")]
            return parts.pages.render(
                "numbers.html", visitor, nav="", twins=twins, fragment="", **context_of(parts, told, visitor)
            )

        return answer.reply(request.headers, parts.pages.document(await parts.thread(render)))

    if parts.site.federation:
        staff, door = Staff(parts, parts.site.federation), Door(parts)

        @made.get(
            "/api/numbers",
            summary="Numbers with what is restricted, and with what is exchanged",
            tags=["Staff: numbers"],
            responses={401: {}, 403: {}, 503: {}},
        )
        async def for_staff(request: Request) -> Response:
            await staff.enter(request)
            seen = await seeing(door, parts, request)
            reader = parts.pages.visitor(request).language
            told = await parts.thread(lambda: numbers.now(seen.sight, language=reader, with_exchange=True))
            shown = json_of(told, reader, lambda _: True)
            return JSONResponse(shown, headers={"cache-control": answer.NOT_KEPT})

    return made


def context_of(parts: Parts, told: Told, visitor: Visitor) -> dict[str, Any]:
    """Give what the page of the numbers shows."""
    good, measured = share_good(told)
    return {
        "told": told,
        "charts": charts_of(told, visitor.language),
        "days": [days_of("downloads", told.downloads), days_of("searches", told.searches)],
        "most": _named(parts, told.most, visitor),
        "good": good,
        "measured": measured,
    }


def _named(parts: Parts, most: Sequence[tuple[str, int]], visitor: Visitor) -> list[Named]:
    """Name what was downloaded most, as far as everybody may see it now."""
    found = []
    for iri, many in most:
        held = parts.reading.find_iri(iri)
        if held is not None:
            found.append(Named(title_of(parts, held, visitor), At("", held).page, many))
    return found
