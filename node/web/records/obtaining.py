"""How one gets data that move only under an agreement: the page of a record says it, and this one says whom to ask.

Three ways, by who asks: a city with a node asks by its own desk or command, a connector by the Dataspace Protocol, and
everybody else by a role's mailbox. Nothing is collected here: no form, no account, no address of who reads it. Who may
not see a record is answered as if there were none.
"""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.errors import NotFound
from node.vocab import ntriples
from node.vocab.terms import DCAT, DCT
from node.web.addresses import At, is_mirror, origin_of
from node.web.doors.door import Door
from node.web.doors.seen import Seen, seen_by
from node.web.pages import Visitor
from node.web.parts import Parts, chosen_of
from node.web.ports.ports import Held
from node.web.reading import held_by
from node.web.records.records import ASKED_FOR, Iri, title_of, under_agreement
from node.web.wire import answer
from node.web.wording.graph import Described
from node.web.wording.words import words

_DSP = "/dsp/2025-1"


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways to ask for a dataset: of which city it is, its address there, and how programs and people reach it."""

    city: str
    iri: str
    page: str
    command: str
    connector: str
    dataset: str
    mailto: str
    mailbox: str


def router(parts: Parts) -> APIRouter:
    """Make the router."""
    made = APIRouter(include_in_schema=False)
    door = Door(parts)

    @made.get("/request-access", response_class=Response)
    async def ask(request: Request, iri: Iri = "") -> Response:
        chosen_of(request, ("text/html",))
        seen = await seen_by(door, parts, request)
        held = await seen.found(lambda reading: held_by(reading, iri))
        if held.kind not in ASKED_FOR:
            raise NotFound("Only data are asked for here.", fix="The page of the record says what it is.")
        body = await parts.thread(lambda: _page(seen, held, seen.parts.pages.visitor(request)))
        document = seen.sealed(parts.pages.document(body), held.collection)
        return await seen.handed(request, answer.reply(request.headers, document), held.collection, held.iri)

    return made


def _page(seen: Seen, held: Held, visitor: Visitor) -> bytes:
    parts = seen.parts
    return parts.pages.render(
        "request_access.html",
        visitor,
        nav="data",
        held=held,
        title=title_of(parts, held, visitor),
        ways=ways_of(parts, held, visitor),
        is_open=_is_open(parts, held, visitor),
        register=parts.site.federation is not None,
    )


def _is_open(parts: Parts, held: Held, visitor: Visitor) -> bool:
    """Tell whether the data are there for everybody: nobody hands them out under an agreement, and it has files."""
    triples = ntriples.triples_of(parts.reading.payload(held))
    said = Described(triples, held.iri, visitor.language, parts.pages.languages)
    named = said.value(held.iri, DCT.accessRights).endswith("/PUBLIC") or bool(said.values(held.iri, DCAT.distribution))
    return named and not under_agreement(parts, held, said)


def ways_of(parts: Parts, held: Held, visitor: Visitor) -> Ways:
    """Give the ways; of another city's record those that lead to that city, which alone can agree."""
    info = parts.reading.collection(held.collection)
    mirror = parts.mirror(held.collection) if is_mirror(held.collection) else None
    mailbox = "" if mirror else parts.site.contact_mailbox
    title = title_of(parts, held, visitor)
    subject = words(visitor.language, "data.mail.subject", title=title.text or held.iri)
    body = words(visitor.language, "data.mail.body", iri=held.iri)
    return Ways(
        city=mirror.city if mirror else parts.site.city,
        iri=held.iri,
        page=At(parts.site.base_url, held).canonical(info),
        command=f"citynode data request {held.iri} --purpose PURPOSE",
        connector=origin_of(info) + _DSP,
        dataset=info.iri,
        mailto=f"mailto:{mailbox}?{urlencode({'subject': subject, 'body': body}, quote_via=quote)}" if mailbox else "",
        mailbox=mailbox,
    )
