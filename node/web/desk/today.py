"""The first page of the desk: whether there is something to do, what runs now, and how the week went.

One look, asked of `site.today`; a run under way is shown anew every five seconds by the same address. Nothing is done
here: each need has one way on, to the page where somebody can decide it.
"""

from starlette.requests import Request
from starlette.responses import Response

from node.catalog.today import Day
from node.web.desk import run_views
from node.web.desk.frame import Clerk, Desk
from node.web.pages import is_fragment
from node.web.wording import needs


def add(desk: Desk) -> None:
    """Add the page, where there is something to look at."""
    today = desk.parts.site.today
    if today is None:
        return

    @desk.get("")
    async def look(request: Request, clerk: Clerk) -> Response:
        day = await desk.does(today.look)
        reader = desk.parts.pages.visitor(request).language
        reply = desk.page(
            request,
            clerk,
            "today.html",
            nav="today",
            fragment="running",
            day=day,
            urgent=[needs.told(need, reader) for need in day.urgent],
            soon=[needs.told(need, reader) for need in day.soon],
            week=[(needs.fact(one, reader), one.path) for one in day.week],
            running=[(run, run_views.stages(run, reader)) for run in day.running],
            lead=_lead(day),
            software=desk.parts.site.software,
        )
        if is_fragment(request) and not day.running:
            reply.headers["hx-refresh"] = "true"  # what ran has ended, and may have left something to decide
        return reply


def _lead(day: Day) -> str:
    """Choose the sentence that says whether there is something to do."""
    if day.urgent:
        return "today.lead.urgent_one" if len(day.urgent) == 1 else "today.lead.urgent"
    return "today.lead.soon" if day.soon else "today.lead.nothing"
