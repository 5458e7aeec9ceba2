"""Problem reports over HTTP for the city's own staff, and the two doors at which other cities speak of reports.

Staff does here what `citynode reports` does. A peer passes on what its readers say of our records, and hears how that
stands; it may speak of what everybody may see of ours, and of reports that we passed on to it, of nothing else.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.catalog.problem_reports import KINDS, MAX_LISTED, About, Words
from node.catalog.problem_store import Report
from node.errors import Malformed, NotFound
from node.federation.report_post import MAX_BODY_BYTES, read_report, read_standing
from node.web.addresses import is_mirror
from node.web.doors.door import Door, body_of
from node.web.doors.staff import Staff, flag_of, text_of
from node.web.pages import Visitor
from node.web.parts import Parts
from node.web.ports.ports import Federation
from node.web.ports.readers import Reports
from node.web.records.records import title_of
from node.web.wording.plain import iso

_RESPONSES: dict[int | str, dict[str, Any]] = {400: {}, 401: {}, 403: {}, 404: {}, 409: {}}
_HEARD: dict[int | str, dict[str, object]] = {
    202: {"description": "Heard"},
    400: {},
    401: {},
    403: {},
    404: {},
    429: {},
}

Name = Annotated[str, Path(description="The report's id, or the beginning of it.", max_length=64)]


def router(parts: Parts, federation: Federation, reports: Reports) -> APIRouter:
    """Make the router."""
    made = APIRouter(default_response_class=JSONResponse)
    _add_staff(made, Staff(parts, federation), reports)
    _add_peers(made, parts, reports)
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


def _add_peers(made: APIRouter, parts: Parts, reports: Reports) -> None:
    door = Door(parts)

    @made.post(
        "/federation/reports",
        summary="Pass on what a reader says is wrong with a record of this city",
        description='A peer says `{"id", "record", "kind", "text", "language"}`; saying it again changes nothing.',
        status_code=202,
        responses=_HEARD,
        response_class=Response,
        tags=["Feed"],
    )
    async def heard(request: Request) -> Response:
        caller = await door.peer(request)
        said = read_report(await body_of(request, most=MAX_BODY_BYTES))
        await parts.thread(lambda: _hear(parts, reports, caller.url, said))
        return Response(status_code=202, headers={"cache-control": "no-store"})

    @made.post(
        "/federation/reports/standing",
        summary="Tell how a report stands that this city passed on",
        description='A peer says `{"id", "state", "reason", "report"}`; `id` is ours, `report` what it calls it.',
        status_code=202,
        responses=_HEARD,
        response_class=Response,
        tags=["Feed"],
    )
    async def stands(request: Request) -> Response:
        caller = await door.peer(request)
        said = read_standing(await body_of(request, most=MAX_BODY_BYTES))

        def hear() -> None:
            theirs = said["report"] if said["report"].isascii() and said["report"].isalnum() else ""
            reports.hear_standing(caller.url, said["id"], state=said["state"], reason=said["reason"], theirs=theirs)

        await parts.thread(hear)
        return Response(status_code=202, headers={"cache-control": "no-store"})


def _hear(parts: Parts, reports: Reports, peer: str, said: Mapping[str, str]) -> None:
    held = parts.reading.find_iri(said["record"])
    if held is None or is_mirror(held.collection):
        raise NotFound("There is no such record of this city.", fix="Tell the city whose record it is.")
    if not peer:
        raise Malformed("This city does not know the address of yours.")
    # A sort of problem that only a newer node knows is still a problem.
    kind = said["kind"] if said["kind"] in KINDS else "other"
    reader = Visitor(parts.site.languages[0], chosen=False, path="", query=())
    about = About(held.iri, title_of(parts, held, reader).text)
    reports.hear(peer, said["id"], about, Words(kind, said["text"], said["language"]))


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
