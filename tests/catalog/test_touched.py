"""Laws of what is noted as touched: a reading that follows it misses nothing, and meets each record once."""

from node.catalog.shelf import Shelf, ShelfFollower
from node.catalog.touched import Touched, position, save_position
from node.catalog.touching import touch, touch_collection
from node.db import Database
from node.journal import Draft, catch_up, epoch, key_of, rebuild
from node.journal.journal import Journals
from tests.journal.rig import NAME, iri_of, put, withdraw


def write(journals: Journals, *drafts: Draft) -> None:
    with journals.db.write() as tx:
        journals.append(tx, NAME, drafts, at_ms=2_000)
    catch_up(journals, ShelfFollower())


def told(touched: Touched, after: int = 0) -> list[tuple[str, bool]]:
    return [(change.iri, change.held is not None) for change in touched.after(after, 100)]


def test_every_change_is_told_in_its_order_and_a_record_once(journals: Journals) -> None:
    touched = Touched(Shelf(journals))
    assert touched.newest() == 0
    write(journals, put(1), put(2))
    first = touched.newest()
    write(journals, put(1, "Changed"))
    assert told(touched) == [(iri_of(2), True), (iri_of(1), True)]
    assert told(touched, first) == [(iri_of(1), True)]
    assert [change.iri for change in touched.after(0, 1)] == [iri_of(2)]
    assert touched.behind(first) == 1


def test_what_was_withdrawn_is_told_as_gone(journals: Journals) -> None:
    touched = Touched(Shelf(journals))
    write(journals, put(1), put(2))
    seen = touched.newest()
    write(journals, withdraw(1))
    assert told(touched, seen) == [(iri_of(1), False)]


def test_after_a_rebuild_of_the_shelf_everything_is_told_again(journals: Journals) -> None:
    touched = Touched(Shelf(journals))
    write(journals, put(1), put(2))
    seen = touched.newest()
    for _ in range(6):
        rebuild(journals, ShelfFollower())
    assert sorted(told(touched, seen)) == [(iri_of(1), True), (iri_of(2), True)]
    assert touched.newest() == 2 + 6 * 4, "each is told when it goes and when it comes again"


def test_records_of_a_journal_that_was_cut_back_are_told_as_gone(journals: Journals) -> None:
    touched = Touched(Shelf(journals))
    write(journals, put(1))
    write(journals, put(2))
    seen = touched.newest()
    with journals.db.write() as tx:
        epoch.truncate(tx, journals, NAME, 1, followers=[ShelfFollower()])
    catch_up(journals, ShelfFollower())
    assert sorted(told(touched, seen)) == [(iri_of(1), True), (iri_of(2), False)]


def test_a_record_whose_reading_changed_is_told_again(journals: Journals) -> None:
    touched = Touched(Shelf(journals))
    write(journals, put(1), put(2))
    seen = touched.newest()
    (change, _) = touched.after(0, 2)
    with journals.db.write() as tx:
        touched.again(tx, [(change.collection_id, iri_of(1))])
        touch(tx, [])
    assert told(touched, seen) == [(iri_of(1), True)]
    assert change.record_key == key_of(iri_of(1))


def test_a_position_moves_with_what_was_made_or_not_at_all(db: Database) -> None:
    with db.write() as tx:
        assert position(tx, "quality") == 0
        save_position(tx, "quality", 5)
        save_position(tx, "quality", 7)
    with db.read() as tx:
        assert position(tx, "quality") == 7


def test_places_are_found_in_the_order_asked_each_in_its_own_collection(journals: Journals) -> None:
    shelf = Shelf(journals)
    write(journals, put(1), put(2))
    found = shelf.some([(NAME, iri_of(2)), (NAME, iri_of(9)), ("another", iri_of(1)), (NAME, iri_of(1))])
    assert [held and held.iri for held in found] == [iri_of(2), None, None, iri_of(1)]


def test_a_collection_can_be_told_again_whole_and_alone(journals: Journals) -> None:
    touched = Touched(Shelf(journals))
    with journals.db.write() as tx:
        iri = "http://127.0.0.1:8001/collections/other"
        other = journals.create(tx, name="other", iri=iri, title="Other", visibility="public", at_ms=1)
        journals.append(tx, "other", [put(3)], at_ms=2_000)
    write(journals, put(1), put(2))
    seen = touched.newest()
    with journals.db.write() as tx:
        touch_collection(tx, journals.get(tx, NAME).id)
    assert told(touched, seen) == [(iri_of(1), True), (iri_of(2), True)]
    assert {change.collection_id for change in touched.after(0, 1)} == {other.id}
