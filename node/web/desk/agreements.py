"""The desk's pages of agreements: all of them, one of them in sentences, and what our own staff say about it.

A thing is named by its id or its IRI, in the query where it has slashes. What changes something is in
`agreements_drafting` and `agreements_deciding`, offers and the simulator in `agreements_offers`; all of them use the
offices that the staff's API uses.
"""

from starlette.requests import Request
from starlette.responses import Response

from node.web.desk import agreements_deciding, agreements_drafting, agreements_offers
from node.web.desk import agreements_shown as shown
from node.web.desk.agreements_frame import Agreements, where
from node.web.desk.frame import Clerk, Desk
from node.web.forms.forms import Form
from node.web.wire import answer


def add(desk: Desk) -> None:
    """Put the pages on the desk of a node that knows other cities."""
    federation = desk.parts.site.federation
    if federation is None:
        return
    pages = Agreements(desk, federation)
    _add_pages(desk, pages)
    _add_proofs(desk, pages)
    _add_comments(desk, pages)
    agreements_drafting.add(desk, pages)
    agreements_deciding.add(desk, pages)
    agreements_offers.add(desk, pages)


def _add_pages(desk: Desk, pages: Agreements) -> None:
    @desk.get("/agreements")
    async def every(request: Request, clerk: Clerk) -> Response:
        name, ended = request.query_params.get("name", "")[:600], request.query_params.get("ended", "") == "true"
        if name:
            return await pages.one(request, clerk, name)
        found = await desk.does(lambda: pages.office.list(ended=ended))
        listed = [*found["negotiations"], *found["drafts"], *found["agreements"]]
        needing = [each for each in listed if shown.needs_us(each)]
        empty = not ended and not (found["negotiations"] and found["agreements"])
        past = await desk.does(lambda: pages.office.list(ended=True)) if empty else found
        return pages.page(request, clerk, "agreements.html", found=found, past=past, ended=ended, needing=needing)


def _add_proofs(desk: Desk, pages: Agreements) -> None:
    @desk.get("/agreements/{name}/verify")
    async def verify(request: Request, clerk: Clerk) -> Response:
        name = str(request.path_params["name"])[:600]
        report = await desk.does(lambda: pages.office.readings.verify(name))
        thing = await desk.does(lambda: pages.office.show(name))
        findings = await desk.does(lambda: [(each.holds, *pages.found(request, each)) for each in report.findings])
        return pages.page(request, clerk, "agreement_verify.html", report=report, findings=findings, thing=thing)

    @desk.get("/agreements/{name}/export")
    async def export(request: Request, clerk: Clerk) -> Response:  # noqa: ARG001 (whoever may read may export)
        name = str(request.path_params["name"])[:600]
        body = await desk.does(lambda: pages.office.readings.export(name))
        headers = {"cache-control": answer.NOT_KEPT, "content-disposition": 'attachment; filename="agreement.json"'}
        return Response(body, media_type="application/json", headers=headers)


def _add_comments(desk: Desk, pages: Agreements) -> None:
    @desk.post("/agreements/comment", "read", "agreement.comment")
    async def comment(request: Request, clerk: Clerk, form: Form) -> Response:
        name, said = pages.named(form), form.text("said", needed=True)
        await desk.does(lambda: pages.office.comment(name, said, by=clerk.name))
        return desk.back(request, where(name, "comments"), "desk.agr.note.comment")

    @desk.post("/agreements/settle", "read", "agreement.settle")
    async def settle(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001 (the trail says who)
        name, number, settled = pages.named(form), form.number("id", least=1), not form.ticked("open")
        await desk.does(lambda: pages.office.settle(name, number, settled=settled))
        key = "desk.agr.note.settled" if settled else "desk.agr.note.reopened"
        return desk.back(request, where(name, "comments"), key)
