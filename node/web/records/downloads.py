"""The counted way to a file: an address here that leads on to the one the record gives, and adds one to a count.

It leads nowhere but to an address that a public record itself names, and it keeps nothing of who followed it. Programs
find the direct addresses in the record's other forms, and are not counted. What is restricted is not here at all.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node.errors import NotFound
from node.records import PLURALS
from node.vocab import ntriples
from node.web.parts import Parts
from node.web.ports.ports import Held
from node.web.reading import held_by
from node.web.records.records import Iri, Plural, Slug
from node.web.records.view import addresses_in
from node.web.wire import answer
from node.web.wording.graph import Described

Number = Annotated[str, Path(description="Which of its files.", max_length=4)]
Which = Annotated[str, Query(description="Which of its files.", max_length=4)]


def router(parts: Parts) -> APIRouter:
    """Make the router."""
    made = APIRouter(include_in_schema=False, default_response_class=Response)

    @made.get("/get/{plural:plural}/{slug}/{number}")
    async def own(request: Request, plural: Plural, slug: Slug, number: Number) -> Response:
        return _on(parts, request, parts.reading.record(PLURALS[plural], slug), number)

    @made.get("/get")
    async def any_of(request: Request, iri: Iri = "", n: Which = "") -> Response:
        return _on(parts, request, held_by(parts.reading, iri), n)

    return made


def _on(parts: Parts, request: Request, held: Held, number: str) -> Response:
    triples = ntriples.triples_of(parts.reading.payload(held))
    files = addresses_in(Described(triples, held.iri, "en", ()))
    wanted = int(number) if number.isascii() and number.isdigit() else 0
    if wanted not in files:
        raise NotFound("This record names no such file.", fix="Its files are listed on its page.")
    parts.count(request, "download", held.iri)
    headers = {"cache-control": answer.NOT_KEPT, "x-robots-tag": "noindex"}
    return RedirectResponse(answer.uri(files[wanted]), status_code=303, headers=headers)
