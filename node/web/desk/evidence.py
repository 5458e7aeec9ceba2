"""The desk's pages of evidence: what both ends signed of each transfer, checked live, and a bundle for others to check.

Everything shown is in this city's journal of evidence, which is restricted and never mirrored; whoever works at the
desk may read it. A bundle proves itself to anybody without a node: `citynode evidence verify`.
"""

import json

from starlette.requests import Request
from starlette.responses import Response

from node.errors import TooLarge
from node.web.desk.agreements_frame import where
from node.web.desk.data_frame import DataPages
from node.web.desk.frame import Clerk, Desk
from node.web.wire import answer

_LISTED = 100
_ALL = "all"


def add(desk: Desk) -> None:
    """Put the pages on the desk of a node that moves data."""
    office = desk.parts.site.data_desk
    if office is None:
        return
    pages = DataPages(desk, office)

    @desk.get("/data/evidence")
    async def evidence(request: Request, clerk: Clerk) -> Response:
        name = request.query_params.get("name", "")[:600]
        if not name:
            listed = await desk.does(lambda: office.statements(limit=_LISTED))
            return pages.page(
                request, clerk, "data_evidence.html", tab="evidence", statements=listed, most=_LISTED, where=where
            )
        told = await desk.does(lambda: office.statement(name))
        checked = await desk.does(lambda: office.check(name))
        raw = json.dumps(told.document, ensure_ascii=False, indent=2)
        return pages.page(
            request,
            clerk,
            "data_statement.html",
            tab="evidence",
            statement=told,
            checked=checked,
            findings=[(each.holds, *pages.found(request, each)) for each in checked.findings],
            raw=raw,
            where=where,
        )

    @desk.get("/data/evidence/{name}/export")
    async def export(request: Request, clerk: Clerk) -> Response:  # noqa: ARG001 (whoever may read may export)
        named = str(request.path_params["name"])[:200]
        try:
            body = await desk.does(lambda: office.export("" if named == _ALL else named))
        except TooLarge as error:
            error.said = ("desk.data.export_many", {})
            raise
        headers = {"cache-control": answer.NOT_KEPT, "content-disposition": 'attachment; filename="evidence.json"'}
        return Response(body, media_type="application/json", headers=headers)
