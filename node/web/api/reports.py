"""Problem reports over HTTP for the city's own staff: what `citynode reports` does.

Listed, shown, answered, sorted and settled. What other cities say of reports is heard in `exchange.reports`; a report
that a peer passed on stands here beside those of our own readers.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.catalog.problem_reports import MAX_LISTED
from node.catalog.problem_store import Report
from node.web.doors.staff import Staff, flag_of, text_of
from node.web.parts import Parts
from node.web.ports.ports import Federation
from node.web.ports.readers import Reports
from node.web.wording.plain import iso

_RESPONSES: dict[int | str, dict[str, Any]] = {400: {}, 401: {}, 403: {}, 404: {}, 409: {}}

Name = Annotated[str, Path(description="The report's id, or the beginning of it.", max_length=64)]


def router(parts: Parts, federation: Federation, reports: Reports) -> APIRouter:
    """Make the router."""
    made = APIRouter(default_response_class=JSONResponse)
    _add_staff(made, Staff(parts, federation), reports)
    return made


def _add_staff(made: APIRouter, staff: Staff, reports: Reports) -> None:
    tagged: dict[str, Any] = {"responses": _RESPONSES, "tags": ["Staff: reports"]}

    @made.get("/api/reports", summary="Reports that are open, the oldest first", **tagged)
    async def listed(
        request: Request,
        settled: Annotated[bool, Query(description="What is settled instead, the last first.")] = False,  # noqa: FBT002
        limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 100,
    ) -> Response:
        def found() -> object:
            return {"reports": [told_of(each) for each in reports.list(settled=settled, limit=limit)]}

        return await staff.does(request, found)

    @made.get("/api/reports/{name}", summary="One report", **tagged)
    async def one(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: told_of(reports.show(name)))

    @made.post("/api/reports/{name}/answer", summary="Say that it is being looked at", **tagged)
    async def answer(request: Request, name: Name) -> Response:
        def act(said: Mapping[str, Any], _: str) -> object:
            return told_of(reports.answer(name, text_of(said, "text")))

        return await staff.does_with(request, act)

    @made.post("/api/reports/{name}/sort", summary="Say what sort of problem it is", **tagged)
    async def sort(request: Request, name: Name) -> Response:
        def act(said: Mapping[str, Any], _: str) -> object:
            return told_of(reports.sort(name, text_of(said, "kind", needed=True, most=40)))

        return await staff.does_with(request, act)

    @made.post("/api/reports/{name}/close", summary="Settle it, with a reason that its reader sees", **tagged)
    async def close(request: Request, name: Name) -> Response:
        def act(said: Mapping[str, Any], _: str) -> object:
            outcome, reason = text_of(said, "outcome", needed=True, most=40), text_of(said, "reason", needed=True)
            return told_of(reports.close(name, outcome, reason, publish=flag_of(said, "publish")))

        return await staff.does_with(request, act)


def told_of(found: Report) -> dict[str, object]:
    """Write a report for staff as JSON values."""
    told: dict[str, object] = {
        "id": found.id,
        "record": found.iri,
        "title": found.title,
        "kind": found.kind,
        "state": found.state,
        "way": found.way,
        "at": iso(found.at),
        "changed_at": iso(found.changed_at),
    }
    more = {
        "text": found.said,
        "language": found.language,
        "mailbox": found.contact,
        "answer": found.reason,
        "city": found.peer,
        "published": found.shown,
    }
    return told | {name: value for name, value in more.items() if value}
