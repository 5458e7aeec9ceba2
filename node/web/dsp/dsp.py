"""The Dataspace Protocol 2025-1 at the edge: version document, catalogue and negotiations, for peers alone.

Only glue: who asks, what was sent, which service answers, and how a "no" is said in the protocol's words. Provider and
consumer stand at one base: a pid tells which of the two we are. Without a token that holds the answer is 401; whoever
is no party to a thing hears that there is none (404). A message that cannot be read or does not fit is 400 and names
both pids, since connectors tell a wrong step from a missing negotiation by that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.errors import NodeError, NotFound
from node.federation.dsp.client import WELL_KNOWN
from node.federation.dsp.documents import PATH, CatalogError, CatalogRequest
from node.federation.dsp.messages import ContractNegotiation, NegotiationError
from node.federation.negotiation import Kind, Role
from node.federation.rights.rights import Who
from node.web.dsp.edge import BODY, DOC, Edge, Json, add, pids_told, plain, reasons, refused, told
from node.web.parts import Parts, json_document
from node.web.ports.dsp import Dsp, Standing
from node.web.ports.ports import Federation
from node.web.wire import answer


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
        self._edge = Edge(parts, dsp)

    # ---------------------------------------------------------------- catalogue

    async def catalog(self, request: Request) -> Response:
        """Answer a question for the catalogue."""
        try:
            caller, said = await self._edge.message(request)
            asked = CatalogRequest.read(said)
            token = request.query_params.get("continuationToken", "")
            page = await self._parts.thread(lambda: self._dsp.catalogue.page(caller.url, asked, token))
        except NodeError as error:
            return refused(request, error, CatalogError(error.code, reasons(error)).document())
        base = f"{self._parts.site.base_url}{PATH}/catalog/request?continuationToken="
        beside = (("next", page.next), ("previous", page.previous))
        links = ", ".join(answer.link(base + token, rel) for rel, token in beside if token)
        return told(request, page.document, links=links)

    async def dataset(self, request: Request, iri: str) -> Response:
        """Answer a question for one dataset."""
        try:
            caller = await self._edge.caller(request)
            return told(request, await self._parts.thread(lambda: self._one(caller, plain(iri))))
        except NodeError as error:
            return refused(request, error, CatalogError(error.code, reasons(error)).document())

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
            caller = await self._edge.caller(request)
            found = await self._parts.thread(lambda: self._dsp.negotiations.state(caller.url, None, plain(pid)))
        except NodeError as error:
            return refused(request, error, _negotiation_error(error, {}, pid, None))
        return told(request, _standing(found))

    async def hear(self, request: Request, way: _Way, pid: str = "") -> Response:
        """Take a message."""
        said: Json = {}
        try:
            caller, said = await self._edge.message(request)
            mine, whole = plain(pid), said
            found = await self._parts.thread(
                lambda: self._dsp.negotiations.hear(caller.url, way.role, mine, whole, *way.kinds)
            )
        except NodeError as error:
            return refused(request, error, _negotiation_error(error, said, pid, way.role))
        return told(request, _standing(found), status=way.status)


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
    add(made, "POST", path, catalog, summary="What is offered to you", status_code=200, openapi_extra=BODY)
    # The id is an IRI: encoded it has no slash, as it stands it has several.
    made.get(f"{PATH}/catalog/datasets/{{iri:path}}", summary="One dataset that is offered to you", responses=DOC)(
        dataset
    )


def _add_negotiations(made: APIRouter, protocol: Protocol) -> None:
    for way in _FIRST:
        _add_first(made, protocol, way)
    for way in _LATER:
        _add_later(made, protocol, way)

    async def state(request: Request, pid: str) -> Response:
        return await protocol.state(request, pid)

    add(made, "GET", f"{PATH}/negotiations/{{pid}}", state, summary="How a negotiation stands")


def _add_first(made: APIRouter, protocol: Protocol, way: _Way) -> None:
    async def first(request: Request) -> Response:
        return await protocol.hear(request, way)

    add(made, "POST", PATH + way.path, first, summary=way.summary, status_code=way.status, openapi_extra=BODY)


def _add_later(made: APIRouter, protocol: Protocol, way: _Way) -> None:
    async def later(request: Request, pid: str) -> Response:
        return await protocol.hear(request, way, pid)

    path = f"{PATH}/negotiations/{{pid}}{way.path}"
    add(made, "POST", path, later, summary=way.summary, status_code=way.status, openapi_extra=BODY)


# ---------------------------------------------------------------- what goes out


def _standing(found: Standing) -> Json:
    return ContractNegotiation(found.provider_pid, found.consumer_pid, found.state).document()


def _negotiation_error(error: NodeError, said: Json, pid: str, role: Role | None) -> Json:
    """Write an error with both pids: those of the message, that of the address, or one that names nothing."""
    if isinstance(error, NotFound) and pid:
        error = NotFound("There is no such negotiation with you here.")  # the same words, whatever is missing
    provider, consumer = pids_told(said, pid, role)
    return NegotiationError(provider, consumer, error.code, reasons(error)).document()
