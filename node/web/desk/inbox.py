"""The desk's inbox: what readers say is wrong with our records, read, answered, sorted and settled.

One page lists what is open or settled, one shows a report with what can be done about it. What was said of another
city's record is shown too, without a decision: that is its city's. The same acts as `citynode reports` and
`/api/reports`.
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from node.catalog.problem_reports import KINDS, MAX_REASON, SETTLED
from node.catalog.problem_store import Report
from node.errors import Changed
from node.web.desk.frame import CLASH, Clerk, Desk
from node.web.forms.forms import Form
from node.web.pages import Visitor
from node.web.parts import Parts
from node.web.ports.readers import Reports
from node.web.records.records import title_of
from node.web.wording.text import Said

LISTED = 200


def add(desk: Desk) -> None:
    """Add the area, where reports are kept."""
    readers = desk.parts.site.readers
    if readers is None:
        return
    _add_pages(desk, desk.parts, readers.reports)
    _add_acts(desk, readers.reports)


def _add_pages(desk: Desk, parts: Parts, reports: Reports) -> None:
    @desk.get("/inbox")
    async def inbox(request: Request, clerk: Clerk) -> Response:
        settled = request.query_params.get("show") == "settled"
        found = await desk.does(lambda: reports.list(settled=settled, limit=LISTED))
        titles = await desk.does(lambda: titles_of(parts, found, parts.pages.visitor(request)))
        return desk.page(
            request,
            clerk,
            "inbox.html",
            nav="inbox",
            ours=[each for each in found if each.way != "sent" or each.state == "undelivered"],
            sent=[each for each in found if each.way == "sent" and each.state != "undelivered"],
            titles=titles,
            settled=settled,
            submitted=parts.site.knowledge is not None,
            city_at=parts.city_at,
        )

    @desk.get("/inbox/{name}")
    async def one(request: Request, clerk: Clerk) -> Response:
        return await _one(desk, reports, request, clerk)


async def _one(desk: Desk, reports: Reports, request: Request, clerk: Clerk, clash: Form | None = None) -> Response:
    """Write the page of a report; `clash` is a form whose page was old, with what is to be sent once more."""
    parts = desk.parts
    found = await desk.does(lambda: reports.show(request.path_params["name"]))
    titles = await desk.does(lambda: titles_of(parts, [found], parts.pages.visitor(request)))
    return desk.page(
        request,
        clerk,
        "report.html",
        nav="inbox",
        status=CLASH if clash else 200,
        report=found,
        held=parts.reading.find_iri(found.iri),
        title=titles[found.iri],
        kinds=KINDS,
        outcomes=SETTLED,
        most=MAX_REASON,
        ours=found.is_open and (found.way != "sent" or found.state == "undelivered"),
        city_at=parts.city_at,
        clash=clash,
    )


def titles_of(parts: Parts, reports: Sequence[Report], visitor: Visitor) -> dict[str, Said]:
    """Give the records' titles for a reader, by IRI: as they are now, else as they were when they were reported."""
    titles = {}
    for iri, title in {each.iri: each.title for each in reports}.items():
        held = parts.reading.find_iri(iri)
        titles[iri] = (title_of(parts, held, visitor) if held else None) or Said(title)
    return titles


def _add_acts(desk: Desk, reports: Reports) -> None:
    @desk.post("/inbox/{name}/answer", "write", "report.answer")
    async def answer(request: Request, clerk: Clerk, form: Form) -> Response:
        name, text = request.path_params["name"], form.text("text", most=MAX_REASON)
        mark = form.text("mark", most=64)
        try:
            found = await desk.does(lambda: reports.answer(name, text, mark=mark))
        except Changed:
            return await _one(desk, reports, request, clerk, form)
        return desk.back(request, f"/desk/inbox/{found.id}", "desk.report.noted")

    @desk.post("/inbox/{name}/sort", "write", "report.sort")
    async def sort(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001 - the frame knows who
        name, kind = request.path_params["name"], form.text("kind", most=40, needed=True)
        found = await desk.does(lambda: reports.sort(name, kind))
        form.told["kind"] = kind
        return desk.back(request, f"/desk/inbox/{found.id}", "desk.report.sorted")

    @desk.post("/inbox/{name}/close", "write", "report.close")
    async def close(request: Request, clerk: Clerk, form: Form) -> Response:
        name, outcome = request.path_params["name"], form.text("outcome", most=40, needed=True)
        reason, publish = form.text("reason", most=MAX_REASON, needed=True), form.ticked("publish")
        mark = form.text("mark", most=64)
        try:
            found = await desk.does(lambda: reports.close(name, outcome, reason, publish=publish, mark=mark))
        except Changed:
            return await _one(desk, reports, request, clerk, form)
        form.told.update(outcome=outcome, published=publish)
        return desk.back(request, f"/desk/inbox/{found.id}", "desk.report.closed")
