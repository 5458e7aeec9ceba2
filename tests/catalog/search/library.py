"""A few records on a real shelf, and real indexes of them in memory: what the tests of asking share.

Collections are public, restricted (each with an index of its own), or mirrors (`peer/name`). The indexes are written
with the documents that the keeper writes; that it keeps them level is for its own tests.
"""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tantivy import Index, Searcher

from node.catalog.search.document import document_of
from node.catalog.search.query import PUBLIC, Query, Sight
from node.catalog.search.schema import schema
from node.catalog.search.search import Results, Search
from node.catalog.shelf import Held, Shelf, ShelfFollower
from node.db import Database
from node.journal import Draft, catch_up
from node.journal.journal import Journals
from node.keys import Keyring
from node.records import slug_of
from node.vocab.mappings import plain_code

NOW = 1_800_000_000_000
DAY = 86_400_000
DCT = "http://purl.org/dc/terms/"
DCAT = "http://www.w3.org/ns/dcat#"
XSD = "http://www.w3.org/2001/XMLSchema#"
EU = "http://publications.europa.eu/resource/authority/"


@dataclass(frozen=True)
class Opened:
    searcher: Searcher
    generation: str


class Memory:
    """One index in memory."""

    def __init__(self) -> None:
        self._index = Index(schema())
        self._written = 0

    def write(self, documents: Iterable[str]) -> None:
        writer = self._index.writer(15_000_000, 1)
        for document in documents:
            writer.add_json(document)
        writer.commit()
        writer.wait_merging_threads()
        self._written += 1
        self._index.reload()

    def opened(self) -> Opened:
        return Opened(self._index.searcher(), f"g{self._written}")


class Memories:
    """All indexes of a node."""

    def __init__(self) -> None:
        self.of_all = Memory()
        self.of: dict[str, Memory] = {}

    def public(self) -> Opened:
        return self.of_all.opened()

    def restricted(self, collection: str) -> Opened | None:
        return self.of[collection].opened() if collection in self.of else None


@dataclass(frozen=True)
class Entry:
    """One record to write: texts by language, codes, and what else a test needs."""

    name: str
    title: Mapping[str, str] | str
    about: Mapping[str, str] | str = ""
    keywords: tuple[str, ...] = ()
    collection: str = "open-data"
    publisher: str = ""
    theme: str = ""
    format: str = ""
    licence: str = ""
    place: str = ""
    bbox: tuple[float, float, float, float] | None = None
    period: tuple[str, str] | None = None
    modified: str = ""
    identifier: str = ""
    language: str = "en"
    quality: int | None = None
    route: int = 0
    home: str = "http://127.0.0.1:8001"
    kind: str = "dataset"

    @property
    def iri(self) -> str:
        return f"{self.home}/datasets/{self.name}"

    def payload(self) -> bytes:
        """Canonical N-Quads."""
        me, site = f"<{self.iri}>", self.home
        lines = [f"{me} <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{DCAT}Dataset> ."]
        for name, texts in (("title", self.title), ("description", self.about)):
            said = {self.language: texts} if isinstance(texts, str) else texts
            lines += [f'{me} <{DCT}{name}> "{text}"@{tag} .' for tag, text in said.items() if text]
        lines += [f'{me} <{DCAT}keyword> "{word}"@{self.language} .' for word in self.keywords]
        if self.publisher:
            node = f"<{site}/publishers/{slug_of(self.publisher)}>"
            lines += [
                f"{me} <{DCT}publisher> {node} .",
                f'{node} <http://xmlns.com/foaf/0.1/name> "{self.publisher}" .',
            ]
        lines += [f"{me} <{DCAT}theme> <{EU}data-theme/{self.theme}> ."] if self.theme else []
        lines += [f"{me} <{DCT}license> <{EU}licence/{self.licence}> ."] if self.licence else []
        if self.format:
            file = f"<{self.iri}#file>"
            lines += [f"{me} <{DCAT}distribution> {file} .", f"{file} <{DCT}format> <{EU}file-type/{self.format}> ."]
        if self.place or self.bbox:
            node = f"<{self.iri}#place>"
            lines.append(f"{me} <{DCT}spatial> {node} .")
            if self.place:
                lines.append(f'{node} <http://www.w3.org/2004/02/skos/core#prefLabel> "{self.place}"@en .')
            if self.bbox:
                w, s, e, n = self.bbox
                shape = f"POLYGON(({w} {s}, {e} {s}, {e} {n}, {w} {n}, {w} {s}))"
                lines.append(f'{node} <{DCAT}bbox> "{shape}"^^<http://www.opengis.net/ont/geosparql#wktLiteral> .')
        if self.period:
            node = f"<{self.iri}#time>"
            lines.append(f"{me} <{DCT}temporal> {node} .")
            for name, day in zip(("startDate", "endDate"), self.period, strict=True):
                lines.append(f'{node} <{DCAT}{name}> "{day}"^^<{XSD}date> .')
        lines += [f'{me} <{DCT}modified> "{self.modified}"^^<{XSD}date> .'] if self.modified else []
        lines += [f'{me} <{DCT}identifier> "{self.identifier}" .'] if self.identifier else []
        return ("\n".join(sorted(lines)) + "\n").encode()


@dataclass
class Library:
    """A shelf, its indexes, and the search over both."""

    journals: Journals
    shelf: Shelf
    indexes: Memories = field(default_factory=Memories)
    restricted: frozenset[str] = frozenset()

    def add(self, *entries: Entry, at_ms: int = NOW) -> None:
        """Put records on the shelf and into their indexes."""
        for name in dict.fromkeys(entry.collection for entry in entries):
            own = [entry for entry in entries if entry.collection == name]
            self._write(name, own, at_ms)
        catch_up(self.journals, ShelfFollower())
        by_index: dict[str, list[str]] = {}
        for entry in entries:
            index = entry.collection if entry.collection in self.restricted else ""
            by_index.setdefault(index, []).append(self.document(entry))
        for index, documents in by_index.items():
            memory = self.indexes.of.setdefault(index, Memory()) if index else self.indexes.of_all
            memory.write(documents)

    def _write(self, name: str, entries: list[Entry], at_ms: int) -> None:
        plain = name.replace("/", "-")
        known = {info.name for info in self.shelf.collections()}
        with self.journals.db.write() as tx:
            if name not in known:
                visibility = "restricted" if name in self.restricted else "public"
                iri = f"http://127.0.0.1:8001/collections/{plain}"
                self.journals.create(tx, name=plain, iri=iri, title=name, visibility=visibility, at_ms=1)
            drafts = [Draft(e.iri, e.name, e.kind, "put", e.payload()) for e in entries]
            self.journals.append(tx, plain, drafts, at_ms=at_ms)
        catch_up(self.journals, ShelfFollower())
        if plain != name:
            # What makes a collection a mirror is its name; how mirrors are written is not looked at here.
            with self.journals.db.write() as tx:
                tx.run("UPDATE collection SET name = ? WHERE name = ?", name, plain)

    def held(self, entry: Entry) -> Held:
        """A record as it stands."""
        found = Shelf(self.journals).some([(entry.collection, entry.iri)])[0]
        assert found is not None
        return found

    def document(self, entry: Entry) -> str:
        """What the keeper would write of it."""
        peer, slash, _ = entry.collection.partition("/")
        return document_of(
            self.held(entry),
            entry.payload(),
            quality=entry.quality,
            city=peer if slash else "here",
            mapped=plain_code,
            restricted=entry.collection in self.restricted,
            route=entry.route,
        )

    @property
    def search(self) -> Search:
        return Search(self.indexes, self.shelf)

    def find(self, text: str = "", sight: Sight = PUBLIC, **more: object) -> Results:
        """Ask."""
        return self.search.find(Query(text=text, **more), sight, now_ms=NOW)  # type: ignore[arg-type]

    def names(self, text: str = "", sight: Sight = PUBLIC, **more: object) -> list[str]:
        """Ask, and name what was found, in order."""
        return [hit.held.slug for hit in self.find(text, sight, **more).hits]


def library_in(folder: Path, migrated: Path, keyring: Keyring, *, restricted: Iterable[str] = ()) -> Library:
    """Make an empty library on a database of its own."""
    shutil.copy(migrated, folder / "node.db")
    journals = Journals(Database(f"sqlite:///{folder / 'node.db'}"), keyring)
    return Library(journals, Shelf(journals), restricted=frozenset(restricted))
