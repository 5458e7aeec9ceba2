"""A city's matches as records: one SKOS concept scheme for each table, written for the journal and read back.

A concept stands for one of the city's words: `skos:notation` is the word exactly as its records say it, and
`skos:exactMatch` or `skos:closeMatch` leads to the EU's concept. What is read may be a peer's: whatever does not fit
is passed over, for a payload decides nothing but what its own city's words mean. Pure: no I/O, no RDF library.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from node.records import KINDS, slug_of
from node.vocab.mappings import MAX_VALUE, TABLES, Match
from node.vocab.ntriples import iri as iri_term
from node.vocab.ntriples import is_iri, is_literal, language_of, language_tag, literal, triples_of, value_of
from node.vocab.tables import key_of
from node.vocab.terms import DCT, RDF, SKOS

KIND = "vocabulary"
_TITLES = {
    "theme": ("Themes of {city} in the EU's words", "Teemat EU:n sanoin: {city}", "Teman med EU:s ord: {city}"),
    "format": ("Formats of {city} in the EU's words", "Muodot EU:n sanoin: {city}", "Format med EU:s ord: {city}"),
    "licence": (
        "Licences of {city} in the EU's words",
        "Lisenssit EU:n sanoin: {city}",
        "Licenser med EU:s ord: {city}",
    ),
    "keyword": (
        "Keywords of {city} as the EU's themes",
        "Avainsanat EU:n teemoina: {city}",
        "Nyckelord som EU:s teman: {city}",
    ),
}
_ABOUT = (
    "What the words of this city's records mean in the table of the EU, matched by the city itself.",
    "Mitä tämän kaupungin tietueiden sanat tarkoittavat EU:n taulukossa; vastaavuudet ovat kaupungin omia.",
    "Vad orden i denna stads poster betyder i EU:s tabell, enligt staden själv.",
)
_LANGUAGES = ("en", "fi", "sv")


def record_of(table: str, base_url: str) -> str:
    """Give the IRI of the record that holds a table's matches."""
    return f"{base_url}/{KINDS[KIND]}/{table}"


def payload_of(table: str, matches: Iterable[Match], *, base_url: str, city: str) -> bytes:
    """Write the record of one table: sorted canonical N-Quads without blank nodes. The same matches, the same bytes."""
    record = f"<{record_of(table, base_url)}>"
    lines = {f"{record} <{RDF.type}> <{SKOS.ConceptScheme}> ."}
    for place, language in enumerate(_LANGUAGES):
        title = _TITLES[table][place].replace("{city}", city)
        lines |= {
            f"{record} <{DCT.title}> {literal(title, language=language)} .",
            f"{record} <{DCT.description}> {literal(_ABOUT[place], language=language)} .",
        }
    lines.add(f"{record} <{DCT.references}> {iri_term(TABLES[table].base.rstrip('/'))} .")
    for each in matches:
        lines |= set(_concept(record, each, base_url))
    return "".join(f"{line}\n" for line in sorted(lines)).encode()


def _concept(record: str, each: Match, base_url: str) -> Sequence[str]:
    concept = f"<{record_of(each.table, base_url)}#{name_of(each.value)}>"
    target = TABLES[each.table].by_code(each.code)
    assert target is not None  # noqa: S101  (the file was checked)
    named = "" if "://" in each.value else literal(each.value, language=each.language)
    said = [
        (RDF.type, f"<{SKOS.Concept}>"),
        (SKOS.inScheme, record),
        (SKOS.notation, literal(each.value)),
        (SKOS.exactMatch if each.exact else SKOS.closeMatch, iri_term(target.iri)),
    ]
    said += [(SKOS.prefLabel, named)] if named else [(SKOS.exactMatch, iri_term(each.value))]
    said += [(SKOS.note, literal(each.note))] if each.note else []
    triples = [f"{concept} <{term}> {value} ." for term, value in said if value]
    return [*triples, f"{record} <{SKOS.hasTopConcept}> {concept} ."]


def name_of(value: str) -> str:
    """Name a word's concept within its scheme: readable, and the same whatever stands beside it."""
    key = key_of(value)
    mark = sha256(key.encode()).hexdigest()[:8]
    return f"{slug_of(value)[:40].strip('-')}-{mark}".lstrip("-")


def matches_in(record: str, payload: bytes) -> list[Match]:
    """Read the matches that a record says, in order of value; what cannot be one is left out.

    Which table they are of is told by the concepts they lead to; a theme's scheme and a keyword's differ in the name
    of the record.
    """
    wants = record.rstrip("/").rpartition("/")[2]
    concepts: dict[str, dict[str, list[str]]] = {}
    for subject, predicate, value in triples_of(payload):
        concepts.setdefault(subject, {}).setdefault(predicate[1:-1], []).append(value)
    found = [match for said in concepts.values() for match in _matches(said, wants)]
    return sorted(found, key=lambda match: (match.table, match.value, not match.exact, match.code))


def _matches(said: dict[str, list[str]], wants: str) -> Iterable[Match]:
    values = [value_of(term) for term in said.get(SKOS.notation, []) if is_literal(term)]
    languages = [language_of(term) for term in said.get(SKOS.prefLabel, []) if is_literal(term)]
    language = language_tag(languages[0]) if languages else ""
    for value in values:
        if not value.strip() or len(value) > MAX_VALUE or not key_of(value):
            continue
        for exact, term in ((True, SKOS.exactMatch), (False, SKOS.closeMatch)):
            for target in said.get(term, []):
                table, code = _target(target, wants)
                if table:
                    yield Match(table, value, exact, code, language)


def _target(term: str, wants: str) -> tuple[str, str]:
    """Say which table's concept a term is; nothing for any other IRI. A licence's and a theme's never look alike."""
    if not is_iri(term):
        return "", ""
    iri = value_of(term)
    order = [wants, *TABLES] if wants in TABLES else list(TABLES)
    for table in order:
        # Exactly that IRI: a match is a statement, not something to be looked up leniently.
        concept = TABLES[table].by_iri(iri) if iri in TABLES[table] else None
        if concept is not None:
            return table, concept.code
    return "", ""
