"""What a record tells a searcher, read from the bytes on the shelf: texts, codes, names, places and times.

Nothing is guessed: a theme, format or licence is a code of our tables or one a city mapped (`Mapped`). Only the triples
that search asks for are looked at, some 60 µs a record; a payload is at most 1 MiB, so work is bounded. Pure but for
caches of what comes again in every record of a city.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from node.catalog.search import analyzers, known_places, where
from node.catalog.search.knowledge import Wanted, wanted_of
from node.catalog.search.where import Box
from node.catalog.shelf import Held
from node.records import slug_of
from node.vocab import lists
from node.vocab.mappings import Mapped
from node.vocab.ntriples import unescape
from node.vocab.terms import ADMS, DCAT, DCT, FOAF, LOCN, RDFS, SCHEMA, SKOS, VCARD

__all__ = ["Mapped", "Text", "Told", "best", "told_of"]

MAX_VALUES = 200
_FUTURE_MS = 2 * 86_400_000
_MACHINE = "-t-"  # in the tag of what was translated (RFC 6497)

Text = tuple[str, str]
"""The words as written, and the tag of their language or ""."""
_Node = Mapping[str, Sequence[str]]
_NOTHING: _Node = {}


def _terms(*iris: str) -> tuple[str, ...]:
    return tuple(f"<{iri}>" for iri in iris)


_TITLES = _terms(DCT.title, SKOS.prefLabel, FOAF.name, SCHEMA.name)
_ABOUT = _terms(DCT.description, SCHEMA.description, SKOS.definition)
_KEYWORDS = _terms(DCAT.keyword, SCHEMA.keywords)
_OTHER_TITLES = _terms(SKOS.altLabel, DCT.alternative)
_NAMES = _terms(FOAF.name, SKOS.prefLabel, RDFS.label, VCARD.fn, SCHEMA.name, DCT.title, LOCN.geographicName)
_FORMATS = _terms(DCT.format, DCAT.mediaType)
_SHAPES = _terms(DCAT.bbox, LOCN.geometry, DCAT.centroid)
_STARTS = _terms(DCAT.startDate, SCHEMA.startDate)
_ENDS = _terms(DCAT.endDate, SCHEMA.endDate)
_IDENTS = _terms(DCT.identifier, ADMS.identifier)
_PAGES = _terms(DCAT.landingPage, FOAF.page)
_PUBLISHER, _CREATOR, _THEME, _LICENCE = _terms(DCT.publisher, DCT.creator, DCAT.theme, DCT.license)
_ACCESS, _LANGUAGE, _SPATIAL, _TEMPORAL = _terms(DCT.accessRights, DCT.language, DCT.spatial, DCT.temporal)
_MODIFIED, _ISSUED, _FILES, _NOTATION = _terms(DCT.modified, DCT.issued, DCAT.distribution, SKOS.notation)
_READ = frozenset(
    {
        *(*_TITLES, *_ABOUT, *_KEYWORDS, *_OTHER_TITLES, *_NAMES, *_FORMATS, *_SHAPES, *_STARTS, *_ENDS, *_IDENTS),
        *(*_PAGES, _PUBLISHER, _CREATOR, _THEME, _LICENCE, _ACCESS, _LANGUAGE, _SPATIAL, _TEMPORAL),
        *(_MODIFIED, _ISSUED, _FILES, _NOTATION),
    }
)


@dataclass(slots=True)
class Told:
    """What a record tells, as plain values. Texts have the tags of their languages, codes are those of our tables.

    `labels` names what stands in `more` by the tables' own labels: pairs of a table and a code. `use` says what one may
    do with it: `free`, `credit` (name the source), `limited`, `agreement`, `unknown`. `publishers` are names by slug,
    `called` the names of each in the languages of the record.
    """

    titles: list[Text] = field(default_factory=list)
    descriptions: list[Text] = field(default_factory=list)
    keywords: list[Text] = field(default_factory=list)
    more: list[Text] = field(default_factory=list)
    labels: list[tuple[str, str]] = field(default_factory=list)
    themes: list[str] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    licences: list[str] = field(default_factory=list)
    use: str = "unknown"
    access: str = "unknown"
    languages: list[str] = field(default_factory=list)
    publishers: dict[str, str] = field(default_factory=dict)
    called: dict[str, list[Text]] = field(default_factory=dict)
    places: list[str] = field(default_factory=list)
    identifiers: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    changed_ms: int = 0
    period: tuple[int, int] | None = None
    box: Box | None = None
    spoken: str = "en"  # the language of texts that name none


def told_of(held: Held, payload: bytes, *, city: str, mapped: Mapped, restricted: bool = False) -> Told:
    """Read what a record tells.

    Args:
        held: The record as it stands on the shelf.
        payload: Its bytes; canonical N-Quads without blank nodes.
        city: What search calls its city.
        mapped: Gives the code of a city's own word, or "".
        restricted: Whether its collection is, so that all of it needs an agreement.
    """
    wanted = wanted_of(held.kind)
    nodes = _nodes(payload, _READ | wanted.read if wanted.read else _READ)
    me = nodes.get(f"<{held.iri}>", _NOTHING)
    files = [nodes.get(term, _NOTHING) for term in me.get(_FILES, ())]
    told = Told()
    _tell_texts(told, me, files)
    _tell_knowledge(told, nodes, me, wanted)
    _tell_languages(told, me)
    _tell_themes(told, nodes, me, city, mapped)
    _tell_formats(told, (me, *files), city, mapped)
    _tell_use(told, me, files, city, mapped)
    if restricted:
        told.use = "agreement"
    _tell_publishers(told, nodes, me)
    _tell_places(told, nodes, me)
    _tell_times(told, nodes, me, held.at_ms)
    _tell_names(told, nodes, me, city)
    return told


def _nodes(payload: bytes, read: frozenset[str]) -> dict[str, dict[str, list[str]]]:
    """Give the terms that a searcher reads, by subject and predicate."""
    found: dict[str, dict[str, list[str]]] = {}
    last, node = "", dict[str, list[str]]()
    # LF alone ends a line; `str.splitlines` would also cut within literals. Lines are sorted, so subjects repeat.
    for line in payload.decode().split("\n")[:-1]:
        subject, predicate, term = line.split(" ", 2)
        if predicate in read:
            if subject != last:
                last, node = subject, found.setdefault(subject, {})
            if predicate in node:
                node[predicate].append(term[:-2])
            else:
                node[predicate] = [term[:-2]]
    return found


def _of(node: _Node, predicates: Sequence[str]) -> list[str]:
    found: list[str] = []
    for predicate in predicates:
        if predicate in node:
            found += node[predicate]
    return found


def _texts(node: _Node, predicates: Sequence[str]) -> list[Text]:
    return [_text(term) for term in _of(node, predicates) if term[0] == '"']


def _text(term: str) -> Text:
    # The last quote ends the text: a tag or a datatype's IRI has none in it.
    body, _, tail = term[1:].rpartition('"')
    return (unescape(body) if "\\" in body else body), tail[1:] if tail[:1] == "@" else ""


def _value(term: str) -> str:
    return term[1:-1] if term[0] == "<" else _text(term)[0]


def _values(node: _Node, predicates: Sequence[str]) -> list[str]:
    return [_value(term) for term in _of(node, predicates)]


def best(texts: Sequence[Text], language: str) -> str:
    """Give the text in a language, else the English one, else the first; machines' translations last; "" for none."""
    return best_said(texts, language)[0]


def best_said(texts: Sequence[Text], language: str) -> Text:
    """Give that text with the tag of its language."""
    if len(texts) > 1:
        texts = [each for each in texts if _MACHINE not in each[1]] or texts
    english: Text | None = None
    for each in texts:
        base = each[1][:2]
        if base == language:
            return each
        if base == "en" and english is None:
            english = each
    return english or (texts[0] if texts else ("", ""))


def _tell_texts(told: Told, me: _Node, files: Sequence[_Node]) -> None:
    told.titles = _texts(me, _TITLES)
    told.descriptions = _texts(me, _ABOUT)
    told.keywords = _texts(me, _KEYWORDS)
    told.more = _texts(me, _OTHER_TITLES)
    for node in files:
        told.more += _texts(node, _TITLES)


def _tell_knowledge(told: Told, nodes: Mapping[str, _Node], me: _Node, wanted: Wanted) -> None:
    """Take the texts of a kind's table, those of the record itself before those of its parts, and what codes mean."""
    if not wanted.texts:
        return
    parts = [me, *(node for node in nodes.values() if node is not me)]
    told.descriptions = [text for node in parts for text in _texts(node, wanted.texts)]
    labels = (
        codes.get(term, {}) for node in parts for name, codes in wanted.codes.items() for term in node.get(name, ())
    )
    told.more += [(label, tag) for said in labels for tag, label in said.items()][:MAX_VALUES]
    told.more += wanted.names


def _tell_languages(told: Told, me: _Node) -> None:
    named = [tag for tag in map(_language, me.get(_LANGUAGE, ())) if tag]
    told.languages = named or [analyzers.base_of(tag) for _, tag in told.titles if tag and _MACHINE not in tag]
    told.spoken = named[0] if named else "en"


@lru_cache(maxsize=1024)
def _language(term: str) -> str:
    """Give the two-letter tag of a language by its IRI, tag or name; the table's code where it has none."""
    concept = lists.LANGUAGES.by_iri(lists.language_iri(_value(term)))
    return (concept.facts["tag"] or concept.code.lower()) if concept else ""


@lru_cache(maxsize=32 * 1024)
def _code(mapped: Mapped, table: str, term: str, city: str) -> str:
    return mapped(table, _value(term), city)


def _tell_themes(told: Told, nodes: Mapping[str, _Node], me: _Node, city: str, mapped: Mapped) -> None:
    for term in me.get(_THEME, ())[:MAX_VALUES]:
        code = _code(mapped, "theme", term, city)
        if code:
            told.themes.append(code)
        if term in nodes:
            told.more += _texts(nodes[term], _NAMES)
    if not told.themes:
        # A city's keyword is a theme where the city, or our table, says exactly that.
        codes = [_code(mapped, "keyword", term, city) for term in _of(me, _KEYWORDS)[:MAX_VALUES]]
        told.themes = [code for code in codes if code]
    told.labels += [("theme", code) for code in dict.fromkeys(told.themes)]


def _tell_formats(told: Told, nodes: Sequence[_Node], city: str, mapped: Mapped) -> None:
    terms = [term for node in nodes for term in _of(node, _FORMATS)]
    for term in dict.fromkeys(terms):
        code = _code(mapped, "format", term, city)
        if code:
            told.formats.append(code)
        elif term[0] == '"':
            told.more.append(_text(term))
    told.labels += [("format", code) for code in dict.fromkeys(told.formats)]


def _tell_use(told: Told, me: _Node, files: Sequence[_Node], city: str, mapped: Mapped) -> None:
    terms = dict.fromkeys(term for node in (me, *files) for term in node.get(_LICENCE, ()))
    told.licences = [_code(mapped, "licence", term, city) or "other" for term in terms] or ["none"]
    told.access = next(filter(None, map(_access, me.get(_ACCESS, ()))), "unknown")
    # The strictest of them: who filters for free data must be free to use all of it.
    uses = {_use(code) for code in told.licences} - {"unknown"}
    told.use = next((use for use in ("limited", "credit", "free") if use in uses), "unknown")
    if told.access in ("RESTRICTED", "NON_PUBLIC"):
        told.use = "agreement"


@lru_cache(maxsize=256)
def _access(term: str) -> str:
    value = _value(term)
    concept = lists.ACCESS_RIGHTS.by_iri(value) or lists.ACCESS_RIGHTS.find(value)
    return concept.code if concept else ""


@lru_cache(maxsize=1024)
def _use(code: str) -> str:
    concept = lists.LICENCES.by_code(code)
    facts = lists.facts(concept.iri) if concept else None
    if facts is None or "unknown" in (facts.commercial, facts.attribution):
        return "unknown"
    if facts.commercial == "no" or facts.share_alike == "yes" or facts.changes == "no":
        return "limited"
    return "credit" if facts.attribution == "yes" else "free"


def _tell_publishers(told: Told, nodes: Mapping[str, _Node], me: _Node) -> None:
    for term in (me.get(_PUBLISHER) or me.get(_CREATOR) or ())[:MAX_VALUES]:
        names = [_text(term)] if term[0] == '"' else _texts(nodes.get(term, _NOTHING), _NAMES)
        told.more += names
        name = best(names, "en") or _last_part(term)
        slug = _slug(name)
        if slug:
            told.publishers.setdefault(slug, name[:200])
            told.called.setdefault(slug, names or [(name, "")])


def _last_part(term: str) -> str:
    return term.rstrip("/#>").rpartition("/")[2] if term[0] == "<" else ""


_slug = lru_cache(maxsize=4096)(slug_of)


def _tell_places(told: Told, nodes: Mapping[str, _Node], me: _Node) -> None:
    boxes: list[Box] = []
    for term in me.get(_SPATIAL, ())[:MAX_VALUES]:
        node = nodes.get(term, _NOTHING)
        names = _texts(node, _NAMES) if term[0] == "<" else [_text(term)]
        shape = _shape(node)
        if node and (shape or names):
            known, box = _known_by(names) if not shape else ((), shape)
        else:
            known, box = _known(_value(term))
        told.more += (*names, *known)
        told.places += [text for text, _ in (*names, *known)]
        boxes += [box] if box else []
    told.box = where.around(boxes)


def _shape(node: _Node) -> Box | None:
    """Give the box of a place: of what says most about its extent."""
    for predicate in _SHAPES:
        if predicate in node:
            found = where.around([box for box in map(where.box_of, map(_value, node[predicate])) if box])
            if found is not None:
                return found
    return None


def _known_by(names: Sequence[Text]) -> tuple[tuple[Text, ...], Box | None]:
    return next((found for found in (_known(text) for text, _ in names) if found[0]), ((), None))


@lru_cache(maxsize=4096)
def _known(value: str) -> tuple[tuple[Text, ...], Box | None]:
    """Give a place's names and box, if our table has it by this IRI or name."""
    concept = lists.PLACES.by_iri(value) or lists.PLACES.find(value)
    if concept is None:
        return (), None
    return tuple((text, tag) for tag, text in concept.labels.items()), known_places.box_of_place(concept.code)


@lru_cache(maxsize=16384)
def _moment(term: str) -> int | None:
    return where.moment_ms(_value(term))


def _tell_times(told: Told, nodes: Mapping[str, _Node], me: _Node, at_ms: int) -> None:
    latest = at_ms + _FUTURE_MS
    for predicate in (_MODIFIED, _ISSUED):
        # Dates to come are slips of the pen, or the day of the next edition.
        moments = [ms for ms in map(_moment, me.get(predicate, ())) if ms is not None and ms <= latest]
        if moments:
            told.changed_ms = max(moments)
            break
    else:
        told.changed_ms = at_ms
    starts, ends = [], []
    for term in me.get(_TEMPORAL, ()):
        if term[0] == '"':
            first, _, last = _value(term).partition("/")
            starts.append(first)
            ends.append(last or first)
        else:
            node = nodes.get(term, _NOTHING)
            starts += _values(node, _STARTS)
            ends += _values(node, _ENDS)
    told.period = where.span(starts, ends)


def _tell_names(told: Told, nodes: Mapping[str, _Node], me: _Node, city: str) -> None:
    """Take what names the record from outside: its identifiers, its pages, and what its city is called."""
    for term in _of(me, _IDENTS)[:MAX_VALUES]:
        told.identifiers.append(_value(term))
        if term in nodes:
            told.identifiers += _values(nodes[term], (_NOTATION,))
    told.pages = _values(me, _PAGES)
    told.more += _of_city(city)


@lru_cache(maxsize=1024)
def _of_city(city: str) -> tuple[Text, ...]:
    """Give the names of a city, so that one of them among the words of a question finds its records."""
    name = city.replace("-", " ")
    return ((name, ""), *_known(name)[0])


def labels_of(table: str, code: str) -> Iterable[Text]:
    """Give the labels of a code in the languages of its table; the code itself first where it is what people type."""
    concept = {"theme": lists.DATA_THEMES, "format": lists.FILE_TYPES}[table].by_code(code)
    spelt = [(code, "")] if table == "format" else []
    return spelt + [(text, tag) for tag, text in (concept.labels if concept else {}).items()]
