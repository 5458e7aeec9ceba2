"""Deletion over HTTP for the city's own staff: what must be deleted once agreements are over.

What `citynode data deletions` and `citynode data deleted` do. What the other city of an agreement says of its own
deletions is heard in `exchange.deletions`, and listed here.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.federation.moved import DeletionTold
from node.web.doors.staff import Staff, flag_of, text_of
from node.web.parts import Parts
from node.web.ports.deletions import Deletions
from node.web.ports.ports import Federation
from node.web.wording.plain import iso

_TAGGED: dict[str, Any] = {
    "responses": {400: {}, 401: {}, 403: {}, 404: {}, 409: {}},
    "tags": ["Staff: data"],
}


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(default_response_class=JSONResponse)
    _add_staff(made, Staff(parts, federation), federation.moving.deletions)
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
        description="409 while files stand where they were put, unless `other_files` says that they are others by now.",
        **_TAGGED,
    )
    async def deleted(request: Request) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:
            name, other_files = text_of(said, "name", needed=True), flag_of(said, "other_files")
            return shown(deletions.deleted(name, by=by, other_files=other_files))

        return await staff.does_with(request, act)


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
