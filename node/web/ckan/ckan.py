"""CKAN's Action API for reading, at the addresses that its clients know: `/api/3/action/…` and `/api/action/…`.

Old scripts, ckanapi and harvesters call this without knowing that a federation answers. By GET and POST (JSON, a form,
and JSON in a form's clothes, as CKAN's first documentation had it); every answer, also every "no", in CKAN's envelope.
Public records only, whoever asks. What actions do is in `ckan_actions`; nothing here redirects, since many of those
clients follow nothing.
"""

import hashlib
import re
import time
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote_plus

import orjson
from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from node.errors import Malformed, NodeError, NotFound, Unavailable
from node.web.addresses import At
from node.web.ckan.actions import Actions
from node.web.ckan.params import Params, Wrong
from node.web.doors.door import ANYBODY
from node.web.parts import Parts, form_for, split_suffix
from node.web.ports.find import Finders
from node.web.records.records import RecordDocuments
from node.web.records.related import Related
from node.web.wire import answer
from node.web.wire.answer import Document
from node.web.wire.bodies import FORM_BYTES, body_of
from node.web.wire.problems import RETRY_AFTER_S, STATUS

_WRITES = re.compile(r"\w+_(?:create|update|patch|delete|purge|revise|upsert|undelete|member_add|approve)\Z")
_CALLBACK = re.compile(r"[A-Za-z_$][\w$.]{0,100}\Z")
_NO_CALLBACK = (
    "Bad request - callback is no name of a function. Letters, digits, _, $ and dots may stand in it, 101 characters"
    " at most, and no digit or dot first."
)
_MAX_FIELDS = 200
Action = Annotated[str, Path(description="The action's name; `help_show` tells what it takes.", max_length=100)]
_ABOUT = (
    "Reads as CKAN 2.11 does, over this city's own public datasets and those it mirrors. `package_search` takes q, fq,"
    " sort, rows, start, facet.field and ext_bbox."
)


def router(parts: Parts, finders: Finders) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["CKAN"], default_response_class=Response)
    facade = Facade(parts, Actions(parts, finders))
    responses: dict[int | str, dict[str, Any]] = {
        200: {"content": {"application/json": {}}},
        400: {},
        403: {},
        404: {},
        409: {},
        503: {},
    }

    @made.get("/api/3/action/{action}", summary="CKAN's Action API", description=_ABOUT, responses=responses)
    async def by_get(request: Request, action: Action) -> Response:
        return await facade.answer(request, action)

    @made.post("/api/3/action/{action}", summary="CKAN's Action API", description=_ABOUT, responses=responses)
    async def by_post(request: Request, action: Action) -> Response:
        return await facade.answer(request, action)

    for path in ("/api/action/{action}", "/api/3/action/{action}/", "/api/action/{action}/"):
        made.get(path, include_in_schema=False)(by_get)
        made.post(path, include_in_schema=False)(by_post)

    @made.get("/api/3", include_in_schema=False)
    async def version(request: Request) -> Response:
        return answer.reply(request.headers, _document(200, orjson.dumps({"version": 3}), cache=answer.REVALIDATE))

    made.get("/api/3/", include_in_schema=False)(version)
    _add_pages(made, parts, finders)
    return made


def _add_pages(made: APIRouter, parts: Parts, finders: Finders) -> None:
    """Show a record where CKAN's clients think that its page is, in every form, as ckanext-dcat does."""
    documents = RecordDocuments(parts, Related(parts, ANYBODY), parts)

    @made.get("/dataset/{name}", include_in_schema=False)
    async def page(request: Request, name: str) -> Response:
        called, suffix = split_suffix(name)
        held = finders.packages.find(called, parts.reading.collections())
        if held is None:
            raise NotFound(f"There is no dataset {called[:100]!r} here.", fix="Look for it at /search.")
        form = form_for(request, suffix, At(parts.site.base_url, held).form)
        visitor = parts.pages.visitor(request)
        document = await documents.document(held, form, by_suffix=bool(suffix), visitor=visitor)
        return answer.reply(request.headers, document)


class Facade:
    """Reads calls, has them answered and writes the envelope."""

    def __init__(self, parts: Parts, actions: Actions) -> None:
        """Answer with these actions."""
        self._parts = parts
        self._actions = actions

    async def answer(self, request: Request, action: str) -> Response:
        """Answer a call; never raises what a client could cause."""
        callback = request.query_params.get("callback") if request.method == "GET" else None
        is_named = bool(callback and _CALLBACK.match(callback))
        status, value = (400, _NO_CALLBACK) if callback and not is_named else await self._answered(request, action)
        body = orjson.dumps(self._envelope(action, status, value))
        cache = answer.REVALIDATE if status == 200 and request.method == "GET" else answer.NOT_KEPT
        if callback and is_named:
            # The comment keeps the caller's word from being the first bytes of a file.
            body = b"/**/" + callback.encode() + b"(" + body + b");"
            return answer.reply(request.headers, _document(status, body, cache=cache, kind="application/javascript"))
        return answer.reply(request.headers, _document(status, body, cache=cache))

    async def _answered(self, request: Request, action: str) -> tuple[int, object]:
        try:
            params = await _params(request)
        except NodeError as error:
            return STATUS[type(error)], f"Bad request - {error}"
        try:
            return await self._run(action, Params(params))
        except NodeError as error:
            return _said(error)

    async def _run(self, action: str, params: Params) -> tuple[int, object]:
        run = self._actions.known.get(action)
        if run is None and _WRITES.match(action):
            message = "This site is for reading; datasets are changed at the portals of their cities."
            return 403, {"message": message, "__type": "Authorization Error"}
        if run is None:
            known = ", ".join(self._actions.known)
            return 400, f"Bad request - Action name not known: {action}. This site answers: {known}."
        try:
            return 200, await self._parts.thread(lambda: run(params, time.time_ns() // 1_000_000))
        except Wrong as error:
            return 409, {"__type": "Validation Error", **error.fields}

    def _envelope(self, action: str, status: int, value: object) -> object:
        if isinstance(value, str) and status != 200:
            return value  # what CKAN says before it knows which action is asked for is a mere text
        told = {"help": f"{self._parts.site.base_url}/api/3/action/help_show?name={action}"}
        if status == 200:
            return {**told, "success": True, "result": value}
        return {**told, "success": False, "error": value}


def _said(error: NodeError) -> tuple[int, object]:
    """Say an error of ours as CKAN says its own."""
    status = STATUS[type(error)]
    match error:
        case NotFound():
            return status, {"message": f"Not found: {error}", "__type": "Not Found Error"}
        case Malformed():
            return status, {"message": f"Search Query is invalid: {error}", "__type": "Search Query Error"}
        case Unavailable():
            return status, {"message": f"Search is not possible now: {error}", "__type": "Search Index Error"}
        case _:
            return status, f"Bad request - {error}"


def _document(status: int, body: bytes, *, cache: str, kind: str = "application/json") -> Document:
    tag = hashlib.sha256(body).hexdigest()[:32] + "-ckan1" if cache == answer.REVALIDATE else ""
    extra = (("retry-after", str(RETRY_AFTER_S)),) if status == 503 else ()
    media_type = f"{kind}; charset=utf-8"
    return Document(body, media_type, tag=tag, cache=cache, vary=answer.VARY_SUFFIX, status=status, extra=extra)


def _of_address(request: Request) -> dict[str, object]:
    return _gathered(request.query_params.multi_items())


def _gathered(pairs: list[tuple[str, str]]) -> dict[str, object]:
    """Put values that come again under one name into a list."""
    found: dict[str, object] = {}
    for name, value in pairs[:_MAX_FIELDS]:
        before = found.get(name)
        if before is None:
            found[name] = value
        else:
            found[name] = [*(before if isinstance(before, list) else [before]), value]
    return found


async def _params(request: Request) -> dict[str, object]:
    """Read what came with a call: the body of a POST, else the address. Raises Malformed, TooLarge."""
    given = _of_address(request)
    if request.method != "POST":
        return given
    body = await body_of(request, most=FORM_BYTES)
    if not body.strip():
        return given
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        raise Malformed("A multipart form is not read here.", fix="Send JSON, or a plain form.")
    text = body.decode("utf-8", "replace")
    if kind == "application/x-www-form-urlencoded":
        # CKAN's first examples sent JSON, percent-encoded, under this type.
        decoded = unquote_plus(text).strip()
        if not decoded.startswith("{"):
            return given | _gathered(parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS))
        text = decoded
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"JSON Error: {error}.", fix="Send a JSON object.") from error
    if not isinstance(value, dict):
        raise Malformed("JSON Error: the body is no object.", fix='Send a JSON object, as {"q": "parking"}.')
    return given | value
