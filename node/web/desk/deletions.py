"""The desk's page of deletion: what this city must delete since an agreement is over, and what others must.

Saying that it is gone is the city's signed word to another one, so it takes somebody who may decide, as with residents'
rows. Nothing is deleted by the page.
"""

from starlette.requests import Request
from starlette.responses import Response

from node.web.addresses import MAX_IRI
from node.web.desk.data_frame import DataPages, at
from node.web.desk.frame import Clerk, Desk
from node.web.forms.forms import Form


def add(desk: Desk) -> None:
    """Put the page on the desk of a node that moves data."""
    office = desk.parts.site.data_desk
    if office is None:
        return
    pages = DataPages(desk, office)

    @desk.get("/data/deletions")
    async def deletions(request: Request, clerk: Clerk) -> Response:
        ended = request.query_params.get("ended", "") == "true"
        found = await desk.does(lambda: office.deletions(ended=ended))
        ours = [each for each in found if each.direction == "in"]
        theirs = [each for each in found if each.direction == "out"]
        return pages.page(request, clerk, "data_deletions.html", tab="deletions", ended=ended, ours=ours, theirs=theirs)

    @desk.post("/data/deletions", "decide", "data.deleted")
    async def deleted(request: Request, clerk: Clerk, form: Form) -> Response:
        agreement = form.text("agreement", most=MAX_IRI, needed=True)
        form.told["target"] = agreement[:200]
        await desk.does(lambda: office.deleted(agreement, by=clerk.name))
        return desk.back(request, at("deletions"), "desk.data.note.deleted")
