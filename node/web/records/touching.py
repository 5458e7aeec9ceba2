"""What touches a record: the records of any city that point to it, and those it points to, as one caller may see them.

The adoptions of a practice, the questions on it with their answers, the reuses and AI systems of a dataset, the models
of a city. Of a record that is for everyone only what is for everyone is told, whoever asks, so that its page may be
kept by caches. A link whose target is not held here says so, and names the city if its address is a partner's: what is
restricted looks the same as what is not here.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from markupsafe import Markup

from node.catalog.relations import MOST_FOUND, Relation
from node.errors import NotAgreed
from node.records import PLURALS
from node.vocab import ntriples
from node.vocab.kinds import TABLES
from node.vocab.kinds.field import Codes, Field, Words
from node.vocab.terms import DCAT, DCT, SCHEMA
from node.web.addresses import At, is_mirror
from node.web.parts import Parts
from node.web.ports.ports import CollectionInfo, Held
from node.web.records.view import look_quickly
from node.web.wording.graph import Described, href
from node.web.wording.markdown import lines, markdown
from node.web.wording.text import NOTHING, Said, plain

SHOWN = 20
# So many of one collection, kind and field are looked at for a page that shows twenty.
_LOOKED_AT = 100
_REPLIES = {"question": "answer"}
# A talk is read where it stands; what is longer has its beginning there.
_TALK = frozenset({*_REPLIES, *_REPLIES.values()})
_TALK_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Touched:
    """A record at the other end of a link. Without `held` it is not here, and `city` is that of its address, if known.

    `replies` are the answers, where it is a question, and `html` is what a question or an answer says, tagged as
    `said`; a model's `file` has the `form`. `journal` is the public collection that it stands in.
    """

    iri: str
    city: str
    title: Said
    lead: Said = NOTHING
    held: Held | None = None
    address: str = ""
    link: str = ""
    replies: "tuple[Touched, ...]" = ()
    said: Said = NOTHING
    html: Markup = field(default_factory=Markup)
    file: str = ""
    form: str = ""
    journal: CollectionInfo | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The records of one kind that name a record in one field; `label` is what its page calls them, `more` are left.

    `at_least` says that nobody counted all of those.
    """

    kind: str
    name: str
    label: str
    rows: tuple[Touched, ...]
    more: int = 0
    at_least: bool = False


class Touching:
    """Works out both directions for one reader; made anew for each page."""

    def __init__(self, parts: Parts, reader: str) -> None:
        """Tell what these `parts` may see, in the reader's language."""
        self._parts = parts
        self._reader = reader
        self._relations = parts.site.knowledge.relations if parts.site.knowledge else None

    def into(self, held: Held, *, most: int = SHOWN) -> tuple[Group, ...]:
        """Give what points to a record, by kind and field in the order of the tables, the newest first.

        Where not all are shown, cities take turns: none fills a page by sending much.
        """
        each = MOST_FOUND if most > SHOWN else _LOOKED_AT
        groups: dict[tuple[str, str], dict[str, Held]] = defaultdict(dict)
        sent: Counter[tuple[str, str, str]] = Counter()
        found = self._into(self._names(held), each)
        for relation, one in found:
            sent[relation.kind, relation.name, relation.collection] += 1
            if one.iri != held.iri:
                groups[relation.kind, relation.name][one.iri] = one
        order = {kind: number for number, kind in enumerate(TABLES)}
        full = {key[:2] for key, many in sent.items() if many >= each or len(found) >= MOST_FOUND}
        made = [self._group(*key, list(groups[key].values()), most, at_least=key in full) for key in groups]
        return tuple(sorted((each for each in made if each), key=lambda each: (order[each.kind], each.name)))

    def _group(self, kind: str, name: str, helds: Sequence[Held], most: int, *, at_least: bool) -> Group | None:
        named = field_of(kind, name)
        if named is None or not named.back:
            return None
        rows = self._rows(_shared(helds, most), kind)
        label, more = said_in_words(named.back, self._reader), max(0, len(helds) - most)
        return Group(kind, name, label, rows, more, at_least)

    def out_of(self, held: Held) -> tuple[tuple[Relation, Touched], ...]:
        """Give what a record points to, in order of field."""
        listed = self._relations.out_of(held.collection, held.iri) if self._relations else ()
        targets = self.targets([each.target for each in listed])
        return tuple((each, targets[each.target]) for each in listed)

    def targets(self, iris: Sequence[str]) -> Mapping[str, Touched]:
        """Resolve the targets of links: the records held here, and of the others what their address tells."""
        wanted = list(dict.fromkeys(iris))
        helds = {iri: self._found(iri) for iri in wanted}
        rows = self._told([held for held in helds.values() if held])
        return {iri: rows[held.iri] if held else self._absent(iri) for iri, held in helds.items()}

    # ------------------------------------------------------------ reading

    def _names(self, held: Held) -> list[str]:
        """Give the names by which others may mean a record: its IRI, and the address of its page at its origin."""
        info = self._parts.reading.collection(held.collection)
        return [held.iri, At(self._parts.site.base_url, held).canonical(info)]

    def _into(self, names: Sequence[str], each: int = MOST_FOUND) -> list[tuple[Relation, Held]]:
        """Give the links, each with its record as it is shown: a route that is not the one shown tells nothing."""
        if self._relations is None:
            return []
        listed = self._relations.into(names, self._parts.reading.collections(), each)
        helds = {iri: self._seen(iri) for iri in dict.fromkeys(each.iri for each in listed)}
        return [
            (each, held)
            for each in listed
            if (held := helds[each.iri]) and held.collection == each.collection and held.kind in TABLES
        ]

    def _seen(self, iri: str) -> Held | None:
        try:
            return self._parts.reading.find_iri(iri)
        except NotAgreed:  # a page says nothing of what an agreement withholds
            return None

    def _found(self, iri: str) -> Held | None:
        """Find the target of a link, named by its IRI or by the address of a page of ours."""
        return self._seen(iri) or self._at(iri)

    def _at(self, iri: str) -> Held | None:
        base = f"{self._parts.site.base_url}/"
        plural, _, slug = iri.removeprefix(base).partition("/")
        if not iri.startswith(base) or plural not in PLURALS or not slug or "/" in slug:
            return None
        try:
            return self._parts.reading.find(PLURALS[plural], slug)
        except NotAgreed:
            return None

    # ------------------------------------------------------------ telling

    def _rows(self, helds: Sequence[Held], kind: str) -> tuple[Touched, ...]:
        rows = self._told(helds)
        replies = self._replies([each.iri for each in helds], _REPLIES[kind]) if kind in _REPLIES else {}
        told = [rows[each.iri] for each in helds if each.iri in rows]
        return tuple(replace(row, replies=replies.get(row.iri, ())) for row in told)

    def _replies(self, iris: Sequence[str], kind: str) -> Mapping[str, tuple[Touched, ...]]:
        """Give the answers to questions, the oldest first: they are read as a talk."""
        found = [(relation, held) for relation, held in self._into(iris) if relation.kind == kind]
        rows = self._told(list({held.iri: held for _, held in found}.values()))
        made: dict[str, dict[str, Touched]] = defaultdict(dict)
        for relation, held in sorted(found, key=lambda pair: (pair[1].at_ms, pair[1].iri)):
            if held.iri in rows:
                made[relation.target][held.iri] = rows[held.iri]
        return {iri: tuple(each.values()) for iri, each in made.items()}

    def _told(self, helds: Sequence[Held]) -> dict[str, Touched]:
        """Tell records by their IRI; one whose payload was erased meanwhile is left out."""
        bodies = self._parts.reading.payloads(helds)
        return {held.iri: self._one(held, body) for held, body in zip(helds, bodies, strict=True) if body}

    def _one(self, held: Held, payload: bytes) -> Touched:
        said = Described(ntriples.triples_of(payload), held.iri, self._reader, self._parts.pages.languages)
        row = look_quickly(said)
        at = At("", held)
        told = Touched(held.iri, self._city(held), row.title, row.lead, held, at.page, href(held.iri))
        told = replace(told, journal=self._parts.reading.collections().get(held.collection))
        if held.kind in _TALK:
            talk = said.text(held.iri, SCHEMA.text)
            return replace(told, said=talk, html=_talk(talk.text)) if talk else told
        file = said.value(held.iri, DCAT.downloadURL)
        return replace(told, file=file, form=self._form(held, said)) if file else told

    def _form(self, held: Held, said: Described) -> str:
        fields = TABLES[held.kind].fields if held.kind in TABLES else ()
        codes = next((each.codes for each in fields if each.term == DCT.format), None)
        found = codes.by_iri(said.value(held.iri, DCT.format)) if isinstance(codes, Codes) else None
        return said_in_words(found.label, self._reader) if found else ""

    def _city(self, held: Held) -> str:
        mirror = self._parts.mirror(held.collection)
        peer = held.collection.partition("/")[0] if is_mirror(held.collection) else self._parts.site.city
        return mirror.city if mirror else peer

    def _absent(self, iri: str) -> Touched:
        site = self._parts.site
        cities = [(site.base_url, site.city)]
        cities += [(one.url, one.city) for one in site.federation.view.cities()] if site.federation else []
        city = next((name for url, name in cities if iri.startswith(f"{url}/")), "")
        return Touched(iri, city, Said(iri), link=href(iri))


def _shared(helds: Sequence[Held], most: int) -> list[Held]:
    """Choose which to show, the cities taking turns, each with its newest; then the newest first."""
    turns: Counter[str] = Counter()
    placed: list[tuple[int, int, Held]] = []
    for at, held in enumerate(sorted(helds, key=_newest_first)):
        city = held.collection.partition("/")[0] if is_mirror(held.collection) else ""
        turns[city] += 1
        placed.append((turns[city], at, held))
    chosen = [held for _, _, held in sorted(placed, key=lambda one: one[:2])[:most]]
    return sorted(chosen, key=_newest_first)


def _newest_first(held: Held) -> tuple[int, str]:
    return -held.at_ms, held.iri


def _talk(said: str) -> Markup:
    return markdown(said) if len(said) <= _TALK_CHARACTERS else lines(plain(said, _TALK_CHARACTERS))


def forms_in(groups: Sequence[Group]) -> Mapping[str, str]:
    """Give the forms of files that records which touch this one have told, by the files' addresses."""
    return {row.file: row.form for group in groups for row in group.rows if row.file and row.form}


def field_of(kind: str, name: str) -> Field | None:
    """Find a field by the name that a relation has: `field`, or `group.field`; none if the table no longer has it."""
    table = TABLES.get(kind)
    first, *rest = name.split(".")
    found = table.field(first) if table else None
    for each in rest:
        found = found.field(each) if found else None
    return found


def said_in_words(words: Words, reader: str) -> str:
    """Give the words of a table for a reader."""
    return words.get(reader) or words.get("en", "")
