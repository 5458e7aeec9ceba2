"""The API of peers for the city's own staff: what `citynode peers` does, over HTTP with a staff token.

Every answer is JSON and kept by nobody; every "no" is problem+json. Whoever shows no staff token is told so before
anything of the request is read. Approving and importing take two requests: the first shows what will happen and names
it, the second does exactly that.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.web.doors.staff import Staff, flag_of, text_of, texts_of
from node.web.parts import Parts
from node.web.ports.ports import Federation
from node.web.wire import answer

_RESPONSES: dict[int | str, dict[str, Any]] = {400: {}, 401: {}, 403: {}, 404: {}, 409: {}}

Name = Annotated[str, Path(description="The peer's name here.", max_length=63)]
Collection = Annotated[str, Path(description="A collection's name.", max_length=63)]


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(prefix="/api", tags=["Staff: peers"], responses=_RESPONSES, default_response_class=JSONResponse)
    staff = Staff(parts, federation)
    _add_reading(made, staff, federation)
    _add_acts(made, staff)
    _add_stopping(made, staff)
    _add_follows(made, staff)
    _add_tables(made, staff)
    return made


def _add_reading(made: APIRouter, staff: Staff, federation: Federation) -> None:
    @made.get("/invitation", summary="What to send to another city by a trusted way")
    async def invite(request: Request) -> Response:
        return await staff.does(request, staff.office.invite)

    @made.get("/peers", summary="Every peer with its health")
    async def all_of_them(request: Request) -> Response:
        return await staff.does(request, lambda: {"peers": list(staff.office.list())})

    @made.get("/peers/{name}", summary="All that is known of a peer")
    async def one(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: staff.office.show(name))

    @made.get("/peers/{name}/review", summary="What approving a peer would pin")
    async def review(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: staff.office.review(name))

    @made.get("/peers/{name}/refusals", summary="What we refuse of a peer, and what it refuses of us")
    async def refusals(request: Request, name: Name) -> Response:
        def told() -> object:
            staff.office.show(name)  # or there is no such peer
            return federation.refusal_office.of(name)

        return await staff.does(request, told)

    @made.post("/peers/{name}/test", summary="Walk to a peer, step by step")
    async def test(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: staff.office.test(name))


def _add_acts(made: APIRouter, staff: Staff) -> None:
    @made.post("/peers", summary="Propose a peer", status_code=201)
    async def add(request: Request) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:  # noqa: ARG001  (whoever proposes pins nothing)
            return staff.office.add(
                text_of(said, "invitation") or text_of(said, "url", needed=True),
                name=text_of(said, "name", needed=True, most=63),
                fingerprint=text_of(said, "fingerprint", most=100),
                note=text_of(said, "note", most=1_000),
                untold=flag_of(said, "compare_later"),
            )

        reply = await staff.does_with(request, act)
        reply.status_code = 201
        return reply

    @made.post("/peers/{name}/approve", summary="Pin what was reviewed")
    async def approve(request: Request, name: Name) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:
            review = text_of(said, "review", needed=True, most=100)
            told = text_of(said, "fingerprint", most=100)
            told_by = text_of(said, "told_by", most=200)
            return staff.office.approve(name, by=by, review=review, fingerprint=told, told_by=told_by)

        return await staff.does_with(request, act)

    @made.put("/peers/{name}/note", summary="Write the staff's note about a peer")
    async def annotate(request: Request, name: Name) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:  # noqa: ARG001  (the trail says who)
            return staff.office.annotate(name, text_of(said, "note", most=1_000))

        return await staff.does_with(request, act)


def _add_stopping(made: APIRouter, staff: Staff) -> None:
    @made.post("/peers/{name}/differs", summary="Note that its fingerprint is another one than was read out; block it")
    async def differs(request: Request, name: Name) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:
            return staff.office.differs(name, by=by, told_by=text_of(said, "told_by", most=200))

        return await staff.does_with(request, act)

    @made.post("/peers/{name}/pause", summary="Stop all exchange for a while")
    async def pause(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: staff.office.pause(name))

    @made.post("/peers/{name}/resume", summary="End a pause")
    async def resume(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: staff.office.resume(name))

    @made.post("/peers/{name}/block", summary="Stop all exchange until somebody approves the peer again")
    async def block(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: staff.office.block(name))


def _add_follows(made: APIRouter, staff: Staff) -> None:
    @made.post("/peers/{name}/follows", summary="Mirror collections of a peer")
    async def follow(request: Request, name: Name) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:  # noqa: ARG001  (the journal says who wrote what)
            names, themes = texts_of(said, "collections"), texts_of(said, "themes")
            return staff.office.follow(name, names, all_of_them=flag_of(said, "all"), themes=themes)

        return await staff.does_with(request, act)

    @made.delete("/peers/{name}/follows/{collection}", summary="Stop mirroring a collection")
    async def unfollow(request: Request, name: Name, collection: Collection) -> Response:
        return await staff.does(request, lambda: staff.office.unfollow(name, collection))


def _add_tables(made: APIRouter, staff: Staff) -> None:
    @made.get("/peers.csv", summary="The peers as a table", response_class=Response)
    async def export(request: Request) -> Response:
        await staff.enter(request)
        headers = {"cache-control": answer.NOT_KEPT, "content-disposition": 'attachment; filename="peers.csv"'}
        return Response(staff.office.export().encode(), media_type="text/csv; charset=utf-8", headers=headers)

    @made.post("/peers.csv", summary="What a table would change, or with `plan` the change itself")
    async def take(
        request: Request, plan: Annotated[str, Query(description="As the first answer named it.", max_length=100)] = ""
    ) -> Response:
        if plan:
            return await staff.table(request, lambda table: staff.office.take(table, plan=plan))
        return await staff.table(request, staff.office.plan)
