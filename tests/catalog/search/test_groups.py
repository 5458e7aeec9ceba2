"""Laws of what is one hit: routes of one record, near-duplicates with the reason; pages and counts know of both."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from node.catalog.search.query import Allowed, Sight
from node.keys import Keyring
from tests.catalog.search.library import Entry, Library, library_in

OWN = Entry("air", "Air quality", "Measured.", publisher="Helsinki", modified="2026-01-05", quality=200)
MIRRORED = replace(OWN, collection="espoo/open-data", route=1)
THIRD = replace(OWN, collection="oulu/open-data", route=2)
RESTRICTED = replace(OWN, collection="agreed")
COPY = Entry(
    "air-copy", "AIR  quality!", publisher="Helsinki", collection="oulu/open-data", modified="2026-01-04", quality=100
)
SAME_NUMBER = Entry("no-7", "Noise", identifier="X-7", publisher="A", modified="2026-01-03")
OTHER_NUMBER = Entry(
    "no-7b", "Noise", identifier="X-7", publisher="B", collection="espoo/open-data", modified="2026-01-02"
)
NAMESAKE = Entry("no-8", "Noise", identifier="X-8", publisher="C", modified="2026-01-01")
MODEL = Entry("air-model", "Air quality", publisher="Helsinki", modified="2020-01-01", kind="city-model")
ALL = (OWN, MIRRORED, THIRD, COPY, SAME_NUMBER, OTHER_NUMBER, NAMESAKE)


@pytest.fixture(scope="module")
def library(migrated: Path, keyring: Keyring, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    made = library_in(tmp_path_factory.mktemp("groups"), migrated, keyring, restricted=["agreed"])
    made.add(*ALL, RESTRICTED)
    yield made
    made.journals.db.close()


def test_a_record_by_several_routes_is_one_hit_that_names_them(library: Library) -> None:
    results = library.find("measured")
    assert [(hit.held.collection, hit.held.slug) for hit in results.hits] == [("open-data", "air")]
    assert [held.collection for held in results.hits[0].also_via] == ["espoo/open-data", "oulu/open-data"]
    assert (results.total, results.exact) == (1, True)


def test_routes_are_told_also_where_a_filter_chose_one_of_them(library: Library) -> None:
    results = library.find("measured", filters={"city": ("espoo",)})
    assert [hit.held.collection for hit in results.hits] == ["espoo/open-data"]
    assert {held.collection for held in results.hits[0].also_via} == {"open-data", "oulu/open-data"}
    assert results.total == 1


def test_near_duplicates_stand_under_one_hit_with_the_reason(library: Library) -> None:
    hits = {hit.held.slug: hit for hit in library.find(sort="changed").hits}
    assert set(hits) == {"air", "no-7", "no-8"}
    assert [(each.held.slug, each.title, each.reason) for each in hits["air"].similar] == [
        ("air-copy", "AIR  quality!", "publisher")
    ]
    assert [(each.held.slug, each.reason) for each in hits["no-7"].similar] == [("no-7b", "identifier")]
    assert hits["no-8"].similar == ()


def test_who_counts_records_counts_each_once(library: Library) -> None:
    assert (library.find().total, library.find().exact) == (5, True)
    assert library.find(grouped=False).total == 7
    assert len(library.find(grouped=False).hits) == 7


def test_counts_of_facets_add_up_to_the_total_where_each_record_is_counted_once(library: Library) -> None:
    agreed = Sight(restricted=(Allowed("agreed"),))
    for sight in (Sight(), agreed):
        for chosen in ({}, {"city": ("espoo",)}, {"city": ("espoo", "oulu")}):
            found = library.find("", sight, filters=chosen, facets=("kind", "quality"), once=True)
            for counts in found.facets.values():
                assert sum(each.count for each in counts) == found.total, (sight, chosen, counts)
    by_route = library.find("", agreed, facets=("kind",))
    assert sum(each.count for each in by_route.facets["kind"]) > by_route.total, "else a record counts for each route"


@pytest.mark.parametrize("sort", ["relevance", "changed", "quality", "title"])
@pytest.mark.parametrize("reverse", [False, True])
def test_no_page_repeats_what_an_earlier_one_showed(library: Library, sort: str, reverse: bool) -> None:
    whole = library.names(sort=sort, reverse=reverse)
    pages, cursor = [], ""
    while True:
        results = library.find(sort=sort, reverse=reverse, limit=1, cursor=cursor)
        pages += [hit.held.slug for hit in results.hits]
        cursor = results.cursor
        if not cursor:
            break
    assert pages == whole
    assert len(pages) == 3


def test_hidden_routes_are_not_told(library: Library) -> None:
    hit = library.find("measured", Sight(hidden=frozenset({"espoo"}))).hits[0]
    assert [held.collection for held in hit.also_via] == ["oulu/open-data"]
    assert library.find("noise", Sight(hidden=frozenset({"espoo"})), sort="changed").hits[0].similar == ()


def test_a_restricted_route_is_told_to_whom_it_is_shown(library: Library) -> None:
    agreed = Sight(restricted=(Allowed("agreed"),))
    results = library.find("measured", agreed)
    assert [hit.held.collection for hit in results.hits] == ["open-data"]
    assert {held.collection for held in results.hits[0].also_via} == {"espoo/open-data", "oulu/open-data", "agreed"}
    assert (results.total, results.exact) == (1, True)


def test_a_collection_that_became_restricted_is_gone_at_once(library: Library) -> None:
    with library.journals.db.write() as tx:
        tx.run("UPDATE collection SET visibility = 'restricted' WHERE name = 'espoo/open-data'")
    try:
        hit = library.find("measured").hits[0]
        assert [held.collection for held in hit.also_via] == ["oulu/open-data"]
        assert "espoo" not in str(library.find(facets=("city", "collection")).facets)
    finally:
        with library.journals.db.write() as tx:
            tx.run("UPDATE collection SET visibility = 'public' WHERE name = 'espoo/open-data'")


def test_what_left_the_shelf_is_left_out_before_the_index_knows(library: Library) -> None:
    with library.journals.db.write() as tx:
        tx.run("UPDATE shelf SET digest = NULL, seq = -seq WHERE slug = 'no-8'")
        kept = tx.rows("SELECT digest FROM shelf WHERE slug = 'no-7'")
    assert kept
    assert "no-8" not in library.names()


def test_a_thing_of_another_kind_is_no_duplicate_whatever_its_title(library: Library) -> None:
    library.add(MODEL)
    hits = {hit.held.slug: hit for hit in library.find("air quality").hits}
    assert hits["air-model"].similar == ()
    assert [each.held.slug for each in hits["air"].similar] == ["air-copy"]
