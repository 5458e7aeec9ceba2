"""The API of this city's own collections for its staff: what `citynode collections` does, over HTTP with a staff token.

A collection is made and never removed. Who may read it is `visibility`, `public` or `restricted`; opening one shows
everybody all that it ever held, and is refused where that is personal data.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.catalog.author.collections import Kept
from node.errors import Malformed
from node.web.doors.staff import Staff, text_of
from node.web.parts import Parts
from node.web.ports.knowledge import Collections, Knowers
from node.web.ports.ports import Federation
from node.web.wording.plain import iso

_RESPONSES: dict[int | str, dict[str, Any]] = {400: {}, 401: {}, 403: {}, 404: {}, 409: {}}
Name = Annotated[str, Path(description="The collection's name.", max_length=63)]


def router(parts: Parts, federation: Federation, knowledge: Knowers) -> APIRouter:
    """Make the router."""
    made = APIRouter(
        prefix="/api", tags=["Staff: collections"], responses=_RESPONSES, default_response_class=JSONResponse
    )
    staff, office = Staff(parts, federation), knowledge.collections

    @made.get("/collections", summary="Our own collections, those that the node fills by itself left out")
    async def all_of_them(request: Request) -> Response:
        return await staff.does(request, lambda: {"collections": [_told(each) for each in office.list()]})

    @made.get("/collections/{name}", summary="One of our collections")
    async def one(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: _told(office.show(name)))

    @made.post("/collections", summary="Make a collection; restricted unless said otherwise", status_code=201)
    async def make(request: Request) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:  # noqa: ARG001  (the trail says who)
            name, title = text_of(said, "name", needed=True, most=63), text_of(said, "title", most=200)
            return _told(office.make(name, title=title, public=_visibility(said) == "public"))

        reply = await staff.does_with(request, act)
        reply.status_code = 201
        return reply

    @made.put("/collections/{name}", summary="Give one another title or visibility; what is not said stays")
    async def change(request: Request, name: Name) -> Response:
        return await staff.does_with(request, lambda said, by: _changed(office, name, said))  # noqa: ARG005

    return made


def _changed(office: Collections, name: str, said: Mapping[str, Any]) -> object:
    wanted, title = _visibility(said), text_of(said, "title", most=200)
    if not wanted and not title:
        raise Malformed("Nothing to set.", fix="Say title, visibility or both.")
    found = office.show(name)
    if title:
        found = office.rename(name, title)
    if wanted:
        found = office.open_to_all(name) if wanted == "public" else office.restrict(name)
    return _told(found)


def _visibility(said: Mapping[str, Any]) -> str:
    found = text_of(said, "visibility", most=20)
    if found not in ("", "public", "restricted"):
        raise Malformed("The member 'visibility' is public or restricted.")
    return found


def _told(one: Kept) -> dict[str, object]:
    return {
        "name": one.name,
        "iri": one.iri,
        "title": one.title,
        "visibility": "public" if one.is_public else "restricted",
        "entries": one.entries,
        "records": one.records,
        "changed_at": iso(one.changed_ms),
    }
