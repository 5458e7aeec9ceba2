"""Laws of pages while the catalogue changes: by change, title and quality nothing is shown twice or passed over."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.keys import Keyring
from tests.catalog.search.library import NOW, Entry, Library, Memory, library_in

pytestmark = pytest.mark.slow  # indexes that are written again and again


def entry(number: int, **more: object) -> Entry:
    return Entry(f"e{number}", f"Count of {'bicycles' if number % 2 else 'cars'} {number:02}", quality=number, **more)  # type: ignore[arg-type]


@pytest.fixture
def library(migrated: Path, keyring: Keyring, tmp_path: Path) -> Iterator[Library]:
    made = library_in(tmp_path, migrated, keyring)
    made.add(*(entry(number, modified=f"2026-01-{number:02}") for number in range(1, 21)), at_ms=NOW)
    yield made
    made.journals.db.close()


@pytest.mark.parametrize("sort", ["changed", "title", "quality"])
def test_a_page_goes_on_where_the_last_one_ended_though_much_was_added(library: Library, sort: str) -> None:
    before = library.names(sort=sort)
    first = library.find(sort=sort, limit=8)
    library.add(*(entry(number, modified="2026-01-09") for number in range(30, 35)))
    second = library.find(sort=sort, limit=100, cursor=first.cursor)
    shown = [hit.held.slug for hit in (*first.hits, *second.hits)]
    assert [name for name in shown if name in before] == before
    assert len(set(shown)) == len(shown)
    assert second.renewed


def test_pages_by_relevance_say_that_the_index_changed(library: Library) -> None:
    first = library.find("cars", limit=3)
    again = library.find("cars", limit=3, cursor=first.cursor)
    assert not again.renewed
    library.add(entry(40))
    after = library.find("cars", limit=3, cursor=first.cursor)
    assert after.renewed
    assert len(after.hits) == 3
    assert after.generation != first.generation


def test_pages_by_relevance_end_at_ten_thousand(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.catalog.search.pages.MAX_DEPTH", 6)
    results = library.find("cars", limit=4)
    assert results.cursor
    assert results.total == 10
    results = library.find("cars", limit=4, cursor=results.cursor)
    assert results.cursor == ""


def test_records_of_one_sort_key_are_all_shown(library: Library) -> None:
    # The key of a change has 28 bits that tell records of one second apart; here none of them do.
    documents = [library.document(entry(number, modified=f"2026-01-{number:02}")) for number in range(1, 8)]
    library.indexes.of_all = Memory()
    library.indexes.of_all.write(re.sub(r'"by_changed":\d+', '"by_changed":77', each) for each in documents)
    found, cursor = [], ""
    while True:
        results = library.find(filters={"quality": ("bad",)}, sort="changed", limit=2, cursor=cursor)
        found += [hit.held.slug for hit in results.hits]
        cursor = results.cursor
        if not cursor:
            break
    assert sorted(found) == [f"e{number}" for number in range(1, 8)]
