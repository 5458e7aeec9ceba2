"""Where readers say that something is wrong with a record, and see what became of it. No account, no cookie.

A report is about a record that everybody may see; what is restricted is not there, as everywhere. It has a page of its
own, whose address nobody can guess: how it stands, the city's answer, and the reader's words only if the city publishes
them. Another city's record is reported here too; its city settles it, and this page says so.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from node.catalog.problem_reports import KINDS, MAX_TEXT, SETTLED, About, Words
from node.catalog.problem_store import Report
from node.errors import Conflict, Malformed, Unavailable
from node.web.addresses import is_mirror, origin_of
from node.web.forms.forms import Form
from node.web.forms.own import FORM, once, own_form, put_off, sender_of
from node.web.pages import Twin
from node.web.parts import Parts, chosen_of
from node.web.ports.ports import Held
from node.web.ports.readers import Reports
from node.web.reading import held_by
from node.web.records.records import title_of
from node.web.wire import answer
from node.web.wire.limits import Limits
from node.web.wire.problems import Problem, problem_of
from node.web.wording.plain import iso
from node.web.wording.words import words

_FORMS = ("text/html", "application/json")
_NO_STORE = {"cache-control": answer.NOT_KEPT}
_TEXT = {"type": "string"}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["iri", "kind", "text"],
                    "properties": {"iri": _TEXT, "kind": {"enum": list(KINDS)}, "text": _TEXT, "mailbox": _TEXT},
                }
            }
        },
    }
}
# What has happened, in order, by state; the last is what is now.
_COURSE: Mapping[str, Sequence[str]] = {
    "received": ("received",),
    "sent": ("received", "sent"),
    "undelivered": ("received", "undelivered"),
    "looking": ("received", "looking"),
    "mended": ("received", "looking", "mended"),
    "declined": ("received", "looking", "declined"),
}

Name = Annotated[str, Path(description="The report's id.", max_length=64)]
Iri = Annotated[str, Query(description="The record's IRI.", max_length=4_000)]


@dataclass(frozen=True, slots=True)
class Filled:
    """What a form holds when it is shown: as it was sent, what is wrong by field, and of all of it in sentences."""

    kind: str = ""
    text: str = ""
    mailbox: str = ""
    key: str = ""
    wrong: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of what becomes of a report: its state, and whether it is past, now or to come."""

    state: str
    mark: str
    at_ms: int = 0


def router(parts: Parts, reports: Reports, limits: Limits | None) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Reports"], default_response_class=Response)
    pages = _Pages(parts, reports)

    @made.get("/report", include_in_schema=False)
    async def form(request: Request, iri: Iri = "") -> Response:
        chosen_of(request, ("text/html",))
        held = held_by(parts.reading, iri)
        return await parts.thread(lambda: pages.form(request, held, Filled(kind=KINDS[0])))

    @made.post(
        "/report",
        summary="Say what is wrong with a record; no account is needed",
        description="A form: `iri`, `kind` (" + ", ".join(KINDS) + "), `text`, and if one likes `mailbox`.",
        status_code=201,
        openapi_extra=_BODY,
        responses={303: {}, 400: {}, 404: {}, 409: {}, 429: {}, 503: {}},
    )
    async def report(request: Request) -> Response:
        sent = await own_form(request, parts.site.base_url)
        held = held_by(parts.reading, sent.text("iri", most=4_000))
        caller = sender_of(request, limits)
        return await parts.thread(lambda: pages.taken(request, held, sent, caller))

    @made.get("/reports/{name}", summary="How a report stands", responses={404: {}})
    @made.get("/reports/{name}.json", include_in_schema=False)
    async def standing(request: Request, name: Name) -> Response:
        as_json = request.scope["path"].endswith(".json") or chosen_of(request, _FORMS) == "application/json"
        found = await parts.thread(lambda: reports.standing(name))
        if as_json:
            return JSONResponse(_told(found, parts), headers=_NO_STORE)
        return await parts.thread(lambda: pages.standing(request, found))

    return made


class _Pages:
    def __init__(self, parts: Parts, reports: Reports) -> None:
        self._parts, self._reports = parts, reports

    def form(self, request: Request, held: Held, filled: Filled, no: Problem | None = None) -> Response:
        """Show the form for a record; again, if what was sent meets a no."""
        parts, visitor = self._parts, self._parts.pages.visitor(request)
        peer = self._origin(held)
        body = parts.pages.render(
            "report.html",
            visitor,
            nav="data",
            held=held,
            title=title_of(parts, held, visitor),
            origin=parts.city_at(peer) if peer else parts.site.city,
            mirrored=bool(peer),
            kinds=KINDS,
            most=MAX_TEXT,
            filled=replace(filled, key=filled.key or self._reports.new_key()),
        )
        return once(request, body, visitor, no)

    def taken(self, request: Request, held: Held, sent: Form, caller: str) -> Response:
        """Take a form that was sent; show it again with what is wrong, or go to the page of the report."""
        parts, visitor = self._parts, self._parts.pages.visitor(request)
        as_json = chosen_of(request, _FORMS) == "application/json"
        kind, text, mailbox, key = (sent.typed(name) for name in ("kind", "text", "mailbox", "key"))
        # Staff reads it in the city's language, whatever the reader's is.
        title = title_of(parts, held, replace(visitor, language=parts.pages.languages[0])).text
        about = About(held.iri, title, self._origin(held))
        try:
            name = self._reports.report(about, Words(kind, text, visitor.language, mailbox), caller=caller, key=key)
        except (Malformed, Conflict, Unavailable) as error:
            if as_json:
                raise
            notes, wrong = _notes(error, visitor.language)
            return self.form(request, held, Filled(kind, text, mailbox, key[:100], wrong, notes), problem_of(error))
        address = f"{parts.site.base_url}/reports/{name}"
        if as_json:
            told = {"id": name, "state": "received", "status": address}
            return JSONResponse(told, status_code=201, headers={**_NO_STORE, "location": address})
        query = f"?lang={visitor.language}" if visitor.chosen else ""
        return RedirectResponse(f"{parts.pages.prefix}/reports/{name}{query}", status_code=303, headers=_NO_STORE)

    def _origin(self, held: Held) -> str:
        """Give the base URL of the city whose record it is, nothing for our own; also where it is followed no more."""
        return origin_of(self._parts.reading.collection(held.collection)) if is_mirror(held.collection) else ""

    def standing(self, request: Request, found: Report) -> Response:
        """Show how a report stands."""
        parts, visitor = self._parts, self._parts.pages.visitor(request)
        held = parts.reading.find_iri(found.iri)
        body = parts.pages.render(
            "report_standing.html",
            visitor,
            nav="data",
            report=found,
            held=held,
            title=title_of(parts, held, visitor) if held else None,
            settles=parts.city_at(found.peer) if is_theirs(found) else parts.site.city,
            reported_at=parts.city_at(found.peer) if found.way == "received" else parts.site.city,
            steps=course_of(found),
            there=f"{found.peer}/reports/{found.theirs}" if found.way == "sent" and found.theirs else "",
            twins=[Twin("JSON", f"{parts.site.base_url}/reports/{found.id}.json")],
        )
        return once(request, body, visitor)


def is_theirs(found: Report) -> bool:
    """Tell whether another city settles a report: one that it never took may have been settled here."""
    return found.way == "sent" and bool(found.theirs or found.state in ("received", "sent", "undelivered"))


def course_of(found: Report) -> list[Step]:
    """Give what happened to a report, what is now, and what is to come."""
    past = list(_COURSE[found.state])
    if found.theirs and found.way == "sent" and found.state in ("looking", *SETTLED):
        past.insert(1, "sent")
    coming = [] if not found.is_open else ["settled"]
    if found.state in ("received", "sent"):
        coming.insert(0, "looking")
    if found.way == "sent" and found.state == "received":
        coming.insert(0, "sent")
    steps = [Step(state, "done", found.at if state == "received" else 0) for state in past[:-1]]
    now = "done" if not found.is_open else "held" if found.state == "undelivered" else "now"
    steps.append(Step(past[-1], now, found.changed_at))
    return [*steps, *(Step(state, "off") for state in coming)]


def _notes(error: Malformed | Conflict | Unavailable, reader: str) -> tuple[Sequence[str], Mapping[str, str]]:
    """Say why a report was not taken: of all of it, and of fields."""
    if isinstance(error, Unavailable):
        return put_off(error, reader, time.time_ns() // 1_000_000), {}
    if isinstance(error, Conflict):
        return [words(reader, "report.known")], {}
    wrong = {place.removeprefix("/"): said for place, said in error.places}
    if not wrong:
        raise error
    return [words(reader, "report.flawed")], wrong


def _told(found: Report, parts: Parts) -> dict[str, Any]:
    told = {
        "id": found.id,
        "record": found.iri,
        "kind": found.kind,
        "state": found.state,
        "reported_at": iso(found.at),
        "changed_at": iso(found.changed_at),
        "settled_by": found.peer if is_theirs(found) else parts.site.base_url,
    }
    more = {"answer": found.reason, "text": found.said, "language": found.language}
    return told | {name: value for name, value in more.items() if value}
