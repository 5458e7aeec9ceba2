"""The API of the node's own keys for the city's staff: what `citynode keys` does, over HTTP with a staff token.

Public halves alone come and go here; a private one never leaves its file. To encrypt keys, or to replace one that is
lost, takes somebody at the machine itself.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.errors import Malformed
from node.web.doors.staff import Staff
from node.web.parts import Parts
from node.web.ports.ports import Federation

MOST_DAYS = 366
_RESPONSES: dict[int | str, dict[str, Any]] = {400: {}, 401: {}, 403: {}, 404: {}, 409: {}}

Purpose = Annotated[str, Path(description="What the key is for.", max_length=40)]
Thumbprint = Annotated[str, Path(description="A key's name (RFC 7638).", max_length=80)]


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(prefix="/api", tags=["Staff: keys"], responses=_RESPONSES, default_response_class=JSONResponse)
    staff = Staff(parts, federation)

    @made.get("/keys", summary="Every key of this node there ever was")
    async def all_of_them(request: Request) -> Response:
        return await staff.does(request, federation.key_office.list)

    @made.post(
        "/keys/{purpose}/rotate", summary="Replace a key; the old one signs on for `overlap_days`, seven unless said"
    )
    async def rotate(request: Request, purpose: Purpose) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:  # noqa: ARG001  (the trail says who)
            return federation.key_office.rotate(purpose, overlap_days=_days(said))

        return await staff.does_with(request, act)

    @made.post("/keys/{thumbprint}/retire", summary="End the overlap of a key that was replaced")
    async def retire(request: Request, thumbprint: Thumbprint) -> Response:
        return await staff.does(request, lambda: federation.key_office.retire(thumbprint))

    return made


def _days(said: Mapping[str, Any]) -> int:
    value = said.get("overlap_days", 7)
    if type(value) is not int or not 0 <= value <= MOST_DAYS:
        raise Malformed(f"The member 'overlap_days' is a whole number from 0 to {MOST_DAYS}.")
    return value
