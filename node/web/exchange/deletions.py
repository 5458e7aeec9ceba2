"""Where peers say that they deleted what this city gave under an agreement: `POST /federation/deletions`.

A peer sends the statement that it signed for its own evidence; the message that carries it is signed, too, by a peer
that signs messages.
"""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.federation.deletions.post import MAX_BODY_BYTES, read_word
from node.web.exchange.hearing import Hearing
from node.web.parts import Parts
from node.web.ports.ports import Federation

_HEARD: dict[int | str, dict[str, Any]] = {
    202: {"description": "Heard"},
    **{status: {} for status in (400, 401, 403, 413, 503)},
}


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Feed"], default_response_class=Response)
    hearing = Hearing(parts, federation, most=MAX_BODY_BYTES)
    deletions = federation.moving.deletions

    @made.post(
        "/federation/deletions",
        summary="Say that what this city gave under an agreement is deleted",
        description="A peer sends the statement that it signed; saying it again changes nothing.",
        status_code=202,
        responses=_HEARD,
    )
    async def heard(request: Request) -> Response:
        return await hearing.hear(request, lambda url, body: deletions.hear(url, read_word(body)))

    return made
