"""The API of drafts and corrections for the city's own staff: what the records desk does, over HTTP with a staff token.

A draft is saved whole as the next version; who names the version gone on from overwrites nobody. Histories are told
with what each version said. A correction is of a record by its IRI, in the query, since it may be any address.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.catalog.author.drafts import Draft
from node.catalog.author.history import Version
from node.catalog.correction_store import Correction
from node.catalog.corrections import Sheet
from node.errors import Malformed, NotFound
from node.vocab.kinds import TABLES
from node.vocab.kinds.checking import Problem
from node.vocab.kinds.field import KindTable
from node.web.doors.staff import Staff, text_of
from node.web.parts import Parts
from node.web.ports.knowledge import Knowers
from node.web.ports.ports import Federation
from node.web.wording.plain import iso

_RESPONSES: dict[int | str, dict[str, Any]] = {400: {}, 401: {}, 403: {}, 404: {}, 409: {}, 412: {}, 413: {}}
MOST_IRI = 2_000
Kind = Annotated[str, Path(description=f"The kind: {', '.join(TABLES)}.", max_length=40)]
Slug = Annotated[str, Path(description="Ends the record's address.", max_length=80)]
Changed = Annotated[bool, Query(description="Only those whose source says something else by now.")]
ReadVersion = Annotated[int | None, Query(ge=0, le=2**53, description="The version that was read.")]
Standing = Annotated[str | None, Query(description="The correction that was read, by its version.", max_length=64)]
Iri = Annotated[str, Query(description="The record's IRI, percent-encoded.", max_length=MOST_IRI)]


def router(parts: Parts, federation: Federation, knowledge: Knowers) -> APIRouter:
    """Make the router."""
    made = APIRouter(
        prefix="/api", tags=["Staff: knowledge"], responses=_RESPONSES, default_response_class=JSONResponse
    )
    staff = Staff(parts, federation)
    _add_drafts(made, staff, knowledge)
    _add_ways_out(made, staff, knowledge)
    _add_histories(made, staff, knowledge)
    _add_corrections(made, staff, knowledge)
    return made


def _add_drafts(made: APIRouter, staff: Staff, knowledge: Knowers) -> None:
    drafts = knowledge.drafts

    @made.get("/drafts", summary="What is being written, the last saved first")
    async def listed(request: Request, kind: str = "", state: str = "") -> Response:
        return await staff.does(request, lambda: {"drafts": [_head(each) for each in drafts.list(kind, state=state)]})

    @made.get("/drafts/{kind}/{slug}", summary="The draft to go on with: kept, else what is published")
    async def one(request: Request, kind: Kind, slug: Slug) -> Response:
        return await staff.does(request, lambda: _whole(drafts.open(_table(kind).kind, slug)))

    @made.put("/drafts/{kind}/{slug}", summary="Save the next version")
    async def save(request: Request, kind: Kind, slug: Slug) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:
            home = text_of(said, "collection", most=63) if "collection" in said else None
            version = _version_in(said)
            saved = drafts.save(
                _table(kind).kind, slug, _object(said, "said"), who=by, version=version, collection=home
            )
            return _whole(saved) | {
                "problems": _told(drafts.check(kind, slug, saved.said, collection=saved.collection))
            }

        return await staff.does_with(request, act)

    @made.delete("/drafts/{kind}/{slug}", summary="Throw a draft away")
    async def discard(request: Request, kind: Kind, slug: Slug, version: ReadVersion = None) -> Response:
        return await staff.does(request, lambda: _head(drafts.discard(kind, slug, version=version)))


def _add_ways_out(made: APIRouter, staff: Staff, knowledge: Knowers) -> None:
    drafts = knowledge.drafts

    @made.post("/drafts/{kind}/{slug}/ask", summary="Ask somebody else to read it")
    async def ask(request: Request, kind: Kind, slug: Slug) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:
            return _head(drafts.ask(kind, slug, who=by, note=text_of(said, "note", most=1_000)))

        return await staff.does_with(request, act)

    @made.post("/drafts/{kind}/{slug}/publish", summary="Publish it as it was saved")
    async def publish(request: Request, kind: Kind, slug: Slug) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:  # noqa: ARG001 (the trail says who)
            outcome = drafts.publish(_table(kind).kind, slug, version=_version_in(said))
            wrong = [each for _, many in outcome.refused for each in many if each.level == "error"]
            if wrong:
                error = Malformed(wrong[0].message if len(wrong) == 1 else f"{len(wrong)} things are to be mended.")
                error.places = tuple((f"/said{each.pointer}", each.message) for each in wrong)
                raise error
            return {"published": [*outcome.put, *outcome.unchanged]}

        return await staff.does_with(request, act)

    @made.post("/drafts/{kind}/{slug}/withdraw", summary="Withdraw the record; its text stays as a draft")
    async def withdraw(request: Request, kind: Kind, slug: Slug) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:
            reason = text_of(said, "reason", needed=True, most=1_000)
            return {"withdrawn": list(drafts.withdraw(_table(kind).kind, slug, who=by, reason=reason).withdrawn)}

        return await staff.does_with(request, act)


def _add_histories(made: APIRouter, staff: Staff, knowledge: Knowers) -> None:
    @made.get("/drafts/{kind}/{slug}/history", summary="What the record said before, the newest first")
    async def history(request: Request, kind: Kind, slug: Slug) -> Response:
        def listed() -> object:
            table = _table(kind)
            versions = knowledge.histories.of(table, knowledge.authoring.iri_of(kind, slug))
            if not versions:
                raise NotFound(f"This city has never published a {kind} {slug}.")
            return {"versions": [_told_version(each) for each in versions]}

        return await staff.does(request, listed)

    @made.post("/drafts/{kind}/{slug}/restore", summary="Take an older version up again as a draft")
    async def restore(request: Request, kind: Kind, slug: Slug) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:
            table, seq = _table(kind), said.get("seq")
            if not isinstance(seq, int) or isinstance(seq, bool) or seq < 1:
                raise Malformed("The member 'seq' is no number of an entry.", fix="Take it from the history.")
            collection = text_of(said, "collection", needed=True, most=63)
            earlier = knowledge.histories.said(table, knowledge.authoring.iri_of(kind, slug), collection, seq)
            return _whole(knowledge.drafts.save(kind, slug, earlier, who=by, version=_version_in(said)))

        return await staff.does_with(request, act)


def _add_corrections(made: APIRouter, staff: Staff, knowledge: Knowers) -> None:
    corrections = knowledge.corrections

    @made.get("/corrections", summary="What is set right in records of our sources")
    async def listed(request: Request, changed: Changed = False) -> Response:  # noqa: FBT002 (a parameter of the query)
        return await staff.does(
            request, lambda: {"corrections": [_corrected(each) for each in corrections.list(changed=changed)]}
        )

    @made.get("/correction", summary="A record, what its source says, and its correction")
    async def one(request: Request, iri: Iri) -> Response:
        return await staff.does(request, lambda: _sheet(corrections.show(iri)))

    @made.post("/correction/lint", summary="What setting a correction would say")
    async def lint(request: Request, iri: Iri) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:  # noqa: ARG001 (nothing is done)
            return {"problems": _told(corrections.check(iri, _object(said, "said")))}

        return await staff.does_with(request, act)

    @made.put("/correction", summary="Correct a record at once and at every harvest")
    async def put(request: Request, iri: Iri) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:
            note, version = text_of(said, "note", most=1_000), None
            if "version" in said:
                version = text_of(said, "version", most=64)
            return _sheet(corrections.set(iri, _object(said, "said"), who=by, note=note, version=version))

        return await staff.does_with(request, act)

    @made.delete("/correction", summary="Take a correction back")
    async def remove(request: Request, iri: Iri, version: Standing = None) -> Response:
        def act() -> object:
            sheet = corrections.remove(iri, version=version)
            return _sheet(sheet) if sheet else {"record": iri, "correction": None}

        return await staff.does(request, act)


def _table(kind: str) -> KindTable:
    found = TABLES.get(kind)
    if found is None:
        raise NotFound(f"There is no kind {kind[:40]!r} that is written here.", fix=f"Write: {', '.join(TABLES)}.")
    return found


def _object(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = said.get(name)
    if not isinstance(value, dict):
        raise Malformed(f"The member {name!r} is missing or no JSON object.", fix="Put the description there.")
    return value


def _version_in(said: Mapping[str, Any]) -> int | None:
    value = said.get("version")
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise Malformed("The member 'version' is no whole number.", fix="Send the one that was read, or none.")
    return value


def _head(draft: Draft) -> dict[str, object]:
    return {
        "kind": draft.kind,
        "slug": draft.slug,
        "state": draft.state,
        "version": draft.version,
        "saved_at": iso(draft.at_ms),
        "saved_by": draft.who or None,
        "collection": draft.collection or None,
        "note": draft.note,
    }


def _whole(draft: Draft) -> dict[str, object]:
    return _head(draft) | {"base": draft.base or None, "said": draft.said}


def _told(problems: Sequence[Problem]) -> list[dict[str, str]]:
    return [
        {"pointer": each.pointer, "code": each.code, "level": each.level, "message": each.message} for each in problems
    ]


def _told_version(version: Version) -> dict[str, object]:
    return {
        "collection": version.collection,
        "seq": version.seq,
        "at": iso(version.at_ms),
        "op": version.op,
        "digest": version.digest or None,
        "said": version.said,
    }


def _corrected(each: Correction) -> dict[str, object]:
    return {
        "record": each.iri,
        "collection": each.collection,
        "version": each.version,
        "said": each.said,
        "source_said": each.before,
        "source_says": each.now,
        "source_changed_at": iso(each.changed_ms),
        "by": each.who,
        "at": iso(each.at_ms),
        "note": each.note,
    }


def _sheet(sheet: Sheet) -> dict[str, object]:
    return {
        "record": sheet.held.iri,
        "kind": sheet.held.kind,
        "digest": sheet.held.digest,
        "source": sheet.source,
        "source_says": sheet.says,
        "correction": _corrected(sheet.correction) if sheet.correction else None,
    }
