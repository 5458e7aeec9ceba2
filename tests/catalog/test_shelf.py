"""Laws of the shelf: the newest state of everything, found by address, by IRI and by page."""

from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.catalog.shelf import (
    _BY_IRI,
    _GONE,
    Shelf,
    ShelfFollower,
    finding_set,
    findings_body,
    findings_from,
    save_findings,
)
from node.db import Database
from node.journal import Draft, catch_up, rebuild
from node.journal.journal import Journals
from node.records import Finding
from tests.catalog.rig import City, datasets
from tests.journal.rig import NAME, iri_of, payload_of, put, withdraw


@pytest.fixture
def shelf(journals: Journals) -> Shelf:
    return Shelf(journals)


def write(journals: Journals, *drafts: Draft, at_ms: int = 2_000, name: str = NAME) -> None:
    with journals.db.write() as tx:
        journals.append(tx, name, drafts, at_ms=at_ms)
    catch_up(journals, ShelfFollower())


def rows(db: Database) -> list[tuple[object, ...]]:
    with db.read() as tx:
        return tx.rows("SELECT collection_id, record_key, iri, kind, slug, digest, seq, at FROM shelf ORDER BY 1, 2")


def test_a_record_is_found_by_its_address_and_by_its_iri(journals: Journals, shelf: Shelf) -> None:
    write(journals, put(1), put(2))
    held = shelf.record("dataset", "d1")
    assert held is not None
    assert (held.collection, held.iri, held.kind, held.slug, held.seq, held.at_ms) == (
        NAME, iri_of(1), "dataset", "d1", 1, 2_000
    )  # fmt: skip
    assert shelf.by_iri(iri_of(1)) == held
    assert shelf.payload(held) == payload_of(iri_of(1), "A title")
    assert shelf.record("data-service", "d1") is None
    assert shelf.record("dataset", "d9") is None
    assert shelf.by_iri(iri_of(9)) is None


def test_a_withdrawn_record_says_when_it_went_and_is_in_no_list(journals: Journals, shelf: Shelf) -> None:
    write(journals, put(1), put(2))
    write(journals, withdraw(1), at_ms=3_000)
    assert shelf.record("dataset", "d1") is None
    assert shelf.by_iri(iri_of(1)) is None
    assert shelf.withdrawn("dataset", "d1") == (iri_of(1), 3_000)
    assert shelf.withdrawn("dataset", "d2") is None
    assert [held.slug for held in shelf.page(NAME, offset=0, limit=10)] == ["d2"]
    assert shelf.count(NAME) == 1
    assert [held.iri for held in shelf.withdrawn_since(NAME, 3_000)] == [iri_of(1)]
    assert shelf.withdrawn_since(NAME, 3_001) == []
    assert len(shelf.digests(NAME)) == 1
    write(journals, put(1, "Back"), at_ms=4_000)
    assert shelf.withdrawn("dataset", "d1") is None


def test_an_address_belongs_to_the_living_record_then_to_the_one_withdrawn_last(
    journals: Journals, shelf: Shelf
) -> None:
    old = Draft("https://old.example/1", "d1", "dataset", "put", payload_of("https://old.example/1", "Old"))
    write(journals, old, put(1))
    write(journals, Draft("https://old.example/1", "d1", "dataset", "withdraw", None), at_ms=3_000)
    held = shelf.record("dataset", "d1")
    assert held is not None
    assert held.iri == iri_of(1)
    write(journals, withdraw(1), at_ms=4_000)
    assert shelf.withdrawn("dataset", "d1") == (iri_of(1), 4_000)


def test_pages_are_in_order_of_slug_and_together_hold_every_record_once(journals: Journals, shelf: Shelf) -> None:
    write(journals, *(put(n) for n in range(25)))
    pages = [shelf.page(NAME, offset=start, limit=10) for start in (0, 10, 20, 30)]
    assert [len(page) for page in pages] == [10, 10, 5, 0]
    slugs = [held.slug for page in pages for held in page]
    assert slugs == sorted(f"d{n}" for n in range(25))


def test_a_page_can_be_of_one_kind_and_of_what_changed_since(journals: Journals, shelf: Shelf) -> None:
    write(journals, put(1), put(2), at_ms=2_000)
    service = Draft("https://s.example/1", "s1", "data-service", "put", payload_of("https://s.example/1", "S"))
    write(journals, service, put(2, "Other"), at_ms=3_000)
    assert [h.slug for h in shelf.page(NAME, offset=0, limit=9, modified_since_ms=3_000)] == ["d2", "s1"]
    assert shelf.count(NAME, modified_since_ms=3_000) == 2
    assert shelf.count(NAME, modified_since_ms=3_001) == 0
    assert [h.slug for h in shelf.page(NAME, offset=0, limit=9, kind="data-service")] == ["s1"]
    assert shelf.count(NAME, kind="dataset") == 2
    assert shelf.count("nobody") == 0
    assert shelf.page("nobody", offset=0, limit=9) == []


def test_collections_tell_their_size_and_are_counted_by_the_living(journals: Journals, shelf: Shelf) -> None:
    write(journals, put(1), put(2))
    write(journals, withdraw(2), at_ms=3_000)
    (info,) = shelf.collections()
    assert (info.name, info.size, info.updated_at_ms, info.visibility) == (NAME, 3, 3_000, "public")
    assert shelf.count(info.name) == 1


def test_the_version_changes_with_every_commit_of_another(journals: Journals, shelf: Shelf) -> None:
    other = Database(str(journals.db._url.render_as_string(hide_password=False)))
    try:
        before = shelf.version()
        assert shelf.version() == before
        with other.write() as tx:
            tx.run("INSERT INTO setting (key, value) VALUES ('a', 'b')")
            tx.run("UPDATE collection SET title = 'x'")
        if journals.db.dialect == "sqlite":
            assert shelf.version() != before
    finally:
        other.close()


def test_payloads_come_in_the_order_asked_and_empty_for_what_is_gone(journals: Journals, shelf: Shelf) -> None:
    write(journals, put(1), put(2, "Other"))
    one, two = shelf.page(NAME, offset=0, limit=2)
    write(journals, withdraw(1), at_ms=3_000)
    (gone,) = shelf.withdrawn_since(NAME, 0)
    assert shelf.payloads([two, gone, one]) == [
        payload_of(iri_of(2), "Other"), b"", payload_of(iri_of(1), "A title")
    ]  # fmt: skip


def test_findings_are_kept_once_per_set_and_cleared_by_none(journals: Journals, shelf: Shelf) -> None:
    write(journals, put(1), put(2), put(3))
    one = Finding("a", "recommended", "https://p.example/1", "Write ä.")
    two = Finding("b", "mandatory", "https://p.example/2", "Write it.")
    with journals.db.write() as tx:
        collection = journals.get(tx, NAME).id
        save_findings(tx, collection, {iri_of(1): [one, two], iri_of(2): (two, one), iri_of(3): [one]})
    held = {h.slug: h for h in shelf.page(NAME, offset=0, limit=9)}
    assert shelf.findings(held["d1"]) == [two, one], "the gravest first"
    assert shelf.findings(held["d2"]) == [two, one]
    assert shelf.finding_counts(NAME) == [(one, 3), (two, 2)]
    assert set(shelf.finding_sets(NAME).values()) == {finding_set((two, one)), finding_set((one,))}
    with journals.db.write() as tx:
        assert tx.row("SELECT count(*) FROM finding_set") == (2,)
        save_findings(tx, collection, {iri_of(1): []})
    assert shelf.findings(held["d1"]) == []
    write(journals, withdraw(2), at_ms=3_000)
    assert shelf.finding_counts(NAME) == [(one, 1)]


def test_a_set_of_findings_is_spelt_in_one_way() -> None:
    one, two = Finding("a", "note", "", "x"), Finding("b", "repaired", "p", "y")
    assert findings_body([one, two, one]) == findings_body([two, one])
    assert finding_set((one, two)) == finding_set((two, one, two))
    assert finding_set((one,)) != finding_set((two,))
    assert finding_set(()) is None
    assert findings_from(*findings_body([one, two])) == [two, one]


def test_addresses_in_findings_do_not_make_a_set_of_its_own(journals: Journals, shelf: Shelf) -> None:
    write(journals, put(1), put(2))
    said = {n: Finding("a", "note", "", f"Add it. Seen at 2 places, first <https://x.example/{n}>.") for n in (1, 2)}
    with journals.db.write() as tx:
        collection = journals.get(tx, NAME).id
        save_findings(tx, collection, {iri_of(n): [said[n]] for n in (1, 2)})
        assert tx.row("SELECT count(*) FROM finding_set") == (1,)
    for held in shelf.page(NAME, offset=0, limit=9):
        assert shelf.findings(held) == [said[int(held.slug[1:])]]
    assert set(shelf.finding_sets(NAME).values()) == {finding_set((said[1],)), finding_set((said[2],))}
    assert finding_set((said[1],)) != finding_set((said[2],))
    assert shelf.finding_counts(NAME) == [(Finding("a", "note", "", "Add it."), 2)]


@given(st.lists(st.text("<> a.", max_size=12), max_size=4))
def test_findings_come_back_whatever_their_messages_hold(messages: list[str]) -> None:
    found = [Finding("a", "note", "", message) for message in messages]
    assert set(findings_from(*findings_body(found))) == set(found)


def test_a_shelf_that_is_thrown_away_and_read_again_is_the_same(journals: Journals, shelf: Shelf, db: Database) -> None:
    write(journals, *(put(n) for n in range(5)))
    write(journals, put(1, "Other"), withdraw(2), at_ms=3_000)
    before = rows(db)
    assert rebuild(journals, ShelfFollower()) == 7
    assert rows(db) == before
    assert len(before) == 5


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE shelf SET digest = (SELECT digest FROM shelf o WHERE o.seq = 2) WHERE seq = 1",
        "UPDATE shelf SET slug = 'other' WHERE seq = 1",
        "UPDATE shelf SET at = at + 1 WHERE seq = 2",
        "UPDATE shelf SET seq = 1 WHERE seq = 2",
        "UPDATE shelf SET digest = NULL WHERE seq = 2",
        "DELETE FROM shelf WHERE seq = 2",
    ],
)
def test_a_shelf_that_differs_from_its_journal_is_named_until_it_is_rebuilt(city: City, change: str) -> None:
    city.harvest(datasets(1, 2))
    assert city.node.shelf.astray(NAME) == ""
    with city.node.db.write() as tx:
        tx.run(change)
    assert city.node.shelf.astray(NAME)
    for follower in city.node.followers:
        rebuild(city.node.journals, follower)
    assert city.node.shelf.astray(NAME) == ""


def test_those_who_hold_a_record_are_told_in_the_order_in_which_one_is_chosen(journals: Journals, shelf: Shelf) -> None:
    with journals.db.write() as tx:
        for name, visibility in (("hidden", "restricted"), ("other", "public")):
            iri = f"http://127.0.0.1:8001/collections/{name}"
            journals.create(tx, name=name, iri=iri, title=name, visibility=visibility, at_ms=1)
    for name in ("hidden", "other", NAME):
        write(journals, put(1), put(2), name=name)
    write(journals, withdraw(2), name=NAME)
    found = shelf.holders([iri_of(2), iri_of(1), iri_of(9), iri_of(1)])
    assert {iri: [held.collection for held in helds] for iri, helds in found.items()} == {
        iri_of(1): [NAME, "other", "hidden"],
        iri_of(2): ["other", "hidden"],
    }
    assert found[iri_of(1)] == shelf.all_by_iri(iri_of(1))
    assert shelf.holders([]) == {}


@pytest.mark.parametrize("asked", [_BY_IRI, _GONE])
def test_a_record_is_looked_up_by_its_iri_and_never_searched_for(migrated: Path, asked: str) -> None:
    with closing(connect(migrated)) as bare:
        plan = [str(row[3]) for row in bare.execute(f"EXPLAIN QUERY PLAN {asked}", (1, "x", 1))]
    assert "SEARCH s USING PRIMARY KEY (collection_id=? AND record_key=?)" in plan
    assert not [step for step in plan if step.startswith("SCAN s")]
