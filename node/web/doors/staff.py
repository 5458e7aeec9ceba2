"""The door for the city's own staff: who comes in with a staff token, what they do, and what the trail keeps of it.

Whoever shows no staff token is told so before anything of the request is read. What was said in a body is read member
by member, each with its bound, so that every interface for staff says the same "no".
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.errors import Forbidden, Malformed, Unauthenticated
from node.vocab.json_once import refuse_twice
from node.web.doors.door import Door
from node.web.parts import Parts
from node.web.ports.peers import Office
from node.web.ports.ports import Federation
from node.web.wire import answer
from node.web.wire.bodies import MESSAGE_BYTES, body_of
from node.web.wire.edge import READING

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

Done = TypeVar("Done")


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
