"""Where peers say who withdrew consent from data that was given, and answer what this city told them of that.

A peer tells which salted keys withdrew, and answers what it was told; both are signed by a peer that signs messages. No
resident's key is ever taken in or given here.
"""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.federation.consent.post import MAX_BODY_BYTES, read_answer, read_told
from node.web.exchange.hearing import Hearing
from node.web.parts import Parts
from node.web.ports.ports import Federation

_HEARD: dict[int | str, dict[str, Any]] = {
    202: {"description": "Heard"},
    **{status: {} for status in (400, 401, 403, 404, 413, 429)},
}


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Feed"], default_response_class=Response)
    hearing = Hearing(parts, federation, most=MAX_BODY_BYTES)
    consenting = federation.moving.consenting

    @made.post(
        "/federation/withdrawals",
        summary="Tell which residents withdrew consent from data that this city holds",
        description="A peer names persons by salted keys, under an agreement in which it gives the data.",
        status_code=202,
        responses=_HEARD,
    )
    async def told(request: Request) -> Response:
        return await hearing.hear(request, lambda url, body: consenting.acknowledgements.hear(url, read_told(body)))

    @made.post(
        "/federation/withdrawals/answers",
        summary="Answer withdrawals that this city told: acknowledged, or erased",
        description='A peer says `{"state", "ids", "at"}`; saying it again changes nothing.',
        status_code=202,
        responses=_HEARD,
    )
    async def answered(request: Request) -> Response:
        return await hearing.hear(request, lambda url, body: consenting.withdrawals.hear(url, read_answer(body)))

    return made
