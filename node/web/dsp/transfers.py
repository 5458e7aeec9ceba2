"""Transfers of the Dataspace Protocol at the edge: their messages, and how one stands, for peers alone.

Only glue, as `dsp` is for negotiations. Provider and consumer stand at one base, so a pid tells which of the two we
are, and a consumer's standing may be asked for too, which the specification leaves open and its conformance kit does.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.errors import NodeError, NotFound
from node.federation.dsp.documents import PATH
from node.federation.dsp.fields import MAX_BYTES
from node.federation.dsp.transfers import TransferError, TransferProcess
from node.federation.moving import MAX_MESSAGE
from node.federation.transfer import Kind, Role
from node.web.dsp.edge import BODY, Edge, Json, add, pids_told, plain, reasons, refused, told
from node.web.parts import Parts
from node.web.ports.dsp import Transferred, Transfers
from node.web.ports.ports import Federation


@dataclass(frozen=True, slots=True)
class _Way:
    """An address that takes messages: which one, and what it answers when it has taken it."""

    path: str
    summary: str
    kind: Kind


_WAYS = (
    _Way("start", "Start a transfer, or start it again", "start"),
    _Way("suspension", "Suspend a transfer", "suspend"),
    _Way("completion", "Complete a transfer", "complete"),
    _Way("termination", "End a transfer", "terminate"),
)

# A completion carries the receipt, which names every part.
_MOST: Mapping[Kind, int] = {"complete": MAX_MESSAGE}


class Protocol:
    """Speaks for the transfers."""

    def __init__(self, parts: Parts, edge: Edge, transfers: Transfers) -> None:
        self._parts, self._edge, self._transfers = parts, edge, transfers

    async def state(self, request: Request, pid: str) -> Response:
        """Tell how a transfer stands."""
        try:
            caller = await self._edge.caller(request)
            found = await self._parts.thread(lambda: self._transfers.state(caller.url, None, plain(pid)))
        except NodeError as error:
            return refused(request, error, _error(error, {}, pid, None))
        return told(request, _standing(found))

    async def request(self, request: Request) -> Response:
        """Take a request for data."""
        return await self._heard(request, "", "provider", "request", status=201)

    async def hear(self, request: Request, pid: str, kind: Kind) -> Response:
        """Take a message about a transfer that has begun."""
        return await self._heard(request, pid, None, kind, status=200)

    async def _heard(self, request: Request, pid: str, role: Role | None, kind: Kind, *, status: int) -> Response:
        said: Json = {}
        try:
            caller, said = await self._edge.message(request, most=_MOST.get(kind, MAX_BYTES))
            mine, whole = plain(pid), said
            found = await self._parts.thread(lambda: self._transfers.hear(caller.url, role, mine, whole, kind))
        except NodeError as error:
            return refused(request, error, _error(error, said, pid, role))
        return told(request, _standing(found), status=status)


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Dataspace Protocol"], default_response_class=Response)
    protocol = Protocol(parts, Edge(parts, federation.dsp), federation.moving.transfers)

    async def request(request: Request) -> Response:
        return await protocol.request(request)

    path = f"{PATH}/transfers/request"
    add(made, "POST", path, request, summary="Ask for data under an agreement", status_code=201, openapi_extra=BODY)
    for way in _WAYS:
        _add_way(made, protocol, way)

    async def state(request: Request, pid: str) -> Response:
        return await protocol.state(request, pid)

    add(made, "GET", f"{PATH}/transfers/{{pid}}", state, summary="How a transfer stands")
    return made


def _add_way(made: APIRouter, protocol: Protocol, way: _Way) -> None:
    async def later(request: Request, pid: str) -> Response:
        return await protocol.hear(request, pid, way.kind)

    path = f"{PATH}/transfers/{{pid}}/{way.path}"
    add(made, "POST", path, later, summary=way.summary, status_code=200, openapi_extra=BODY)


def _standing(found: Transferred) -> Json:
    """Say how a transfer stands; with the receipt once it is completed, for whoever missed it."""
    receipt = found.receipt if found.state == "COMPLETED" else ""
    return TransferProcess(found.provider_pid, found.consumer_pid, found.state, receipt).document()


def _error(error: NodeError, said: Json, pid: str, role: Role | None) -> Json:
    """Write an error with both pids: those of the message, that of the address, or one that names nothing."""
    if isinstance(error, NotFound) and pid:
        error = NotFound("There is no such transfer with you here.")  # the same words, whatever is missing
    provider, consumer = pids_told(said, pid, role)
    return TransferError(provider, consumer, error.code, reasons(error)).document()
