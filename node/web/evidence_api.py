"""The API of evidence, for the city's own staff: `citynode evidence` over HTTP.

Lists, shows with a check made now, hands out the bundle that needs no node to be verified, and erases for good. Nothing
of it is there for peers or programs: what one end has signed reaches the other in the answer to its message.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.errors import Malformed
from node.federation.moved import StatementTold
from node.staff.export import day_ms
from node.web import answer
from node.web.evidence_ports import EvidenceDesk
from node.web.operators import iso
from node.web.parts import Parts
from node.web.peers_api import Staff
from node.web.ports import Federation

_RESPONSES: dict[int | str, dict[str, Any]] = {400: {}, 401: {}, 403: {}, 404: {}, 413: {}}
Name = Annotated[str, Path(description="The last part of a statement's IRI.", max_length=64)]
Transfer = Annotated[str, Query(description="Only of this transfer, by our id.", max_length=500)]
Agreement = Annotated[str, Query(description="Only under this agreement.", max_length=500)]
Since = Annotated[str, Query(description="From this day (UTC) on.", max_length=10)]
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
        request: Request, transfer: Transfer = "", agreement: Agreement = "", since: Since = "", limit: Limit = 100
    ) -> Response:
        def act() -> object:
            found = desk.statements(transfer=transfer, agreement=agreement, since_ms=_since(since), limit=limit)
            return {"statements": [_told(each) for each in found]}

        return await staff.does(request, act)

    @made.get("/evidence/export", summary="A bundle that anybody can verify without a node")
    async def export(
        request: Request, transfer: Transfer = "", agreement: Agreement = "", since: Since = ""
    ) -> Response:
        await staff.enter(request)
        body = await staff.beside(lambda: desk.export(transfer=transfer, agreement=agreement, since_ms=_since(since)))
        headers = {"cache-control": answer.NOT_KEPT, "content-disposition": 'attachment; filename="evidence.json"'}
        return Response(body, media_type="application/json", headers=headers)


def _add_single(made: APIRouter, staff: Staff, desk: EvidenceDesk) -> None:
    @made.get("/evidence/{name}", summary="One statement, checked now as anybody could check it")
    async def one(request: Request, name: Name) -> Response:
        def act() -> object:
            found, checked = desk.statement(name), desk.check(name)
            steps = [{"holds": holds, "sentence": sentence} for holds, sentence in checked.findings]
            return {**_told(found), "holds": checked.holds, "findings": steps}

        return await staff.does(request, act)

    @made.delete("/evidence/{name}", summary="Destroy one statement for good; its entry stays")
    async def erase(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: {"erased": name, "entries": desk.erase(name)})


def _since(day: str) -> int:
    if not day:
        return 0
    try:
        return day_ms(day)
    except ValueError as error:
        raise Malformed(f"since={day[:20]!r} is no day.", fix="Write YYYY-MM-DD.") from error


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
