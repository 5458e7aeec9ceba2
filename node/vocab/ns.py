"""Our vocabulary as it is published: every class, property and code of `cn:` with labels, a definition and its reason.

Most of it is the tables of the kinds; what is no field of a kind (comparable sets, agreements, ways to get data) stands
in `data/ns.tsv`. A term that is in neither is not published, and a test says so. Definitions of fields are their hints:
what to write is what it means. Pure but for reading that one file; no clock, no RDF library.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal

from node.vocab.kinds import TABLES
from node.vocab.kinds.field import BY_LANGUAGE, Codes, Field, Form, KindTable, Words
from node.vocab.ntriples import literal
from node.vocab.terms import CN, DCAT, DCT, OWL, RDF, RDFS, SKOS, XSD

ONTOLOGY = CN.NS.rstrip("#")
"""The IRI of the vocabulary itself; its terms stand behind a number sign after it."""
VERSION = "1"
_LICENCE = "http://publications.europa.eu/resource/authority/licence/CC_BY_4_0"
_TITLE: Words = {"en": "The citynode vocabulary", "fi": "Citynode-sanasto", "sv": "Citynode-vokabulären"}
_ABOUT: Words = {
    "en": "What cities need to share knowledge and to agree on data, where no other vocabulary has a word for it.",
    "fi": "Sanat, joita kaupungit tarvitsevat tiedon jakamiseen ja datasta sopimiseen silloin, kun muut sanastot"
    " eivät niitä tarjoa.",
    "sv": "Ord som städer behöver för att dela kunskap och avtala om data, där ingen annan vokabulär har dem.",
}

Sort = Literal["class", "property", "individual"]
_TYPES: Mapping[Sort, tuple[str, ...]] = {
    "class": (RDFS.Class, OWL.Class),
    "property": (RDF.Property,),
    "individual": (OWL.NamedIndividual,),
}
# Beside a text, a value may be of these datatypes only; IRIs and texts in languages have none to name.
_RANGES: Mapping[Form, str] = {"number": XSD.decimal, "flag": XSD.boolean, "plain": XSD.string}
_IRIS: frozenset[Form] = frozenset({"link", "email", "code", "language", "group"})


@dataclass(frozen=True, slots=True)
class Term:
    """A class, a property or a named thing of ours.

    Attributes:
        name: What stands behind the number sign.
        sort: Which of the three it is.
        label: What it is called, in en, fi and sv.
        definition: What it means, in a sentence, in the same languages.
        reason: Why no existing term does.
        facts: What else is said of it: property IRI and the IRI of the value.
        kinds: The kinds whose records have it.
    """

    name: str
    sort: Sort
    label: Words
    definition: Words
    reason: str
    facts: tuple[tuple[str, str], ...] = ()
    kinds: tuple[str, ...] = ()

    @property
    def iri(self) -> str:
        """Its full IRI."""
        return CN.NS + self.name


@dataclass(slots=True)
class _Found:
    """What the tables hold, each under its IRI, in the order in which it is met."""

    terms: dict[str, Term] = field(default_factory=dict)
    lists: dict[str, Codes] = field(default_factory=dict)


@cache
def _all() -> _Found:
    found = _Found()
    for table in TABLES.values():
        if table.cls in CN:
            found.terms[table.cls] = _class_of(table)
        _collect(found, table, table.fields)
    found.terms.update({term.iri: term for term in _written() if term.iri not in found.terms})
    return found


def terms() -> tuple[Term, ...]:
    """Give all terms: those of the kinds in the order of the tables, then the others."""
    return tuple(_all().terms.values())


def lists() -> tuple[Codes, ...]:
    """Give the lists that have codes of ours; codes with IRIs of others are theirs to describe."""
    return tuple(_all().lists.values())


def _class_of(table: KindTable) -> Term:
    facts = ((RDFS.subClassOf, DCAT.Resource),)
    return Term(_local(table.cls), "class", table.title, table.about, table.reason, facts, (table.kind,))


def _collect(found: _Found, table: KindTable, fields: Iterable[Field]) -> None:
    for each in fields:
        if each.term in CN:
            _add(found, each.term, _property_of(each, table))
        if each.cls in CN:
            _add(
                found, each.cls, Term(_local(each.cls), "class", each.label, each.hint, each.reason, (), (table.kind,))
            )
        if isinstance(each.codes, Codes) and any(not code.iri for code in each.codes.codes):
            found.lists.setdefault(each.codes.name, each.codes)
        _collect(found, table, each.fields)


def _add(found: _Found, iri: str, term: Term) -> None:
    """Keep the first word of a term, and the kinds of all."""
    known = found.terms.get(iri)
    if known is None:
        found.terms[iri] = term
    elif term.kinds[0] not in known.kinds:
        kinds = (*known.kinds, *term.kinds)
        found.terms[iri] = Term(known.name, known.sort, known.label, known.definition, known.reason, known.facts, kinds)


def _property_of(each: Field, table: KindTable) -> Term:
    kind = OWL.ObjectProperty if each.form in _IRIS else OWL.DatatypeProperty
    facts = [(RDF.type, kind)]
    ranged = RDF.langString if each.form in BY_LANGUAGE else _RANGES.get(each.form, "")
    ranged = SKOS.Concept if isinstance(each.codes, Codes) else each.cls or ranged
    if ranged:
        facts.append((RDFS.range, ranged))
    return Term(_local(each.term), "property", each.label, each.hint, each.reason, tuple(facts), (table.kind,))


def _local(iri: str) -> str:
    return iri.removeprefix(CN.NS)


def _written() -> Iterator[Term]:
    text = (files("node.vocab") / "data" / "ns.tsv").read_text("utf-8")
    for line in text.splitlines()[2:]:
        name, sort, en, fi, sv, about_en, about_fi, about_sv, reason = line.split("\t")
        label, definition = {"en": en, "fi": fi, "sv": sv}, {"en": about_en, "fi": about_fi, "sv": about_sv}
        yield Term(name, sort, label, definition, reason)  # type: ignore[arg-type]


@cache
def payload() -> bytes:
    """Write the whole vocabulary as canonical N-Triples without blank nodes, for any serialiser."""
    lines = {*_ontology()}
    for term in terms():
        lines.update(_term_lines(term))
    for codes in lists():
        lines.update(_list_lines(codes))
    return "".join(f"{line} .\n" for line in sorted(lines)).encode()


def _ontology() -> Iterator[str]:
    head = f"<{ONTOLOGY}>"
    yield f"{head} <{RDF.type}> <{OWL.Ontology}>"
    yield from _texts(head, DCT.title, _TITLE)
    yield from _texts(head, DCT.description, _ABOUT)
    yield f"{head} <{DCT.license}> <{_LICENCE}>"
    yield f"{head} <{OWL.versionInfo}> {literal(VERSION)}"


def _term_lines(term: Term) -> Iterator[str]:
    head = f"<{term.iri}>"
    for kind in _TYPES[term.sort]:
        yield f"{head} <{RDF.type}> <{kind}>"
    for predicate, value in term.facts:
        yield f"{head} <{predicate}> <{value}>"
    yield f"{head} <{RDFS.isDefinedBy}> <{ONTOLOGY}>"
    yield from _texts(head, RDFS.label, term.label)
    yield from _texts(head, SKOS.definition, term.definition)
    # Comments are where most tools look for a definition.
    yield from _texts(head, RDFS.comment, term.definition)
    yield f"{head} <{SKOS.scopeNote}> {literal(term.reason, language='en')}"


def scheme_of(codes: Codes) -> str:
    """Give the IRI of a list."""
    return CN.NS + codes.name


def _list_lines(codes: Codes) -> Iterator[str]:
    scheme = f"<{scheme_of(codes)}>"
    yield f"{scheme} <{RDF.type}> <{SKOS.ConceptScheme}>"
    yield f"{scheme} <{RDFS.isDefinedBy}> <{ONTOLOGY}>"
    yield from _texts(scheme, SKOS.prefLabel, codes.label)
    yield from _texts(scheme, DCT.title, codes.label)
    for code in codes.codes:
        concept = f"<{codes.iri_of(code.code)}>"
        yield f"{scheme} <{SKOS.hasTopConcept}> {concept}"
        if code.iri:
            continue  # another's: named here, described there
        yield f"{concept} <{RDF.type}> <{SKOS.Concept}>"
        yield f"{concept} <{SKOS.inScheme}> {scheme}"
        yield f"{concept} <{SKOS.topConceptOf}> {scheme}"
        yield f"{concept} <{SKOS.notation}> {literal(code.code)}"
        yield f"{concept} <{RDFS.isDefinedBy}> <{ONTOLOGY}>"
        yield from _texts(concept, SKOS.prefLabel, code.label)


def _texts(subject: str, predicate: str, words: Words) -> Iterator[str]:
    for language, text in words.items():
        yield f"{subject} <{predicate}> {literal(text, language=language)}"
