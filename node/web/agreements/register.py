"""The register of agreements: every public one in sentences, who made it and how it stands; and what proves it.

What is listed are records like any other, so their pages, forms and proofs are where those of records are; here is the
list of them, the text as both cities signed it, and the file by which anybody proves it without a node. An agreement
that is not public is nowhere in it, and that file is made of public collections alone, whoever asks for it.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from node.errors import NotFound
from node.federation.agreements.records import statement_in
from node.federation.policy.bases import LEGAL, TRANSFER
from node.web.addresses import At
from node.web.agreements.found import KIND, Found, Word, every_public, view_in, word_of
from node.web.agreements.named import Place, linked, places_of
from node.web.agreements.view import AgreementView
from node.web.doors.door import Door
from node.web.doors.seen import Seen, seen_by
from node.web.pages import Twin, Visitor
from node.web.parts import Parts, chosen_of, json_document, number_in
from node.web.ports.ports import Held
from node.web.reading import held_by
from node.web.wire import answer
from node.web.wire.answer import Document
from node.web.wire.parameters import check_known

PAGE_SIZE = 20
_KINDS = ("text/html", "application/json")
_MOST_PAGES = 1_000
_SIGNED = "application/ld+json"
# What a browser calls the file that proves an agreement; pages name it in the command that takes it.
FILE = "agreement.json"

PageNumber = Annotated[str, Query(alias="page", description="Which page, from 1.")]


@dataclass(frozen=True, slots=True)
class Row:
    """One agreement of the list, in sentences."""

    held: Held
    view: AgreementView
    standing: Word
    places: Mapping[str, Place]

    @property
    def address(self) -> str:
        """Give the path of its page, without a language."""
        return At("", self.held).page

    def bases(self, reader: str) -> list[tuple[str, str]]:
        """Give the legal basis and that of the transfer, as far as they are named: key of what each is, and words."""
        about = self.view.text.about
        named = (("data.basis", LEGAL, "legalBasis"), ("data.transfer_basis", TRANSFER, "transferBasis"))
        return [
            (key, found.labels.get(reader, found.labels["en"]))
            for key, table, member in named
            if (found := table.get(str(about.get(member, ""))))
        ]


def router(parts: Parts) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Agreements"])
    _add_register(made, parts)
    _add_signed(made, parts)
    _add_export(made, parts)
    return made


def _add_register(made: APIRouter, parts: Parts) -> None:
    both: dict[int | str, dict[str, object]] = {200: {"content": {kind: {} for kind in _KINDS}}, 400: {}, 406: {}}

    async def register(request: Request, number: PageNumber = "") -> Response:
        check_known(request.query_params, "page", "lang")
        as_json = request.scope["path"].endswith(".json") or chosen_of(request, _KINDS) == _KINDS[1]
        wanted = number_in("page", number, most=_MOST_PAGES) if number else 1
        now_ms = time.time_ns() // 1_000_000
        visitor = parts.pages.visitor(request)
        make = _as_json if as_json else _as_page
        document = await parts.thread(lambda: make(parts, visitor, wanted, now_ms))
        return answer.reply(request.headers, document)

    made.get(
        "/agreements",
        summary="The register of public agreements",
        description="Every agreement that its two cities publish, with its parties and how it stands now.",
        responses=both,
        response_class=Response,
    )(register)
    made.get("/agreements.json", include_in_schema=False, response_class=Response)(register)


def _listed(parts: Parts, now_ms: int) -> list[tuple[Found, Word]]:
    """Give what the register shows and how each stands: what is in force first, then the newest."""
    register = parts.site.federation.agreeing.register if parts.site.federation else None
    known = register.standings() if register else {}
    found = [
        (each, word_of(parts, each.held, known.get(each.text.iri), each.state, each.said.reason))
        for each in every_public(parts, now_ms)
    ]
    return sorted(found, key=lambda one: one[1].state != "in-force")


def _as_page(parts: Parts, visitor: Visitor, number: int, now_ms: int) -> Document:
    found = _listed(parts, now_ms)
    start = (number - 1) * PAGE_SIZE
    shown = [
        (each, view_in(parts, each.held, visitor.language, now_ms), word)
        for each, word in found[start : start + PAGE_SIZE]
    ]
    if number > 1 and not shown:
        beyond = NotFound("The register has no such page.", fix="It begins at /agreements.")
        beyond.said = ("refuse.beyond", {"number": number, "last": max(1, -(-len(found) // PAGE_SIZE))})
        raise beyond
    body = parts.pages.render(
        "agreements.html",
        visitor,
        nav="agreements",
        twins=[Twin("JSON", f"{parts.site.base_url}/agreements.json")],
        rows=[Row(each.held, view, word, places_of(parts, view)) for each, view, word in shown if view is not None],
        linked=linked,
        total=len(found),
        in_force=sum(1 for _, word in found if word.state == "in-force"),
        turn=number,
        last=max(1, -(-len(found) // PAGE_SIZE)),
    )
    return parts.pages.document(body)


def _as_json(parts: Parts, visitor: Visitor, number: int, now_ms: int) -> Document:  # noqa: ARG001 (as `_as_page`)
    return json_document({"agreements": [_told(parts, each, word) for each, word in _listed(parts, now_ms)]})


def _told(parts: Parts, found: Found, word: Word) -> dict[str, object]:
    at, text = At(parts.site.base_url, found.held), found.text
    return {
        "agreement": text.iri,
        "record": at.page,
        "title": str(text.about.get("title", "")),
        "assigner": text.assigner,
        "assignee": text.assignee,
        "covers": text.about.get("covers") or [text.target],
        "legal_basis": str(text.about.get("legalBasis", "")),
        "transfer_basis": str(text.about.get("transferBasis", "")),
        "state": word.state,
        "issued": text.timestamp,
        "digest": text.digest,
        "signed": at.beside("signed.json"),
        "export": at.beside("export.json"),
    }


def _add_signed(made: APIRouter, parts: Parts) -> None:
    door = Door(parts)
    said = "The canonical text with both proofs, exactly as it was signed."
    forms: dict[int | str, dict[str, object]] = {200: {"content": {_SIGNED: {}}}, 404: {}, 410: {}}

    @made.get(
        "/agreements/{slug}/signed.json",
        summary="An agreement as it was signed",
        description=said,
        responses=forms,
        response_class=Response,
    )
    async def signed(request: Request, slug: Annotated[str, Path(description="The record's slug.")]) -> Response:
        seen = await seen_by(door, parts, request)
        held = await seen.found(lambda reading: reading.record(KIND, slug))
        return await _handed(request, seen, held)

    @made.get(
        "/records/signed.json",
        summary="An agreement as it was signed, by the IRI of its record",
        description=said,
        responses={400: {}, **forms},
        response_class=Response,
    )
    async def signed_by_iri(
        request: Request, iri: Annotated[str, Query(description="The record's IRI, percent-encoded.")] = ""
    ) -> Response:
        seen = await seen_by(door, parts, request)
        held = await seen.found(lambda reading: held_by(reading, iri))
        return await _handed(request, seen, held)


def _add_export(made: APIRouter, parts: Parts) -> None:
    said = (
        "The signed text, both cities' statements and keys, and what the public collection of each says of it, with the"
        " proofs: `citynode agreements verify FILE` needs nothing else."
    )
    forms: dict[int | str, dict[str, object]] = {200: {"content": {"application/json": {}}}, 404: {}, 410: {}, 503: {}}

    @made.get(
        "/agreements/{slug}/export.json",
        summary="The file that proves a public agreement",
        description=said,
        responses=forms,
        response_class=Response,
    )
    async def export(request: Request, slug: Annotated[str, Path(description="The record's slug.")]) -> Response:
        held = parts.reading.record(KIND, slug)
        return answer.reply(request.headers, await parts.thread(lambda: _export(parts, held)))

    @made.get(
        "/records/export.json",
        summary="The file that proves a public agreement, by the IRI of its record",
        description=said,
        responses={400: {}, **forms},
        response_class=Response,
    )
    async def export_by_iri(
        request: Request, iri: Annotated[str, Query(description="The record's IRI, percent-encoded.")] = ""
    ) -> Response:
        held = held_by(parts.reading, iri)
        return answer.reply(request.headers, await parts.thread(lambda: _export(parts, held)))


def _export(parts: Parts, held: Held) -> Document:
    federation = parts.site.federation
    if held.kind != KIND or federation is None:
        raise NotFound("Only agreements have such a file.", fix="The proof of a record is beside it: /proof.")
    signed = statement_in(held.iri, parts.reading.payload(held)).signed
    body = federation.agreeing.register.export(signed, parts.reading.collections())
    named = ("content-disposition", f'attachment; filename="{FILE}"')
    return Document(body, "application/json", changed_ms=held.at_ms, extra=(named,))


async def _handed(request: Request, seen: Seen, held: Held) -> Response:
    document = seen.sealed(_signed(seen.parts, held), held.collection)
    return await seen.handed(request, answer.reply(request.headers, document), held.collection, held.iri)


def _signed(parts: Parts, held: Held) -> Document:
    if held.kind != KIND:
        raise NotFound(
            "Only agreements are signed by two cities.", fix="The proof of a record is beside it: /proof."
        ).on_page("no.page.proof")
    text = statement_in(held.iri, parts.reading.payload(held)).signed
    return Document(
        text.encode(),
        _SIGNED,
        tag=f"{held.digest[7:39]}-signed1",
        changed_ms=held.at_ms,
        extra=(("content-disposition", 'attachment; filename="agreement.jsonld"'),),
    )
