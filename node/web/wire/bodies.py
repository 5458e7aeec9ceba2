"""Bodies that strangers send: read whole into memory, under a bound of size and of time.

What is declared too long is refused before a byte of it is read, what is not declared is counted as it comes, and
whoever drips is cut off. A compressed body is refused: nothing that is sent here is worth the risk of a bomb.
"""

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send

from node.errors import Malformed, TooLarge

FORM_BYTES = 64 * 1024
MESSAGE_BYTES = 1024 * 1024
DEADLINE_S = 15.0


def has_body(scope: Scope) -> bool:
    """Tell whether a request says that a body follows."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )


CLOSE = (b"connection", b"close")


class Unread:
    """Ends the connection after an answer that was given before the whole body was read.

    Otherwise the server would read on for as long as somebody sends: a refused upload would cost as much as a taken
    one, without counting for any limit.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        """Stand between a server and an app."""
        self._receive, self._send = receive, send
        self._read = False

    async def receive(self) -> Message:
        """Give the next part, and notice the last."""
        message = await self._receive()
        self._read = self._read or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Pass an answer on."""
        if message["type"] == "http.response.start" and not self._read:
            message = {**message, "headers": [*message["headers"], CLOSE]}
        await self._send(message)


async def body_of(request: Request, *, most: int = MESSAGE_BYTES, deadline_s: float = DEADLINE_S) -> bytes:
    """Give the whole body of a request.

    Args:
        request: A request whose body nobody has read yet.
        most: The longest body in bytes.
        deadline_s: The longest time it may take to arrive.

    Raises:
        TooLarge: It is longer, or took longer.
        Malformed: It is compressed, its length is no number, or it ended early.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Malformed("A compressed body is not taken here.", fix="Send it as it is.").on_page("form.none")
    declared = request.headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdigit() and len(declared) < 16):
        raise Malformed("The header Content-Length is no number.").on_page("form.none")
    if int(declared) > most:
        raise _too_large(most)
    try:
        async with asyncio.timeout(deadline_s):
            return await _read(request, most)
    except TimeoutError as error:
        late = TooLarge(f"The body did not arrive within {deadline_s:g} s.", fix="Send it again, faster.")
        late.said = ("form.slow", {"most": f"{deadline_s:g}"})
        raise late from error
    except ClientDisconnect as error:
        raise Malformed("The body ended early.").on_page("form.unfinished") from error


async def _read(request: Request, most: int) -> bytes:
    parts, left = [], most
    async for part in request.stream():
        left -= len(part)
        if left < 0:
            raise _too_large(most)
        parts.append(part)
    return b"".join(parts)


def _too_large(most: int) -> TooLarge:
    return TooLarge(
        f"A body may have {most} bytes here.",
        fix="Send less at once.",
    ).on_page("form.large", most=most // 1024)
