"""The city's own records at the desk: what is published, what is being written, what was withdrawn, and its history.

Records of sources stand in the list too, with a way to correct them; they are written elsewhere. Withdrawing takes a
reason and leaves the text behind as a draft, and an older version becomes a draft again: nothing is put back before
somebody has looked at it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from node.catalog.author.drafts import Draft
from node.catalog.author.history import Change, Version, changes
from node.catalog.names import BY_SOURCES
from node.errors import NotFound
from node.records import KINDS
from node.vocab.kinds import TABLES
from node.vocab.kinds.field import Code, Field, KindTable
from node.vocab.kinds.naming import free, name_for
from node.web.desk import titles
from node.web.desk.frame import Clerk, Desk
from node.web.desk.record_edit import WRITTEN, table_at
from node.web.desk.record_find import Finder
from node.web.forms.forms import Form, fault
from node.web.parts import number_in
from node.web.ports.knowledge import Knowers
from node.web.ports.ports import Held
from node.web.records.touching import said_in_words
from node.web.wording.text import NOTHING, Said
from node.web.wording.words import words

PAGE = 50
STATES = ("published", "draft", "review", "withdrawn")
HARVESTED = tuple(sorted(BY_SOURCES))
_DRAFTS = ("draft", "review", "withdrawn")


@dataclass(frozen=True, slots=True)
class Row:
    """One record or draft in the list. `draft` is there where somebody writes it, `held` where it is published."""

    kind: str
    slug: str
    title: Said
    state: str
    at_ms: int
    held: Held | None
    draft: Draft | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list is asked for."""

    kind: str
    state: str
    text: str
    page: int


@dataclass(frozen=True, slots=True)
class Step:
    """One version with what changed since the one before it."""

    version: Version
    changes: tuple[tuple[str, Change, tuple[tuple[str, str], ...]], ...]
    newest: bool


def add(desk: Desk) -> None:
    """Add the list, new records, histories and withdrawals."""
    knowledge = desk.parts.site.knowledge
    if knowledge is None:
        return
    shelves = Shelves(desk, knowledge)
    _add_list(desk, shelves)
    _add_history(desk, knowledge)


class Shelves:
    """Finds what the list shows; blocks."""

    def __init__(self, desk: Desk, knowledge: Knowers) -> None:
        self._desk = desk
        self.knowledge = knowledge
        self._finder = Finder(desk.parts)

    def rows(self, asked: Asked, reader: str, by: str) -> tuple[list[Row], bool]:
        """Give one page of the list, and whether there is more."""
        found = self._found(asked, reader, by) if asked.text else list(self._all(asked, reader))
        start = (asked.page - 1) * PAGE
        return self._titled(found[start : start + PAGE], reader), len(found) > start + PAGE

    def _all(self, asked: Asked, reader: str) -> Iterator[Row]:
        """List drafts first, the last saved first, then what is published, the last changed first."""
        kinds = [asked.kind] if asked.kind in WRITTEN else list(WRITTEN) if not asked.kind else []
        drafts = [each for kind in kinds for each in self.knowledge.drafts.list(kind)]
        live = {(each.kind, each.slug): each for kind in kinds for each in self.knowledge.authoring.own(kind)}
        for draft in sorted(drafts, key=lambda each: -each.at_ms):
            held = live.pop((draft.kind, draft.slug), None)
            if asked.state in ("", draft.state):
                yield _of_draft(draft, held, reader, self._desk.parts.pages.languages)
        if asked.state in ("", "published"):
            helds = sorted(live.values(), key=lambda each: (-each.at_ms, each.slug))
            yield from map(_of_held, helds)
            yield from map(_of_held, self._harvested(asked, {held.iri for held in helds}))

    def _harvested(self, asked: Asked, written: set[str]) -> Iterator[Held]:
        """Give what sources brought of a kind, as far as the page that is asked for."""
        if asked.kind not in BY_SOURCES:
            return
        left = asked.page * PAGE + 1
        shelf = self._desk.parts.site.shelf
        for info in shelf.collections():
            if "/" in info.name or left <= 0:
                continue
            for held in shelf.page(info.name, offset=0, limit=left, kind=asked.kind):
                if held.iri not in written:
                    left -= 1
                    yield held

    def _found(self, asked: Asked, reader: str, by: str) -> list[Row]:
        kinds = [asked.kind] if asked.kind else [*WRITTEN, *HARVESTED]
        wanted = asked.text.casefold()
        made: dict[tuple[str, str], Row] = {}
        for draft in self.knowledge.drafts.list(asked.kind):
            row = _of_draft(draft, None, reader, self._desk.parts.pages.languages)
            if wanted in row.title.text.casefold() or wanted in row.slug:
                made[draft.kind, draft.slug] = row
        for hit in self._finder.find(asked.text, kinds, by, language=reader, limit=200):
            if "/" not in hit.held.collection:
                made.setdefault((hit.held.kind, hit.held.slug), _of_held(hit.held))
        return [each for each in made.values() if asked.state in ("", each.state)]

    def _titled(self, rows: Sequence[Row], reader: str) -> list[Row]:
        """Read the titles of published records, of one page alone."""
        shelf, languages = self._desk.parts.site.shelf, self._desk.parts.pages.languages
        helds = [each.held for each in rows if each.held is not None and not each.title]
        payloads = iter(shelf.payloads(helds))
        return [
            replace(each, title=titles.of_record(each.held.iri, next(payloads), reader, languages, each.slug))
            if each.held is not None and not each.title
            else each
            for each in rows
        ]


def _of_draft(draft: Draft, held: Held | None, reader: str, languages: Sequence[str]) -> Row:
    title = titles.of_description(draft.said, reader, languages, draft.slug)
    return Row(draft.kind, draft.slug, title, draft.state, draft.at_ms, held, draft)


def _of_held(held: Held) -> Row:
    return Row(held.kind, held.slug, NOTHING, "published", held.at_ms, held, None)


def _asked(request: Request) -> Asked:
    query = request.query_params
    kind, state = query.get("kind", ""), query.get("state", "")
    page = number_in("page", query.get("page", "1"), most=200)
    known = kind if kind in {*WRITTEN, *HARVESTED} else ""
    return Asked(known, state if state in STATES else "", query.get("q", "")[:200].strip(), page)


def _kinds(reader: str) -> list[tuple[str, str]]:
    named = {kind: said_in_words(TABLES[kind].plural, reader) for kind in WRITTEN}
    named |= {kind: words(reader, f"desk.records.kind_{kind}") for kind in HARVESTED}
    return list(named.items())


def _add_list(desk: Desk, shelves: Shelves) -> None:
    @desk.get("/records", "read")
    async def listed(request: Request, clerk: Clerk) -> Response:
        reader, asked = desk.parts.pages.visitor(request).language, _asked(request)
        rows, more = await desk.does(lambda: shelves.rows(asked, reader, clerk.name))

        def again(**changed: object) -> str:
            now = {"kind": asked.kind, "state": asked.state, "q": asked.text, **changed}
            return "/desk/records?" + urlencode({name: value for name, value in now.items() if value})

        return desk.page(
            request,
            clerk,
            "records.html",
            nav="records",
            fragment="rows",
            rows=rows,
            more=again(page=asked.page + 1) if more else "",
            asked=asked,
            kinds=_kinds(reader),
            written=[(kind, said_in_words(TABLES[kind].title, reader)) for kind in WRITTEN],
            states=STATES,
            harvested=HARVESTED,
        )

    @desk.post("/records", "write", "draft.begin")
    async def begin(request: Request, clerk: Clerk, form: Form) -> Response:
        kind, title = form.text("kind", most=40), form.text("title", most=200, needed=True)
        if kind not in WRITTEN:
            raise NotFound(
                "Records of this kind are not written here.",
                fix="Choose one of the list.",
            ).on_page("no.record.kind")
        if not any(sign.isalnum() for sign in title):
            error = fault("desk.records.wordless", "The title has no letter or digit.")
            error.field = "title"
            raise error
        drafts, reader = shelves.knowledge.drafts, desk.parts.pages.visitor(request).language
        language = reader if reader in desk.parts.pages.languages else desk.parts.pages.languages[0]

        said = {"title": {language: title}}

        def start() -> Draft:
            wanted = name_for(title, kind)
            begun = drafts.find(kind, wanted)
            if begun and (begun.who, begun.version, begun.said) == (clerk.name, 1, said):
                return begun  # the button was pressed twice
            return drafts.save(kind, _free(shelves.knowledge, kind, wanted), said, who=clerk.name, version=0)

        draft = await desk.does(start)
        form.told["target"] = f"{kind} {draft.slug}"
        return desk.back(request, f"/desk/records/{kind}/{draft.slug}?text={language}", "desk.records.begun")


def _free(knowledge: Knowers, kind: str, wanted: str) -> str:
    """Give a name that neither a record nor a draft has."""

    def is_taken(slug: str) -> bool:
        return bool(knowledge.authoring.find(kind, slug) or knowledge.drafts.find(kind, slug))

    return free(wanted, is_taken)


# ---------------------------------------------------------------- history


def _add_history(desk: Desk, knowledge: Knowers) -> None:
    @desk.get("/records/{kind}/{slug}/history", "read")
    async def history(request: Request, clerk: Clerk) -> Response:
        table, slug = table_at(request)
        reader = desk.parts.pages.visitor(request).language
        context = await desk.does(lambda: _history(desk, knowledge, table, slug, reader))
        return desk.page(request, clerk, "record_history.html", nav="records", **context)

    @desk.post("/records/{kind}/{slug}/withdraw", "write", "record.withdraw")
    async def withdraw(request: Request, clerk: Clerk, form: Form) -> Response:
        table, slug = table_at(request)
        reason = form.text("reason", most=1_000, needed=True)
        reader = desk.parts.pages.visitor(request).language

        def act() -> str:
            knowledge.drafts.withdraw(table.kind, slug, who=clerk.name, reason=reason)
            # Its text is a draft now.
            said = knowledge.drafts.open(table.kind, slug).said
            return titles.of_description(said, reader, desk.parts.pages.languages, slug).text

        name = await desk.does(act)
        return desk.back(request, f"/desk/records?kind={table.kind}", "desk.records.withdrawn_now", name=name)

    @desk.post("/records/{kind}/{slug}/restore", "write", "draft.restore")
    async def restore(request: Request, clerk: Clerk, form: Form) -> Response:
        table, slug = table_at(request)
        seq, collection = form.number("seq", least=1), form.text("collection", most=63)
        form.told["entry"], version = f"{collection} {seq}", form.number("version")

        def act() -> None:
            iri = knowledge.authoring.iri_of(table.kind, slug)
            said = knowledge.histories.said(table, iri, collection, seq)
            knowledge.drafts.save(table.kind, slug, said, who=clerk.name, version=version)

        await desk.does(act)
        return desk.back(request, f"/desk/records/{table.kind}/{slug}", "desk.records.restored")


def _history(desk: Desk, knowledge: Knowers, table: KindTable, slug: str, reader: str) -> Mapping[str, Any]:
    versions = knowledge.histories.of(table, knowledge.authoring.iri_of(table.kind, slug))
    draft = knowledge.drafts.find(table.kind, slug)
    if not versions and draft is None:
        raise NotFound(
            "There is no such record, and no draft of it.",
            fix="Choose one of the list.",
        ).on_page("no.record.none")
    said = next((each.said for each in versions if each.said), draft.said if draft else {})
    return {
        "table": table,
        "slug": slug,
        "plural": said_in_words(table.plural, reader),
        "kind_said": said_in_words(table.title, reader),
        "name": titles.of_description(said, reader, desk.parts.pages.languages, slug),
        "steps": _steps(table, versions, reader),
        "held": knowledge.authoring.find(table.kind, slug),
        "draft": draft,
        "path": f"/{KINDS[table.kind]}/{slug}",
    }


def _steps(table: KindTable, versions: Sequence[Version], reader: str) -> list[Step]:
    steps = []
    for number, version in enumerate(versions):
        before = next((each for each in versions[number + 1 :] if each.said is not None), None)
        found: list[Change] = []
        if version.said is not None and before is not None and before.said is not None:
            found = [each for each in changes(table, before.said, version.said) if each.field.name != "modified"]
        told = tuple((label_of(each, reader), each, pieces_of(each, reader)) for each in found)
        steps.append(Step(version, told, number == 0))
    return steps


def label_of(change: Change, reader: str) -> str:
    """Name the place of a change: “Results 2 · After”."""
    named = ((said_in_words(field.label, reader), number) for field, number in change.path)
    return " · ".join(f"{label} {number}" if number else label for label, number in named)


def pieces_of(change: Change, reader: str) -> tuple[tuple[str, str], ...]:
    """Give what became of each sentence or value, codes by their labels."""
    return tuple((op, value_said(change.field, text, reader)) for op, text in change.pieces)


def value_said(field: Field, value: str, reader: str) -> str:
    """Say a value for a person: a code by its label, everything else as it is."""
    if field.form != "code" or field.codes is None:
        return value
    found = field.codes.by_code(value)
    if found is None:
        return value
    return said_in_words(found.label, reader) if isinstance(found, Code) else found.label(reader) or value
