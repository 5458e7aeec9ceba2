"""What waits for a person of this city, for its own staff: what `citynode tasks` says, over HTTP with a staff token.

Reviews that are due, reminders of agreements and submissions nobody has decided on, the longest due first. Records of
restricted collections are among it, so nobody else is answered, and no cache keeps it.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from node.catalog.tasks import DAY_MS, DAYS_AHEAD, Task
from node.records import KINDS
from node.web.doors.staff import Staff
from node.web.parts import Parts
from node.web.ports.knowledge import Knowers
from node.web.ports.ports import Federation

MOST_DAYS = 3_650
Days = Annotated[int, Query(ge=0, le=MOST_DAYS, description="How far to look ahead.")]


def router(parts: Parts, federation: Federation, knowledge: Knowers) -> APIRouter:
    """Make the router."""
    made = APIRouter(prefix="/api", tags=["Staff: knowledge"], responses={400: {}, 401: {}, 403: {}})
    staff, base = Staff(parts, federation), parts.site.base_url

    @made.get("/tasks", summary="What waits for a person: reviews, questions, agreements, submissions")
    async def tasks(request: Request, days: Days = DAYS_AHEAD) -> Response:
        def listed() -> object:
            now_ms = int(time.time() * 1000)
            found = knowledge.tasks.due(now_ms, days=days)
            return {"tasks": [_told(each, now_ms // DAY_MS, base) for each in found]}

        return await staff.does(request, listed)

    return made


def _told(each: Task, today: int, base: str) -> dict[str, object]:
    due = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=each.day)
    return {
        "what": each.what,
        "due": due.date().isoformat(),
        "overdue": each.day < today,
        "title": each.title,
        "iri": each.iri,
        "kind": each.kind or None,
        "collection": each.collection or None,
        "page": f"{base}/{KINDS[each.kind]}/{each.slug}" if each.slug else None,
    }
