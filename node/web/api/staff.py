"""The API of accounts and of the audit trail, for the city's own staff: `citynode staff` and `audit` over HTTP.

Every answer is JSON and kept by nobody, but the trail as a table. A link by which somebody sets a password is in the
answer to the request that made it, and nowhere else.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.errors import Malformed
from node.staff.export import MOST, as_csv, as_json, day_ms, events, told
from node.web.doors.staff import Staff, text_of, texts_of
from node.web.parts import Parts
from node.web.ports.ports import Federation
from node.web.ports.staff import Staff as People
from node.web.wire import answer

_RESPONSES: dict[int | str, dict[str, Any]] = {400: {}, 401: {}, 403: {}, 404: {}, 409: {}}
_FORMS = {"csv": (as_csv, "text/csv; charset=utf-8"), "ndjson": (as_json, "application/x-ndjson")}

Name = Annotated[str, Path(description="What somebody signs in with.", max_length=48)]
Who = Annotated[str, Query(description="Only what this account did.", max_length=100)]
Act = Annotated[str, Query(description="Only acts that begin so.", max_length=100)]
From = Annotated[str, Query(alias="from", description="Of this day (UTC) and after.", max_length=10)]
To = Annotated[str, Query(description="Of this day (UTC) and before.", max_length=10)]


def router(parts: Parts, federation: Federation, people: People) -> APIRouter:
    """Make the router."""
    made = APIRouter(prefix="/api", tags=["Staff: accounts"], responses=_RESPONSES, default_response_class=JSONResponse)
    staff = Staff(parts, federation)
    _add_accounts(made, staff, people)
    _add_acts(made, staff, people)
    _add_trail(made, staff, people)
    return made


def _add_accounts(made: APIRouter, staff: Staff, people: People) -> None:
    office = people.office

    @made.get("/staff", summary="Every account of the desk")
    async def all_of_them(request: Request) -> Response:
        return await staff.does(request, lambda: {"accounts": list(office.list())})

    @made.get("/staff/{name}", summary="One account, and where it is signed in")
    async def one(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: office.show(name))

    @made.post("/staff", summary="Make an account; the answer has the link that sets its password", status_code=201)
    async def add(request: Request) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:  # noqa: ARG001  (the trail says who)
            name, shown = text_of(said, "name", needed=True, most=48), text_of(said, "shown", most=80)
            return office.add(name, roles=texts_of(said, "roles"), shown=shown)

        reply = await staff.does_with(request, act)
        reply.status_code = 201
        return reply

    @made.put("/staff/{name}/roles", summary="Give an account these roles and no others")
    async def grant(request: Request, name: Name) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:  # noqa: ARG001
            return office.grant(name, texts_of(said, "roles"))

        return await staff.does_with(request, act)


def _add_acts(made: APIRouter, staff: Staff, people: People) -> None:
    office = people.office

    @made.post("/staff/{name}/link", summary="Make a link by which somebody sets a (new) password")
    async def link(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: office.link(name))

    @made.post("/staff/{name}/disable", summary="Let somebody in no more")
    async def disable(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: office.disable(name))

    @made.post("/staff/{name}/enable", summary="Let somebody in again")
    async def enable(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: office.enable(name))

    @made.delete("/staff/{name}/phone", summary="Take away the second factor of somebody who lost it")
    async def forget_phone(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: office.forget_phone(name))

    @made.delete("/staff/{name}/sessions", summary="Sign somebody out everywhere")
    async def revoke_all(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: office.revoke(name))

    @made.delete("/staff/{name}/sessions/{session}", summary="End one sign-in of somebody")
    async def revoke(request: Request, name: Name, session: Annotated[str, Path(max_length=16)]) -> Response:
        return await staff.does(request, lambda: office.revoke(name, session))


def _add_trail(made: APIRouter, staff: Staff, people: People) -> None:
    trail = people.trail

    @made.get("/audit", summary="What was done, the newest first")
    async def listed(
        request: Request,
        who: Who = "",
        act: Act = "",
        since: From = "",
        to: To = "",
        before: Annotated[int, Query(ge=0, le=2**53, description="Older than this number.")] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Response:
        def found() -> object:
            first, last = _days(since, to)
            return told(trail.list(who=who, act=act, since_ms=first, until_ms=last, before=before, limit=limit))

        return await staff.does(request, found)

    @made.get("/audit.{form}", summary="The trail as a file", response_class=Response)
    async def export(
        request: Request, form: Literal["csv", "ndjson"], who: Who = "", act: Act = "", since: From = "", to: To = ""
    ) -> Response:
        by, source = await staff.enter(request), staff.source(request)
        write, kind = _FORMS[form]

        def written() -> bytes:
            first, last = _days(since, to)
            with trail.act(who=by, way="api", source=source, act="GET /api/audit", target=form):
                found = events(trail, who=who, act=act, since_ms=first, until_ms=last, most=MOST)
                return "".join(write(found)).encode()

        headers = {"cache-control": answer.NOT_KEPT, "content-disposition": f'attachment; filename="audit.{form}"'}
        return Response(await staff.beside(written), media_type=kind, headers=headers)


def _days(since: str, to: str) -> tuple[int, int]:
    """Give the moments that two days begin and end with; 0 for none. Raises Malformed."""
    try:
        return day_ms(since) if since else 0, day_ms(to, after=1) if to else 0
    except (ValueError, OverflowError) as error:
        raise Malformed("from and to are days.", fix="Write them as 2026-11-22.") from error
