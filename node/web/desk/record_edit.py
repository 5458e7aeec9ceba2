"""The editor: a description of any kind as a form, with lint beside the fields, a preview, and its way out.

Whatever button is pressed, what was written is saved first, as the next version of the draft; so nothing is lost by
another language, one more result or a look at the preview. Who saves over somebody else is shown both. The form and its
reading are `record_form`; the office and the drafts decide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node.catalog.author.drafts import Draft
from node.catalog.author.office import Written
from node.catalog.author.texts import leaves
from node.catalog.author.texts import read as read_text
from node.errors import Changed, NotFound
from node.records import KINDS, is_nodes_own
from node.vocab.kinds import TABLES
from node.vocab.kinds.checking import Problem, is_language, is_link
from node.vocab.kinds.field import KindTable, Said
from node.vocab.kinds.reading import links_in
from node.web.desk import record_form, titles
from node.web.desk.frame import Clerk, Desk
from node.web.desk.lint_said import told
from node.web.desk.record_find import Finder
from node.web.desk.record_form import Look, Sent
from node.web.forms.forms import Form
from node.web.ports.knowledge import Knowers
from node.web.records.knowledge_values import Values
from node.web.records.knowledge_view import view_of
from node.web.records.touching import Touching, said_in_words
from node.web.wording.words import LANGUAGES, words

WORDS_A_MINUTE = 200
MOST_DO = 2_500
WRITTEN = tuple(kind for kind in TABLES if kind != "city-model")
"""The kinds that are written at the desk. City models are read from their files."""


@dataclass(frozen=True, slots=True)
class Tab:
    """One language of the texts: how far it is, in words."""

    code: str
    name: str
    state: str
    current: bool


def add(desk: Desk) -> None:
    """Add the editor and everything that its buttons do."""
    knowledge = desk.parts.site.knowledge
    if knowledge is None:
        return
    editor = Editor(desk, knowledge)
    _add_writing(desk, editor)
    _add_publishing(desk, editor)
    _add_lint(desk, editor)
    _add_preview(desk, editor)


def table_at(request: Request) -> tuple[KindTable, str]:
    """Give the table of the kind that an address names, and the slug. Raises NotFound."""
    kind, slug = request.path_params["kind"], request.path_params["slug"]
    if kind not in WRITTEN:
        raise NotFound(
            "Records of this kind are not written here.",
            fix="Choose one of the list.",
        ).on_page("no.record.kind")
    return TABLES[kind], slug


class Editor:
    """Puts the page of the editor together, and reads what it sends."""

    def __init__(self, desk: Desk, knowledge: Knowers) -> None:
        self.desk = desk
        self.knowledge = knowledge
        self._finder = Finder(desk.parts)
        self._languages = desk.parts.pages.languages

    # ---------------------------------------------------------------- the page

    def shown(self, table: KindTable, draft: Draft, reader: str, language: str, by: str) -> dict[str, Any]:
        """Give what the template needs; blocks."""
        problems = tuple(self.knowledge.drafts.check(table.kind, draft.slug, draft.said, collection=draft.collection))
        language = language or self._first(draft.said)
        parts = record_form.parts_of(table, draft.said, Look(reader, language, problems), without=("modified",))
        found = told(table, problems, reader)
        return {
            "table": table,
            "draft": draft,
            "parts": parts,
            "language": language,
            "tabs": self._tabs(table, draft.said, problems, reader, language),
            "errors": [each for each in found if each.level == "error"],
            "warnings": [each for each in found if each.level != "error"],
            "lint": lambda one: told(table, one.problems, reader),
            "minutes": _minutes(table, draft.said, language),
            "held": self.knowledge.authoring.find(table.kind, draft.slug),
            "homes": self._homes(table, draft),
            "picks": self._finder.picks(table, draft.said, reader, by),
            "plural": said_in_words(table.plural, reader),
            "kind_said": said_in_words(table.title, reader),
            "about": said_in_words(table.about, reader),
            "name": titles.of_description(draft.said, reader, self._languages, draft.slug),
            "path": f"/{KINDS[table.kind]}/{draft.slug}",
            "language_name": lambda tag: LANGUAGES.get(tag, tag),
        }

    def _first(self, said: Said) -> str:
        """Choose the language to begin with: the first of the city's that has a title, else the first of all."""
        spoken = record_form.languages_of(said, ())
        return next((each for each in self._languages if each in spoken), next(iter(spoken), self._languages[0]))

    def _tabs(
        self, table: KindTable, said: Said, problems: Sequence[Problem], reader: str, shown: str
    ) -> tuple[Tab, ...]:
        first = self._first(said)
        return tuple(
            Tab(code, LANGUAGES.get(code, code), _state(table, said, problems, code, first, reader), code == shown)
            for code in dict.fromkeys([*record_form.languages_of(said, self._languages), shown])
        )

    def _homes(self, table: KindTable, draft: Draft) -> list[tuple[str, str, bool]]:
        """List where it may stand: name, who may read it, whether that is chosen."""
        known = dict(self.knowledge.authoring.visibilities())
        names = {table.collection: known.get(table.collection, "public")}
        names |= {name: seen for name, seen in known.items() if "/" not in name and not is_nodes_own(name)}
        chosen = draft.collection if draft.collection in names else table.collection
        return [(name, seen, name == chosen) for name, seen in sorted(names.items())]

    def name(self, draft: Draft, reader: str) -> str:
        """Give the title of a draft, else its name, for a note."""
        return titles.of_description(draft.said, reader, self._languages, draft.slug).text

    def called(self, table: KindTable, slug: str, reader: str) -> str:
        """Give the title of what is written under a name, or published; blocks."""
        return self.name(self.knowledge.drafts.open(table.kind, slug), reader)

    def is_out(self, table: KindTable, slug: str, form: Form, reader: str) -> bool:
        """Tell whether what a form would publish is published, with no draft besides: it was sent again; blocks."""
        drafts = self.knowledge.drafts
        if drafts.find(table.kind, slug) is not None or self.knowledge.authoring.find(table.kind, slug) is None:
            return False
        if not form.ticked("editing"):
            return True
        sent, home = self.read(table, drafts.open(table.kind, slug).said, form, reader)
        tried = self.knowledge.authoring.publish(table.kind, [Written(slug, sent, collection=home)], dry_run=True)
        return bool(tried.unchanged)

    # ---------------------------------------------------------------- what comes in

    def keep(self, table: KindTable, slug: str, form: Form, clerk: Clerk, reader: str) -> Draft:
        """Save what a form says as the next version. Raises Changed, with nothing saved."""
        drafts, (version, read_at) = self.knowledge.drafts, read_of(form)
        said, collection = self.read(table, drafts.open(table.kind, slug).said, form, reader)
        return drafts.save(
            table.kind, slug, said, who=clerk.name, version=version, read_at=read_at, collection=collection
        )

    def read(self, table: KindTable, before: Said, form: Form, reader: str) -> tuple[dict[str, Any], str]:
        """Read the description and the collection that a form says."""
        sent = Sent(form.fields, text_language(form), reader, form.text("do", most=MOST_DO))
        home = form.text("collection", most=63)
        return record_form.read(table, sent, before), "" if home == table.collection else home

    def preview(self, table: KindTable, draft: Draft, reader: str) -> dict[str, Any]:
        """Work out the page as its readers will have it; blocks."""
        said = self.knowledge.authoring.as_published(table.kind, draft.slug, draft.said)
        linked = [target for _, target in links_in(table, said) if is_link(target)]
        targets = Touching(self.desk.parts, reader).targets(linked)
        problems = self.knowledge.drafts.check(table.kind, draft.slug, draft.said, collection=draft.collection)
        return {
            "knowledge": view_of(table, said, Values(reader, self._languages, targets)),
            "errors": [each for each in told(table, problems, reader) if each.level == "error"],
            "draft": draft,
            "table": table,
            "kind_said": said_in_words(table.title, reader),
            "plural": said_in_words(table.plural, reader),
            "path": f"/{KINDS[table.kind]}/{draft.slug}",
        }


def read_of(form: Form) -> tuple[int, int]:
    """Give the version of the draft that a page showed, and when that was saved."""
    return form.number("version"), form.number("saved", most=1 << 53)


def text_language(form: Form) -> str:
    """Give the language in which the texts of a form were shown."""
    tag = form.text("text", most=35)
    return tag if is_language(tag) else "en"


def _state(table: KindTable, said: Said, problems: Sequence[Problem], code: str, first: str, reader: str) -> str:
    flawed = sum(1 for each in problems if each.level == "error" and each.pointer.endswith(f"/{code}"))
    if flawed:
        return words(reader, "desk.records.tab_mend", n=flawed)
    if not record_form.has_any(table, said, code):
        return words(reader, "desk.records.tab_none")
    gaps = record_form.gaps_in(table, said, code, first)
    if not gaps:
        return words(reader, "desk.records.tab_whole")
    return words(reader, "desk.records.tab_gap_one") if gaps == 1 else words(reader, "desk.records.tab_gaps", n=gaps)


def _minutes(table: KindTable, said: Said, language: str) -> int:
    texts = (each.text for each in leaves(table, said) if each.language == language)
    return max(1, round(sum(read_text(text).words for text in texts) / WORDS_A_MINUTE))


def _address(table: KindTable, slug: str, tail: str = "") -> str:
    return f"/desk/records/{table.kind}/{slug}{tail}"


def _add_writing(desk: Desk, editor: Editor) -> None:
    @desk.get("/records/{kind}/{slug}", "write")
    async def edit(request: Request, clerk: Clerk) -> Response:
        table, slug = table_at(request)
        reader = desk.parts.pages.visitor(request).language
        language = request.query_params.get("text", "")[:35]
        language = language if is_language(language) else ""

        def look() -> dict[str, Any]:
            draft = editor.knowledge.drafts.open(table.kind, slug)
            return editor.shown(table, draft, reader, language, clerk.name)

        return desk.page(request, clerk, "record_edit.html", nav="records", clash="", **await desk.does(look))

    @desk.post("/records/{kind}/{slug}", "write", "draft.save")
    async def save(request: Request, clerk: Clerk, form: Form) -> Response:
        table, slug = table_at(request)
        reader = desk.parts.pages.visitor(request).language
        try:
            draft = await desk.does(lambda: editor.keep(table, slug, form, clerk, reader))
        except Changed:
            return await _clash(desk, editor, request, clerk, form)
        return _onward(desk, request, table, draft, form)


def _add_publishing(desk: Desk, editor: Editor) -> None:
    @desk.post("/records/{kind}/{slug}/publish", "write", "record.publish")
    async def publish(request: Request, clerk: Clerk, form: Form) -> Response:
        table, slug = table_at(request)
        reader = desk.parts.pages.visitor(request).language
        try:
            if form.ticked("editing"):
                await desk.does(lambda: editor.keep(table, slug, form, clerk, reader))
        except Changed:
            if await desk.does(lambda: editor.is_out(table, slug, form, reader)):
                return await _published(desk, editor, request, (table, slug), "desk.records.published_before")
            return await _clash(desk, editor, request, clerk, form)
        version, read_at = (None, None) if form.ticked("editing") else read_of(form)
        try:
            outcome = await desk.does(
                lambda: editor.knowledge.drafts.publish(table.kind, slug, version=version, read_at=read_at)
            )
        except NotFound:
            if not await desk.does(lambda: editor.is_out(table, slug, form, reader)):
                raise
            return await _published(desk, editor, request, (table, slug), "desk.records.published_before")
        if outcome.refused:
            return desk.back(request, _address(table, slug, f"?text={text_language(form)}"), "desk.records.not_yet")
        return await _published(desk, editor, request, (table, slug), "desk.records.published")


async def _published(desk: Desk, editor: Editor, request: Request, what: tuple[KindTable, str], said: str) -> Response:
    """Go on to the list, which says what is published, with the way to its page."""
    (table, slug), reader = what, desk.parts.pages.visitor(request).language
    name = await desk.does(lambda: editor.called(table, slug, reader))
    return desk.back(request, f"/desk/records?kind={table.kind}", said, name=name, at=f"/{KINDS[table.kind]}/{slug}")


def _onward(desk: Desk, request: Request, table: KindTable, draft: Draft, form: Form) -> Response:
    """Go where the button leads; what was written is saved."""
    do, language = form.text("do", most=MOST_DO), text_language(form)
    what, _, where = do.partition(":")
    address = _address(table, draft.slug, f"?text={where if what == 'text' and where else language}")
    if what == "preview":
        return desk.back(request, _address(table, draft.slug, "/preview"))
    if what in ("add", "remove", "take"):
        place = where.partition(" ")[0]
        place = place if what != "remove" else place.rpartition("/")[0]
        return desk.back(request, f"{address}#{record_form.id_of(place)}")
    if what == "text":
        return desk.back(request, address)
    return desk.back(request, address, "desk.records.saved", n=draft.version)


async def _clash(desk: Desk, editor: Editor, request: Request, clerk: Clerk, form: Form) -> Response:
    """Show what was written again, and who saved something else meanwhile: saving once more replaces theirs."""
    table, slug = table_at(request)
    reader = desk.parts.pages.visitor(request).language

    def look() -> tuple[dict[str, Any], str]:
        theirs = editor.knowledge.drafts.open(table.kind, slug)
        said, collection = editor.read(table, theirs.said, form, reader)
        mine = replace(theirs, said=said, collection=collection)
        return editor.shown(table, mine, reader, text_language(form), clerk.name), theirs.who

    context, who = await desk.does(look)
    return desk.page(request, clerk, "record_edit.html", nav="records", status=409, clash=who or "?", **context)


def _add_lint(desk: Desk, editor: Editor) -> None:
    async def lint(request: Request) -> Response:
        """Say what lint says of one field; nothing is saved, so nothing is written down."""
        clerk = await desk.clerk(request)
        if clerk is None:
            return Response(status_code=401)
        form = await desk.form(request, clerk)
        desk.let(clerk, "write")
        table, slug = table_at(request)
        reader, language = desk.parts.pages.visitor(request).language, text_language(form)

        def look() -> record_form.Input | None:
            said, home = editor.read(table, editor.knowledge.drafts.open(table.kind, slug).said, form, reader)
            problems = tuple(editor.knowledge.drafts.check(table.kind, slug, said, collection=home))
            parts = record_form.parts_of(table, said, Look(reader, language, problems))
            return record_form.input_at(parts, request.query_params.get("place", "")[:300])

        one = await desk.does(look)
        if one is None:
            raise NotFound("There is no such field.", fix="Open the page again.").on_page("no.record.field")
        return desk.page(request, clerk, "record_lint.html", it=one, lint=lambda it: told(table, it.problems, reader))

    desk.router.add_api_route("/desk/records/{kind}/{slug}/lint", lint, methods=["POST"], response_class=Response)


def _add_preview(desk: Desk, editor: Editor) -> None:
    drafts = editor.knowledge.drafts

    @desk.get("/records/{kind}/{slug}/preview", "read")
    async def preview(request: Request, clerk: Clerk) -> Response:
        table, slug = table_at(request)
        reader = desk.parts.pages.visitor(request).language
        draft = await desk.does(lambda: drafts.open(table.kind, slug))
        context: Mapping[str, Any] = await desk.does(lambda: editor.preview(table, draft, reader))
        return desk.page(request, clerk, "record_preview.html", nav="records", **context)

    @desk.post("/records/{kind}/{slug}/ask", "write", "draft.ask")
    async def ask(request: Request, clerk: Clerk, form: Form) -> Response:
        table, slug = table_at(request)
        note = form.text("note", most=1_000)
        draft = await desk.does(lambda: drafts.ask(table.kind, slug, who=clerk.name, note=note))
        name = editor.name(draft, desk.parts.pages.visitor(request).language)
        return desk.back(request, f"/desk/records?kind={table.kind}", "desk.records.asked", name=name)

    @desk.post("/records/{kind}/{slug}/discard", "write", "draft.discard")
    async def discard(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001 (rights are the frame's)
        (table, slug), (version, read_at) = table_at(request), read_of(form)
        draft = await desk.does(lambda: drafts.discard(table.kind, slug, version=version, read_at=read_at))
        name = editor.name(draft, desk.parts.pages.visitor(request).language)
        return desk.back(request, f"/desk/records?kind={table.kind}", "desk.records.discarded", name=name)
