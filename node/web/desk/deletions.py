"""The desk's page of deletion: what this city must delete since an agreement is over, and what others must.

Saying that it is gone is the city's signed word to another one, so it takes somebody who may decide, as with residents'
rows. Nothing is deleted by the page; files that stand where they were put are shown, and whoever says
that they are others by now ticks it.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node.web.addresses import MAX_IRI
from node.web.desk.data_frame import DataPages, at
from node.web.desk.frame import Clerk, Desk
from node.web.forms.forms import Form

_MOST_SHOWN = 10  # files of one agreement


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
        lying = await desk.does(lambda: {each.agreement: office.lying(each) for each in ours})
        theirs = [each for each in found if each.direction == "out"]
        told: dict[str, Any] = {"ended": ended, "ours": ours, "theirs": theirs, "lying": lying, "most": _MOST_SHOWN}
        return pages.page(request, clerk, "data_deletions.html", tab="deletions", **told)

    @desk.post("/data/deletions", "decide", "data.deleted")
    async def deleted(request: Request, clerk: Clerk, form: Form) -> Response:
        agreement = form.text("agreement", most=MAX_IRI, needed=True)
        form.told["target"] = agreement[:200]
        other_files = form.ticked("other_files")
        await desk.does(lambda: office.deleted(agreement, by=clerk.name, other_files=other_files))
        return desk.back(request, at("deletions"), "desk.data.note.deleted")
