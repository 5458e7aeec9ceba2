"""Where peers say that they have something new: `POST /federation/notify`.

Only peers may say so, with a token of scope `federation`. Nothing of it is believed or fetched here: it is read, noted
if it is news, and answered at once; the worker looks for itself. Saying it again changes nothing.
"""

import time

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.web.doors.door import Door, body_of
from node.web.parts import Parts
from node.web.ports.ports import Federation

MAX_BYTES = 256 * 1024


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Feed"], default_response_class=Response)
    door = Door(parts)
    answers: dict[int | str, dict[str, object]] = {
        202: {"description": "Heard"},
        400: {"description": "No list of heads"},
        401: {"description": "No token that holds"},
        403: {"description": "Not a peer"},
    }

    @made.post(
        "/federation/notify",
        summary="Tell of new checkpoints",
        description='A peer names its newest heads, `{"heads": [{"collection", "size", "checkpoint"}]}`.',
        status_code=202,
        responses=answers,
    )
    async def notify(request: Request) -> Response:
        caller = await door.peer(request)
        body = await body_of(request, most=MAX_BYTES)
        await parts.thread(lambda: federation.notices.hear(caller.name, body, time.time_ns() // 1_000_000))
        return Response(status_code=202, headers={"cache-control": "no-store"})

    return made
