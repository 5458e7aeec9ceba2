"""Deletion over HTTP: what must be deleted once agreements are over, for staff, and the door for other cities' words.

Staff does here what `citynode data deletions` and `citynode data deleted` do. A peer sends the statement that it
signed for its own evidence; the message that carries it is signed, too, by a peer that signs messages.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.errors import Forbidden
from node.federation.deletions.post import MAX_BODY_BYTES, read_word
from node.federation.moved import DeletionTold
from node.web.doors import signed
from node.web.doors.door import Door, body_of
from node.web.doors.staff import Staff, text_of
from node.web.parts import Parts
from node.web.ports.deletions import Deletions
from node.web.ports.ports import Federation
from node.web.wording.plain import iso

_TAGGED: dict[str, Any] = {
    "responses": {400: {}, 401: {}, 403: {}, 404: {}, 409: {}},
    "tags": ["Staff: data"],
}
_HEARD: dict[int | str, dict[str, Any]] = {
    202: {"description": "Heard"},
    **{status: {} for status in (400, 401, 403, 413, 503)},
}


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(default_response_class=JSONResponse)
    deletions = federation.moving.deletions
    _add_staff(made, Staff(parts, federation), deletions)
    _add_peers(made, parts, federation, deletions)
    return made


def _add_staff(made: APIRouter, staff: Staff, deletions: Deletions) -> None:
    @made.get("/api/data/deletions", summary="What must be deleted, since its agreement is over", **_TAGGED)
    async def listed(
        request: Request,
        ended: Annotated[bool, Query(description="Also what is said to be deleted.")] = False,  # noqa: FBT002
    ) -> Response:
        return await staff.does(request, lambda: {"deletions": [shown(each) for each in deletions.list(ended=ended)]})

    @made.post(
        "/api/data/deletions",
        summary="Tell the other city that what was fetched under the agreement `name` is deleted",
        **_TAGGED,
    )
    async def deleted(request: Request) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:
            return shown(deletions.deleted(text_of(said, "name", needed=True), by=by))

        return await staff.does_with(request, act)


def _add_peers(made: APIRouter, parts: Parts, federation: Federation, deletions: Deletions) -> None:
    door = Door(parts)

    @made.post(
        "/federation/deletions",
        summary="Say that what this city gave under an agreement is deleted",
        description="A peer sends the statement that it signed; saying it again changes nothing.",
        status_code=202,
        responses=_HEARD,
        response_class=Response,
        tags=["Feed"],
    )
    async def heard(request: Request) -> Response:
        caller = await door.peer(request)
        if not caller.url:
            raise Forbidden("Only a peer may say this.")
        body = await body_of(request, most=MAX_BODY_BYTES)
        await signed.heard(request, parts, federation.dsp.messages, caller, body)
        await parts.thread(lambda: deletions.hear(caller.url, read_word(body)))
        return Response(status_code=202, headers={"cache-control": "no-store"})


def shown(each: DeletionTold) -> dict[str, object]:
    """Say one in JSON values."""
    told: dict[str, object] = {
        "agreement": each.agreement,
        "title": each.title,
        "direction": each.direction,
        "peer": each.peer,
        "state": each.state,
        "ended_at": iso(each.ended_ms),
        "due_at": iso(each.due_ms),
        "datasets": list(each.datasets),
    }
    if each.direction == "in":
        told["fetched"] = [
            {"pull": one.number, "dataset": one.dataset, "to": one.target, "bytes": one.got} for one in each.fetched
        ]
    later = {"said_at": each.said_ms, "told_at": each.told_ms}
    return told | {name: iso(at_ms) for name, at_ms in later.items() if at_ms} | ({"by": each.by} if each.by else {})
