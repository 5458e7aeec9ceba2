"""Corrections laid over a source's record: which facts a city may set right, and what a record says with them.

A correction is a description (`kinds.field.Said`) of the few fields in `TABLE`. It replaces what the source says in
exactly those places: of texts the languages that it names, of everything else the whole field. What nothing points to
any more goes along; all the rest travels as the source said it. The record then says of itself which of its properties
were corrected, by which city and when. Laid over the same source twice it gives the same triples. Pure: no I/O, no
clock.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from node.vocab import lists
from node.vocab.kinds import common, shared
from node.vocab.kinds.checking import is_link
from node.vocab.kinds.field import Field, KindTable, Said
from node.vocab.kinds.reading import said_in
from node.vocab.kinds.writing import iri_of_code, payload_of
from node.vocab.ntriples import Triple, is_literal, language_of, literal, triples_of, value_of
from node.vocab.terms import DCAT, DCT, PROV, RDF, RDFS, XSD

MOST_FILES = 200
_TITLE, _KEYWORDS, _CONTACT, _PERIOD = common.TITLE, common.KEYWORDS, common.CONTACT, shared.PERIOD
FILES = Field(
    name="files",
    term=DCAT.distribution,
    form="group",
    many=True,
    most=MOST_FILES,
    section="files",
    label={"en": "Files and services", "fi": "Tiedostot ja rajapinnat", "sv": "Filer och tjänster"},
    hint={
        "en": "What a file really is, where its source says something else.",
        "fi": "Mitä tiedosto todella on, jos lähde väittää muuta.",
        "sv": "Vad en fil verkligen är, om källan säger något annat.",
    },
    fields=(
        Field(
            name="address",
            term=DCAT.accessURL,
            form="link",
            need="must",
            label={"en": "Address", "fi": "Osoite", "sv": "Adress"},
            hint={
                "en": "The address under which the source lists it.",
                "fi": "Osoite, jolla lähde sen luettelee.",
                "sv": "Adressen som källan anger.",
            },
        ),
        Field(
            name="was",
            term=DCT.format,
            form="plain",
            label={"en": "Format in the source", "fi": "Muoto lähteessä", "sv": "Format i källan"},
            hint={
                "en": "As the source says it; tells files of one address apart.",
                "fi": "Kuten lähde sen ilmoittaa; erottaa saman osoitteen tiedostot.",
                "sv": "Som källan säger; skiljer filer på samma adress åt.",
            },
        ),
        Field(
            name="format",
            term=DCT.format,
            form="code",
            codes=lists.FILE_TYPES,
            need="may",
            label={"en": "Format", "fi": "Muoto", "sv": "Format"},
            hint={
                "en": "A code of the EU's table of file types, such as CSV or GEOJSON.",
                "fi": "EU:n tiedostotyyppitaulukon koodi, esimerkiksi CSV tai GEOJSON.",
                "sv": "En kod i EU:s tabell över filtyper, till exempel CSV eller GEOJSON.",
            },
        ),
    ),
)
_FIELDS = (
    replace(_TITLE, need="may"),
    Field(
        name="description",
        term=DCT.description,
        form="markdown",
        label={"en": "Description", "fi": "Kuvaus", "sv": "Beskrivning"},
        hint={
            "en": "What the data is about, how it came about and what it is good for.",
            "fi": "Mistä aineisto kertoo, miten se on syntynyt ja mihin se sopii.",
            "sv": "Vad datan handlar om, hur den kom till och vad den duger till.",
        },
    ),
    _KEYWORDS,
    common.THEME,
    replace(common.LICENSE, need="may"),
    Field(
        name="access",
        term=DCT.accessRights,
        form="code",
        codes=lists.ACCESS_RIGHTS,
        label={"en": "Access", "fi": "Saatavuus", "sv": "Åtkomst"},
        hint={
            "en": "PUBLIC, RESTRICTED or NON_PUBLIC.",
            "fi": "PUBLIC, RESTRICTED tai NON_PUBLIC.",
            "sv": "PUBLIC, RESTRICTED eller NON_PUBLIC.",
        },
    ),
    Field(
        name="frequency",
        term=DCT.accrualPeriodicity,
        form="code",
        codes=lists.FREQUENCIES,
        label={"en": "Updated", "fi": "Päivitystiheys", "sv": "Uppdateras"},
        hint={
            "en": "How often the data is renewed.",
            "fi": "Kuinka usein aineisto päivitetään.",
            "sv": "Hur ofta datan förnyas.",
        },
    ),
    replace(_CONTACT, need="may"),
    common.PLACE,
    _PERIOD,
    replace(
        common.LANGUAGES,
        hint={
            "en": "The languages of the data, such as fi and en.",
            "fi": "Aineiston kielet, esimerkiksi fi ja en.",
            "sv": "Datans språk, till exempel fi och en.",
        },
    ),
    Field(
        name="page",
        term=DCAT.landingPage,
        form="link",
        label={"en": "Own page", "fi": "Oma sivu", "sv": "Egen sida"},
        hint={
            "en": "The page of the data at its publisher.",
            "fi": "Aineiston sivu julkaisijalla.",
            "sv": "Datans sida hos utgivaren.",
        },
    ),
    FILES,
)
TABLE = KindTable(
    kind="dataset",
    cls=DCAT.Dataset,
    title={"en": "Correction", "fi": "Korjaus", "sv": "Rättelse"},
    plural={"en": "Corrections", "fi": "Korjaukset", "sv": "Rättelser"},
    about={
        "en": "What a city sets right in a record that a source publishes otherwise.",
        "fi": "Mitä kaupunki korjaa tietueessa, jonka lähde julkaisee toisin.",
        "sv": "Vad en stad rättar i en post som källan publicerar annorlunda.",
    },
    command="corrections",
    collection="",
    fields=tuple(replace(each, section="") for each in _FIELDS),
)
"""The fields that may be corrected. It is no kind: corrected records keep their own."""
_NODES = frozenset({"contact", "period"})
# A place that the source drew stays beside the one that is named.
_KEEPS_DRAWN = frozenset({DCT.spatial})
_ADDRESSES = (f"<{DCAT.downloadURL}>", f"<{DCAT.accessURL}>")
_FORMAT, _MEDIA, _LICENCE = f"<{DCT.format}>", f"<{DCAT.mediaType}>", f"<{DCT.license}>"
_CORRECTED_BY: Mapping[str, str] = {
    "en": "Corrected by {city}: {fields}",
    "fi": "Kaupungin korjaama ({city}): {fields}",
    "sv": "Rättat av {city}: {fields}",
}


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who corrected, for everyone to see: a city and a time, never a person."""

    city: str
    base_url: str
    at_ms: int


def source_says(iri: str, payload: bytes) -> dict[str, Any]:
    """Read what a source's record says in the fields that may be corrected."""
    triples = triples_of(payload)
    described = {subject for subject, _, _ in triples}
    said = said_in(TABLE, iri, payload)
    said.pop("files", None)
    for field in TABLE.fields:
        if field.form == "code" and field.name in said:
            kept = [each for each in _listed(field, said[field.name]) if f"<{each}>" not in described]
            said[field.name] = kept if field.many else next(iter(kept), None)
    if not said.get("license"):
        said["license"] = _licence_of_files(iri, triples)
    said["files"] = files_in(iri, triples)
    return {name: value for name, value in said.items() if value}


def files_in(iri: str, triples: Sequence[Triple]) -> list[dict[str, str]]:
    """List a record's distributions: `address`, and the format that the source gives as `was`; sorted, each once."""
    found = set()
    for node in _distributions(iri, triples):
        address, was = _address_of(node, triples), _format_of(node, triples)
        if address:
            found.add((address, was))
    return [{"address": address, "was": was} for address, was in sorted(found)[:MOST_FILES]]


def in_place(said: Said, source: Said) -> dict[str, Any]:
    """Give what a source says in the places that a correction sets right; what it does not say is left out."""
    made: dict[str, Any] = {}
    for field in TABLE.fields:
        if field.name not in said or field.name not in source:
            continue
        theirs = source[field.name]
        if field.name == "files":
            wanted = {(each.get("address"), each.get("was", "")) for each in said["files"]}
            theirs = [each for each in theirs if (each["address"], each["was"]) in wanted]
        elif field.by_language:
            bases = _languages_of(field, said[field.name])
            theirs = _of_languages(field, theirs, bases)
        if theirs:
            made[field.name] = theirs
    return made


def lay(iri: str, triples: Sequence[Triple], said: Said, stamp: Stamp) -> list[Triple]:
    """Give a record's triples with a correction that `kinds.checking.check` finds no error in.

    Args:
        iri: The record's IRI.
        triples: What the source says, whole.
        said: The correction; nothing is changed by an empty one.
        stamp: Who corrected, and when.
    """
    if not said:
        return list(triples)
    mark = _mark_of(iri)
    kept = [each for each in triples if each[0] != f"<{mark}>" and each[2] != f"<{mark}>"]
    before = _reached(iri, kept)
    for field in TABLE.fields:
        if field.name in said:
            kept = _laid(iri, kept, field, said[field.name])
    gone = before - _reached(iri, kept)
    kept = [each for each in kept if each[0] not in gone]
    return list(dict.fromkeys([*kept, *_told(iri, mark, said, stamp)]))


def corrected_terms(said: Said) -> frozenset[str]:
    """Give the properties that a correction replaces."""
    return frozenset(each.term for each in TABLE.fields if each.name in said)


# ---------------------------------------------------------------- laying over


def _laid(iri: str, triples: list[Triple], field: Field, value: Any) -> list[Triple]:  # noqa: ANN401 (any form)
    if field.name == "files":
        return _with_formats(iri, triples, value)
    subject, term = f"<{iri}>", f"<{field.term}>"
    described = {each[0] for each in triples} if field.term in _KEEPS_DRAWN else set()
    bases = _languages_of(field, value) if field.by_language else frozenset()

    def goes(each: Triple) -> bool:
        if each[0] != subject or each[1] != term or each[2] in described:
            return False
        return not field.by_language or not is_literal(each[2]) or _base(language_of(each[2])) in bases

    new = _said_as_triples(iri, field, value)
    if field.name in _NODES:
        # A node of ours takes the name over from one of the source's.
        mine = {each[0] for each in new} - {subject}
        triples = [each for each in triples if each[0] not in mine]
    if field.term == DCT.license:
        return _with_licence(iri, triples, new)
    return [*(each for each in triples if not goes(each)), *new]


def _said_as_triples(iri: str, field: Field, value: Any) -> list[Triple]:  # noqa: ANN401 (any form)
    table = replace(TABLE, fields=(field,))
    lines = triples_of(payload_of(table, iri, {field.name: value}))
    return [each for each in lines if each[0] != f"<{iri}>" or each[1] == f"<{field.term}>"]


def _with_licence(iri: str, triples: Sequence[Triple], new: Sequence[Triple]) -> list[Triple]:
    """Set the licence where licences stand: on every distribution, and on the record if it has one or no files."""
    subject = f"<{iri}>"
    holders = _distributions(iri, triples)
    if not holders or any(each[0] == subject and each[1] == _LICENCE for each in triples):
        holders = [subject, *holders]
    kept = [each for each in triples if each[0] not in holders or each[1] != _LICENCE]
    return [*kept, *((holder, _LICENCE, each[2]) for holder in holders for each in new)]


def _with_formats(iri: str, triples: Sequence[Triple], files: Sequence[Mapping[str, str]]) -> list[Triple]:
    made = list(triples)
    for node in _distributions(iri, triples):
        address, was = _address_of(node, triples), _format_of(node, triples)
        right = next((each for each in files if each["address"] == address and each.get("was", was) == was), None)
        if right is not None:
            made = [each for each in made if each[0] != node or each[1] not in (_FORMAT, _MEDIA)]
            made += _format_terms(node, right["format"])
    return made


def _format_terms(node: str, code: str) -> Iterator[Triple]:
    yield node, _FORMAT, f"<{iri_of_code(lists.FILE_TYPES, code)}>"
    concept = lists.FILE_TYPES.by_code(code)
    if concept and concept.facts.get("media"):
        yield node, _MEDIA, f"<{lists.IANA}{concept.facts['media']}>"


def _told(iri: str, mark: str, said: Said, stamp: Stamp) -> Iterator[Triple]:
    """Say in the record what was corrected, by which city and when."""
    fields = [each for each in TABLE.fields if each.name in said]
    at = datetime.fromtimestamp(stamp.at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    yield f"<{iri}>", f"<{DCT.provenance}>", f"<{mark}>"
    yield f"<{mark}>", f"<{RDF.type}>", f"<{DCT.ProvenanceStatement}>"
    yield f"<{mark}>", f"<{PROV.wasAttributedTo}>", f"<{stamp.base_url}>"
    yield f"<{mark}>", f"<{PROV.generatedAtTime}>", literal(at, datatype=XSD.dateTime)
    for language, sentence in _CORRECTED_BY.items():
        names = ", ".join(each.label[language] for each in fields)
        yield f"<{mark}>", f"<{RDFS.label}>", literal(sentence.format(city=stamp.city, fields=names), language=language)
    for field in fields:
        yield f"<{mark}>", f"<{DCT.subject}>", f"<{field.term}>"


@dataclass(frozen=True, slots=True)
class Told:
    """What a record says of its correction: the names of the fields that were, the city's address, the time as text."""

    fields: tuple[Field, ...]
    by: str
    at: str


def told_in(iri: str, payload: bytes) -> Told | None:
    """Read what a record says of its correction; None if it says nothing."""
    mark = f"<{_mark_of(iri)}>"
    if mark.encode() not in payload:
        return None
    about = [(each[1][1:-1], value_of(each[2])) for each in triples_of(payload) if each[0] == mark]
    terms = {value for term, value in about if term == DCT.subject}
    one = {term: value for term, value in about if term in (PROV.wasAttributedTo, PROV.generatedAtTime)}
    fields = tuple(each for each in TABLE.fields if each.term in terms)
    return Told(fields, one.get(PROV.wasAttributedTo, ""), one.get(PROV.generatedAtTime, "")) if fields else None


def _mark_of(iri: str) -> str:
    return f"{iri}{'-' if '#' in iri else '#'}correction"


# ---------------------------------------------------------------- reading


def _distributions(iri: str, triples: Sequence[Triple]) -> list[str]:
    term, subject = f"<{DCAT.distribution}>", f"<{iri}>"
    return list(dict.fromkeys(each[2] for each in triples if each[0] == subject and each[1] == term))


def _address_of(node: str, triples: Sequence[Triple]) -> str:
    for term in _ADDRESSES:
        found = sorted(value_of(each[2]) for each in triples if each[0] == node and each[1] == term)
        if found and is_link(found[0]):
            return found[0]
    return ""


def _format_of(node: str, triples: Sequence[Triple]) -> str:
    """Give a distribution's format as its source says it: a code of the EU's where it is one."""
    found = sorted(value_of(each[2]) for each in triples if each[0] == node and each[1] == _FORMAT)
    concept = lists.FILE_TYPES.by_iri(found[0]) if found else None
    return concept.code if concept else found[0][:200] if found else ""


def _licence_of_files(iri: str, triples: Sequence[Triple]) -> str | None:
    """Give the licence that all distributions share."""
    nodes = set(_distributions(iri, triples))
    found = {value_of(each[2]) for each in triples if each[0] in nodes and each[1] == _LICENCE}
    if len(found) != 1:
        return None
    (value,) = found
    known = lists.LICENCES.by_iri(value)
    return known.code if known else value if is_link(value) else None


def _reached(iri: str, triples: Sequence[Triple]) -> set[str]:
    links: dict[str, list[str]] = {}
    for subject, _, term in triples:
        if not is_literal(term):
            links.setdefault(subject, []).append(term)
    reached, waiting = {f"<{iri}>"}, [f"<{iri}>"]
    while waiting:
        for node in links.get(waiting.pop(), ()):
            if node not in reached:
                reached.add(node)
                waiting.append(node)
    return reached


def _listed(field: Field, value: Any) -> list[Any]:  # noqa: ANN401 (any form)
    return list(value) if field.many else [value]


def _base(tag: str) -> str:
    return tag.partition("-")[0]


def _languages_of(field: Field, value: Any) -> frozenset[str]:  # noqa: ANN401 (texts, or several)
    """Give the languages that a correction speaks; texts without a language are what it stands instead of."""
    return frozenset({"", *(_base(tag) for each in _listed(field, value) for tag in each)})


def _of_languages(field: Field, value: Any, bases: frozenset[str]) -> Any:  # noqa: ANN401 (texts, or several)
    wanted = bases | {"und"}
    if field.many:
        return [each for each in value if all(_base(tag) in wanted for tag in each)]
    return {tag: text for tag, text in value.items() if _base(tag) in wanted}
