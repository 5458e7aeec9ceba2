"""What a record's page shows, worked out from its payload: answers first, then files, facts and all the rest.

Values for the templates, no HTML but the cleaned description. "Unknown" is an answer: a licence is never guessed, and
what the source does not say is said to be unsaid.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

from markupsafe import Markup

from node.vocab import lists, ntriples
from node.vocab.terms import CN, DCAT, DCT, FOAF, LOCN, ODRL, SCHEMA, SKOS, VCARD
from node.web.records.everything import Line, everything
from node.web.wording import places, text
from node.web.wording.graph import MINTED, Described, href, tail
from node.web.wording.text import Said
from node.web.wording.words import known, words

LEAD_CHARACTERS = 320
_TITLES = (DCT.title, SKOS.prefLabel, FOAF.name, SCHEMA.name)
_ABOUT = (DCT.description, SCHEMA.description, SKOS.definition, DCT.abstract)
_IN_SHORT = (DCT.abstract, *_ABOUT)
# Between the names of an office and of its division.
_BETWEEN = frozenset("/,|:;(")
_ACCESS = "http://publications.europa.eu/resource/authority/access-right/"
Verdict = Literal["yes", "no", "unknown", "depends"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A question readers have, its answer in a word, and a note with perhaps a link; `whom` is to be asked instead."""

    question: str
    answer: str
    note: str = ""
    href: str = ""
    whom: Said = text.NOTHING


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence as it is shown; `commercial` and `attribution` are yes, no or unknown."""

    iri: str
    name: str
    commercial: str
    attribution: str


@dataclass(frozen=True, slots=True)
class File:
    """One way to get the data."""

    form: str
    title: Said
    about: Said
    licence: Licence | None
    size: str
    href: str
    direct: bool
    known: bool = True
    own_word: bool = False
    number: int = 0
    updated: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line in the margin: a label and its values, each perhaps with a link."""

    label: str
    values: tuple[tuple[Said, str], ...]


@dataclass(frozen=True, slots=True)
class RecordView:
    """Everything the page of a record shows of its payload."""

    title: Said
    title_translation: Said
    summary: str
    about: Said
    lead: Markup
    description: Markup
    translation: Said
    translated: Markup
    publisher: Said
    answers: tuple[Answer, ...]
    files: tuple[File, ...]
    facts: tuple[Fact, ...]
    credited: tuple[Said, ...]
    credit_rest: tuple[str, ...]
    landing: str
    lines: tuple[Line, ...]
    cut: bool

    @property
    def credit(self) -> str:
        """Give the line to name the source by."""
        return ", ".join(part.text for part in self.credited)


@dataclass(frozen=True, slots=True)
class RowView:
    """A record as a row of a list."""

    title: Said
    lead: Said
    publisher: Said
    licence: str
    sure: bool
    forms: tuple[Said, ...]
    updated: str
    licences: tuple[Licence, ...] = ()


class _Looker:
    """Answers questions about one record; made anew for each page."""

    def __init__(self, said: Described) -> None:
        self.said = said
        self.iri = said.iri
        self.reader = said.reader
        self._licences: list[Licence | None] | None = None

    def word(self, key: str, **values: object) -> str:
        return words(self.reader, key, **values)

    def title(self) -> Said:
        return self.said.text(self.iri, *_TITLES).clipped() or Said(tail(self.iri))

    def publisher(self) -> Said:
        named = self.said.names(self.iri, DCT.publisher, DCT.creator)
        return replace(named[0].clipped(), is_name=True) if named else text.NOTHING

    def lead(self, limit: int) -> Said:
        whole = self.said.text(self.iri, *_IN_SHORT)
        return Said(text.plain(whole.text, limit), whole.tag, whole.foreign, whole.machine)

    # ------------------------------------------------------------ licences

    def licence(self, subject: str) -> Licence | None:
        term = next(iter(self.said.terms(subject, DCT.license)), "")
        if not term:
            return None
        value = ntriples.value_of(term)
        iri = value if ntriples.is_iri(term) else lists.licence_of(value)
        facts = lists.facts(iri)
        name = facts.short or facts.title.get(self.reader, "") or self.said.name(term).text
        return Licence(href(iri), name, facts.commercial, facts.attribution)

    def licences(self) -> list[Licence | None]:
        """Give the licence of each file, or the record's own where a file has none."""
        if self._licences is None:
            own = self.licence(self.iri)
            files = self.said.values(self.iri, DCAT.distribution)
            self._licences = [self.licence(file) or own for file in files] or [own]
        return self._licences

    def _verdict(self, answers: Sequence[str]) -> Verdict:
        different = set(answers)
        only = different.pop() if len(different) == 1 else "depends"
        return only if only in ("yes", "no", "unknown") else "depends"  # type: ignore[return-value]

    def commercial(self) -> Verdict:
        return self._verdict([found.commercial if found else "unknown" for found in self.licences()])

    def attribution(self) -> Verdict:
        return self._verdict([found.attribution if found else "unknown" for found in self.licences()])

    def answers(self) -> tuple[Answer, ...]:
        named = {found.name: found.iri for found in self.licences() if found}
        # Several licences are named too, and stand beside their files.
        note, link = next(iter(named.items())) if len(named) == 1 else (" / ".join(sorted(named)), "#get")
        uses = {"yes": "yes.commercial", "no": "no.commercial", "unknown": "unknown", "depends": "depends"}
        commercial, attribution = self.commercial(), self.attribution()
        notes = {"yes": ("credit.copy", "#cite"), "depends": ("get.other", "#get")}
        key, place = notes.get(attribution, ("", ""))
        product = Answer(self.word("ask.product"), self.word(uses[commercial]), note, link if note else "")
        source = Answer(self.word("ask.source"), self.word(attribution), self.word(key) if key else "", place)
        return (
            product if note else self._asking(product),
            source if key or attribution == "no" else self._asking(source),
            self._agreement(),
        )

    def _asking(self, answer: Answer) -> Answer:
        """Say whom to ask, beside an answer that leaves something open."""
        publisher = self.publisher()
        return replace(answer, whom=publisher) if publisher else replace(answer, note=self.word("ask.nobody"))

    def _agreement(self) -> Answer:
        question = self.word("ask.agreement")
        rights = self.said.value(self.iri, DCT.accessRights).removeprefix(_ACCESS)
        if rights == "PUBLIC":
            return Answer(question, self.word("no"), self.word("agreement.open"))
        if rights == "RESTRICTED":
            return self._asking(Answer(question, self.word("agreement.yes")))
        if rights in ("NON_PUBLIC", "CONFIDENTIAL", "SENSITIVE"):
            return self._asking(Answer(question, self.word("agreement.closed")))
        return self._asking(Answer(question, self.word("unknown")))

    def use(self) -> tuple[str, bool]:
        """Say for a row whether it may be used, and whether that is good news."""
        commercial, attribution = self.commercial(), self.attribution()
        if commercial == "yes":
            return self.word("row.free" if attribution == "no" else "row.free_credit"), True
        keys = {"no": "row.limited", "depends": "row.mixed"}
        if commercial in keys:
            return self.word(keys[commercial]), False
        names = {found.name for found in self.licences() if found}
        return (names.pop() if len(names) == 1 else self.word("row.unknown")), False

    def credited(self) -> tuple[Said, ...]:
        """Give the parts of the line to name the source by: title, publisher, date, licences."""
        return tuple(part for part in (self.title(), self.publisher(), *map(Said, self.credit_rest())) if part)

    def credit_rest(self) -> tuple[str, ...]:
        """Give what the line ends with: date and licences, without what is not known."""
        named = dict.fromkeys(found.name for found in self.licences() if found and found.attribution != "unknown")
        changed = text.date_text(self.said.value(self.iri, DCT.modified, DCT.issued), self.reader)
        return tuple(part for part in (changed, " / ".join(named)) if part)

    # ------------------------------------------------------------ files

    def form(self, file: str) -> Said:
        kind = next(iter(self.said.terms(file, DCT.format)), "")
        if kind and lists.FILE_TYPES.by_iri(ntriples.value_of(kind)):
            return Said(lists.FILE_TYPES.label(ntriples.value_of(kind), self.reader))
        media = self.said.value(file, DCAT.mediaType).removeprefix(lists.IANA)
        if media and (found := lists.format_of(media)):
            return Said(lists.FILE_TYPES.label(found, self.reader))
        if media and "//" not in media:
            return Said(media)
        named = self.said.name(kind) if kind else text.NOTHING
        # One word is a name of a form in any language; several are somebody's language.
        return replace(named, own_word=" " in named.text)

    def files(self) -> tuple[File, ...]:
        """List the files by title: the order of a payload is that of names, which may be minted."""
        files = enumerate(self.said.values(self.iri, DCAT.distribution), 1)
        found = [replace(self._file(file), number=number) for number, file in files]
        return tuple(sorted(found, key=lambda file: (file.title.text.casefold(), file.form)))

    def _file(self, file: str) -> File:
        direct = self.said.links(file, DCAT.downloadURL)
        form, octets = self.form(file), self.said.value(file, DCAT.byteSize)
        about = self.said.text(file, DCT.description)
        whole = octets.split(".")[0]
        return File(
            form=form.text or self.word("get.unknown_form"),
            title=self.said.text(file, DCT.title).clipped(),
            about=replace(about, text=text.plain(about.text, 160)),
            licence=self.licence(file),
            size=text.size(int(whole), self.reader) if whole.isascii() and whole.isdigit() and len(whole) < 16 else "",
            href=address_of(self.said, file),
            direct=bool(direct),
            known=bool(form),
            own_word=form.own_word,
            updated=text.date_text(self.said.value(file, DCT.modified, DCT.issued), self.reader),
        )

    # ------------------------------------------------------------ facts

    def facts(self) -> tuple[Fact, ...]:
        rows = (
            ("fact.publisher", self._linked(DCT.publisher, FOAF.homepage)),
            ("fact.updated", self._dates(DCT.modified)),
            ("fact.issued", self._dates(DCT.issued)),
            ("fact.rhythm", self._named(DCT.accrualPeriodicity)),
            ("fact.covers", self._places()),
            ("fact.period", self._periods()),
            ("fact.languages", self._named(DCT.language)),
            ("fact.endpoint", self._addresses(DCAT.endpointURL)),
            ("fact.themes", self._named(DCAT.theme)),
            ("fact.keywords", [(Said(", ".join(k.text for k in words_), words_[0].tag, words_[0].foreign), "")])
            if (words_ := self.said.texts(self.iri, DCAT.keyword))
            else ("fact.keywords", []),
            ("fact.series", self._links_to(DCAT.inSeries)),
            ("fact.serves", self._links_to(DCAT.servesDataset)),
            ("fact.contact", self._contacts()),
            ("fact.page", self._addresses(DCAT.landingPage, FOAF.page)),
            ("fact.iri", [(Said(self.iri), href(self.iri))]),
        )
        return tuple(Fact(self.word(key), tuple(values)) for key, values in rows if values)

    def _named(self, predicate: str) -> list[tuple[Said, str]]:
        return [(said, "") for said in self.said.names(self.iri, predicate)]

    def _linked(self, predicate: str, address: str) -> list[tuple[Said, str]]:
        terms = self.said.terms(self.iri, predicate)
        return [
            (replace(named, is_name=True), next(iter(self.said.links(ntriples.value_of(term), address)), ""))
            for term in terms
            if (named := self.said.name(term))
        ]

    def _places(self) -> list[tuple[Said, str]]:
        """Name the places; one without a name by its edges, one that only an address names by that."""
        found: dict[str, tuple[Said, str]] = {}
        for term in self.said.terms(self.iri, DCT.spatial):
            place = ntriples.value_of(term)
            named = self.said.name(term) or Said(places.edges(self.said.value(place, DCAT.bbox, LOCN.geometry)))
            known = place in self.said or lists.label(place, self.reader)
            if named:
                found.setdefault(named.text, (named, "" if known else href(place)))
        return [found[name] for name in sorted(found)]

    def _links_to(self, predicate: str) -> list[tuple[Said, str]]:
        terms = self.said.terms(self.iri, predicate)
        return [(named, href(ntriples.value_of(term))) for term in terms if (named := self.said.name(term))]

    def _addresses(self, *predicates: str) -> list[tuple[Said, str]]:
        return [(Said(link), link) for link in self.said.links(self.iri, *predicates)]

    def _dates(self, predicate: str) -> list[tuple[Said, str]]:
        return [(Said(text.date_text(value, self.reader)), "") for value in self.said.values(self.iri, predicate)]

    def _periods(self) -> list[tuple[Said, str]]:
        return [(Said(found), "") for found in map(self._period, self.said.values(self.iri, DCT.temporal)) if found]

    def _period(self, period: str) -> str:
        start = text.date_text(self.said.value(period, DCAT.startDate, SCHEMA.startDate), self.reader)
        ends = self.said.value(period, DCAT.endDate, SCHEMA.endDate)
        end = "" if text.is_open_end(ends) else text.date_text(ends, self.reader)
        if start and end:
            return self.word("period.both", start=start, end=end)
        if start:
            return self.word("period.from", start=start)
        return self.word("period.to", end=end) if end else ""

    def _contacts(self) -> list[tuple[Said, str]]:
        found = []
        for term in self.said.terms(self.iri, DCAT.contactPoint):
            contact = ntriples.value_of(term)
            mail = self.said.value(contact, VCARD.hasEmail)
            link = mail if not mail or ":" in mail else f"mailto:{mail}"
            name = self._office(self.said.text(contact, VCARD.fn, VCARD["organization-name"]))
            name = name or Said(mail.removeprefix("mailto:"), is_name=True)
            target = href(link) or next(iter(self.said.links(contact, VCARD.hasURL)), "")
            shown = name or (Said(target) if MINTED in contact else Said(tail(contact)))
            if shown:
                found.append((shown, target))
        return found

    def _office(self, name: Said) -> Said:
        """Name a contact as the reader would, if it is the publisher; tell the language of an office of the publisher.

        Portals have one name of a contact, of no language; the publisher's names tell which one it is.
        """
        tags = set[str]()
        for term in self.said.terms(self.iri, DCT.publisher, DCT.creator) if name and not name.tag else []:
            for called in self.said.terms(ntriples.value_of(term), FOAF.name, SKOS.prefLabel, VCARD.fn):
                whole, rest = ntriples.value_of(called), name.text.removeprefix(ntriples.value_of(called))
                if not rest:
                    return replace(self.said.name(term), is_name=True)
                if whole and rest != name.text and rest.lstrip()[:1] in _BETWEEN:
                    tags.add(ntriples.language_of(called))
        return text.told(name.text, tags.pop(), self.reader) if len(tags) == 1 else replace(name, is_name=True)


def address_of(said: Described, file: str) -> str:
    """Give where a file of a record is got: directly if it can be, else by a page; nothing if nowhere."""
    return next(iter(said.links(file, DCAT.downloadURL) or said.links(file, DCAT.accessURL)), "")


def addresses_in(said: Described) -> dict[int, str]:
    """Give where on the web a record says its files are, by the number that each has on its page.

    Numbers follow the order of the files' own IRIs, so they last as long as the record names the same files.
    """
    files = (
        (number, address_of(said, file)) for number, file in enumerate(said.values(said.iri, DCAT.distribution), 1)
    )
    return {number: address for number, address in files if address.lower().startswith(("http://", "https://"))}


def look(said: Described) -> RecordView:
    """Work out the whole page."""
    looker = _Looker(said)
    about = said.text(said.iri, *_ABOUT)
    lead, description = text.parted(about.text, LEAD_CHARACTERS) if about else (Markup(), Markup())
    translation = said.machine(said.iri, DCT.description) if about.foreign and not about.machine else text.NOTHING
    title, publisher = looker.title(), looker.publisher()
    lines, cut = everything(said)
    return RecordView(
        title=title,
        title_translation=said.machine(said.iri, DCT.title).clipped()
        if title.foreign and not title.machine
        else text.NOTHING,
        summary=text.plain(about.text, LEAD_CHARACTERS),
        about=about,
        lead=lead,
        description=description,
        translation=translation,
        translated=text.clean(translation.text) if translation else Markup(),
        publisher=publisher,
        answers=looker.answers(),
        files=looker.files(),
        facts=looker.facts(),
        credited=looker.credited(),
        credit_rest=looker.credit_rest(),
        landing=next(iter(said.links(said.iri, DCAT.landingPage, FOAF.page)), ""),
        lines=lines,
        cut=cut,
    )


def told_of_files(view: RecordView, forms: Mapping[str, str]) -> RecordView:
    """Name the forms that the source does not state but another record of the same file does, by its address."""
    files = (file if file.known else replace(file, form=forms.get(file.href, file.form)) for file in view.files)
    return replace(view, files=tuple(files))


def extent_in(said: Described) -> tuple[float, float, float, float] | None:
    """Find the box (west, south, east, north) in which all places of a record lie; None where none has a shape."""
    shapes = [said.value(place, DCAT.bbox, LOCN.geometry) for place in said.values(said.iri, DCT.spatial)]
    boxes = [found for shape in shapes if (found := places.box(shape))]
    if not boxes:
        return None
    souths, wests, norths, easts = zip(*boxes, strict=True)
    return min(wests), min(souths), max(easts), max(norths)


def title_in(said: Described) -> Said:
    """Choose the title alone."""
    return _Looker(said).title()


def _state(said: Described) -> str:
    key = f"agreement.state.{said.value(said.iri, CN.state)}"
    return words(said.reader, key) if known(key) else ""


def _between(said: Described, city_at: Callable[[str], str]) -> Said:
    """Say of an agreement whose it is and how its city has it in its journal; nothing of other records."""
    urls = [said.value(said.iri, term) for term in (ODRL.assigner, ODRL.assignee)]
    cities = [named if (named := city_at(url)) != url else urlsplit(url).netloc for url in urls]
    state = _state(said)
    return Said(f"{' → '.join(cities)}. {state}") if all(cities) and state else text.NOTHING


def licences_in(said: Described) -> list[Licence]:
    """Give the licences of a record's files, each once; of the record itself where its files have none."""
    return _each_once(_Looker(said).licences())


def _each_once(licences: Iterable[Licence | None]) -> list[Licence]:
    return list({licence.iri or licence.name: licence for licence in licences if licence}.values())


def look_quickly(said: Described, lead: int = 200, *, city_at: Callable[[str], str] = str) -> RowView:
    """Work out a row of a list, with so many characters of its description.

    `city_at` names the city of a node by its base URL; the address of one that it does not know stays.
    """
    looker = _Looker(said)
    use, sure = looker.use()
    forms = {form.text: form for file in said.values(said.iri, DCAT.distribution) if (form := looker.form(file))}
    return RowView(
        title=looker.title(),
        lead=looker.lead(lead) or _between(said, city_at),
        publisher=looker.publisher(),
        licence=use,
        sure=sure,
        forms=tuple(forms[name] for name in sorted(forms)[:6]),
        updated=text.date_text(said.value(said.iri, DCT.modified), said.reader),
        licences=tuple(_each_once(looker.licences())),
    )
