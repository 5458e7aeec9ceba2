"""Records side by side: the lines of the table, what differs in a way that changes one's work, may they be combined.

Pure over what a reading shows its caller: a record that is not shown is one that is not here. Nothing is guessed: a
licence that is not stated makes the answer "ask".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node.catalog.quality.metrics import MAX_POINTS, rating_of
from node.vocab import licence_rules as rules
from node.vocab import ntriples
from node.vocab.set_records import ComparableSet
from node.vocab.terms import DCAT, DCT
from node.web.addresses import At
from node.web.pages import Visitor
from node.web.parts import Parts
from node.web.ports.ports import Held
from node.web.records.view import RecordView, licences_in, look
from node.web.wording.graph import Described
from node.web.wording.text import Said, told
from node.web.wording.words import words

Cell = tuple[tuple[Said, str], ...]  # texts, each with a link or nothing


@dataclass(frozen=True, slots=True)
class Side:
    """One of the records: where it is from, what its page shows, and the licences of its files."""

    held: Held
    city: str
    view: RecordView
    said: Described
    licences: tuple[tuple[str, str], ...]  # code or IRI, and name

    def linked(self, base: str) -> Cell:
        """Name the forms, each with its file; with the list of files on the record's page where there are several."""
        found: dict[str, list[str]] = {}
        for file in self.view.files:
            found.setdefault(file.form, []).append(file.href)
        page, own = f"{At(base, self.held).page}#get", {file.form for file in self.view.files if file.own_word}
        return tuple(
            (Said(form, own_word=form in own), hrefs[0] if len(hrefs) == 1 else page)
            for form, hrefs in sorted(found.items())
        )

    @property
    def forms(self) -> list[str]:
        """Name the forms of its files, each once."""
        return sorted({file.form for file in self.view.files})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table; `differs` where the difference changes one's work."""

    label: str
    cells: tuple[Cell, ...]
    differs: bool = False


def sides_of(parts: Parts, helds: Sequence[Held], visitor: Visitor) -> list[Side]:
    """Look at records for a reader, in the order given; one erased meanwhile is left out."""
    payloads = parts.reading.payloads(helds)
    return [_side(parts, held, body, visitor) for held, body in zip(helds, payloads, strict=True) if body]


def _side(parts: Parts, held: Held, payload: bytes, visitor: Visitor) -> Side:
    said = Described(ntriples.triples_of(payload), held.iri, visitor.language, parts.pages.languages)
    mirror = parts.mirror(held.collection)
    view = look(said)
    licences = [(rules.code_of(one.iri or one.name), one.name) for one in licences_in(said)]
    # One file without licence, and nobody may say that all of it is free.
    bare = not said.terms(held.iri, DCT.license) and not all(file.licence for file in view.files)
    licences += [("", "")] if bare or not licences else []
    return Side(held, mirror.city if mirror else parts.site.city, view, said, tuple(licences))


def combination_of(sides: Sequence[Side]) -> rules.Combination:
    """Say whether they may be merged, by every licence of every record."""
    named = [code for side in sides for code, _ in side.licences]
    different = list(dict.fromkeys(named))[: rules.MOST]
    # Two records under one licence are merged all the same.
    return rules.combine([*different, different[0]] if len(named) > 1 else different)


def terms_of(sides: Sequence[Side], reader: str) -> list[Line]:
    """Give the lines that say what one may do."""
    licences = [frozenset(code for code, _ in side.licences) for side in sides]
    labels = ("compare.product", "compare.source", "compare.agreement")
    lines = [
        Line(words(reader, label), tuple(((Said(side.view.answers[place].answer), ""),) for side in sides))
        for place, label in enumerate(labels)
    ]
    named = tuple(tuple((Said(name or words(reader, "unknown")), "") for _, name in side.licences) for side in sides)
    return [*lines, Line(words(reader, "get.licence"), named, differs=len(set(licences)) > 1)]


def data_of(sides: Sequence[Side], reader: str, base: str) -> list[Line]:
    """Give the lines that say how to get the data and what it is; those that no record fills are left out."""
    forms = tuple(side.linked(base) for side in sides)
    lines = [Line(words(reader, "compare.forms"), forms, differs=_unlike([frozenset(side.forms) for side in sides]))]
    for key, differs in (
        ("fact.publisher", None),
        ("fact.updated", _unlike),
        ("fact.rhythm", _unlike),
        ("fact.covers", None),
        ("fact.period", _unlike),
        ("fact.languages", _apart),
    ):
        label = words(reader, key)
        cells = tuple(_fact(side.view, label) for side in sides)
        texts = [frozenset(said.text for said, _ in cell) for cell in cells]
        lines.append(Line(label, cells, differs=differs is not None and differs(texts)))
    standards = tuple(tuple((name, "") for name in side.said.names(side.held.iri, DCT.conformsTo)) for side in sides)
    apart = _apart([frozenset(said.text for said, _ in cell) for cell in standards])
    lines.append(Line(words(reader, "compare.standards"), standards, differs=apart))
    return [line for line in lines if any(line.cells)]


def quality_of(parts: Parts, sides: Sequence[Side], reader: str) -> list[Line]:
    """Give the line that says how well each is described, and leads to its measure; none where none is known."""
    finding = parts.site.finding
    if finding is None:
        return []
    points = [finding.quality.points(side.held.collection, side.held.iri) for side in sides]
    if not any(each is not None for each in points):
        return []
    rated = [rating_of(each, MAX_POINTS) if each is not None else "unknown" for each in points]
    cells = tuple(
        ((Said(words(reader, f"facet.quality.{rating}")), At(parts.pages.prefix, side.held).beside("quality")),)
        for side, rating in zip(sides, rated, strict=True)
    )
    return [Line(words(reader, "facet.quality"), cells)]


def _fact(view: RecordView, label: str) -> Cell:
    return next((fact.values for fact in view.facts if fact.label == label), ())


def _apart(values: Sequence[frozenset[str]]) -> bool:
    """Tell whether records that say something have nothing in common."""
    said = [each for each in values if each]
    return len(said) > 1 and not frozenset.intersection(*said)


def _unlike(values: Sequence[frozenset[str]]) -> bool:
    """Tell whether records that say something do not all say the same."""
    return len({each for each in values if each}) > 1


def record_told(parts: Parts, side: Side) -> dict[str, object]:
    """Say one of the records to a program."""
    iri = side.held.iri
    return {
        "iri": iri,
        "page": At(parts.site.base_url, side.held).page,
        "city": side.city,
        "title": side.view.title.text,
        "publisher": side.view.publisher.text,
        "licences": [{"code": code, "name": name} for code, name in side.licences if code],
        "formats": side.forms,
        "themes": side.said.values(iri, DCAT.theme),
        "updated": side.said.value(iri, DCT.modified) or None,
        "credit": side.view.credit,
    }


def columns_told(said: ComparableSet, reader: str) -> list[dict[str, object]]:
    """Say which columns match to a program."""
    return [
        {
            "meaning": text_of(column.meaning, reader),
            "match": column.match,
            "note": text_of(column.note, reader),
            "names": dict(column.names),
        }
        for column in said.columns
    ]


def columns_shown(said: ComparableSet, reader: str) -> list[dict[str, object]]:
    """Say which columns match to a person: texts with their languages."""
    columns = zip(columns_told(said, reader), said.columns, strict=True)
    return [
        plain | {"meaning": said_of(column.meaning, reader), "note": said_of(column.note, reader)}
        for plain, column in columns
    ]


def said_of(texts: Mapping[str, str], reader: str) -> Said:
    """Choose among texts by language: the reader's, English, any; nothing if there is none."""
    tag = next((each for each in (reader, "en", *texts) if texts.get(each)), "")
    return told(texts.get(tag, ""), "" if tag == "und" else tag, reader)


def text_of(texts: Mapping[str, str], reader: str) -> str:
    """Choose the text alone; "" if there is none."""
    return said_of(texts, reader).text
