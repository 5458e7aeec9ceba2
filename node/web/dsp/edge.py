"""What every address of the Dataspace Protocol shares: who asks, what was sent, and how an answer or a "no" is said.

Without a token that holds the answer is 401; whoever is no party to a thing hears that there is none (404). A message
that cannot be read or does not fit is 400. Everything blocks elsewhere: here is only HTTP.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.errors import (
    Malformed,
    NodeError,
    NotFound,
    Refused,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from node.federation.dcp import is_self_issued
from node.federation.dsp.fields import MAX_BYTES, object_of
from node.federation.dsp.messages import pids_of
from node.federation.rights.rights import Who
from node.web.doors import signed
from node.web.doors.door import PRIVATE, Door
from node.web.parts import Parts
from node.web.ports.dsp import Dsp
from node.web.wire.answer import Document
from node.web.wire.bodies import body_of
from node.web.wire.problems import RETRY_AFTER_S

JSON, JSON_LD = "application/json", "application/ld+json"
# A pid that does not exist yet: the schema of an error wants both.
NO_PID = "urn:uuid:00000000-0000-0000-0000-000000000000"
MAX_NAME = 500
# The protocol knows 400 and 404; how to show who one is, and when to come back, is HTTP's.
_STATUS: tuple[tuple[type[NodeError], int], ...] = (
    (Unauthenticated, 401),
    (NotFound, 404),
    (TooLarge, 413),
    (TooManyRequests, 429),
    (Refused, 400),
    (Unavailable, 503),
)
Json = Mapping[str, Any]
Answers = Callable[..., Awaitable[Response]]
DOC: dict[int | str, dict[str, Any]] = {
    400: {"description": "A message that cannot be read or does not fit"},
    401: {"description": "No token that holds"},
    404: {"description": "Nothing of that kind for this caller"},
}
# What stands in the body, for the reference of the API.
BODY = {"requestBody": {"required": True, "content": {JSON: {"schema": {"type": "object"}}}}}


class Edge:
    """Tells who asks, and what."""

    def __init__(self, parts: Parts, dsp: Dsp) -> None:
        self._parts, self._dsp = parts, dsp
        self._door = Door(parts)

    async def caller(self, request: Request) -> Who:
        """Tell which peer asks.

        Raises:
            Unauthenticated: None that holds.
            NotFound: Somebody else, with a token that holds: nothing of this is there for them.
        """
        shown = request.headers.getlist("authorization")
        if is_self_issued(shown):
            caller = await self._parts.thread(lambda: self._dsp.self_issued.caller(shown[0]))
        else:
            caller = await self._door.caller(request)
        if caller.kind == "public":
            federation = self._parts.site.federation
            challenge = federation.access.challenge() if federation else ""
            raise Unauthenticated("Only a peer may ask this.", challenge=challenge, fix="Ask /oauth/token for a token.")
        if caller.kind != "peer" or "federation" not in caller.scopes:
            raise NotFound("There is nothing of that kind here for you.")
        return caller

    async def message(self, request: Request, *, most: int = MAX_BYTES) -> tuple[Who, Json]:
        """Give who sends a message of at most so many bytes, and the message, whose signature holds if they sign.

        Raises what `caller` raises, Malformed, TooLarge.
        """
        caller = await self.caller(request)
        body = await body_in(request, most=most)
        await signed.heard(request, self._parts, self._dsp.messages, caller, body)
        return caller, object_of(body, most=most)


def add(made: APIRouter, method: str, path: str, answers: Answers, **told: Any) -> None:  # noqa: ANN401 (FastAPI's)
    """Add an address, and the same with a slash at its end, which callbacks of some connectors have."""
    for address, shown in ((path, True), (f"{path}/", False)):
        made.add_api_route(address, answers, methods=[method], responses=DOC, include_in_schema=shown, **told)


# ---------------------------------------------------------------- what comes in


async def body_in(request: Request, *, most: int = MAX_BYTES) -> bytes:
    """Give the body of a message, which must be JSON by its own word. Raises Malformed, TooLarge."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (JSON, JSON_LD):
        raise Malformed(f"A message is sent as {JSON} or {JSON_LD}.", fix="Say so in Content-Type.")
    return await body_of(request, most=most)


def plain(name: str) -> str:
    """Give a name from an address, if anything here may be named so. Raises NotFound."""
    if len(name) > MAX_NAME or not name.isprintable():
        raise NotFound("There is nothing of that name here.")
    return name


# ---------------------------------------------------------------- what goes out


def pids_told(said: Json, pid: str, role: Literal["consumer", "provider"] | None) -> tuple[str, str]:
    """Give the provider's and the consumer's pid for an error: the message's, the address's, or one that names nothing.

    Args:
        said: The message, as far as it could be read.
        pid: Ours, as the address has it; empty if it has none.
        role: What we are at that address; None where it serves both.
    """
    consumer, provider = pids_of(said)
    ours = pid[:MAX_NAME] if pid.isprintable() else ""
    consumer = consumer or (ours if role != "provider" else "") or NO_PID
    provider = provider or (ours if role != "consumer" else "") or NO_PID
    return provider, consumer


def reasons(error: NodeError) -> tuple[str, ...]:
    """Give the sentences of an error."""
    return tuple(each for each in (error.message, error.fix) if each)


def refused(request: Request, error: NodeError, document: Json) -> Response:
    """Answer an error in the protocol's words; what is a fault of ours is left to those who say that."""
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 0)
    if not status:
        raise error
    headers: list[tuple[str, str]] = []
    if isinstance(error, Unauthenticated):
        headers += [("www-authenticate", error.challenge)] if error.challenge else []
        headers += [("dpop-nonce", error.nonce)] if error.nonce else []
    if status in (429, 503):
        wait_s = error.retry_after_s if isinstance(error, TooManyRequests) else RETRY_AFTER_S
        headers.append(("retry-after", str(wait_s)))
    return told(request, document, status=status, extra=tuple(headers))


def told(
    request: Request,
    document: Json,
    *,
    status: int = 200,
    links: str = "",
    extra: tuple[tuple[str, str], ...] = (),
) -> Response:
    """Answer with a document of the protocol."""
    accept = request.headers.get("accept", "").lower()
    kind = JSON_LD if JSON_LD in accept and JSON not in accept and "*/*" not in accept else JSON
    told = Document(
        orjson.dumps(document),
        kind,
        cache=PRIVATE,
        vary="Authorization, Accept, Accept-Encoding",
        status=status,
        links=links,
        extra=extra,
    )
    return signed.reply(request, told)
