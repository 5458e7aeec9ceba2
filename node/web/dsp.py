"""The Dataspace Protocol 2025-1 at the edge: version document, catalogue and negotiations, for peers alone.

Only glue: who asks, what was sent, which service answers, and how a "no" is said in the protocol's words. Provider and
consumer stand at one base: a pid tells which of the two we are. Without a token that holds the answer is 401; whoever
is no party to a thing hears that there is none (404). A message that cannot be read or does not fit is 400 and names
both pids, since connectors tell a wrong step from a missing negotiation by that.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

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
from node.federation.dsp.client import WELL_KNOWN
from node.federation.dsp.documents import PATH, CatalogError, CatalogRequest
from node.federation.dsp.fields import MAX_BYTES, object_of
from node.federation.dsp.messages import ContractNegotiation, NegotiationError, pids_of
from node.federation.negotiation import Kind, Role
from node.federation.rights import Who
from node.web import answer
from node.web.answer import Document
from node.web.bodies import body_of
from node.web.door import PRIVATE, Door
from node.web.dsp_ports import Dsp, Standing
from node.web.parts import Parts, json_document
from node.web.ports import Federation
from node.web.problems import RETRY_AFTER_S

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
_DOC: dict[int | str, dict[str, Any]] = {
    400: {"description": "A message that cannot be read or does not fit"},
    401: {"description": "No token that holds"},
    404: {"description": "Nothing of that kind for this caller"},
}
# What stands in the body, for the reference of the API.
_BODY = {"requestBody": {"required": True, "content": {JSON: {"schema": {"type": "object"}}}}}


@dataclass(frozen=True, slots=True)
class _Way:
    """An address that takes messages: which ones, what we are there, and what it answers when it has taken one."""

    path: str
    summary: str
    role: Role | None
    kinds: tuple[Kind, ...]
    status: int = 200


_FIRST = (
    _Way("/negotiations/request", "Ask for a dataset under terms", "provider", ("request",), 201),
    _Way("/negotiations/offers", "Offer a dataset under terms", "consumer", ("offer",), 201),
)
_LATER = (
    _Way("/request", "Ask for other terms", "provider", ("request",)),
    _Way("/offers", "Offer other terms", "consumer", ("offer",)),
    _Way("/agreement", "Agree", "consumer", ("agree",)),
    _Way("/agreement/verification", "Verify the agreement", "provider", ("verify",)),
    _Way("/events", "Accept, or finalize", None, ("accept", "finalize")),
    _Way("/termination", "End the negotiation", None, ("terminate",)),
)


class Protocol:
    """Speaks for the services."""

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

    # ---------------------------------------------------------------- catalogue

    async def catalog(self, request: Request) -> Response:
        """Answer a question for the catalogue."""
        try:
            caller = await self.caller(request)
            asked = CatalogRequest.read(object_of(await _body(request)))
            token = request.query_params.get("continuationToken", "")
            page = await self._parts.thread(lambda: self._dsp.catalogue.page(caller.url, asked, token))
        except NodeError as error:
            return _refused(request, error, CatalogError(error.code, _reasons(error)).document())
        base = f"{self._parts.site.base_url}{PATH}/catalog/request?continuationToken="
        beside = (("next", page.next), ("previous", page.previous))
        links = ", ".join(answer.link(base + token, rel) for rel, token in beside if token)
        return _told(request, page.document, links=links)

    async def dataset(self, request: Request, iri: str) -> Response:
        """Answer a question for one dataset."""
        try:
            caller = await self.caller(request)
            return _told(request, await self._parts.thread(lambda: self._one(caller, _plain(iri))))
        except NodeError as error:
            return _refused(request, error, CatalogError(error.code, _reasons(error)).document())

    def _one(self, caller: Who, iri: str) -> Mapping[str, Any]:
        try:
            return self._dsp.catalogue.dataset(caller.url, iri)
        except NotFound:
            if not iri.endswith("/"):
                raise
            return self._dsp.catalogue.dataset(caller.url, iri.rstrip("/"))

    # ---------------------------------------------------------------- negotiations

    async def state(self, request: Request, pid: str) -> Response:
        """Tell how a negotiation stands."""
        try:
            caller = await self.caller(request)
            found = await self._parts.thread(lambda: self._dsp.negotiations.state(caller.url, None, _plain(pid)))
        except NodeError as error:
            return _refused(request, error, _negotiation_error(error, {}, pid, None))
        return _told(request, _standing(found))

    async def hear(self, request: Request, way: _Way, pid: str = "") -> Response:
        """Take a message."""
        said: Json = {}
        try:
            caller = await self.caller(request)
            said = object_of(await _body(request))
            mine, told = _plain(pid), said
            found = await self._parts.thread(
                lambda: self._dsp.negotiations.hear(caller.url, way.role, mine, told, *way.kinds)
            )
        except NodeError as error:
            return _refused(request, error, _negotiation_error(error, said, pid, way.role))
        return _told(request, _standing(found), status=way.status)


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Dataspace Protocol"], default_response_class=Response)
    protocol = Protocol(parts, federation.dsp)

    @made.get(WELL_KNOWN, summary="Which versions are spoken here", description="Needs no token; DSP 2025-1, 4.3.")
    async def versions(request: Request) -> Response:
        return answer.reply(request.headers, json_document(federation.dsp.versions, cache=answer.PUBLIC))

    _add_catalogue(made, protocol)
    _add_negotiations(made, protocol)
    return made


def _add_catalogue(made: APIRouter, protocol: Protocol) -> None:
    async def catalog(request: Request) -> Response:
        return await protocol.catalog(request)

    async def dataset(request: Request, iri: str) -> Response:
        return await protocol.dataset(request, iri)

    path = f"{PATH}/catalog/request"
    _add(made, "POST", path, catalog, summary="What is offered to you", status_code=200, openapi_extra=_BODY)
    # The id is an IRI: encoded it has no slash, as it stands it has several.
    made.get(f"{PATH}/catalog/datasets/{{iri:path}}", summary="One dataset that is offered to you", responses=_DOC)(
        dataset
    )


def _add_negotiations(made: APIRouter, protocol: Protocol) -> None:
    for way in _FIRST:
        _add_first(made, protocol, way)
    for way in _LATER:
        _add_later(made, protocol, way)

    async def state(request: Request, pid: str) -> Response:
        return await protocol.state(request, pid)

    _add(made, "GET", f"{PATH}/negotiations/{{pid}}", state, summary="How a negotiation stands")


def _add_first(made: APIRouter, protocol: Protocol, way: _Way) -> None:
    async def first(request: Request) -> Response:
        return await protocol.hear(request, way)

    _add(made, "POST", PATH + way.path, first, summary=way.summary, status_code=way.status, openapi_extra=_BODY)


def _add_later(made: APIRouter, protocol: Protocol, way: _Way) -> None:
    async def later(request: Request, pid: str) -> Response:
        return await protocol.hear(request, way, pid)

    path = f"{PATH}/negotiations/{{pid}}{way.path}"
    _add(made, "POST", path, later, summary=way.summary, status_code=way.status, openapi_extra=_BODY)


def _add(made: APIRouter, method: str, path: str, answers: Answers, **told: Any) -> None:  # noqa: ANN401 (FastAPI's)
    """Add an address, and the same with a slash at its end, which callbacks of some connectors have."""
    for address, shown in ((path, True), (f"{path}/", False)):
        made.add_api_route(address, answers, methods=[method], responses=_DOC, include_in_schema=shown, **told)


# ---------------------------------------------------------------- what comes in


async def _body(request: Request) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (JSON, JSON_LD):
        raise Malformed(f"A message is sent as {JSON} or {JSON_LD}.", fix="Say so in Content-Type.")
    return await body_of(request, most=MAX_BYTES)


def _plain(name: str) -> str:
    """Give a name from an address, if anything here may be named so. Raises NotFound."""
    if len(name) > MAX_NAME or not name.isprintable():
        raise NotFound("There is nothing of that name here.")
    return name


# ---------------------------------------------------------------- what goes out


def _standing(found: Standing) -> Json:
    return ContractNegotiation(found.provider_pid, found.consumer_pid, found.state).document()


def _negotiation_error(error: NodeError, said: Json, pid: str, role: Role | None) -> Json:
    """Write an error with both pids: those of the message, that of the address, or one that names nothing."""
    if isinstance(error, NotFound) and pid:
        error = NotFound("There is no such negotiation with you here.")  # the same words, whatever is missing
    consumer, provider = pids_of(said)
    ours = pid[:MAX_NAME] if pid.isprintable() else ""
    consumer = consumer or (ours if role != "provider" else "") or NO_PID
    provider = provider or (ours if role != "consumer" else "") or NO_PID
    return NegotiationError(provider, consumer, error.code, _reasons(error)).document()


def _reasons(error: NodeError) -> tuple[str, ...]:
    return tuple(each for each in (error.message, error.fix) if each)


def _refused(request: Request, error: NodeError, document: Json) -> Response:
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
    return _told(request, document, status=status, extra=tuple(headers))


def _told(
    request: Request,
    document: Json,
    *,
    status: int = 200,
    links: str = "",
    extra: tuple[tuple[str, str], ...] = (),
) -> Response:
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
    return answer.reply(request.headers, told)
