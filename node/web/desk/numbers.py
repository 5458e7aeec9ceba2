"""The desk's numbers: what readers see in public, with what is restricted, and what is exchanged with each city.

A reading of the same numbers as the public page and `/api/numbers`; nothing is kept for it. Records are named only as
everybody may see them.
"""

from starlette.requests import Request
from starlette.responses import Response

from node.catalog.numbers import Told
from node.web.desk.frame import Clerk, Desk
from node.web.doors.door import Anybody
from node.web.doors.sight import sight_for
from node.web.portal.numbers import context_of


def add(desk: Desk) -> None:
    """Add the area, where numbers are told."""
    parts = desk.parts
    readers = parts.site.readers
    if readers is None:
        return
    numbers = readers.numbers

    @desk.get("/numbers")
    async def shown(request: Request, clerk: Clerk) -> Response:
        visitor = parts.pages.visitor(request)
        who = Anybody("staff", clerk.name)

        def now() -> Told:
            return numbers.now(sight_for(parts, who).sight, language=visitor.language, with_exchange=True)

        told = await desk.does(now)
        context = await desk.does(lambda: context_of(parts, told, visitor))
        return desk.page(
            request, clerk, "numbers.html", nav="numbers", status=200, fragment="", exchange=told.exchange, **context
        )
