"""Corrections at the desk: a record of a source, what the source says, and what shall stand instead.

The form shows what the record says now; what is left as the source says it is no correction. Each correction is seen
beside its source, and where the source has changed its mind the page says both and asks which is right.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from node.catalog.author.history import changes
from node.catalog.correction_store import Correction
from node.catalog.corrections import Sheet
from node.errors import Changed, Malformed
from node.vocab import overlay
from node.vocab.kinds.checking import Problem, is_missing
from node.vocab.kinds.field import Said
from node.web.addresses import At
from node.web.desk import record_form, titles
from node.web.desk.frame import Clerk, Desk
from node.web.desk.lint_said import told
from node.web.desk.record_form import Input, Look, Sent
from node.web.desk.records import label_of, pieces_of
from node.web.forms.forms import Form
from node.web.ports.knowledge import Corrections
from node.web.wording import text
from node.web.wording.words import LANGUAGES

TABLE = overlay.TABLE
MOST_IRI = 2_000


@dataclass(frozen=True, slots=True)
class Row:
    """One correction in the list, with the title of its record; `differs` are the places where the source moved."""

    correction: Correction
    title: text.Said
    fields: tuple[str, ...]
    differs: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def add(desk: Desk) -> None:
    """Add the list and the form."""
    knowledge = desk.parts.site.knowledge
    if knowledge is None:
        return
    _add_list(desk, knowledge.corrections)
    _add_form(desk, knowledge.corrections)


def address_of(iri: str) -> str:
    """Give the page that corrects a record."""
    return f"/desk/corrections/edit?iri={quote(iri, safe='')}"


def laid(says: Said, said: Said) -> dict[str, Any]:
    """Give what a record says with a correction over what its source says, as the form shows it."""
    made = dict(says)
    for field in TABLE.fields:
        if field.name not in said:
            continue
        value = said[field.name]
        if field.name == "files":
            right = {(each["address"], each.get("was", "")): each for each in value}
            made["files"] = [right.get((each["address"], each["was"]), each) for each in says.get("files", ())]
        elif field.by_language and not field.many:
            made[field.name] = {**{k: v for k, v in says.get(field.name, {}).items() if k != "und"}, **value}
        else:
            made[field.name] = value
    return made


def difference(says: Said, wanted: Said) -> dict[str, Any]:
    """Give what a filled form says otherwise than the source: that alone is a correction."""
    made = {}
    for field in TABLE.fields:
        value, theirs = wanted.get(field.name), says.get(field.name)
        if is_missing(value) or value == theirs:
            continue
        if field.by_language and not field.many and isinstance(value, Mapping) and isinstance(theirs, Mapping):
            value = {tag: text for tag, text in value.items() if theirs.get(tag) != text}
        if field.name == "files":
            value = [each for each in value or () if each.get("format") and each.get("format") != each.get("was")]
        if not is_missing(value):
            made[field.name] = value
    return made


def _add_list(desk: Desk, corrections: Corrections) -> None:
    @desk.get("/corrections", "read")
    async def listed(request: Request, clerk: Clerk) -> Response:
        reader = desk.parts.pages.visitor(request).language
        changed = request.query_params.get("changed") == "1"

        def look() -> list[Row]:
            return _rows(desk, corrections.list(changed=changed, limit=500), reader)

        return desk.page(
            request,
            clerk,
            "corrections.html",
            nav="records",
            rows=await desk.does(look),
            changed=changed,
            address_of=address_of,
        )


def _rows(desk: Desk, found: Sequence[Correction], reader: str) -> list[Row]:
    shelf, languages = desk.parts.site.shelf, desk.parts.pages.languages
    rows = []
    for each in found:
        held = next((one for one in shelf.all_by_iri(each.iri) if "/" not in one.collection), None)
        payload = shelf.payload(held) if held else b""
        title = titles.of_record(each.iri, payload, reader, languages, each.iri)
        fields = tuple(field.label.get(reader, field.label["en"]) for field in TABLE.fields if field.name in each.said)
        moved = changes(TABLE, each.before, each.now) if each.changed_ms else []
        rows.append(Row(each, title, fields, tuple((label_of(one, reader), pieces_of(one, reader)) for one in moved)))
    return rows


def _add_form(desk: Desk, corrections: Corrections) -> None:
    @desk.get("/corrections/edit", "write")
    async def edit(request: Request, clerk: Clerk) -> Response:
        iri = _iri(request)
        reader = desk.parts.pages.visitor(request).language
        sheet = await desk.does(lambda: corrections.show(iri))
        said = sheet.correction.said if sheet.correction else {}
        context = _shown(desk, sheet, said, reader, ())
        return desk.page(request, clerk, "correction_edit.html", nav="records", **context)

    @desk.post("/corrections/edit", "write", "correction.set")
    async def save(request: Request, clerk: Clerk, form: Form) -> Response:
        iri = _iri(request)
        form.told["target"] = iri
        reader = desk.parts.pages.visitor(request).language
        sheet = await desk.does(lambda: corrections.show(iri))
        before = laid(sheet.says, sheet.correction.said if sheet.correction else {})
        said = difference(sheet.says, _read(desk, form, before, reader))
        note, version = form.text("note", most=1_000), form.text("version", most=64)
        try:
            if said or not sheet.correction:
                await desk.does(lambda: corrections.set(iri, said, who=clerk.name, note=note, version=version))
            else:
                await desk.does(lambda: corrections.remove(iri, version=version))
        except Changed:
            sheet = await desk.does(lambda: corrections.show(iri))
            who = sheet.correction.who if sheet.correction else "?"
            context = {**_shown(desk, sheet, said, reader, ()), "clash": who}
            return desk.page(request, clerk, "correction_edit.html", nav="records", status=409, **context)
        except Malformed as error:
            problems = tuple(Problem(at, "wrong-value", sentence) for at, sentence in error.places)
            context = _shown(desk, sheet, said, reader, problems or (Problem("", "missing", str(error)),))
            return desk.page(request, clerk, "correction_edit.html", nav="records", status=422, **context)
        form.told["fields"] = ", ".join(said)
        return desk.back(request, address_of(iri), "desk.corrections.set" if said else "desk.corrections.removed")

    @desk.post("/corrections/remove", "write", "correction.remove")
    async def remove(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001 (the form names the record)
        iri, version = form.text("iri", most=MOST_IRI, needed=True), form.text("version", most=64)
        form.told["target"] = iri
        await desk.does(lambda: corrections.remove(iri, version=version))
        return desk.back(request, "/desk/corrections", "desk.corrections.removed")


def _iri(request: Request) -> str:
    iri = request.query_params.get("iri", "")
    if not iri or len(iri) > MOST_IRI:
        raise Malformed(
            "No record is named.",
            fix="Choose one of the list of records.",
        ).on_page("no.correction.unnamed")
    return iri


def _codes(desk: Desk, said: Said) -> list[str]:
    return record_form.languages_of(said, desk.parts.pages.languages)


def _read(desk: Desk, form: Form, before: Said, reader: str) -> Mapping[str, Any]:
    """Read the form, whose texts are shown in all languages at once."""
    made: Mapping[str, Any] = before
    for code in _codes(desk, before):
        made = record_form.read(TABLE, Sent(form.fields, code, reader), made)
    return made


def _inputs(codes: Sequence[str], now: Said, reader: str, problems: Sequence[Problem]) -> Iterator[Input]:
    """Give the fields of the form, each text in every language."""
    by_code = [record_form.parts_of(TABLE, now, Look(reader, code, tuple(problems)))[0].inputs for code in codes]
    for row in zip(*by_code, strict=True):
        yield row[0] if not row[0].language else replace(row[0], label=_with_language(row[0], codes[0]))
        for code, one in list(zip(codes, row, strict=True))[1:] if row[0].language else ():
            yield replace(one, id=f"{one.id}-{code}", label=_with_language(one, code))


def _with_language(one: Input, code: str) -> str:
    return f"{one.label} ({LANGUAGES.get(code, code)})"


def _shown(desk: Desk, sheet: Sheet, said: Said, reader: str, problems: Sequence[Problem]) -> dict[str, Any]:
    now = laid(sheet.says, said)
    fix = sheet.correction
    moved = changes(TABLE, fix.before, fix.now) if fix and fix.changed_ms else []
    return {
        "sheet": sheet,
        "clash": "",
        "table": TABLE,
        "inputs": list(_inputs(_codes(desk, now), now, reader, problems)),
        "errors": told(TABLE, problems, reader),
        "lint": lambda one: told(TABLE, one.problems, reader),
        "name": titles.of_description(now, reader, desk.parts.pages.languages, sheet.held.slug),
        "page_of": At("", sheet.held).page,
        "differences": _told(sheet.says, now, reader),
        "moved": [(label_of(one, reader), pieces_of(one, reader)) for one in moved],
        "picks": {},
        "language_name": lambda tag: LANGUAGES.get(tag, tag),
    }


def _told(says: Said, now: Said, reader: str) -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Say the correction as changes: the field, the language, what the source says and what stands instead."""
    return [(label_of(one, reader), one.language, pieces_of(one, reader)) for one in changes(TABLE, says, now)]
