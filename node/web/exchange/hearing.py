"""How a peer's message is heard: who says it, whether it is theirs, and that it was taken.

It is signed by a peer that signs messages, beside the token that all peers show; what is wrong with either is said
before the message is read. Taken is 202 without a word: what comes of it the peer hears later, or never.
"""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from node.errors import Forbidden
from node.web.doors import signed
from node.web.doors.door import Door, body_of
from node.web.parts import Parts
from node.web.ports.ports import Federation


class Hearing:
    """Lets peers in, and hears them."""

    def __init__(self, parts: Parts, federation: Federation, *, most: int) -> None:
        """Take how many bytes a message may have."""
        self._parts, self._messages, self._most = parts, federation.dsp.messages, most
        self._door = Door(parts)

    async def hear(self, request: Request, hear: Callable[[str, bytes], object]) -> Response:
        """Take a message; `hear` is given the address of its city and its bytes, in a thread."""
        caller = await self._door.peer(request)
        if not caller.url:
            raise Forbidden("Only a peer may say this.")
        body = await body_of(request, most=self._most)
        await signed.heard(request, self._parts, self._messages, caller, body)
        await self._parts.thread(lambda: hear(caller.url, body))
        return Response(status_code=202, headers={"cache-control": "no-store"})
