"""Laws of the keeper: what it keeps equals what it would make anew, whatever happened, and whoever reads meanwhile.

Real journals, a real shelf and real indexes on disk; the crashes are those that a killed process leaves behind.
"""

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tantivy import Query, Searcher

from node.catalog.search import analyzers, making, schema
from node.catalog.search import keeper as keeping
from node.catalog.search.index import Indexes
from node.catalog.search.keeper import SearchKeeper
from node.catalog.search.layout import PUBLIC, Layout, index_of
from node.catalog.search.writing import Writing
from node.catalog.shelf import Shelf, ShelfFollower
from node.catalog.touched import Touched
from node.db import Database
from node.errors import Stopped, Unavailable
from node.journal import Draft, catch_up, key_of
from node.journal.journal import Journals
from node.keys import Keyring
from node.vocab.mappings import plain_code
from tests.catalog.search.library import Entry

STOP = threading.Event()


@dataclass
class Shelved:
    """A shelf, and a keeper of its indexes."""

    journals: Journals
    folder: Path
    points: dict[tuple[int, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.shelf = Shelf(self.journals)
        self.touched = Touched(self.shelf)
        self.indexes = Indexes(self.folder)
        self.keeper = self.another()

    def another(self) -> SearchKeeper:
        """Give a keeper as another process would have it."""
        return SearchKeeper(
            self.folder,
            self.journals.db,
            self.shelf,
            self.touched,
            city="here",
            mapped=lambda: plain_code,
            points=lambda asked: {at: self.points[at] for at in asked if at in self.points},
        )

    def create(self, name: str, visibility: str = "public") -> None:
        with self.journals.db.write() as tx:
            plain = name.replace("/", "-")
            iri = f"http://127.0.0.1:8001/collections/{plain}"
            self.journals.create(tx, name=plain, iri=iri, title=name, visibility=visibility, at_ms=1)
            # What makes a collection a mirror is its name; how mirrors are written is not looked at here.
            tx.run("UPDATE collection SET name = ? WHERE name = ?", name, plain)

    def change(self, name: str, visibility: str) -> None:
        with self.journals.db.write() as tx:
            self.journals.change(tx, name, visibility=visibility)

    def put(self, *entries: Entry) -> None:
        self._append([(e.collection, Draft(e.iri, e.name, e.kind, "put", e.payload())) for e in entries])

    def withdraw(self, *entries: Entry) -> None:
        self._append([(e.collection, Draft(e.iri, e.name, e.kind, "withdraw")) for e in entries])

    def _append(self, drafts: list[tuple[str, Draft]]) -> None:
        with self.journals.db.write() as tx:
            for name, draft in drafts:
                plain = name.replace("/", "-")
                tx.run("UPDATE collection SET name = ? WHERE name = ?", plain, name)
                self.journals.append(tx, plain, [draft], at_ms=1_800_000_000_000)
                tx.run("UPDATE collection SET name = ? WHERE name = ?", name, plain)
        catch_up(self.journals, ShelfFollower())

    def read(self) -> int:
        return self.keeper.catch_up(STOP)

    def found(self, word: str, searcher: Searcher | None = None) -> list[str]:
        """Name the records of the public index that have a word in their titles."""
        searcher = searcher or self.indexes.public().searcher
        stem = analyzers.stems(analyzers.words(word), "en")[0]
        hits = searcher.search(Query.term_query(schema.schema(), schema.TITLE_STEMS, stem, "freq"), 100).hits
        return sorted(searcher.doc(address)[schema.IRI][0].rpartition("/")[2] for _, address in hits)


@pytest.fixture
def shelved(tmp_path: Path, migrated: Path, keyring: Keyring) -> Iterator[Shelved]:
    shutil.copy(migrated, tmp_path / "node.db")
    db = Database(f"sqlite:///{tmp_path / 'node.db'}")
    made = Shelved(Journals(db, keyring), tmp_path / "search")
    made.create("open-data")
    yield made
    made.indexes.close()
    db.close()


def contents(searcher: Searcher) -> tuple[object, ...]:
    """Give what an index holds: its records by route, and its words with how often they are met."""
    every = Query.all_query()
    held = sorted(
        (*(searcher.doc(at)[name][0] for name in (schema.COLLECTION, schema.IRI)), route)
        for (_, at) in searcher.search(every, 1000).hits
        for route in searcher.fast_field_values(schema.ROUTE, [at])
    )
    # Of what is alive: a word that nothing has any more stands in the index until its segment is merged.
    words = [
        (name, searcher.aggregate(every, {"of": {"terms": {"field": name, "size": 1000}}})["of"]["buckets"])
        for name in (schema.KIND, schema.CITY, schema.KEYWORD, schema.BY_TITLE["en"], schema.USE)
    ]
    return held, words


BOOKS = Entry("books", "Books of the library", keywords=("reading",))
TREES = Entry("trees", "Trees in parks", keywords=("nature",))
ROADS = Entry("roads", "Road works")


def test_a_change_is_found_once_it_is_read_and_what_was_withdrawn_is_not(shelved: Shelved) -> None:
    shelved.put(BOOKS, TREES)
    assert shelved.read() == 2
    assert shelved.found("book") == ["books"]
    shelved.put(Entry("books", "Journals of the library"))
    shelved.withdraw(TREES)
    assert shelved.read() == 2
    assert (shelved.found("book"), shelved.found("journal"), shelved.found("tree")) == ([], ["books"], [])
    assert shelved.read() == 0


@pytest.mark.slow
def test_before_anything_was_read_search_says_that_it_is_not_ready(shelved: Shelved) -> None:
    with pytest.raises(Unavailable):
        shelved.indexes.public()
    assert shelved.keeper.status().state == "missing"
    assert shelved.read() == 0
    assert shelved.indexes.public().searcher.num_docs == 0, "an empty node has an empty index"
    assert shelved.keeper.status().state == "level"


@pytest.mark.slow
def test_lived_equals_rebuilt(shelved: Shelved) -> None:
    for name in ("london/open-data", "ghent/open-data"):
        shelved.create(name)
    there = Entry("trees", "Trees there", collection="london/open-data", home="https://london.example")
    copy = Entry("trees", "Trees there", collection="ghent/open-data", home="https://london.example")
    ours = Entry("trees", "Trees there", home="https://london.example")
    for step in ([BOOKS, copy], [there], [TREES, ours], [Entry("books", "Books again")]):
        shelved.put(*step)
        shelved.read()
    shelved.withdraw(there, TREES)
    shelved.put(ROADS)
    shelved.read()
    lived = contents(shelved.indexes.public().searcher)
    assert shelved.another().rebuild(STOP) == 6, "what is gone is met as well"
    assert contents(shelved.indexes.public().searcher) == lived
    assert len(lived[0]) == 4  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_record_of_several_collections_has_one_first_route_whatever_comes_and_goes(shelved: Shelved) -> None:
    shelved.create("london/open-data")
    shelved.create("ghent/open-data")
    home = "https://london.example"
    first, second, own = (
        Entry("t", "Trees", collection=name, home=home) for name in ("london/open-data", "ghent/open-data", "open-data")
    )

    def routes() -> dict[str, int]:
        searcher = shelved.indexes.public().searcher
        return {
            searcher.doc(at)[schema.COLLECTION][0]: route
            for _, at in searcher.search(Query.all_query(), 10).hits
            for route in searcher.fast_field_values(schema.ROUTE, [at])
            if isinstance(route, int)
        }

    shelved.put(second)
    shelved.read()
    assert routes() == {"ghent/open-data": 0}
    shelved.put(first)
    shelved.read()
    assert routes() == {"london/open-data": 0, "ghent/open-data": 1}
    shelved.put(own)
    shelved.read()
    assert routes() == {"open-data": 0, "london/open-data": 1, "ghent/open-data": 2}
    shelved.withdraw(own)
    shelved.withdraw(first)
    shelved.read()
    assert routes() == {"ghent/open-data": 0}


@pytest.mark.slow
def test_what_is_read_twice_is_there_once(shelved: Shelved) -> None:
    """A process that is killed between tantivy's commit and the saving of the position reads again what it had read."""
    shelved.put(BOOKS)
    shelved.read()
    before = shelved.indexes._layout.position_file.read_bytes()
    shelved.put(TREES, ROADS)
    shelved.withdraw(BOOKS)
    shelved.read()
    lived = contents(shelved.indexes.public().searcher)
    shelved.indexes._layout.position_file.write_bytes(before)
    assert shelved.another().catch_up(STOP) == 3
    assert contents(shelved.indexes.public().searcher) == lived


@pytest.mark.slow
def test_what_was_not_committed_is_read_again(shelved: Shelved) -> None:
    shelved.put(BOOKS)
    shelved.read()
    layout = Layout(shelved.folder)
    position = layout.position()
    assert position is not None
    with Writing(layout, position.makings, bulk=False) as writing:
        writing.take_out(PUBLIC, analyzers.key_of(BOOKS.collection, BOOKS.iri))
    shelved.put(TREES)
    assert shelved.read() == 1
    assert (shelved.found("book"), shelved.found("tree")) == (["books"], ["trees"])


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["version", "position", "meta", "folder", "marked", "all"])
def test_an_index_that_cannot_go_on_is_made_anew_by_itself(shelved: Shelved, harm: str) -> None:
    shelved.put(BOOKS, TREES)
    shelved.read()
    layout = shelved.indexes._layout
    said = json.loads(layout.position_file.read_bytes())
    making = layout.path(PUBLIC, said["makings"][PUBLIC])
    if harm == "version":
        layout.position_file.write_text(json.dumps(said | {"version": schema.VERSION + 1}))
    elif harm == "position":
        layout.position_file.write_bytes(b"{")
    elif harm == "meta":
        (making / "meta.json").write_bytes(b"{")
    elif harm == "folder":
        shutil.rmtree(making)
    elif harm == "marked":
        shelved.indexes.report_damage()
    else:
        shutil.rmtree(shelved.folder)
    if harm != "marked":
        shelved.put(ROADS)
    shelved.read()
    assert shelved.found("book") == ["books"]
    assert shelved.another().status().state == "level"
    assert not layout.damaged()
    assert len(list((shelved.folder / PUBLIC).iterdir())) == 1, "what does not count is swept away"


@pytest.mark.slow
def test_an_index_that_knows_more_than_the_database_is_made_anew(shelved: Shelved) -> None:
    """The database was restored from a backup, or is another one."""
    shelved.put(BOOKS)
    shelved.read()
    said = json.loads(shelved.indexes._layout.position_file.read_bytes())
    shelved.indexes._layout.position_file.write_text(json.dumps(said | {"n": 1000}))
    assert shelved.read() == 1
    assert shelved.keeper.status().position == shelved.touched.newest()


@pytest.mark.slow
def test_readers_meet_damage_say_so_and_the_keeper_mends_it(shelved: Shelved) -> None:
    shelved.put(BOOKS)
    shelved.read()
    for path in shelved.folder.rglob("*.store"):
        path.write_bytes(b"")
    with pytest.raises(Unavailable):
        Indexes(shelved.folder).public()
    assert shelved.another().catch_up(STOP) == 1
    assert shelved.found("book") == ["books"]


def test_two_never_write_at_once(shelved: Shelved) -> None:
    shelved.put(BOOKS)
    with Layout(shelved.folder).alone(wait=False), pytest.raises(Unavailable):
        shelved.read()
    assert shelved.read() == 1


@pytest.mark.slow
def test_a_foreign_writer_s_lock_is_waited_for_and_nothing_is_thrown_away(shelved: Shelved) -> None:
    shelved.put(BOOKS)
    shelved.read()
    position = Layout(shelved.folder).position()
    assert position is not None
    shelved.put(TREES)
    with Writing(Layout(shelved.folder), position.makings, bulk=False) as foreign:
        foreign.writer(PUBLIC)
        with pytest.raises(Unavailable):
            shelved.read()
    assert shelved.read() == 1
    after = Layout(shelved.folder).position()
    assert after is not None
    assert after.makings == position.makings


@pytest.mark.slow
def test_while_an_index_is_made_anew_the_one_there_is_serves(shelved: Shelved, monkeypatch: pytest.MonkeyPatch) -> None:
    shelved.put(BOOKS, TREES)
    shelved.read()
    held = shelved.indexes.public()
    seen: list[list[str]] = []
    document = making.document_of

    def looking(*given: object, **more: object) -> str:
        seen.append(Shelved.found(shelved, "book"))
        return document(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(making, "document_of", looking)
    shelved.another().rebuild(STOP)
    assert seen == [["books"], ["books"]]
    assert shelved.found("book", held.searcher) == ["books"], "who holds the former one may go on reading it"
    assert shelved.indexes.public().generation != held.generation


@pytest.mark.slow
def test_a_rebuild_that_is_stopped_changes_nothing(shelved: Shelved) -> None:
    shelved.put(BOOKS)
    shelved.read()
    before = shelved.indexes.public().generation
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        shelved.keeper.rebuild(stop)
    assert shelved.indexes.public().generation == before
    shelved.put(TREES)
    assert shelved.read() == 1
    shelved.keeper.rebuild(STOP)
    assert len(list((shelved.folder / PUBLIC).iterdir())) == 1


@pytest.mark.slow
def test_what_changes_while_an_index_is_made_anew_is_in_it(shelved: Shelved, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "BATCH", 1)
    shelved.put(BOOKS, TREES, ROADS)
    document, times = making.document_of, [0]

    def meanwhile(*given: object, **more: object) -> str:
        times[0] += 1
        if times[0] == 2:
            shelved.put(Entry("books", "Journals of the library"))
            shelved.withdraw(ROADS)
        return document(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(making, "document_of", meanwhile)
    shelved.keeper.rebuild(STOP)
    searcher = shelved.indexes.public().searcher
    assert searcher.num_docs == 2
    assert (shelved.found("journal"), shelved.found("road"), shelved.found("book")) == (["books"], [], [])
    assert shelved.keeper.status().state == "level"


def test_no_word_of_a_restricted_collection_is_in_the_public_index(shelved: Shelved) -> None:
    shelved.create("secret", "restricted")
    shelved.put(BOOKS, Entry("plans", "Books of bunkers", collection="secret"))
    shelved.read()
    public, restricted = shelved.indexes.public(), shelved.indexes.restricted("secret")
    assert restricted is not None
    assert shelved.found("book") == ["books"]
    assert shelved.found("bunker", restricted.searcher) == ["plans"]
    for name in (*schema.WORD_FIELDS, *schema.STEM_FIELDS, schema.PARTS, schema.COLLECTION):
        assert not public.searcher.terms_with_prefix(name, "bunk"), name
        assert not public.searcher.terms_with_prefix(name, "secret"), name
    assert public.searcher.doc_freq(schema.TITLE_STEMS, "book") == 1
    assert "secret" not in [path.name for path in shelved.folder.rglob("*")]
    assert shelved.indexes.restricted("another") is None


@pytest.mark.slow
def test_a_collection_that_changes_its_visibility_changes_its_index(shelved: Shelved) -> None:
    shelved.put(BOOKS, TREES)
    shelved.read()
    shelved.change("open-data", "restricted")
    shelved.read()
    assert shelved.indexes.public().searcher.num_docs == 0
    restricted = shelved.indexes.restricted("open-data")
    assert restricted is not None
    assert shelved.found("book", restricted.searcher) == ["books"]
    shelved.change("open-data", "public")
    shelved.read()
    assert shelved.found("book") == ["books"]
    assert shelved.indexes.restricted("open-data") is None
    assert not (shelved.folder / index_of("open-data")).exists()


@pytest.mark.slow
def test_a_record_whose_payload_is_damaged_holds_nobody_up(shelved: Shelved) -> None:
    shelved.put(BOOKS, TREES)
    with shelved.journals.db.write() as tx:
        digest = bytes.fromhex(shelved.shelf.all_by_iri(BOOKS.iri)[0].digest.removeprefix("sha256:"))
        tx.run("UPDATE payload SET body = ? WHERE digest = ?", b"damaged", digest)
    assert shelved.read() == 2
    assert (shelved.found("book"), shelved.found("tree")) == ([], ["trees"])


@pytest.mark.slow
def test_a_long_way_behind_is_caught_up_bit_by_bit(shelved: Shelved, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "BATCH", 2)
    monkeypatch.setattr(keeping, "COMMIT_EVERY", 2)
    shelved.read()
    shelved.put(*(Entry(f"d{n}", f"Title {n}") for n in range(5)))
    seen: list[int] = []
    document = making.document_of

    def looking(*given: object, **more: object) -> str:
        seen.append(shelved.indexes.public().searcher.num_docs)
        return document(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(making, "document_of", looking)
    assert shelved.read() == 5
    assert seen == [0, 0, 2, 2, 4]


@pytest.mark.slow
def test_a_stop_keeps_what_was_read(shelved: Shelved, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "BATCH", 1)
    shelved.read()
    shelved.put(BOOKS, TREES)
    stop, document = threading.Event(), making.document_of

    def stopping(*given: object, **more: object) -> str:
        stop.set()
        return document(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(making, "document_of", stopping)
    assert shelved.keeper.catch_up(stop) == 1
    assert shelved.keeper.status().state == "behind"
    monkeypatch.undo()
    assert shelved.read() == 1


@pytest.mark.slow
def test_quality_and_city_come_along(shelved: Shelved) -> None:
    shelved.create("london/open-data")
    shelved.put(BOOKS, Entry("trees", "Trees", collection="london/open-data", home="https://london.example"))
    ids = dict(shelved.shelf.hot.rows("SELECT name, id FROM collection"))
    shelved.points[ids["open-data"], key_of(BOOKS.iri)] = 300
    shelved.read()
    searcher = shelved.indexes.public().searcher
    found = searcher.aggregate(
        Query.all_query(), {"of": {"terms": {"field": schema.CITY}, "aggs": {"q": {"max": {"field": schema.QUALITY}}}}}
    )
    assert {bucket["key"]: bucket["q"]["value"] for bucket in found["of"]["buckets"]} == {"here": 300, "london": None}


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_said(shelved: Shelved) -> None:
    shelved.folder.write_text("a file is in its place")
    with pytest.raises(Unavailable, match="cannot be written"):
        shelved.read()


@pytest.mark.slow
def test_a_collection_that_changes_while_it_is_read_is_met_as_changed(
    shelved: Shelved, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "BATCH", 1)
    shelved.put(BOOKS, TREES, ROADS)
    document, times = making.document_of, [0]

    def meanwhile(*given: object, **more: object) -> str:
        times[0] += 1
        if times[0] == 2:
            shelved.change("open-data", "restricted")
        return document(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(making, "document_of", meanwhile)
    shelved.read()
    shelved.read()
    restricted = shelved.indexes.restricted("open-data")
    assert restricted is not None
    assert (shelved.indexes.public().searcher.num_docs, restricted.searcher.num_docs) == (0, 3)


@pytest.mark.slow
def test_what_is_made_with_a_helper_is_what_is_made_alone(shelved: Shelved, monkeypatch: pytest.MonkeyPatch) -> None:
    shelved.put(*(Entry(f"d{n}", f"Title {n % 3} of many", keywords=(f"word{n}",)) for n in range(40)))
    shelved.keeper.rebuild(STOP)
    alone = contents(shelved.indexes.public().searcher)
    monkeypatch.setattr(keeping, "BULK_FROM", 10)
    monkeypatch.setattr(keeping, "BATCH", 3)
    shelved.keeper.rebuild(STOP)
    assert contents(shelved.indexes.public().searcher) == alone
    shutil.rmtree(shelved.folder)
    assert shelved.read() == 40
    assert contents(shelved.indexes.public().searcher) == alone
