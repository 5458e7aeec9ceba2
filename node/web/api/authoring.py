"""The API of authoring for the city's own staff: what the commands of each kind of knowledge do, over HTTP.

A description is put whole at `/api/{plural}/{slug}`, and published by that; drafts are the caller's. `lint` says what
a publication would say and writes nothing. The ETag is of the published state: with If-Match (or If-None-Match: *)
nobody overwrites what somebody else wrote meanwhile. Problems are JSON pointers into the description.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.catalog.author.office import ANY, Written
from node.errors import Changed, Malformed, NotFound
from node.records import KINDS, PLURALS
from node.vocab.kinds import TABLES
from node.vocab.kinds.checking import Problem
from node.web.doors.staff import Staff, read_object, text_of
from node.web.parts import Parts
from node.web.ports.knowledge import Authoring
from node.web.ports.ports import Federation
from node.web.wire import answer
from node.web.wire.bodies import MESSAGE_BYTES, body_of

_RESPONSES: dict[int | str, dict[str, Any]] = {400: {}, 401: {}, 403: {}, 404: {}, 409: {}, 412: {}, 413: {}}
_MEMBERS = frozenset({"said", "collection"})
_HEX = frozenset("0123456789abcdef")

Slug = Annotated[str, Path(description="Ends the record's address.", max_length=80)]
Plural = Annotated[str, Path(description=f"The kind: {', '.join(KINDS[kind] for kind in TABLES)}.")]


class _Plurals(Convertor[str]):
    """The plurals of the kinds that can be written; no other address of the API is taken by these routes."""

    regex = "|".join(KINDS[kind] for kind in TABLES)

    def convert(self, value: str) -> str:
        return PLURALS[value]

    def to_string(self, value: str) -> str:
        return KINDS[value]


register_url_convertor("written", _Plurals())


def router(parts: Parts, federation: Federation, authoring: Authoring) -> APIRouter:
    """Make the router: the same addresses for every kind."""
    made = APIRouter(
        prefix="/api", tags=["Staff: knowledge"], responses=_RESPONSES, default_response_class=JSONResponse
    )
    staff = Staff(parts, federation)
    _add_reading(made, staff, authoring)
    _add_writing(made, staff, authoring)
    return made


def _add_reading(made: APIRouter, staff: Staff, authoring: Authoring) -> None:
    @made.get("/{kind:written}", summary="What this city wrote of a kind")
    async def listed(request: Request, kind: Plural) -> Response:
        def found() -> object:
            rows = authoring.own(kind)
            return {"records": [{"slug": row.slug, "record": row.iri, "collection": row.collection} for row in rows]}

        return await staff.does(request, found)

    @made.get("/{kind:written}/{slug}", summary="One as it is published")
    async def one(request: Request, kind: Plural, slug: Slug) -> Response:
        await staff.enter(request)
        return _tagged(await staff.beside(lambda: _shown(authoring, kind, slug)))


def _add_writing(made: APIRouter, staff: Staff, authoring: Authoring) -> None:
    @made.post("/{kind:written}/lint", summary="What a publication would say")
    async def lint(request: Request, kind: Plural) -> Response:
        said = await _body(staff, request, _MEMBERS | {"slug"})
        slug, collection = text_of(said, "slug", most=80) or "new", text_of(said, "collection", most=63)
        found = await staff.beside(lambda: authoring.check(kind, slug, _described(said), collection=collection))
        return JSONResponse({"problems": _told(found)}, headers={"cache-control": answer.NOT_KEPT})

    @made.put("/{kind:written}/{slug}", summary="Publish it, new or changed")
    async def put(request: Request, kind: Plural, slug: Slug) -> Response:
        said, by = await _body(staff, request, _MEMBERS), await staff.enter(request)
        collection = text_of(said, "collection", most=63)
        written = Written(slug, _described(said), expected=_expected(request))
        return _tagged(await staff.beside(lambda: _put(authoring, kind, written, collection), request, by))

    @made.delete("/{kind:written}/{slug}", summary="Withdraw it")
    async def withdraw(request: Request, kind: Plural, slug: Slug) -> Response:
        expected = _expected(request)
        return await staff.does(request, lambda: _withdrawn(authoring, kind, slug, expected))


async def _body(staff: Staff, request: Request, members: frozenset[str]) -> Mapping[str, Any]:
    await staff.enter(request)
    said = read_object(await body_of(request, most=MESSAGE_BYTES))
    odd = sorted(said.keys() - members)
    if odd:
        raise Malformed(f"There is no member {odd[0][:80]!r}.", fix=f"Write: {', '.join(sorted(members))}.")
    return said


def _described(said: Mapping[str, Any]) -> Mapping[str, Any]:
    value = said.get("said")
    if not isinstance(value, dict):
        raise Malformed("The member 'said' is missing or no JSON object.", fix="Put the description there.")
    return value


def _put(authoring: Authoring, kind: str, written: Written, collection: str) -> Mapping[str, Any]:
    outcome = authoring.publish(kind, [written], collection=collection)
    for _, problems in outcome.refused:
        wrong = [each for each in problems if each.level == "error"]
        if any(each.code == "changed" for each in wrong):
            raise Changed("It has changed since it was read.", fix="Read it again, and send its new ETag in If-Match.")
        error = Malformed(wrong[0].message if len(wrong) == 1 else f"{len(wrong)} things are to be mended.")
        error.places = tuple((f"/said{each.pointer}", each.message) for each in wrong)
        raise error
    warned = outcome.warned[0][1] if outcome.warned else ()
    return _shown(authoring, kind, written.slug) | {"changed": bool(outcome.put), "problems": _told(warned)}


def _withdrawn(authoring: Authoring, kind: str, slug: str, expected: str | None) -> object:
    return {"withdrawn": list(authoring.withdraw(kind, slug, expected=expected).withdrawn)}


def _shown(authoring: Authoring, kind: str, slug: str) -> dict[str, Any]:
    held = authoring.find(kind, slug)
    if held is None:
        raise NotFound(f"This city has published no {kind} {slug}.")
    said = authoring.said(held)
    return {"record": held.iri, "collection": held.collection, "digest": held.digest, "said": said}


def _tagged(told: Mapping[str, Any]) -> Response:
    tag = f'"{told["digest"].removeprefix("sha256:")}-said1"'
    return JSONResponse(told, headers={"cache-control": answer.NOT_KEPT, "etag": tag})


def _expected(request: Request) -> str | None:
    """Give the digest that the caller expects to stand there, empty for none, `*` for any.

    None if the caller does not say.

    Raises:
        Malformed: The condition is none that is understood here; then nothing may be done (RFC 9110, 13.1).
    """
    if request.headers.get("if-none-match", "").strip() == "*":
        return ""
    tag = request.headers.get("if-match", "").strip()
    if not tag:
        return None
    if tag == "*":  # whatever stands there, but something
        return ANY
    digest = tag.removeprefix('"').removesuffix('-said1"')
    if len(digest) != 64 or not set(digest) <= _HEX:
        raise Malformed("If-Match has the one ETag that was read here.", fix="Send it with its quotation marks.")
    return f"sha256:{digest}"


def _told(problems: Sequence[Problem]) -> list[dict[str, str]]:
    names = ("pointer", "code", "level", "message")
    return [{name: getattr(each, name) for name in names} for each in problems]
