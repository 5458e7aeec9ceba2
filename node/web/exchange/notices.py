"""Where peers say that they have something new: `POST /federation/notify`, and of agreements `/federation/agreements`.

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
MAX_AGREEMENT_BYTES = 16 * 1024


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Feed"], default_response_class=Response)
    door = Door(parts)

    @made.post(
        "/federation/notify",
        summary="Tell of new checkpoints",
        description='A peer names its newest heads, `{"heads": [{"collection", "size", "checkpoint"}]}`.',
        status_code=202,
        responses=_answers("No list of heads"),
    )
    async def notify(request: Request) -> Response:
        caller = await door.peer(request)
        body = await body_of(request, most=MAX_BYTES)
        await parts.thread(lambda: federation.notices.hear(caller.name, body, time.time_ns() // 1_000_000))
        return Response(status_code=202, headers={"cache-control": "no-store"})

    @made.post(
        "/federation/agreements",
        summary="Tell that an agreement was suspended, resumed or revoked",
        description='A peer says `{"agreement", "state", "reason", "at"}`; what counts is its journal.',
        status_code=202,
        responses=_answers("No notice"),
    )
    async def heard(request: Request) -> Response:
        caller = await door.peer(request)
        body = await body_of(request, most=MAX_AGREEMENT_BYTES)
        now_ms = time.time_ns() // 1_000_000
        await parts.thread(lambda: federation.agreeing.notices.hear(caller.name, body, now_ms, federation.notices))
        return Response(status_code=202, headers={"cache-control": "no-store"})

    return made


def _answers(unread: str) -> dict[int | str, dict[str, object]]:
    """Say what is answered; `unread` is what cannot be read."""
    return {
        202: {"description": "Heard"},
        400: {"description": unread},
        401: {"description": "No token that holds"},
        403: {"description": "Not a peer"},
    }
