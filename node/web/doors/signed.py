"""Signed messages at the edge: what came, as its signature covers it, and the signature under what is answered.

The address that is covered is the base URL of the settings with the path and query as they were sent, never what a
request says of its host. Only an answer to a peer whose question was checked is signed, and then it goes uncompressed:
its digest is that of the bytes on the wire.
"""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from node.errors import Unauthenticated
from node.federation.rights.rights import Who
from node.federation.signing.signatures import Message, content_digest
from node.web.doors.door import as_sent
from node.web.parts import Parts
from node.web.ports.dsp import Signing
from node.web.wire import answer
from node.web.wire.answer import Document

_HEARD = "signed_message"


def message_of(request: Request, base_url: str) -> Message:
    """Give a request as its signature sees it."""
    query = request.scope["query_string"].decode("latin-1")
    target = base_url + as_sent(request) + (f"?{query}" if query else "")
    names = set(request.headers.keys())
    method = "HEAD" if request.scope["state"].get("head") else request.method
    return Message(method, target, {name: request.headers.getlist(name) for name in names})


async def heard(request: Request, parts: Parts, signing: Signing, caller: Who, body: bytes | None) -> None:
    """Check the signature of a peer's message, if that peer signs; what is answered to it is signed then.

    Raises:
        Unauthenticated: It is not signed as it must be, or was heard before.
    """
    message = message_of(request, parts.site.base_url)
    try:
        await parts.thread(lambda: signing.check_request(caller.url, message, body))
    except Unauthenticated as error:
        federation = parts.site.federation
        said = federation.access.challenge(error.error, error.message) if federation else ""
        raise Unauthenticated(error.message, challenge=said, error=error.error, fix=error.fix) from error
    request.scope["state"][_HEARD] = (message, signing)


def reply(request: Request, document: Document) -> Response:
    """Answer with a document: signed if the question was heard as a message, else as any other."""
    found = request.scope["state"].get(_HEARD)
    if found is None:
        return answer.reply(request.headers, document)
    message, signing = found
    told = {"content-type": document.media_type, "content-digest": content_digest(document.body)}
    made = signing.sign_response(message, document.status, told)
    extra = (("content-digest", told["content-digest"]), *((name.lower(), value) for name, value in made.items()))
    whole = replace(document, extra=(*document.extra, *extra))
    return answer.response(request.headers, answer.encode(whole, gzipped=False))
