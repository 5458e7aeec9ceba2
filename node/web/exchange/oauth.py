"""OAuth 2 at the edge: the token endpoint, introspection, revocation, and the documents that say where they are.

Only glue: bytes go to `federation.tokens`, its reply goes out. Each request is worked off beside the event loop, since
it checks signatures and writes down which ids were used; the rate of its address was looked at long before.
"""

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.errors import NotFound
from node.federation.tokens.metadata import INTROSPECT_PATH, RESOURCE_PATH, REVOKE_PATH, SERVER_PATH, TOKEN_PATH
from node.federation.tokens.request import Asked, Reply
from node.web.parts import Parts, json_document
from node.web.ports.ports import Federation
from node.web.wire import answer
from node.web.wire.bodies import FORM_BYTES, body_of
from node.web.wire.limits import Limits

# As many as there are processors to check signatures on, and a few that wait for the disk.
_AT_ONCE = 8
_FORM_DOC = {
    "requestBody": {
        "required": True,
        "content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}},
    }
}


def router(parts: Parts, federation: Federation, limits: Limits | None) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["OAuth"], default_response_class=Response)
    _add_endpoints(made, federation, limits)
    _add_metadata(made, parts, federation)
    return made


def _add_endpoints(made: APIRouter, federation: Federation, limits: Limits | None) -> None:
    tokens, slots = federation.tokens, asyncio.Semaphore(_AT_ONCE)

    async def answered(request: Request, respond: Callable[[Asked], Reply]) -> Response:
        body = await body_of(request, most=FORM_BYTES)
        kind, proofs = request.headers.get("content-type", ""), request.headers.getlist("dpop")
        asked = Asked(body, kind, proofs, limits.admit) if limits else Asked(body, kind, proofs)
        async with slots:
            reply = await asyncio.to_thread(respond, asked)
        told = orjson.dumps(dict(reply.body))
        return Response(told, reply.status, headers=dict(reply.headers), media_type="application/json")

    @made.post(
        TOKEN_PATH,
        summary="Get an access token",
        description="For peers: client_credentials with private_key_jwt and a DPoP proof; RFC 6749, 7523, 8707, 9449.",
        responses={200: {}, 400: {}, 401: {}, 429: {}},
        openapi_extra=_FORM_DOC,
    )
    async def token(request: Request) -> Response:
        return await answered(request, tokens.answer)

    @made.post(
        INTROSPECT_PATH,
        summary="Ask about one's own token",
        description="RFC 7662; of a token that another client got it says that it is not active.",
        responses={200: {}, 400: {}, 401: {}, 429: {}},
        openapi_extra=_FORM_DOC,
    )
    async def introspect(request: Request) -> Response:
        return await answered(request, tokens.introspect)

    @made.post(
        REVOKE_PATH,
        summary="End one's own token",
        description="RFC 7009; what is no token of this client is left as it is, with the same answer.",
        responses={200: {}, 400: {}, 401: {}, 429: {}},
        openapi_extra=_FORM_DOC,
    )
    async def revoke(request: Request) -> Response:
        return await answered(request, tokens.revoke)


def _add_metadata(made: APIRouter, parts: Parts, federation: Federation) -> None:
    # RFC 8414, 3.1: where the issuer has a path, it comes after the well-known one.
    known = ("", urlsplit(parts.site.base_url).path)

    def document(request: Request, rest: str, told: Mapping[str, object]) -> Response:
        if rest not in known:
            raise NotFound("There is no such issuer here.", fix=f"The issuer is {parts.site.base_url}.")
        return answer.reply(request.headers, json_document(told))

    @made.get(SERVER_PATH + "{rest:path}", summary="The authorization server", description="Metadata of RFC 8414.")
    async def server(request: Request, rest: str) -> Response:
        return document(request, rest, federation.tokens.metadata())

    @made.get(RESOURCE_PATH + "{rest:path}", summary="The protected resource", description="Metadata of RFC 9728.")
    async def resource(request: Request, rest: str) -> Response:
        return document(request, rest, federation.tokens.resource())
