"""Laws of keeping quality level: what was lived is what would be read anew, and links bring their records back."""

import threading

import pytest

from node.catalog.quality import keeper, links, store
from node.catalog.quality.keeper import QualityKeeper
from node.catalog.quality.links import Links, Outcome
from node.catalog.quality.store import DAY_MS, Qualities
from node.catalog.quality.summary import summary_of
from node.journal import key_of
from node.journal.journal import Journals
from node.vocab import ntriples
from tests.catalog.quality.described import ACCESS, DOWNLOAD
from tests.catalog.quality.rig import STOP, T0, Town, draft, gone, iri
from tests.journal.rig import NAME


@pytest.fixture
def town(journals: Journals) -> Town:
    return Town(journals)


def tried(town: Town, url: str, state: links.State) -> None:
    with town.journals.db.write() as tx:
        links.save(tx, Outcome(url, state, 200 if state == "ok" else 404, "", town.now_ms, town.now_ms + DAY_MS, 0))


def test_records_are_measured_as_they_come_change_and_go(town: Town) -> None:
    town.put(draft(1), draft(2, without="dcat:keyword"), draft(3, kind="practice"))
    assert town.level() == 3
    assert [town.points(n) for n in (1, 2, 3)] == [325, 295, None]
    assert town.level() == 0
    town.put(draft(2), gone(1))
    assert town.level() == 2
    assert [town.points(n) for n in (1, 2)] == [None, 325]
    assert set(town.kept()["links"]) == {(f"{ACCESS}2", "unknown"), (f"{DOWNLOAD}2", "unknown")}
    assert town.keeper.status().state == "level"
    assert town.keeper.status().records == 1


def test_what_was_lived_is_what_would_be_read_anew(town: Town) -> None:
    shared = "https://files.example/all"
    town.put(
        draft(1), draft(2, access=shared), draft(3, access=shared), draft(4, download="http://other.example:8080/x")
    )
    town.level()
    tried(town, shared, "ok")
    town.level()
    town.put(gone(2), draft(4), draft(1, without="dct:spatial", access="https://files.example/new"))
    town.level()
    lived = town.kept()
    assert town.keeper.rebuild(STOP) == 4
    assert town.kept() == lived


def test_a_link_that_begins_or_ceases_to_answer_brings_all_its_records_back(town: Town) -> None:
    shared = "https://files.example/all"
    town.put(draft(1, access=shared), draft(2, access=shared), draft(3))
    town.level()
    tried(town, shared, "ok")
    assert town.level() == 2
    assert [town.points(n) for n in (1, 2, 3)] == [375, 375, 325]
    tried(town, shared, "ok")
    assert town.level() == 0
    tried(town, shared, "failed")
    assert town.level() == 2
    assert town.points(1) == 325
    assert [(one.record, one.role, one.tried.url) for one in town.book.failing(NAME, limit=9)] == [
        (iri(1), "accessURL", shared),
        (iri(2), "accessURL", shared),
    ]


def test_what_search_read_too_early_is_touched_once_and_nothing_else(town: Town) -> None:
    town.put(draft(1), draft(2))
    town.searched = town.touched.newest()
    town.put(draft(3))
    newest = town.touched.newest()
    town.level()
    assert [change.iri for change in town.touched.after(newest, 9)] == [iri(1), iri(2)]
    town.searched, newest = town.touched.newest(), town.touched.newest()
    town.level()
    assert town.touched.newest() == newest
    town.put(draft(1, without="dcat:keyword"))
    newest = town.touched.newest()
    town.level()
    assert town.touched.newest() == newest, "search comes after it"


def test_a_rebuild_touches_nothing_whose_points_are_what_they_were(town: Town) -> None:
    town.put(draft(1), draft(2))
    town.level()
    town.searched = newest = town.touched.newest()
    assert town.keeper.rebuild(STOP) == 2
    assert town.touched.newest() == newest


def test_what_search_reads_while_points_are_being_written_is_touched(town: Town) -> None:
    town.put(draft(1))
    newest = town.touched.newest()
    answers = iter([0, newest])  # before the points are written, and after
    racing = QualityKeeper(
        town.journals.db, town.shelf, town.touched, clock_ms=lambda: T0, searched=lambda: next(answers, newest)
    )
    racing.catch_up(STOP)
    assert [change.iri for change in town.touched.after(newest, 9)] == [iri(1)]
    assert town.touched.newest() == newest + 1, "it was measured once more, and had its points"


def test_a_record_that_is_measured_no_more_is_touched_where_search_knows_its_points(town: Town) -> None:
    town.put(draft(1))
    town.level()
    town.put(draft(1, kind="practice", without="dcat:keyword"))
    town.searched = newest = town.touched.newest()
    town.level()
    assert town.touched.newest() == newest + 1


def test_much_is_measured_slice_by_slice(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "BATCH", 2)
    monkeypatch.setattr(keeper, "SLICE", 4)
    town.put(*(draft(number) for number in range(1, 8)))
    assert [town.level() for _ in range(3)] == [4, 3, 0]
    assert town.keeper.rebuild(STOP) == 7


def test_a_link_that_nobody_names_any_more_is_not_kept_even_if_it_is_just_being_tried(town: Town) -> None:
    town.put(draft(1))
    town.level()
    town.put(gone(1))
    town.level()
    tried(town, f"{ACCESS}1", "ok")
    assert town.kept()["links"] == []
    assert town.level() == 0


def test_a_database_that_was_restored_is_read_from_its_beginning(town: Town) -> None:
    town.put(draft(1), draft(2))
    town.level()
    with town.journals.db.write() as tx:
        tx.run("UPDATE reader SET n = 1000000 WHERE name = 'quality'")
        store.remove(tx, [(row[0], row[1]) for row in tx.rows("SELECT collection_id, record_key FROM quality")])
    assert town.keeper.status().state == "behind"
    assert town.level() == 2
    assert town.points(2) == 325


def test_two_keepers_at_once_leave_what_one_would(town: Town) -> None:
    town.put(*(draft(n) for n in range(30)))
    others = [threading.Thread(target=town.another().catch_up, args=(STOP,)) for _ in range(3)]
    for each in others:
        each.start()
    for each in others:
        each.join()
    assert town.level() == 0
    lived = town.kept()
    assert len(lived["quality"]) == 30
    town.keeper.rebuild(STOP)
    assert town.kept() == lived


def test_a_stop_ends_it_between_two_batches(town: Town) -> None:
    town.put(draft(1))
    stopped = threading.Event()
    stopped.set()
    assert town.keeper.catch_up(stopped) == 0
    assert town.points(1) is None


def test_each_day_is_noted_once_and_the_oldest_are_forgotten(town: Town) -> None:
    town.put(draft(1), draft(2, without="dcat:keyword"))
    town.level()
    town.put(draft(2))
    town.level()  # within five minutes: not noted again
    day = T0 // DAY_MS
    assert [(at, one.mean) for at, one in town.book.days(f"collection:{NAME}")] == [(day, 310.0)]
    town.now_ms += 301_000
    town.level()
    assert [(at, one.mean) for at, one in town.book.days(f"collection:{NAME}")] == [(day, 325.0)]
    town.now_ms += DAY_MS
    town.level()
    assert [at for at, _ in town.book.days(f"collection:{NAME}")] == [day, day + 1]
    town.now_ms += 400 * DAY_MS
    town.level()
    assert [at for at, _ in town.book.days(f"collection:{NAME}")] == [day + 1, day + 401]
    assert town.book.days(f"collection:{NAME}", since=day + 2)[0][0] == day + 401


def test_sources_are_summed_up_by_the_names_they_gave(town: Town) -> None:
    town.put(draft(1), draft(2, without="dcat:keyword"))
    town.level()
    with town.journals.db.write() as tx:
        tx.many(
            "INSERT INTO name (source, key_hash, source_key, kind, slug, seen_run, live) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [("portal", bytes([n]), f"k{n}", "dataset", f"trees{n}", 1, True) for n in (1, 2)],
        )
    counts = Qualities(town.journals.db.hot()).counts_of_sources()
    assert summary_of(counts["portal"]).mean == 310.0


def test_who_fails_for_want_of_an_address_is_listed_with_those_who_have_none(town: Town) -> None:
    town.put(draft(1), draft(2, without="dcat:downloadURL"), draft(3))
    town.level()
    tried(town, f"{DOWNLOAD}3", "failed")
    assert town.book.tried_of(NAME) == (5, 1)
    town.level()
    for metric, number in (("downloadUrlStatusCode", 3), ("downloadUrlAvailability", 2)):
        assert [one.iri for one in town.book.records(NAME, failing=metric, limit=9)] == [iri(number)]


def test_records_that_fail_a_metric_are_listed_page_by_page(town: Town) -> None:
    town.put(*(draft(n, without="" if n % 3 else "dct:spatial") for n in range(9)))
    town.level()
    wanted = sorted((iri(n) for n in (0, 3, 6)), key=key_of)
    first = town.book.records(NAME, failing="spatialAvailability", limit=2)
    rest = town.book.records(NAME, failing="spatialAvailability", after=first[-1].record_key, limit=2)
    assert [one.iri for one in [*first, *rest]] == wanted
    assert {one.points for one in first} == {305}
    assert len(town.book.records(NAME, limit=100)) == 9
    assert town.book.records("nowhere", limit=9) == []


def test_points_are_given_for_many_records_at_once(town: Town) -> None:
    town.put(draft(1), draft(2, without="dcat:keyword"))
    town.level()
    with town.journals.db.read() as tx:
        keys = [(row[0], row[1]) for row in tx.rows("SELECT collection_id, record_key FROM quality ORDER BY points")]
        found = Qualities(town.journals.db.hot()).points(tx, [*keys, (keys[0][0], 12345)])
    # No link was tried: 325 could be told.
    assert [found[key] for key in keys] == [295 * 405 // 325, 405]
    assert [town.book.points(NAME, iri(n)) for n in (1, 2, 3)] == [405, 295 * 405 // 325, None]
    assert len(found) == 2


def test_a_single_record_is_measured_with_what_is_known_now(town: Town) -> None:
    town.put(draft(1))
    town.level()
    tried(town, f"{ACCESS}1", "ok")
    judged = town.book.judge("dataset", iri(1), ntriples.triples_of(draft(1).payload or b""))
    assert judged is not None
    assert judged.assessment.points == 375
    assert {link.role: known.state if known else None for link, known in judged.links} == {
        "accessURL": "ok", "downloadURL": "unknown",
    }  # fmt: skip
    assert judged.measured_ms == T0


def test_addresses_are_looked_up_by_themselves_and_not_by_their_hash_alone(town: Town) -> None:
    town.put(draft(1))
    town.level()
    with town.journals.db.write() as tx:
        tx.run("UPDATE link SET url = 'https://collides.example/', state = 'ok' WHERE url = ?", f"{ACCESS}1")
    assert Links(town.journals.db.hot()).answers([f"{ACCESS}1"]) == {f"{ACCESS}1": None}


def test_a_sum_is_of_what_was_measured_last(town: Town) -> None:
    town.put(draft(1))
    town.level()
    assert [town.book.summary(NAME).records for _ in range(2)] == [1, 1]
    town.put(draft(2))
    town.level()
    assert town.book.summary(NAME).records == 2
