"""What the page of a practice, an AI system and every other kind of knowledge shows, worked out from its table.

The short fields first, as a card in plain words; then the sections of the table, long texts before single values; what
is about the entry itself stands in the margin. Nothing here knows a kind by name: a field that is added to a table is
on its page. Values for the template, no HTML but that of `markdown`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from markupsafe import Markup, escape

from node.records import KINDS
from node.vocab.kinds import TABLES
from node.vocab.kinds.field import Field, KindTable, Said
from node.vocab.kinds.reading import links_in, said_in
from node.vocab.terms import DCAT, DCT, GEODCATAP
from node.web.parts import Parts
from node.web.ports.ports import Held
from node.web.records.knowledge_values import CORNERS, Cell, Prose, Values, short_link
from node.web.records.touching import Touching, said_in_words
from node.web.records.view import RecordView
from node.web.wording import text
from node.web.wording.text import Said as Text

EXCERPT = 140
# Their single values stand in the margin; they have no heading in the text.
_MARGIN = ("", "facts", "record")
# Shown in the header or in the margin, never on the card.
_HEAD = ("title", "summary", "publisher", "contact")
# DCAT has these, so they are shown as harvested ones are.
_OWN_PAGES = ("data-service",)
# More words than these are read in the text, where lines are long.
_MANY_WORDS = 8
_COLUMNS = 6
_FEW = 3
_INLINE = 4


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and its values."""

    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One group that is too much for a row of a table: what it is called, its single values, its long texts."""

    title: Cell | None
    facts: tuple[Fact, ...]
    texts: tuple[tuple[str, Prose], ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One part of the text: prose, records, words, a table (`heads` and `rows`) or entries; the others are empty."""

    form: Literal["prose", "records", "words", "table", "entries"]
    name: str
    label: str
    prose: Prose | None = None
    cells: tuple[Cell, ...] = ()
    heads: tuple[tuple[str, bool], ...] = ()
    rows: tuple[tuple[tuple[Cell, ...], ...], ...] = ()
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page. Without a title its blocks have headings of their own."""

    key: str
    title: str
    facts: tuple[Fact, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class KnowledgeView:
    """All of it.

    `door` leads to the thing's own page, under the name that its table has for that; `maker` says who made the thing,
    if the city did not. `languages` are those of the title: what a person wrote, then what a machine did, with whether
    it was one.
    """

    plural: str
    list: str
    title: Text
    lead: Text
    card: tuple[Fact, ...]
    sections: tuple[Section, ...]
    facts: tuple[Fact, ...]
    languages: tuple[tuple[str, bool], ...]
    door: Fact | None = None
    maker: Text = text.NOTHING

    def over(self, view: RecordView) -> RecordView:
        """Give what every page shows of a record, with this title and summary and without what sections say better.

        What somebody else made is theirs in the head and in the credit line.
        """
        title = self.title or view.title
        made = (title, self.maker, *map(Text, view.credit_rest)) if self.maker else ()
        return replace(
            view,
            title=title,
            publisher=self.maker or view.publisher,
            credited=made or view.credited,
            summary=self.lead.text,
            about=self.lead,
            lead=escape(self.lead.text),
            description=Markup(),
            translation=text.NOTHING,
            translated=Markup(),
        )


def knowledge_of(parts: Parts, held: Held, payload: bytes, touching: Touching, reader: str) -> KnowledgeView | None:
    """Work out the page of a record of knowledge; nothing for records of other kinds."""
    table = TABLES.get(held.kind) if held.kind not in _OWN_PAGES else None
    if table is None:
        return None
    said = said_in(table, held.iri, payload)
    targets = touching.targets([target for _, target in links_in(table, said)])
    return view_of(table, said, Values(reader, parts.pages.languages, targets))


def view_of(table: KindTable, said: Said, values: Values) -> KnowledgeView:
    """Work out the page of a record from its description."""
    return _Viewer(table, said, values).view()


class _Viewer:
    """Walks a table once; made anew for each page."""

    def __init__(self, table: KindTable, said: Said, values: Values) -> None:
        self.table = table
        self.said = said
        self.values = values
        self.reader = values.reader
        system = self._of_term(GEODCATAP.referenceSystem)
        self.system = short_link(self.said[system.name]) if system else ""
        # What the button says stands in it alone.
        landing = self._of_term(DCAT.landingPage)
        fact = self._fact(landing, self.said[landing.name]) if landing else None
        self.door = fact if fact and fact.cells[0].link else None
        self.on_card: set[str] = {landing.name} if landing and self.door else set()

    def view(self) -> KnowledgeView:
        card = tuple(self._card())
        made = [self._section(key) for key in dict.fromkeys(("", *self.table.sections))]
        margin = [fact for section in made for fact in section.facts if not section.title]
        return KnowledgeView(
            plural=said_in_words(self.table.plural, self.reader),
            list=f"/{KINDS[self.table.kind]}",
            title=self._one("title").clipped(),
            lead=self._one("summary"),
            card=card,
            sections=tuple(section for section in made if section.blocks or section.title),
            facts=tuple(margin),
            languages=self._languages(),
            door=self.door,
            maker=self._maker(),
        )

    def _languages(self) -> tuple[tuple[str, bool], ...]:
        tags = sorted(self.said.get("title", {}), key=text.is_machine)
        told: dict[str, bool] = {}
        for tag in tags:
            if tag != "und":
                told.setdefault(tag.split("-")[0], text.is_machine(tag))
        return tuple(told.items())

    def _maker(self) -> Text:
        field = self._of_term(DCT.creator)
        name = field.field("name") if field else None
        if field is None or name is None or field.many:
            return text.NOTHING
        cells = self.values.cells(name, self.said[field.name].get("name", {}))
        return cells[0].said if cells else text.NOTHING

    def _of_term(self, term: str) -> Field | None:
        """Find a field that is said by what it means."""
        return next((each for each in self.table.fields if each.term == term and each.name in self.said), None)

    def _one(self, name: str) -> Text:
        field = self.table.field(name)
        cells = self.values.cells(field, self.said[name]) if field and name in self.said else ()
        return cells[0].said if cells else text.NOTHING

    def _label(self, field: Field) -> str:
        label = said_in_words(field.label, self.reader)
        return f"{label} ({self.system})" if self.system and field.term in CORNERS else label

    # ------------------------------------------------------------ the card

    def _card(self) -> Iterator[Fact]:
        for field in self.table.fields:
            if field.short and field.name not in (*_HEAD, *self.on_card) and field.name in self.said:
                value = self.said[field.name]
                if field.form == "markdown":
                    cells: tuple[Cell, ...] = (Cell(text.NOTHING, notes=(("", Cell(self._excerpt(value))),)),)
                elif field.to and field.many:
                    continue
                else:
                    cells = self.values.cells(field, value)
                    self.on_card.add(field.name)
                if cells:
                    yield Fact(self._label(field), cells)

    def _excerpt(self, value: Mapping[str, str]) -> Text:
        return self.values.excerpt(value, EXCERPT)

    # ------------------------------------------------------------ sections

    def _section(self, key: str) -> Section:
        fields = [
            each
            for each in self.table.fields
            if each.section == key and each.name in self.said and each.name not in {*self.on_card, "title", "summary"}
        ]
        single = [each for each in fields if self._is_fact(each, key)]
        long = [each for each in fields if each not in single]
        is_titled = key not in _MARGIN and (len(long) > _FEW or len(single) >= _FEW)
        title = said_in_words(self.table.sections[key], self.reader) if is_titled else ""
        # A block that is called as its section has no heading of its own.
        levels = [4 if title and self._label(each) != title else 3 for each in long]
        made = [self._block(each, self.said[each.name], level) for each, level in zip(long, levels, strict=True)]
        blocks = tuple(block for block in made if block)
        facts = tuple(fact for each in single if (fact := self._fact(each, self.said[each.name])))
        return Section(key, title, facts, blocks)

    def _is_fact(self, field: Field, key: str) -> bool:
        if field.form == "markdown" or (field.to and field.many) or self._is_long(field):
            return False
        if field.form != "group":
            return True
        if not _is_flat(field):
            return False
        return not field.many or (key in _MARGIN and len(field.fields) <= _INLINE)

    def _is_long(self, field: Field) -> bool:
        return field.form == "plain" and field.many and len(self.said[field.name]) > _MANY_WORDS

    def _fact(self, field: Field, value: Any) -> Fact | None:  # noqa: ANN401 (a value of any form)
        cells = self.values.cells(field, value)
        return Fact(self._label(field), cells) if cells else None

    def _block(self, field: Field, value: Any, level: int) -> Block | None:  # noqa: ANN401 (a value of any form)
        label = self._label(field)
        if field.form == "markdown":
            prose = self.values.prose(value, level)
            return Block("prose", field.name, label, prose=prose) if prose else None
        if field.form == "group":
            groups = value if field.many else [value]
            if _is_flat(field) and len(_used(field, groups)) <= _COLUMNS + 1:
                return self._table(field, groups, label)
            return Block(
                "entries", field.name, label, entries=tuple(self._entry(field, each, level) for each in groups)
            )
        cells = self.values.cells(field, value)
        form: Literal["records", "words"] = "records" if field.to else "words"
        return Block(form, field.name, label, cells=cells) if cells else None

    def _table(self, field: Field, groups: Sequence[Mapping[str, Any]], label: str) -> Block:
        used = _used(field, groups)
        rows = tuple(
            tuple(self.values.cells(each, group[each.name]) if each.name in group else () for each in used)
            for group in groups
        )
        heads = tuple((self._label(each), each.form == "number") for each in used)
        return Block("table", field.name, label, heads=heads, rows=rows)

    # ------------------------------------------------------------ entries

    def _entry(self, field: Field, group: Mapping[str, Any], level: int) -> Entry:
        first = field.fields[0]
        named = first.form in ("text", "plain") and first.name in group
        cells = self.values.cells(first, group[first.name]) if named else ()
        facts, texts = [], []
        for label, each, value in self._unfolded(field, group, ""):
            if cells and each is first:
                continue
            if each.form == "markdown":
                prose = self.values.prose(value, 4 if cells else level)
                texts += [(label, prose)] if prose else []
            elif found := self.values.cells(each, value):
                facts.append(Fact(label, found))
        return Entry(cells[0] if cells else None, tuple(facts), tuple(texts))

    def _unfolded(self, field: Field, group: Mapping[str, Any], before: str) -> Iterator[tuple[str, Field, Any]]:
        """Give the values of a group and of the groups in it, with their labels; a lone text has that of its group."""
        for each in field.fields:
            if each.name not in group:
                continue
            value, label = group[each.name], self._label(each)
            if each.form == "group":
                for inner in value if each.many else [value]:
                    yield from self._unfolded(each, inner, label)
            else:
                yield before if before and each.form == "markdown" else label, each, value


def _is_flat(field: Field) -> bool:
    """Tell whether the values of a group fit into the cells of a row."""
    return all(each.form not in ("group", "markdown") and not each.to for each in field.fields)


def _used(field: Field, groups: Sequence[Mapping[str, Any]]) -> list[Field]:
    return [each for each in field.fields if any(each.name in group for group in groups)]
