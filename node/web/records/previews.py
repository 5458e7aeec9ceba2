"""What was seen inside files, by the name of its bytes: facts for programs, outlines, meshes and pictures for pages.

A name stands for one thing for ever, but is answered only as long as a collection that everybody may see shows what it
stands for, and else like one that never was. So whoever keeps a reply asks again after a minute, as for a page: what is
taken away is then gone from shared caches too.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.errors import NotFound
from node.web.parts import Parts
from node.web.ports.previews import Previews
from node.web.wire import answer
from node.web.wire.answer import Document

_TYPES = {
    "json": "application/json",
    "geojson": "application/geo+json",
    "bin": "application/octet-stream",
    "webp": "image/webp",
}


def router(parts: Parts, previews: Previews) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Records"])

    @made.get(
        "/previews/{name}",
        summary="What was seen inside a file",
        description="Facts (`.json`), an outline (`.geojson`), a mesh (`.bin`) or a small picture (`.webp`).",
        responses={200: {"content": {kind: {} for kind in _TYPES.values()}}, 404: {}},
        response_class=Response,
    )
    async def preview(request: Request, name: str) -> Response:
        file, _, ending = name.partition(".")
        body = await parts.thread(lambda: _found(file, ending))
        if body is None:
            raise NotFound("There is no preview of that name.", fix="The page of the dataset links to what there is.")
        document = Document(
            body, _TYPES[ending], tag=f"{file[:32]}-{ending}", cache=answer.PUBLIC, vary=answer.VARY_SUFFIX
        )
        return answer.reply(request.headers, document)

    def _found(file: str, ending: str) -> bytes | None:
        if ending not in _TYPES or not set(previews.looks.shown_of(file)) & set(parts.reading.collections()):
            return None
        return previews.folder.read(file, ending)

    return made
