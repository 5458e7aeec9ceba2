"""Values of the fields of knowledge as a reader sees them: texts in the best language there is, codes by their labels.

One value becomes one `Cell`. Texts keep the marks that tell their language, or that a machine wrote them; links lead
out over http, https and mailto alone; a link to a record is the record as it is shown here (`touching`). What a group
says in a line is its first value, with the others behind it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote, urlsplit

from markupsafe import Markup

from node.vocab import lists
from node.vocab.kinds.field import Codes, Field
from node.vocab.ntriples import literal
from node.vocab.terms import CN, DCAT, FOAF, VCARD
from node.web.records.touching import Touched, said_in_words
from node.web.wording import places, text
from node.web.wording.graph import href, tail
from node.web.wording.markdown import lines, markdown
from node.web.wording.text import NOTHING, Said
from node.web.wording.words import MONTHS, words

# Of all that one page writes as Markdown; what comes after stands as plain lines.
MARKDOWN_BUDGET = 150_000
_MONTH = re.compile(r"\d{4}-\d{2}\Z")
_EPSG = re.compile(r"https?://www\.opengis\.net/def/crs/EPSG/[^/]{1,10}/(\d{4,6})\Z")
_LONG_LINK = 60
# Names of people's own choosing; they are no text in a language.
_NAMES = (FOAF.name, VCARD.fn)
CORNERS = (CN.lowerCorner, CN.upperCorner)


@dataclass(frozen=True, slots=True)
class Cell:
    """One value: its text and where it leads, or the record it names; `notes` are what else a group says, labelled."""

    said: Said
    link: str = ""
    record: Touched | None = None
    notes: "tuple[tuple[str, Cell], ...]" = ()


@dataclass(frozen=True, slots=True)
class Prose:
    """A long text as HTML; `said` tells its language. The machine's translation beside it, if there is one."""

    said: Said
    html: Markup
    machine: Said = NOTHING
    machine_html: Markup = field(default_factory=Markup)


class Values:
    """Makes cells for one reader; made anew for each page."""

    def __init__(self, reader: str, languages: Sequence[str], targets: Mapping[str, Touched]) -> None:
        """Speak to the reader; `languages` are the site's own, and `targets` the records that links name, by IRI."""
        self.reader = reader
        self._languages = languages
        self._targets = targets
        self._budget = MARKDOWN_BUDGET

    # ------------------------------------------------------------ one field

    def cells(self, field: Field, value: Any) -> tuple[Cell, ...]:  # noqa: ANN401 (a value of any form)
        """Give the values of a field; of texts in several languages those of the best one."""
        if field.by_language:
            several = value if field.many else [value]
            terms = [_term(tag, said) for each in several for tag, said in each.items()]
            if field.many:
                return tuple(Cell(each) for each in text.every(terms, self.reader, self._languages))
            found = text.choose(terms, self.reader, self._languages)
            return (Cell(replace(found, is_name=field.term in _NAMES)),) if found else ()
        made = (self.cell(field, each) for each in (value if field.many else [value]))
        return tuple(each for each in made if each.said or each.notes or each.record)

    def cell(self, field: Field, value: Any) -> Cell:  # noqa: ANN401 (a value of any form but a text)
        """Give one value of a field that is no text by language."""
        if field.form == "group":
            return self.line(field, value)
        if field.form == "link":
            return self._link(field, value)
        if field.form == "code":
            return self._code(field, value)
        if field.form == "email":
            return Cell(Said(value), href(f"mailto:{value}"))
        return Cell(Said(self._plain(field, value)))

    def _plain(self, field: Field, value: Any) -> str:  # noqa: ANN401 (a value of any form)
        if field.form == "flag":
            return words(self.reader, "yes" if value else "no")
        if field.form == "number":
            return figure(value, self.reader)
        if field.form == "date":
            return self._date(value)
        if field.form == "language":
            return lists.LANGUAGES.label(lists.language_iri(value), self.reader) or value
        if field.term == DCAT.bbox:
            return places.edges(value) or str(value)
        return corner(value, self.reader) if field.term in CORNERS else str(value)

    def _date(self, value: str) -> str:
        if not _MONTH.match(value):
            return text.date_text(value, self.reader)
        year, month = value.split("-")
        if self.reader == "fi":
            return f"{int(month)}/{year}"
        return f"{MONTHS.get(self.reader, MONTHS['en'])[int(month) - 1]} {year}"

    def _link(self, field: Field, value: str) -> Cell:
        record = self._targets.get(value) if field.to else None
        return Cell(record.title, record.link, record) if record else Cell(Said(short_link(value)), href(value))

    def _code(self, field: Field, value: str) -> Cell:
        codes = field.codes
        if isinstance(codes, Codes):
            known = codes.by_code(value)
            return Cell(Said(said_in_words(known.label, self.reader) if known else tail(value)))
        concept = codes.by_code(value) if codes else None
        label = concept.label(self.reader) if concept else ""
        return Cell(Said(label or (tail(value) if href(value) else value)), href(concept.iri if concept else value))

    # ------------------------------------------------------------ groups

    def line(self, field: Field, value: Mapping[str, Any]) -> Cell:
        """Say a group in a line: what it is called, where that leads, and the rest behind it."""
        found = [(each, self.cells(each, value[each.name])) for each in field.fields if each.name in value]
        found = [(each, cells) for each, cells in found if cells]
        main = next((cells[0] for each, cells in found if each.form in ("text", "plain", "code")), None)
        leads = next((cells[0].link for each, cells in found if each.form in ("link", "email") and not each.to), "")
        notes: list[tuple[str, Cell]] = []
        for each, cells in found:
            is_lead = cells[0].link == leads and main is not None and each.form in ("link", "email") and not each.to
            if cells[0] is not main and not is_lead:
                notes += [(said_in_words(each.label, self.reader), cell) for cell in cells]
        shown = main or Cell(NOTHING)
        return Cell(shown.said, leads or shown.link, notes=tuple(notes))

    # ------------------------------------------------------------ long texts

    def prose(self, value: Mapping[str, str], level: int) -> Prose | None:
        """Give a long text, with a machine's translation beside a foreign original; none if there is no text in it."""
        terms = [_term(tag, said) for tag, said in value.items()]
        said = text.choose(terms, self.reader, self._languages)
        if not said:
            return None
        machine = NOTHING
        if said.foreign and not said.machine:
            tags = [tag for tag in value if text.is_machine(tag) and tag.split("-")[0] == self.reader]
            machine = text.choose([_term(tag, value[tag]) for tag in tags], self.reader)
        return Prose(said, self._html(said, level), machine, self._html(machine, level))

    def _html(self, said: Said, level: int) -> Markup:
        if not said:
            return Markup()
        self._budget -= len(said.text)
        return markdown(said.text, level) if self._budget >= 0 else lines(said.text)

    def excerpt(self, value: Mapping[str, str], limit: int) -> Said:
        """Give the beginning of a long text in plain words."""
        said = text.choose([_term(tag, each) for tag, each in value.items()], self.reader, self._languages)
        return Said(text.plain(said.text, limit), said.tag, said.foreign, said.machine)


def _term(tag: str, said: str) -> str:
    return literal(said, language="" if tag == "und" else tag)


def figure(value: str, reader: str) -> str:
    """Write a decimal number as the reader does, its thousands apart.

    >>> figure("1234567.50", "en"), figure("-12.5", "fi"), figure("many", "en")
    ('1,234,567.50', '-12,5', 'many')
    """
    whole, point, rest = value.partition(".")
    sign, digits = ("-", whole[1:]) if whole[:1] == "-" else ("", whole)
    if not digits.isdigit():
        return value
    return f"{sign}{text.number(int(digits), reader)}{('.' if reader == 'en' else ',') if point else ''}{rest}"


def corner(value: str, reader: str) -> str:
    """Name the axes of a point, which has its numbers with spaces between; another text stays as it is.

    >>> corner("25496000.0 6672000.0 0.0", "en"), corner("1 2 3 4", "en")
    ('x 25,496,000.0; y 6,672,000.0; z 0.0', '1 2 3 4')
    """
    parts = value.split()
    if len(parts) > len("xyz"):
        return value
    return "; ".join(f"{axis} {figure(part, reader)}" for axis, part in zip("xyz", parts, strict=False))


def short_link(iri: str) -> str:
    """Give a web address as a person would say it: without its scheme, and without its middle if it is long.

    A reference system of the EPSG register is known by its number.
    """
    system = _EPSG.match(iri)
    if system:
        return f"EPSG:{system.group(1)}"
    try:
        parts = urlsplit(iri)
    except ValueError:
        return iri
    said = unquote(f"{parts.netloc}{parts.path}".rstrip("/")) or iri
    return said if len(said) <= _LONG_LINK else f"{said[: _LONG_LINK - 20]}…{said[-16:]}"
