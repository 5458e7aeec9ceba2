"""Who this node is, for other nodes: the signed statement, the DID document and the keys that check what it signs.

Small documents that are made from keys in memory; each has an ETag, so a peer that asks again gets a 304. The web reads
the clock here, because a statement says of which hour it is.
"""

import hashlib
import time
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.web.parts import Parts, json_document
from node.web.ports.ports import Federation
from node.web.wire import answer
from node.web.wire.answer import Document

STATEMENT_TYPE = "application/entity-statement+jwt"


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Federation"], default_response_class=Response)

    @made.get(
        "/.well-known/openid-federation",
        summary="What this node says of itself, signed",
        description="An entity configuration of OpenID Federation: addresses, collections and keys, good for a day.",
    )
    async def statement(request: Request) -> Response:
        body = (await parts.thread(lambda: federation.identity.statement(time.time_ns() // 1_000_000))).encode()
        tag = hashlib.sha256(body).hexdigest()[:32] + "-jwt1"
        return answer.reply(request.headers, Document(body, STATEMENT_TYPE, tag=tag, vary=answer.VARY_SUFFIX))

    @made.get("/.well-known/jwks.json", summary="Every key this node ever signed with")
    async def jwks(request: Request) -> Response:
        return answer.reply(request.headers, json_document(federation.identity.jwks(), cache=answer.PUBLIC))

    async def did(request: Request) -> Response:
        return answer.reply(request.headers, json_document(federation.identity.did(), cache=answer.PUBLIC))

    # did:web of an address with a path leads to the document below that path, without `.well-known`.
    summary = "The DID document: keys that sign records and checkpoints"
    made.get("/.well-known/did.json", summary=summary)(did)
    if urlsplit(parts.site.base_url).path:
        made.get("/did.json", include_in_schema=False)(did)
    return made
