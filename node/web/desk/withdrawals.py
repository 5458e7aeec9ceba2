"""The desk's page of residents' withdrawals: which wait for us, which we told others of, and what became of each.

Nobody is named here: a withdrawal is a salted key that only whoever holds the data can match, by a command that reads
the file. Saying that the duty is known, and that the rows are gone, are words of the city to another one, so both take
somebody who may decide, and both become evidence. To send again what was said takes nobody who decides.
"""

from collections.abc import Sequence
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from node.federation.moved import WithdrawalTold
from node.web.desk.data_frame import DataPages, at
from node.web.desk.frame import Clerk, Desk
from node.web.forms.forms import Form

_LISTED = 100
_MAX_URL = 500


def add(desk: Desk) -> None:
    """Put the page on the desk of a node that moves data."""
    office = desk.parts.site.data_desk
    if office is None:
        return
    pages = DataPages(desk, office)

    @desk.get("/data/withdrawals")
    async def withdrawals(request: Request, clerk: Clerk) -> Response:
        ended, untold = (request.query_params.get(name, "") == "true" for name in ("ended", "untold"))
        stage: Literal["untold", "any", "open"] = "untold" if untold else "any" if ended else "open"
        kept = {"untold": "true"} if untold else {"ended": "true"} if ended else {}
        city = request.query_params.get("city", "")[:_MAX_URL]

        async def listed(direction: Literal["in", "out"], section: str) -> tuple[Sequence[WithdrawalTold], str]:
            """Give a page of a section, and the way to the next one, empty behind the last."""
            after = request.query_params.get(section, "")[:_MAX_URL]
            rows = await desk.does(
                lambda: office.withdrawals(direction, stage=stage, peer=city, after=after, limit=_LISTED)
            )
            asked = {**kept, "city": city, section: rows[-1].cursor if rows else ""}
            more = at("withdrawals", **{name: value for name, value in asked.items() if value})
            return rows, f"{more}#{section}" if len(rows) == _LISTED else ""

        heard, more_heard = await listed("in", "heard")
        told, more_told = await listed("out", "told")
        return pages.page(
            request,
            clerk,
            "data_withdrawals.html",
            tab="withdrawals",
            ended=ended,
            untold=untold,
            of_city=city,
            heard=heard,
            told=told,
            more={"heard": more_heard, "told": more_told},
        )

    @desk.post("/data/withdrawals/{name}/acknowledge", "decide", "withdrawal.acknowledge")
    async def acknowledge(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001 (the trail says who)
        name = str(request.path_params["name"])[:200]
        await desk.does(lambda: office.acknowledge(name, by=clerk.name))
        return desk.back(request, at("withdrawals"), "desk.data.note.acknowledged")

    @desk.post("/data/withdrawals/{name}/erased", "decide", "withdrawal.erased")
    async def erased(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001 (the trail says who)
        name = str(request.path_params["name"])[:200]
        await desk.does(lambda: office.erased(name, by=clerk.name))
        return desk.back(request, at("withdrawals"), "desk.data.note.erased")

    @desk.post("/data/withdrawals/{name}/resend", "run", "withdrawal.resend")
    async def resend(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001 (the trail says who)
        name = str(request.path_params["name"])[:200]
        await desk.does(lambda: office.resend(name))
        return desk.back(request, at("withdrawals", untold="true"), "desk.data.note.resent")
