"""Laws of publishing our own records on both databases: all or none, nothing twice, and who is to be read again."""

import threading
from pathlib import Path

import pytest

from node.catalog.publish import Publisher
from node.catalog.sets import Sets
from node.catalog.shelf import Shelf, ShelfFollower
from node.catalog.touched import Touched
from node.catalog.vocabularies import Vocabularies, VocabularyReading
from node.db import Database
from node.errors import NotFound, TooLarge
from node.journal import Draft, catch_up
from node.journal.journal import Journals
from node.vocab.mapping_file import write_matches
from node.vocab.mappings import Match
from tests.journal.rig import payload_of

BASE = "http://127.0.0.1:8001"
NEVER = threading.Event()


@pytest.fixture
def vocabularies(journals: Journals, tmp_path: Path) -> Vocabularies:
    publisher = Publisher(journals, [ShelfFollower()], base_url=BASE, clock_ms=lambda: 5_000)
    file = tmp_path / "mappings.csv"
    return Vocabularies(Shelf(journals), publisher, file=file, base_url=BASE, city="Helsinki", slug="helsinki")


def test_what_is_published_counts_and_its_citys_records_are_to_be_read_again(
    journals: Journals, db: Database, vocabularies: Vocabularies
) -> None:
    with db.write() as tx:
        iri = f"{BASE}/datasets/1"
        journals.append(tx, "open-data", [Draft(iri, "1", "dataset", "put", payload_of(iri, "One"))], at_ms=2_000)
    catch_up(journals, ShelfFollower())
    shelf = Shelf(journals)
    reading, touched = VocabularyReading(vocabularies, shelf, db), Touched(shelf)
    assert (reading.catch_up(NEVER), vocabularies.book().code("theme", "Liikenne ja kartat", "helsinki")) == (0, "")
    vocabularies.file.write_text(write_matches([Match("theme", "Liikenne ja kartat", exact=True, code="TRAN")]))
    assert len(vocabularies.publish().put) == 1
    assert vocabularies.publish().put == ()
    assert vocabularies.book().code("theme", "Liikenne ja kartat", "helsinki") == "TRAN"
    before = touched.newest()
    assert reading.catch_up(NEVER) == 2
    assert {change.iri for change in touched.after(before, 10)} == {iri, f"{BASE}/vocabularies/theme"}
    assert reading.catch_up(NEVER) == 0


def test_a_publication_is_whole_or_not_at_all(journals: Journals, db: Database) -> None:
    publisher = Publisher(journals, [ShelfFollower()], base_url=BASE, clock_ms=lambda: 5_000)
    good = Draft(f"{BASE}/sets/a", "a", "set", "put", payload_of(f"{BASE}/sets/a", "A"))
    large = Draft(f"{BASE}/sets/b", "b", "set", "put", b"x" * (1 << 20) + b"x")
    with pytest.raises(TooLarge):
        publisher.publish("sets", "Sets", [good, large])
    with db.read() as tx, pytest.raises(NotFound):
        journals.get(tx, "sets")
    assert publisher.publish("sets", "Sets", [good]).put == (good.record,)
    assert Shelf(journals).record("set", "a") is not None


def test_public_sets_and_records_are_found_on_both_databases(
    journals: Journals, vocabularies: Vocabularies, tmp_path: Path
) -> None:
    publisher = Publisher(journals, [ShelfFollower()], base_url=BASE, clock_ms=lambda: 5_000)
    shelf = Shelf(journals)
    sets = Sets(shelf, vocabularies, publisher, folder=tmp_path / "sets", base_url=BASE, slug="helsinki")
    iris = [f"{BASE}/datasets/{name}" for name in "ab"]
    publisher.publish(
        "open-data", "", [Draft(iri, iri[-1], "dataset", "put", payload_of(iri, "Parking")) for iri in iris]
    )
    sets.draft("p", sets.begin(iris))
    sets.publish("p")
    assert [each.said.members for each in sets.curated()] == [tuple(iris)]
    assert sets.suggest(NEVER, n=3, now_ms=1, clock_ms=lambda: 2).suggestions == ()
    assert sets.suggested() is not None


def test_a_new_set_is_titled_after_its_records_and_shows_how_columns_are_written(
    journals: Journals, vocabularies: Vocabularies, tmp_path: Path
) -> None:
    publisher = Publisher(journals, [ShelfFollower()], base_url=BASE, clock_ms=lambda: 5_000)
    sets = Sets(Shelf(journals), vocabularies, publisher, folder=tmp_path / "sets", base_url=BASE, slug="helsinki")
    iris = [f"{BASE}/datasets/{name}" for name in "ab"]
    titles = ("Parking areas", "Parking bays")
    publisher.publish(
        "open-data",
        "",
        [
            Draft(iri, iri[-1], "dataset", "put", payload_of(iri, title))
            for iri, title in zip(iris, titles, strict=True)
        ],
    )
    file = sets.draft("p", sets.begin(iris))
    assert sets.drafted("p").title == {"en": "Parking areas and Parking bays"}
    text = file.read_text("utf-8")
    plain, stub = text[: text.index("# Which")], text[text.index("# [[columns]]") :]
    filled = plain + "".join(line.removeprefix("# ") + "\n" for line in stub.splitlines())
    file.write_text(filled, "utf-8")
    (column,) = sets.drafted("p").columns
    assert set(column.names) == set(iris)
