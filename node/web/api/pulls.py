"""The API of data that this city gets from others, for its own staff: what `citynode data get` does, over HTTP.

A pull is asked for here and done by the worker, into the node's own folder or an S3 store: no path of this machine is
ever taken from the network. JSON both ways, kept by nobody; how a pull goes is asked again.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.federation.moving import PULL, PUSH
from node.federation.pulls.office import shown
from node.federation.pulls.store import Wanted
from node.web.doors.staff import Staff, flag_of, text_of
from node.web.parts import Parts
from node.web.ports.ports import Federation
from node.web.ports.pulls import PullOffice

_RESPONSES: dict[int | str, dict[str, Any]] = {400: {}, 401: {}, 403: {}, 404: {}, 409: {}, 502: {}}
_BEGIN = "Get data: `dataset`, `purpose`, `part`, `peer`, `to`, `agreement`, `ask`, `push`"
Number = Annotated[int, Path(description="The pull's number.", ge=1, lt=2**53)]
Ended = Annotated[bool, Query(description="Also those that are over.")]


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(
        prefix="/api/data", tags=["Staff: data"], responses=_RESPONSES, default_response_class=JSONResponse
    )
    staff, office = Staff(parts, federation), federation.moving.pulling.office
    _add_pulls(made, staff, office)
    _add_acts(made, staff, office)
    return made


def _add_pulls(made: APIRouter, staff: Staff, office: PullOffice) -> None:
    @made.get("/pulls", summary="What this city gets from others, the newest first")
    async def all_of_them(request: Request, ended: Ended = False) -> Response:  # noqa: FBT002  (a parameter of the query)
        return await staff.does(request, lambda: {"pulls": [shown(each) for each in office.list(ended=ended)]})

    @made.get("/pulls/{number}", summary="One pull, and how far it is")
    async def one(request: Request, number: Number) -> Response:
        return await staff.does(request, lambda: shown(office.show(number)))

    @made.post("/pulls", summary=_BEGIN, status_code=202)
    async def begin(request: Request) -> Response:
        reply = await staff.does_with(request, lambda said, by: shown(office.begin(_wanted(said, by))))
        reply.status_code = 202
        return reply


def _add_acts(made: APIRouter, staff: Staff, office: PullOffice) -> None:
    @made.post("/pulls/{number}/resume", summary="Let the worker go on with a pull")
    async def resume(request: Request, number: Number) -> Response:
        return await staff.does(request, lambda: shown(office.resume(number)))

    @made.post("/pulls/{number}/cancel", summary="End a pull; what is not whole of it is removed")
    async def cancel(request: Request, number: Number) -> Response:
        return await staff.does(request, lambda: shown(office.cancel(number)))

    @made.post("/access-requests", summary="Ask a city for access: `dataset`, `purpose`, `message`", status_code=202)
    async def ask(request: Request) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:
            return {"negotiation": office.request(_wanted(said, by), text_of(said, "message", most=2_000))}

        reply = await staff.does_with(request, act)
        reply.status_code = 202
        return reply


def _wanted(said: Mapping[str, Any], by: str) -> Wanted:
    return Wanted(
        dataset=text_of(said, "dataset", needed=True, most=1_000),
        purpose=text_of(said, "purpose", most=200),
        part=text_of(said, "part", most=200),
        peer=text_of(said, "peer", most=63),
        target=text_of(said, "to", most=1_000),
        format=PUSH if flag_of(said, "push") else PULL,
        by=by,
        ask=flag_of(said, "ask"),
        agreement=text_of(said, "agreement", most=1_000),
    )
