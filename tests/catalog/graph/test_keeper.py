"""Laws of the two stores, over a real engine: a store says what the shelf says, whatever happened on the way there.

The engine is the one that the node ships. Records say a little that is theirs and a little that they share, so that
what goes with one record and stays with another can be told apart.
"""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.catalog.graph import keeper as keepers
from node.catalog.graph import writing
from node.catalog.graph.book import Book, alone
from node.catalog.graph.keeper import GraphKeeper, standing_at
from node.catalog.graph.shapes import ByCollection, ByRecord, Of
from node.catalog.graph.writing import Part
from node.catalog.shelf import Shelf, ShelfFollower
from node.catalog.touched import Touched
from node.db import Database
from node.errors import AlreadyRunning
from node.journal import Draft, catch_up
from node.journal.journal import Journals
from node.keys import Keyring
from node.vocab import ntriples
from tests.catalog.graph.engines import Running, running

pytestmark = pytest.mark.slow  # a real engine: seconds, not milliseconds

BASE = "http://127.0.0.1:8001"
PUBLIC, SECRET, MIRROR = "open-data", "secret", "london/open-data"
GO = threading.Event()


def iri_of(number: int) -> str:
    return f"{BASE}/id/d{number}"


def payload(number: int, words: str, shared: str = "") -> bytes:
    """Say something of a record, and something of an agency that others may say as well."""
    lines = {f"<{iri_of(number)}> <x:title> {ntriples.literal(words)} .\n"}
    if shared:
        lines |= {f"<{iri_of(number)}> <x:by> <x:agency> .\n", f"<x:agency> <x:name> {ntriples.literal(shared)} .\n"}
    return "".join(sorted(lines)).encode()


def put(number: int, words: str = "A title", shared: str = "", *, slug: str = "", kind: str = "dataset") -> Draft:
    return Draft(iri_of(number), slug or f"d{number}", kind, "put", payload(number, words, shared))


def withdraw(number: int, slug: str = "") -> Draft:
    return Draft(iri_of(number), slug or f"d{number}", "dataset", "withdraw")


@dataclass
class Rig:
    """Journals, a store, and what keeps it."""

    journals: Journals
    store: Running
    hidden: set[str] = field(default_factory=set)

    def keeper(self, *, restricted: bool = False, name: str = "") -> GraphKeeper:
        shelf = Shelf(self.journals)
        shape = ByCollection(self.journals.store.some) if restricted else ByRecord(self.journals.store.some)
        return GraphKeeper(
            name or ("graph-restricted" if restricted else "graph"),
            self.store.made.folder,
            shape=shape,
            engine=self.store.engine,
            touched=Touched(shelf),
            collections=self._collections,
            hidden=lambda: frozenset(self.hidden),
        )

    def _collections(self) -> list[Of]:
        with self.journals.db.read() as tx:
            return [Of(each.id, each.name, each.iri, each.visibility) for each in self.journals.collections(tx)]

    def write(self, *drafts: Draft, to: str = PUBLIC) -> None:
        with self.journals.db.write() as tx:
            self.journals.append(tx, to, drafts, at_ms=2_000)
        catch_up(self.journals, ShelfFollower())

    def expected(self, shows: Callable[[str], bool], graph: Callable[[str, str, str], str]) -> list[str]:
        """Give the quads that the shelf says, by collection IRI, kind and slug."""
        shelf, found = Shelf(self.journals), set()
        with self.journals.db.read() as tx:
            collections = self.journals.collections(tx)
        for each in collections:
            if not shows(each.visibility) or each.name.partition("/")[0] in self.hidden:
                continue
            helds = shelf.page(each.name, offset=0, limit=1000)
            for held, body in zip(helds, shelf.payloads(helds), strict=True):
                where = f"<{graph(each.iri, held.kind, held.slug)}>"
                found |= {"\t".join((*triple, where)) for triple in ntriples.triples_of(body)}
        return sorted(found)

    def public(self) -> list[str]:
        return self.expected(
            lambda visibility: visibility == "public",
            lambda iri, kind, slug: f"{iri.rpartition('/collections/')[0]}/{kind}s/{slug}",
        )

    def restricted(self) -> list[str]:
        return self.expected(lambda visibility: visibility != "public", lambda iri, kind, slug: iri)


def create(journals: Journals, name: str, visibility: str, iri: str = "") -> None:
    with journals.db.write() as tx:
        iri = iri or f"{BASE}/collections/{name}"
        journals.create(tx, name=name, iri=iri, title=name, visibility=visibility, at_ms=1_000)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("engine")) as made:
        yield made


@pytest.fixture
def rig(migrated: Path, tmp_path: Path, keyring: Keyring, engine: Running) -> Iterator[Rig]:
    """A rig whose engine is others' too: its store is emptied first, since the book of this test is new."""
    shutil.copy(migrated, tmp_path / "node.db")
    db = Database(f"sqlite:///{tmp_path / 'node.db'}")
    for each in engine.made.folder.parent.glob("public.book*"):
        each.unlink()
    (engine.made.folder.parent / "public.json").unlink(missing_ok=True)
    yield founded(Journals(db, keyring), engine)
    db.close()


def founded(journals: Journals, engine: Running) -> Rig:
    create(journals, PUBLIC, "public")
    create(journals, SECRET, "restricted")
    return Rig(journals, engine)


def test_the_public_store_says_what_the_shelf_says_one_graph_per_record(rig: Rig) -> None:
    keeper = rig.keeper()
    rig.write(put(1, "One", "Agency"), put(2, "Two", "Agency"))
    rig.write(put(9, "Never seen here"), to=SECRET)
    assert keeper.catch_up(GO) == 3
    assert rig.store.quads() == rig.public()
    assert len({line.rsplit("\t", 1)[1] for line in rig.store.quads()}) == 2
    rig.write(put(1, "One, changed"), withdraw(2), put(3, "Three"))
    assert keeper.catch_up(GO) == 3
    assert rig.store.quads() == rig.public()
    assert keeper.catch_up(GO) == 0
    assert keeper.status().state == "level"
    assert keeper.status().records == 2


def test_in_the_restricted_store_a_triple_goes_with_the_last_record_that_says_it(rig: Rig) -> None:
    keeper = rig.keeper(restricted=True)
    rig.write(put(1, "One", "Agency"), put(2, "Two", "Agency"), to=SECRET)
    rig.write(put(5, "Open"))
    keeper.catch_up(GO)
    assert rig.store.quads() == rig.restricted()
    agency = f'<x:agency>\t<x:name>\t"Agency"\t<{BASE}/collections/{SECRET}>'
    rig.write(withdraw(1), to=SECRET)
    keeper.catch_up(GO)
    assert agency in rig.store.quads()
    assert rig.store.quads() == rig.restricted()
    rig.write(put(2, "Two"), to=SECRET)
    keeper.catch_up(GO)
    assert agency not in rig.store.quads()
    assert rig.store.quads() == rig.restricted()


def test_a_kind_or_slug_that_changes_leaves_no_graph_behind(rig: Rig) -> None:
    keeper = rig.keeper()
    rig.write(put(1, "One"))
    keeper.catch_up(GO)
    rig.write(put(1, "One", slug="other", kind="practice"))
    keeper.catch_up(GO)
    assert rig.store.quads() == rig.public()


def test_two_records_at_one_document_stand_in_its_graph_together(rig: Rig) -> None:
    create(rig.journals, "more-data", "public")
    keeper = rig.keeper()
    rig.write(put(1, "One", slug="same"))
    rig.write(put(2, "Two", slug="same"), to="more-data")
    keeper.catch_up(GO)
    assert rig.store.quads() == rig.public()
    rig.write(withdraw(1, "same"))
    keeper.catch_up(GO)
    assert rig.store.quads() == rig.public()
    assert len(rig.store.quads()) == 1


def test_peers_that_are_hidden_are_taken_out_and_come_back(rig: Rig) -> None:
    create(rig.journals, "theirs", "public", "https://london.example/collections/open-data")
    keeper = rig.keeper()
    rig.write(put(1, "Ours"))
    rig.write(put(2, "Theirs"), to="theirs")
    with rig.journals.db.write() as tx:  # what was written is a peer's from here on
        tx.run("UPDATE collection SET name = ? WHERE name = 'theirs'", MIRROR)
    keeper.catch_up(GO)
    both = rig.store.quads()
    assert len(both) == 2
    rig.hidden.add("london")
    keeper.catch_up(GO)
    assert len(rig.store.quads()) == 1
    rig.hidden.clear()
    keeper.catch_up(GO)
    assert rig.store.quads() == both


@pytest.mark.parametrize("restricted", [False, True])
def test_rebuilt_equals_lived(rig: Rig, restricted: bool) -> None:
    keeper, to = rig.keeper(restricted=restricted), SECRET if restricted else PUBLIC
    for drafts in (
        [put(1, "One", "A"), put(2, "Two", "A")],
        [withdraw(1), put(3, "Three", "B")],
        [put(1, "Again", "B")],
    ):
        rig.write(*drafts, to=to)
        keeper.catch_up(GO)
    lived = rig.store.quads()
    assert keeper.rebuild(GO) > 0
    assert rig.store.quads() == lived
    assert lived == (rig.restricted() if restricted else rig.public())


def test_a_store_that_was_thrown_away_is_filled_again(rig: Rig) -> None:
    keeper = rig.keeper()
    rig.write(put(1), put(2))
    keeper.catch_up(GO)
    before = rig.store.quads()
    rig.store.end()
    shutil.rmtree(rig.store.made.folder)
    rig.store.start()
    assert rig.store.quads() == []
    keeper.catch_up(GO)
    assert rig.store.quads() == before


def test_a_database_that_was_restored_makes_the_store_anew(rig: Rig) -> None:
    keeper = rig.keeper()
    rig.write(put(1), put(2))
    keeper.catch_up(GO)
    with rig.journals.db.write() as tx:  # as of an earlier day: the second record was not there, nor its number
        tx.run("DELETE FROM touched WHERE n = (SELECT max(n) FROM touched)")
        tx.run("DELETE FROM shelf WHERE slug = 'd2'")
    keeper.catch_up(GO)
    assert rig.store.quads() == rig.public()
    assert len(rig.store.quads()) == 1


@pytest.mark.parametrize("restricted", [False, True])
def test_a_crash_at_any_moment_is_mended_by_writing_once_more(rig: Rig, restricted: bool) -> None:
    to = SECRET if restricted else PUBLIC
    rig.write(put(1, "One", "A"), put(2, "Two", "A"), to=to)
    rig.keeper(restricted=restricted).catch_up(GO)
    changes = ([put(1, "New", "B")], [withdraw(2), put(4, "Four", "A")], [put(4, "Four", "C"), withdraw(1)])
    for number, drafts in enumerate(changes):
        rig.write(*drafts, to=to)
        with pytest.raises(_CrashError):
            _crashing(rig.keeper(restricted=restricted), after=number).catch_up(GO)
        rig.write(put(7, f"Meanwhile {number}", "A"), to=to)
        rig.keeper(restricted=restricted).catch_up(GO)
        assert rig.store.quads() == (rig.restricted() if restricted else rig.public())


class _CrashError(Exception):
    """Stands for a process that is gone."""


def _crashing(keeper: GraphKeeper, *, after: int) -> GraphKeeper:
    """Let a keeper end where a batch is noted (0), where it is written (1), or where it is crossed out (2)."""
    shape = keeper._shape
    write, settle = shape.write, Book.settle
    calls = {"write": 0}

    def gone(*_: object, **__: object) -> None:
        raise _CrashError

    def writes(book: Book, engine: object, *, empty: bool) -> None:
        calls["write"] += 1
        if calls["write"] == 1:
            write(book, engine, empty=empty)
        elif after == 0:
            gone()
        else:
            if after == 1:
                book.settle = book.done = gone
            write(book, engine, empty=empty)
            if after == 2:
                gone()

    shape.write = writes
    assert settle
    return keeper


@pytest.mark.parametrize("restricted", [False, True])
def test_after_a_power_cut_what_may_be_lost_is_written_again(
    rig: Rig, restricted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = SECRET if restricted else PUBLIC
    rig.write(put(1, "One"), put(2, "Two"), to=to)
    rig.keeper(restricted=restricted).catch_up(GO)
    # The machine went down before the disk had it: the store lacks what the book says it holds.
    rig.store.engine.update(b"DROP ALL", deadline_s=5)
    rig.keeper(restricted=restricted).catch_up(GO)
    assert rig.store.quads() == []
    monkeypatch.setattr("node.catalog.graph.book._boot", lambda: "another start of the machine")
    rig.keeper(restricted=restricted).catch_up(GO)
    assert rig.store.quads() == (rig.restricted() if restricted else rig.public())
    assert rig.keeper(restricted=restricted).catch_up(GO) == 0


def test_what_was_erased_goes_from_the_restricted_store_though_nobody_knows_any_more_what_it_was(rig: Rig) -> None:
    keeper = rig.keeper(restricted=True)
    rig.write(put(1, "Secret", "Agency"), put(2, "Two", "Agency"), to=SECRET)
    keeper.catch_up(GO)
    rig.write(withdraw(1), to=SECRET)
    with rig.journals.db.write() as tx:
        tx.run("DELETE FROM payload WHERE digest NOT IN (SELECT digest FROM shelf WHERE digest IS NOT NULL)")
    keeper.catch_up(GO)
    assert rig.store.quads() == rig.restricted()
    assert not [line for line in rig.store.quads() if "Secret" in line]


def test_a_damaged_book_is_made_anew(rig: Rig) -> None:
    rig.write(put(1))
    rig.keeper().catch_up(GO)
    path = rig.store.made.folder.parent / "public.book"
    for each in path.parent.glob("public.book-*"):
        each.unlink()
    path.write_bytes(b"no database" * 100)
    rig.keeper().catch_up(GO)
    assert rig.store.quads() == rig.public()


def test_one_keeper_at_a_time(rig: Rig) -> None:
    with alone(rig.store.made.folder.parent / "public.book"), pytest.raises(AlreadyRunning):
        rig.keeper().catch_up(GO)


def test_a_store_that_is_being_filled_says_so_until_it_is_whole(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    standing = rig.store.made.folder.parent / "public.json"
    monkeypatch.setattr(keepers, "BULK", 2)
    rig.write(*(put(number) for number in range(6)))
    keeper, stop, seen = rig.keeper(), threading.Event(), []
    add = writing.add

    def stopped(*given: object) -> None:
        add(*given)
        seen.append(standing_at(standing))
        stop.set()

    monkeypatch.setattr(writing, "add", stopped)
    assert keeper.catch_up(stop) == 2
    assert [each.whole for each in seen] == [False]
    told = standing_at(standing)
    assert told is not None
    assert not told.whole
    monkeypatch.setattr(writing, "add", add)
    assert rig.keeper().catch_up(GO) == 4  # it goes on where it was stopped
    told = standing_at(standing)
    assert told is not None
    assert told.whole
    assert rig.store.quads() == rig.public()


def test_one_record_that_the_engine_refuses_does_not_hold_up_the_others(rig: Rig) -> None:
    keeper = rig.keeper()
    bad = Draft(iri_of(2), "d2", "dataset", "put", b'<x:s> <x:p> "no end .\n')
    rig.write(put(1), bad, put(3))
    keeper.catch_up(GO)
    assert len(rig.store.quads()) == 2
    rig.write(put(1, "Newer"), Draft(iri_of(2), "d2", "dataset", "put", b'<x:s> <x:p> "still none .\n'), put(4))
    keeper.catch_up(GO)
    assert len(rig.store.quads()) == 3


ODD = [
    "\\u0022",
    "\\\\u0041",
    "\\U00000022 } } ; DROP ALL",
    '"',
    "\\",
    "\\\\\\u0007",
    "\u0007u",
    "\\\u0007",
    "a .\n b",
    "\u2028 .\n",
]


@given(words=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(ODD))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_texts_arrive_as_they_are_by_either_way(engine: Running, words: str) -> None:
    triples = f"<x:s> <x:p> {ntriples.literal(words)} .\n".encode()
    for way in (writing.write, writing.add):
        writing.clear(engine.engine)
        way(engine.engine, [Part("x:g", triples, instead=way is writing.write)])
        asked = engine.engine.query(
            "SELECT ?o { GRAPH <x:g> { <x:s> <x:p> ?o } }",
            accept="application/sparql-results+json",
            deadline_s=5,
            max_bytes=1 << 20,
        )
        assert [row["o"]["value"] for row in json.loads(asked.body)["results"]["bindings"]] == [words]


def test_an_engine_that_reads_escapes_first_hears_the_same(engine: Running) -> None:
    # SPARQL 1.1, 19.2: code points may be unescaped before anything else is read.
    for words in ("\\u0022 x", "\\\\u0041", "a\\U0001F600"):
        triples = f"<x:s> <x:p> {ntriples.literal(words)} .\n".encode()
        spelt = writing.said([Part("x:g", triples)]).decode()
        read_first = spelt.replace("\\u0075", "u").replace("\\u0055", "U")
        assert read_first == "INSERT DATA { GRAPH <x:g> {\n" + triples.decode() + "} }"
        assert "\\\\u0" not in spelt.replace("\\\\\\u0", "")


def test_no_graph_is_named_by_what_could_end_its_name() -> None:
    assert writing.is_graph("https://london.example/datasets/d1")
    for bad in ("", "d1", "https://x/> } ; DROP ALL #", "https://x/a b", "https://x/{", "https://x/\\u003E"):
        assert not writing.is_graph(bad)
