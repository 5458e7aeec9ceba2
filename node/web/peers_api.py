"""The API of peers for the city's own staff: what `citynode peers` does, over HTTP with a staff token.

Every answer is JSON and kept by nobody; every "no" is problem+json. Whoever shows no staff token is told so before
anything of the request is read. Approving and importing take two requests: the first shows what will happen and names
it, the second does exactly that.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.errors import Forbidden, Malformed, Unauthenticated
from node.vocab.json_once import refuse_twice
from node.web import answer
from node.web.bodies import MESSAGE_BYTES, body_of
from node.web.door import Door
from node.web.edge import READING
from node.web.parts import Parts
from node.web.peer_ports import Office
from node.web.ports import Federation

MAX_TABLE_BYTES = 1024 * 1024
# By which members a query or a body names what an act is done to, the first that is there; and what else the trail
# keeps of a body.
_NAMING = ("name", "iri", "peer", "offer", "target", "replaces", "plan", "dataset")
_CHOSEN = (
    *("roles", "approve", "terms", "template", "role", "peer", "offer", "target", "covers", "theirs", "peers"),
    *("automatic", "collections", "themes", "all", "keys", "collection", "version", "seq", "outcome", "publish"),
    *("kind", "paused", "dry", "full", "fingerprint", "review", "public", "until", "overlap_days", "id", "open"),
    *("visibility",),
)
_MOST_NAMED = 100
_RESPONSES: dict[int | str, dict[str, Any]] = {400: {}, 401: {}, 403: {}, 404: {}, 409: {}}

Done = TypeVar("Done")
Name = Annotated[str, Path(description="The peer's name here.", max_length=63)]
Collection = Annotated[str, Path(description="A collection's name.", max_length=63)]


class Staff:
    """Lets the city's own staff in, and does what they ask beside the event loop."""

    def __init__(self, parts: Parts, federation: Federation) -> None:
        self._parts = parts
        self._door = Door(parts)
        self._federation = federation

    @property
    def office(self) -> Office:
        """Give the desk."""
        return self._federation.office

    async def enter(self, request: Request) -> str:
        """Give the name of the person.

        Raises:
            Unauthenticated: Nobody, or a token that does not hold.
            Forbidden: Somebody else's token.
        """
        caller = await self._door.caller(request)
        if caller.kind == "public":
            raise Unauthenticated(
                "This is for the city's own staff.",
                challenge='Bearer realm="citynode"',
                fix="Send Authorization: Bearer and a token of `citynode tokens issue NAME --staff`.",
            )
        if caller.kind != "staff":
            raise Forbidden("This is for the city's own staff.", fix="Use a token issued with --staff.")
        return caller.name

    def source(self, request: Request) -> str:
        """Give the address that a request came from."""
        return self._parts.address_of(request.scope)

    async def does(self, request: Request, act: Callable[[], object], *, status: int = 200) -> Response:
        """Do one act for a member of staff; in the audit trail, unless it only reads."""
        by = await self.enter(request)
        return _told(await self.beside(act, request, by), status=status)

    async def does_with(self, request: Request, act: Callable[[Mapping[str, Any], str], object]) -> Response:
        """Do one act with the JSON object of the body and the name of the person."""
        by = await self.enter(request)
        # As much as the desk's own forms take: what can be saved there can be saved here.
        said = read_object(await body_of(request, most=MESSAGE_BYTES))
        return _told(await self.beside(lambda: act(said, by), request, by, said))

    async def beside(
        self,
        act: Callable[[], Done],
        request: Request | None = None,
        by: str = "",
        said: Mapping[str, Any] | None = None,
    ) -> Done:
        """Do something beside the event loop, for a member of staff who was let in.

        With the request and who they are it stands in the audit trail, unless its method says that it only reads; what
        it is done to is named by the address, by the query or by what was `said` in the body.
        """
        staff = self._parts.site.staff
        if request is None or staff is None or request.method in READING:
            return await self._parts.thread(act)
        source, target, detail = self.source(request), _about(request, said or {}), _details(said or {})
        name = f"{request.method} {getattr(request.scope.get('route'), 'path', '')}"

        def noted() -> Done:
            with staff.trail.act(who=by, way="api", source=source, act=name, target=target) as telling:
                telling.detail.update(detail)
                return act()

        return await self._parts.thread(noted)

    async def table(self, request: Request, act: Callable[[bytes], object]) -> Response:
        """Do one act with the table of the body."""
        by = await self.enter(request)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "text/csv":
            raise Malformed("A table of peers is sent as text/csv.", fix="Say so in Content-Type.")
        table = await body_of(request, most=MAX_TABLE_BYTES)
        return _told(await self.beside(lambda: act(table), request, by))


def _about(request: Request, said: Mapping[str, Any]) -> str:
    """Name what an act is done to."""
    if request.path_params:
        return " ".join(map(str, request.path_params.values()))
    named = (each for given in (request.query_params, said) for name in _NAMING if (each := given.get(name)))
    return next((each for each in named if isinstance(each, str)), "")


def _details(said: Mapping[str, Any]) -> dict[str, str | int | bool]:
    """Give what the trail keeps of a body: what was chosen, never what somebody wrote, nor a secret."""
    found: dict[str, str | int | bool] = {}
    for name in _CHOSEN:
        value = said.get(name)
        if isinstance(value, bool | int | str) and value != "":
            found[name] = value
        elif isinstance(value, list):
            found[name] = ", ".join(each for each in value[:_MOST_NAMED] if isinstance(each, str))
    return found


def _told(value: object, *, status: int = 200) -> Response:
    return JSONResponse(value, status_code=status, headers={"cache-control": answer.NOT_KEPT})


def read_object(body: bytes) -> Mapping[str, Any]:
    """Read a JSON object; an empty body is an empty one. Raises Malformed, also if a key stands twice in it."""
    try:
        # orjson refuses what no text may hold: half characters.
        said = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise Malformed("The body is no JSON.") from error
    if not isinstance(said, dict):
        raise Malformed("The body is no JSON object.")
    refuse_twice(body.decode() or "{}")
    return said


def text_of(said: Mapping[str, Any], name: str, *, needed: bool = False, most: int = 2_000) -> str:
    """Give a text of the body. Raises Malformed."""
    value = said.get(name, "")
    if not isinstance(value, str) or len(value) > most or (needed and not value):
        raise Malformed(f"The member {name!r} is {'missing or ' if needed else ''}no text of at most {most}.")
    return _plain(name, value)


def texts_of(said: Mapping[str, Any], name: str) -> Sequence[str]:
    """Give a list of texts of the body. Raises Malformed."""
    value = said.get(name, [])
    if not isinstance(value, list) or len(value) > 200 or not all(isinstance(each, str) for each in value):
        raise Malformed(f"The member {name!r} is no list of at most 200 texts.")
    return [_plain(name, each) for each in value]


def flag_of(said: Mapping[str, Any], name: str) -> bool:
    """Give a yes or no of the body; no where it says nothing. Raises Malformed."""
    value = said.get(name, False)
    if not isinstance(value, bool):
        raise Malformed(f"The member {name!r} is true or false.")
    return value


def _plain(name: str, value: str) -> str:
    """Refuse control characters: no name, note or sentence has any, and a database may not take them."""
    if any(c < " " or c == "\x7f" for c in value):
        raise Malformed(f"The member {name!r} holds control characters.")
    return value


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
