"""Large answers on their way out: in slices that a reader has to take, within a budget of bytes for all of them.

A reader that takes nothing would otherwise keep a whole answer in memory for as long as it likes, and many readers as
many. Whoever stops, or reads very slowly, is cut off; the length was announced, so nobody takes a part for the whole.
What is as small as other documents passes freely. Used from the event loop alone.
"""

import asyncio
from collections import Counter
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from node.errors import TooManyRequests, Unavailable

SLICE_BYTES = 64 * 1024
STILL_S = 20.0  # so long a slice may not move
SLOWEST = 16 * 1024  # bytes a second, over the whole answer
SOON_S = 5


class Budget:
    """How many bytes may stand unsent; one reader has half of them at most."""

    def __init__(self, most: int) -> None:
        """Allow so many bytes."""
        self._most, self.held = most, 0
        self._by: Counter[str] = Counter()

    def claim(self, who: str, number: int) -> "Claim":
        """Take bytes of the budget; the claim gives them back. Raises Unavailable, or TooManyRequests."""
        if self._by[who] + number > self._most // 2:
            raise TooManyRequests(
                "You have not read your last answers yet.", retry_after_s=SOON_S, fix="Read them, or ask for less."
            ).on_page("no.sparql.unread")
        if self.held + number > self._most:
            raise Unavailable(
                "Too many large answers are on their way.", retry_after_s=SOON_S, fix="Ask for less, or add LIMIT."
            ).on_page("no.sparql.busy")
        self._add(who, number)
        return Claim(number, lambda back: self._add(who, -back))

    def _add(self, who: str, number: int) -> None:
        self.held += number
        self._by[who] += number
        if not self._by[who]:
            del self._by[who]


class Claim:
    """Bytes of the budget that somebody holds."""

    def __init__(self, number: int, give_back: Callable[[int], None]) -> None:
        self._number, self._give_back = number, give_back

    def shrink(self, number: int) -> None:
        """Hold so many from now on, if that is fewer; 0 ends it."""
        if number < self._number:
            self._give_back(self._number - number)
            self._number = number


class Sliced(Response):
    """Another reply, sent in slices, that ends its claim."""

    def __init__(self, reply: Response, claim: Claim) -> None:
        """Send what `reply` would."""
        super().__init__(status_code=reply.status_code)
        self.raw_headers = reply.raw_headers
        self.body, self._claim = bytes(reply.body), claim

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (the protocol's)
        """Send; returning early closes the connection."""
        total = len(self.body)
        try:
            async with asyncio.timeout(STILL_S + total / SLOWEST):
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                for start in range(0, total, SLICE_BYTES):
                    part, more = bytes(self.body[start : start + SLICE_BYTES]), start + SLICE_BYTES < total
                    async with asyncio.timeout(STILL_S):
                        # Waits until the connection has room again for what came before.
                        await send({"type": "http.response.body", "body": part, "more_body": more})
        except TimeoutError:
            pass
        finally:
            self.body = b""
            self._claim.shrink(0)
