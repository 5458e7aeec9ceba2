"""The API of evidence, for the city's own staff: `citynode evidence` over HTTP.

Lists, shows with a check made now, hands out the bundle that needs no node to be verified, and erases for good. Nothing
of it is there for peers or programs: what one end has signed reaches the other in the answer to its message.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.federation.evidence.statements import bound_ms
from node.federation.moved import StatementTold, StatementWish
from node.web.doors.staff import Staff
from node.web.parts import Parts
from node.web.ports.evidence import EvidenceDesk
from node.web.ports.ports import Federation
from node.web.wire import answer
from node.web.wording.plain import iso

_RESPONSES: dict[int | str, dict[str, Any]] = {400: {}, 401: {}, 403: {}, 404: {}, 413: {}}
Name = Annotated[str, Path(description="The last part of a statement's IRI.", max_length=64)]
Transfer = Annotated[str, Query(description="Only of this transfer, by our id or its beginning.", max_length=500)]
Agreement = Annotated[str, Query(description="Only under this agreement: its IRI, or what ends it.", max_length=500)]
Kind = Annotated[str, Query(description="Only of this kind, such as receipt.", max_length=40)]
Since = Annotated[str, Query(description="From this day (UTC) or moment on.", max_length=40)]
Until = Annotated[str, Query(description="Until this day (UTC) or moment, with it.", max_length=40)]
Part = Annotated[int, Query(description="Which thousand, from 1, where one file does not hold all.", ge=0, le=100_000)]
Limit = Annotated[int, Query(description="At most this many.", ge=1, le=1000)]


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(prefix="/api", tags=["Staff: evidence"], responses=_RESPONSES, default_response_class=JSONResponse)
    staff, desk = Staff(parts, federation), federation.moving.evidencing.desk
    _add_listing(made, staff, desk)
    _add_single(made, staff, desk)
    return made


def _add_listing(made: APIRouter, staff: Staff, desk: EvidenceDesk) -> None:
    @made.get("/evidence", summary="What this city states of data that moved, the newest first")
    async def listed(
        request: Request,
        transfer: Transfer = "",
        agreement: Agreement = "",
        kind: Kind = "",
        since: Since = "",
        until: Until = "",
        limit: Limit = 100,
    ) -> Response:
        def act() -> object:
            wish = _wish(transfer, agreement, kind, since, until)
            return {"statements": [_told(each) for each in desk.statements(wish, limit=limit)]}

        return await staff.does(request, act)

    @made.get("/evidence/export", summary="A bundle that anybody can verify without a node")
    async def export(
        request: Request,
        transfer: Transfer = "",
        agreement: Agreement = "",
        kind: Kind = "",
        since: Since = "",
        until: Until = "",
        part: Part = 0,
    ) -> Response:
        await staff.enter(request)
        body = await staff.beside(lambda: desk.export(_wish(transfer, agreement, kind, since, until), part=part))
        headers = {"cache-control": answer.NOT_KEPT, "content-disposition": 'attachment; filename="evidence.json"'}
        return Response(body, media_type="application/json", headers=headers)


def _add_single(made: APIRouter, staff: Staff, desk: EvidenceDesk) -> None:
    @made.get("/evidence/{name}", summary="One statement, checked now as anybody could check it")
    async def one(request: Request, name: Name) -> Response:
        def act() -> object:
            found, checked = desk.statement(name), desk.check(name)
            steps = [{"holds": each.holds, "sentence": each.sentence} for each in checked.findings]
            verdict = "proven" if checked.holds else "incomplete" if checked.is_open else "refuted"
            return {**_told(found), "holds": checked.holds, "verdict": verdict, "findings": steps}

        return await staff.does(request, act)

    @made.delete("/evidence/{name}", summary="Destroy one statement for good; its entry stays")
    async def erase(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: {"erased": name, "entries": desk.erase(name)})


def _wish(transfer: str, agreement: str, kind: str, since: str, until: str) -> StatementWish:
    return StatementWish(transfer, agreement, kind, bound_ms(since), bound_ms(until, is_end=True))


def _told(found: StatementTold) -> dict[str, object]:
    return {
        "name": found.record.rpartition("/")[2],
        "record": found.record,
        "kind": found.kind,
        "at": iso(found.at_ms),
        "transfer": found.transfer,
        "agreement": found.agreement,
        "peer": found.peer,
        "dataset": found.dataset,
        "statement": found.document,
    }
