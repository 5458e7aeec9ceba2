"""The door for submissions: strangers send what they made of a city's data, staff decides.

No account and no cookie; but another site's page could use up the rate of a visitor's address, so what a browser sends
must come from a page of ours, as JSON or as a form. Programs say no origin, and are taken from everywhere.
A submission is read by its sender at an address with a secret, and by staff; nothing of it is kept by caches. What a
submission may hold is told at the same address, made of the table of its kind.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.catalog.submission_rules import CITY_SAYS, MAX_CHARACTERS, MAX_LINKS, is_needed
from node.catalog.submissions import KINDS, MAX_LISTED, MAX_REASON, Shown, Standing
from node.errors import Malformed
from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.field import Codes, Field, KindTable
from node.web.doors.staff import Staff, read_object, text_of
from node.web.forms.own import check_own, is_form, sender_of
from node.web.pages import accept_of
from node.web.parts import Parts
from node.web.portal.submission_pages import SubmissionPages
from node.web.ports.knowledge import Submissions
from node.web.ports.ports import Federation
from node.web.wire import answer
from node.web.wire.bodies import FORM_BYTES, body_of
from node.web.wire.limits import Limits
from node.web.wire.negotiate import wants_page

_TAKEN: dict[int | str, dict[str, Any]] = {202: {}, 400: {}, 409: {}, 413: {}, 429: {}, 503: {}}
_RESPONSES: dict[int | str, dict[str, Any]] = {400: {}, 401: {}, 403: {}, 404: {}, 409: {}}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["kind", "described"],
                    "properties": {
                        "kind": {"enum": list(KINDS)},
                        "language": {"type": "string"},
                        "email": {"type": "string"},
                        "described": {"type": "object"},
                    },
                }
            }
        },
    }
}
_NO_STORE = {"cache-control": answer.NOT_KEPT}

Name = Annotated[str, Path(description="The submission's id.", max_length=64)]


def router(parts: Parts, federation: Federation, submissions: Submissions, limits: Limits | None) -> APIRouter:
    """Make the router."""
    made = APIRouter(default_response_class=JSONResponse)
    _add_strangers(made, parts, submissions, limits)
    _add_staff(made, Staff(parts, federation), submissions)
    return made


def _add_strangers(made: APIRouter, parts: Parts, submissions: Submissions, limits: Limits | None) -> None:
    base, pages = parts.site.base_url, SubmissionPages(parts, submissions, limits)

    @made.get("/submissions/new", include_in_schema=False)
    async def new(request: Request) -> Response:
        return pages.empty(request)

    @made.get("/submissions", summary="What may be submitted, and how", tags=["Submissions"])
    async def forms(request: Request) -> Response:
        if wants_page(accept_of(request)):
            return pages.empty(request)
        told = {
            "kinds": [_form(TABLES[kind]) for kind in KINDS],
            "bounds": {
                "body_bytes": FORM_BYTES,
                "characters": MAX_CHARACTERS,
                "links": MAX_LINKS,
                "per_hour": submissions.bounds.per_hour,
                "per_day": submissions.bounds.per_day,
            },
        }
        return JSONResponse(told, headers={"cache-control": answer.PUBLIC, "vary": answer.VARY})

    @made.post(
        "/submissions",
        summary="Submit a reuse; no account is needed",
        description='`{"kind": "reuse", "language": "en", "email": "…", "described": {…}}`; fields: GET /submissions.'
        " The form of /submissions/new is taken too.",
        status_code=202,
        responses=_TAKEN,
        openapi_extra=_BODY,
        tags=["Submissions"],
    )
    async def submit(request: Request) -> Response:
        if is_form(request):
            return await pages.submit(request)
        check_own(request, base)
        _check_json(request)
        said = read_object(await body_of(request, most=FORM_BYTES))
        caller = sender_of(request, limits)
        receipt = await parts.thread(lambda: submissions.submit(said, caller=caller))
        status = f"{base}/submissions/{receipt.id}?secret={receipt.secret}"
        told = {"id": receipt.id, "state": "waiting", "status": status}
        return JSONResponse(told, status_code=202, headers=_NO_STORE | {"location": status})

    @made.get("/submissions/{name}", summary="How a submission stands", responses={404: {}}, tags=["Submissions"])
    async def standing(
        request: Request, name: Name, secret: Annotated[str, Query(description="As it was given.", max_length=100)] = ""
    ) -> Response:
        found = await parts.thread(lambda: submissions.standing(name, secret))
        if wants_page(accept_of(request)):
            return pages.standing(request, found)
        gone = {"withdrawn_ms": found.withdrawn_ms} if found.withdrawn_ms else {}
        return JSONResponse(_standing(found) | gone, headers=_NO_STORE)


def _add_staff(made: APIRouter, staff: Staff, submissions: Submissions) -> None:
    tagged: dict[str, Any] = {"responses": _RESPONSES, "tags": ["Staff: submissions"]}

    @made.get("/api/submissions", summary="What waits, the longest waiting first", **tagged)
    async def listed(
        request: Request,
        decided: Annotated[bool, Query(description="What was decided instead, the last first.")] = False,  # noqa: FBT002
        limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 100,
    ) -> Response:
        def found() -> object:
            return {"submissions": [shown_of(each) for each in submissions.list(waiting=not decided, limit=limit)]}

        return await staff.does(request, found)

    @made.get("/api/submissions/{name}", summary="One with what lint says of it", **tagged)
    async def one(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: shown_of(submissions.show(name)))

    @made.post("/api/submissions/{name}/accept", summary="Publish it", **tagged)
    async def accept(request: Request, name: Name) -> Response:
        def act(said: Mapping[str, Any], _: str) -> object:
            return shown_of(submissions.accept(name, slug=text_of(said, "slug", most=80)))

        return await staff.does_with(request, act)

    @made.post("/api/submissions/{name}/refuse", summary="Refuse it, with a reason that its sender reads", **tagged)
    async def refuse(request: Request, name: Name) -> Response:
        def act(said: Mapping[str, Any], _: str) -> object:
            reason = text_of(said, "reason", needed=True, most=MAX_REASON)
            return shown_of(submissions.refuse(name, reason=reason))

        return await staff.does_with(request, act)


def _check_json(request: Request) -> None:
    """Refuse what a form of another site can send without asking first (a simple request of Fetch, 3.2.2)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        said = "A submission is sent as application/json."
        raise Malformed(said, fix="With curl: -H 'Content-Type: application/json' -d @FILE")


def _standing(found: Standing | Shown) -> dict[str, object]:
    told: dict[str, object] = {"id": found.id, "state": found.state, "submitted_ms": found.at_ms}
    more = {"decided_ms": found.decided_ms, "reason": found.reason, "record": found.record}
    return told | {name: value for name, value in more.items() if value}


def shown_of(found: Shown) -> dict[str, object]:
    """Write a submission for staff as JSON values."""
    told = {**_standing(found), "kind": found.kind, "title": found.title, "email": found.contact}
    if found.said:
        told["described"] = dict(found.said)
    if found.warnings:
        told["problems"] = [
            {"pointer": each.pointer, "code": each.code, "level": each.level, "message": each.message}
            for each in found.warnings
        ]
    return told


def _form(table: KindTable) -> dict[str, object]:
    fields = [each for each in table.fields if each.name not in CITY_SAYS]
    named = {each.name for each in fields}
    return {
        "kind": table.kind,
        "title": dict(table.title),
        "about": dict(table.about),
        "fields": [_field(each) | {"need": "must" if is_needed(each) else each.need} for each in fields],
        "example": {name: value for name, value in example_of(table).items() if name in named},
    }


def _field(field: Field) -> dict[str, object]:
    told: dict[str, object] = {
        "name": field.name,
        "form": field.form,
        "need": field.need,
        "many": field.many,
        "label": dict(field.label),
        "hint": dict(field.hint),
    }
    if isinstance(field.codes, Codes):
        told["codes"] = [{"code": each.code, "label": dict(each.label)} for each in field.codes.codes]
    if field.to:
        told["to"] = list(field.to)
    if field.fields:
        told["fields"] = [_field(each) for each in field.fields]
    return told
