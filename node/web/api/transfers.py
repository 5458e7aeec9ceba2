"""The API of transfers for the city's own staff: what `citynode data transfers` does, over HTTP.

What moves between us and other cities, told without addresses and tokens; and the three things that a person may do
about it. They are said to the other city by the worker, and hold here at once: no byte goes out after a suspension.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, cast

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.errors import NotFound
from node.web.doors.staff import Staff, text_of
from node.web.parts import Parts
from node.web.ports.moved import Act, DataDesk
from node.web.ports.ports import Federation

ACTS: Mapping[str, str] = {
    "suspend": "Suspend a transfer; `reason` is told to the other city",
    "resume": "Start a suspended transfer again",
    "terminate": "End a transfer; `reason` is told to the other city",
}
_RESPONSES: dict[int | str, dict[str, Any]] = {400: {}, 401: {}, 403: {}, 404: {}, 409: {}}
Pid = Annotated[str, Path(description="Our id of the transfer.", max_length=100)]
Ended = Annotated[bool, Query(description="Also those that are over.")]


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(
        prefix="/api/data", tags=["Staff: data"], responses=_RESPONSES, default_response_class=JSONResponse
    )
    staff = Staff(parts, federation)

    def desk() -> DataDesk:
        if parts.site.data_desk is None:
            raise NotFound("No data move here.")
        return parts.site.data_desk

    @made.get("/transfers", summary="What moves between this city and others, the newest first")
    async def all_of_them(request: Request, ended: Ended = False) -> Response:  # noqa: FBT002  (a parameter of the query)
        return await staff.does(
            request, lambda: {"transfers": [asdict(each) for each in desk().transfers(ended=ended)]}
        )

    @made.get("/transfers/{pid}", summary="One transfer: how it stands, what was said, what was streamed")
    async def one(request: Request, pid: Pid) -> Response:
        return await staff.does(request, lambda: asdict(desk().transfer(pid)))

    def does(act: str, pid: str, said: Mapping[str, Any], by: str) -> object:
        desk().act(cast("Act", act), pid, reason=text_of(said, "reason", most=1_000), by=by)
        return asdict(desk().transfer(pid))

    for act, summary in ACTS.items():
        _add_act(made, staff, act, summary, does)
    return made


def _add_act(made: APIRouter, staff: Staff, act: str, summary: str, does: Any) -> None:  # noqa: ANN401 (a closure above)
    @made.post(f"/transfers/{{pid}}/{act}", summary=summary, name=act)
    async def acted(request: Request, pid: Pid) -> Response:
        return await staff.does_with(request, lambda said, by: does(act, pid, said, by))
