"""Laws of the search: what is found, in which order, what is counted beside it, and who may see what."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.catalog.search.query import FACETS, PUBLIC, Allowed, Query, Sight
from node.errors import Malformed
from node.keys import Keyring
from tests.catalog.search.library import NOW, Entry, Library, library_in

HELSINKI = "http://127.0.0.1:8001"
LONDON = "http://127.0.0.2:8001"
MAPS_ONLY = "shared-maps"
AGREED = Sight(restricted=(Allowed(MAPS_ONLY),))

RECORDS = (
    Entry(
        "parking-areas",
        {"fi": "Helsingin pysäköintialueet", "sv": "Parkeringsområden i Helsingfors", "en": "Parking areas"},
        {"fi": "Pysäköinnin alueet ja maksuvyöhykkeet.", "en": "Areas and fee zones of <b>street</b> parking & more."},
        ("pysäköinti", "liikenne"),
        publisher="City of Helsinki",
        theme="TRAN",
        format="CSV",
        licence="CC_BY_4_0",
        place="Helsinki",
        bbox=(24.8, 60.1, 25.2, 60.3),
        period=("2020-01-01", "2022-12-31"),
        modified="2027-01-10",
        quality=300,
        language="fi",
    ),
    Entry(
        "bikes",
        "City bike stations",
        "Where the bicycles of the city stand. Parking of cars is another matter.",
        ("cycling",),
        publisher="Helsinki Region Transport",
        theme="TRAN",
        format="JSON",
        licence="CC0",
        place="Kallio, Helsinki",
        modified="2026-12-01",
        quality=100,
    ),
    Entry(
        "trees",
        "Tree register",
        "Every tree in a street or garden, as open data.",
        ("trees", "nature"),
        publisher="City of Helsinki",
        theme="ENVI",
        format="CSV",
        licence="CC_BY_4_0",
        modified="2024-05-01",
        quality=390,
    ),
    Entry(
        "bays",
        "Parking bays",
        "Every bay for parking.",
        ("parking",),
        collection="london/open-data",
        publisher="Camden",
        theme="TRAN",
        format="XLSX",
        licence="OGL_3_0",
        bbox=(-0.2, 51.4, 0.1, 51.6),
        modified="2025-01-01",
        home=LONDON,
    ),
    Entry(
        "fiji",
        "Reefs of Fiji",
        "Reefs on either side of the line where days change.",
        bbox=(177.0, -20.0, 182.0, -15.0),
        modified="2023-01-01",
        quality=10,
    ),
)
MAPS = (
    Entry("cables", "Cables under the streets", "Zebrafish cables.", collection=MAPS_ONLY, theme="TRAN", quality=50),
    Entry("tunnels", "Tunnels for parking", "Tunnels.", collection=MAPS_ONLY, modified="2027-01-12"),
)


@pytest.fixture(scope="module")
def library(migrated: Path, keyring: Keyring, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    made = library_in(tmp_path_factory.mktemp("library"), migrated, keyring, restricted=[MAPS_ONLY])
    made.add(*RECORDS, *MAPS)
    yield made
    made.journals.db.close()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("parking", ["bays", "parking-areas", "bikes"]),
        ("pysäköinti", ["parking-areas"]),
        ("pysakointi", ["parking-areas"]),
        ("pysäköinnissä", ["parking-areas"]),
        ("alueet", ["parking-areas"]),
        ("parkering", ["parking-areas"]),
        ("parking area", ["parking-areas"]),
        ("parking -bays", ["parking-areas", "bikes"]),
        ("parking NOT helsinki", ["bays"]),
        ('"open data"', ["trees"]),
        ('"data open"', []),
        ("open-data trees", ["trees"]),
        ("bicyc*", ["bikes"]),
        ("trees OR reefs", ["trees", "fiji"]),
        ("title:parking", ["bays", "parking-areas"]),
        ("keyword:cycling", ["bikes"]),
        ("publisher:camden", ["bays"]),
        ("publisher:helsinki format:csv", ["parking-areas", "trees"]),
        ("description:parking", ["bays", "bikes", "parking-areas"]),
        ("format:csv -theme:envi", ["parking-areas"]),
        ("licence:cc0", ["bikes"]),
        ("city:london", ["bays"]),
        ("where is the tree", ["trees"]),
        (f"{LONDON}/datasets/bays", ["bays"]),
        ("tree-register", ["trees"]),
    ],
)
def test_people_find_what_they_type(library: Library, text: str, found: list[str]) -> None:
    assert sorted(library.names(text, loosen=False)) == sorted(found)
    assert library.names(text, loosen=False)[:1] == found[:1]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"filters": {"city": ("london",)}}, {"bays"}),
        ({"filters": {"city": ("London ",)}}, {"bays"}),
        ({"filters": {"city": ("nowhere",)}}, set()),
        ({"filters": {"format": ("csv", "json")}}, {"parking-areas", "trees", "bikes"}),
        ({"filters": {"theme": ("Transport",)}, "excluded": {"format": ("csv",)}}, {"bikes", "bays"}),
        ({"filters": {"theme": ("TRAN",), "licence": ("CC BY 4.0",)}}, {"parking-areas"}),
        ({"filters": {"licence": ("none",)}}, {"fiji"}),
        ({"filters": {"kind": ("datasets",)}, "text": "reefs"}, {"fiji"}),
        ({"filters": {"publisher": ("city-of-helsinki",)}}, {"parking-areas", "trees"}),
        ({"filters": {"keyword": ("Cycling",)}}, {"bikes"}),
        ({"filters": {"quality": ("excellent", "good")}}, {"trees", "parking-areas"}),
        ({"filters": {"quality": ("unknown",)}}, {"bays"}),
        ({"filters": {"freshness": ("week",)}}, {"parking-areas"}),
        ({"filters": {"freshness": ("year",)}}, {"parking-areas", "bikes"}),
        ({"filters": {"freshness": ("older",)}}, {"trees", "bays", "fiji"}),
        ({"filters": {"freshness": ("soon",)}}, set()),
        ({"bbox": (24.9, 60.15, 25.0, 60.2)}, {"parking-areas"}),
        ({"bbox": (-1.0, 51.0, 30.0, 61.0)}, {"parking-areas", "bays"}),
        ({"bbox": (179.0, -18.0, -179.0, -17.0)}, {"fiji"}),
        ({"bbox": (-179.5, -18.0, -178.5, -17.0)}, {"fiji"}),
        ({"bbox": (178.0, -18.0, 179.0, -17.0)}, {"fiji"}),
        ({"bbox": (-177.0, -18.0, -170.0, -17.0)}, set()),
        ({"place": "Helsinki"}, {"parking-areas", "bikes"}),
        ({"place": "Helsingfors"}, {"parking-areas", "bikes"}),
        ({"place": "kallio"}, {"bikes"}),
        ({"place": "London"}, {"bays"}),
        ({"place": "?"}, set()),
        ({"period": (18_500, 18_600)}, {"parking-areas"}),  # days of August and September 2020
        ({"period": (None, 18_000)}, set()),
        ({"period": (19_400, None)}, set()),
        ({"changed_ms": (1_760_000_000_000, None)}, {"parking-areas", "bikes"}),
        ({"iris": (f"{LONDON}/datasets/bays", f"{HELSINKI}/datasets/nothing")}, {"bays"}),
    ],
)
def test_conditions_narrow_what_is_found(library: Library, asked: dict[str, object], found: set[str]) -> None:
    results = library.find(**asked)  # type: ignore[arg-type]
    assert {hit.held.slug for hit in results.hits} == found
    assert (results.total, results.exact) == (len(found), True)


def test_a_facet_is_counted_as_if_it_had_no_filter_of_its_own_and_others_had(library: Library) -> None:
    results = library.find(filters={"format": ("csv",), "theme": ("TRAN",)}, facets=("format", "theme", "city"))
    assert [hit.held.slug for hit in results.hits] == ["parking-areas"]
    counts = {name: {each.value: each.count for each in values} for name, values in results.facets.items()}
    assert counts == {
        "format": {"CSV": 1, "JSON": 1, "XLSX": 1},
        "theme": {"TRAN": 1, "ENVI": 1},
        "city": {"here": 1},
    }
    for name, values in counts.items():
        for value, count in values.items():
            narrowed = {"format": ("csv",), "theme": ("TRAN",)} | {name: (value,)}
            assert library.find(filters=narrowed).total == count, (name, value)


def test_every_facet_value_finds_as_many_as_were_counted(library: Library) -> None:
    results = library.find(facets=FACETS)
    assert set(results.facets) == set(FACETS)
    for name, values in results.facets.items():
        assert values, name
        for each in values:
            assert library.find(filters={name: (each.value,)}).total == each.count, (name, each)


def test_facets_are_named_for_the_reader_and_chosen_values_stay_though_nothing_is_left(library: Library) -> None:
    results = library.find("reefs", filters={"theme": ("TRAN",)}, facets=("theme", "publisher"), language="fi")
    assert [(each.value, each.label, each.count) for each in results.facets["theme"]] == [("TRAN", "Liikenne", 0)]
    publishers = library.find(facets=("publisher",), facet_limit=2).facets["publisher"]
    assert [(each.value, each.label, each.count) for each in publishers] == [
        ("city-of-helsinki", "City of Helsinki", 2), ("camden", "Camden", 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("changed", ["parking-areas", "bikes", "bays", "trees", "fiji"]),
        ("quality", ["trees", "parking-areas", "bikes", "fiji", "bays"]),
        ("title", ["bikes", "parking-areas", "bays", "fiji", "trees"]),
        ("relevance", ["parking-areas", "bikes", "bays", "trees", "fiji"]),
    ],
)
def test_answers_are_ordered_as_asked_and_the_other_way_round(library: Library, sort: str, first: list[str]) -> None:
    assert library.names(sort=sort) == first
    assert library.names(sort=sort, reverse=True) == first[::-1]


def test_titles_are_ordered_in_the_readers_language(library: Library) -> None:
    assert library.names(sort="title", language="fi")[:2] == ["bikes", "parking-areas"]
    hits = library.find("pysäköinti", language="sv").hits
    assert hits[0].title == "Parkeringsområden i Helsingfors"


@pytest.mark.parametrize("sort", ["relevance", "changed", "quality", "title"])
@pytest.mark.parametrize(("reverse", "text"), [(False, ""), (True, "parking OR tree OR reefs OR city")])
def test_pages_together_are_the_whole_answer(library: Library, sort: str, reverse: bool, text: str) -> None:
    whole = library.names(text, sort=sort, reverse=reverse)
    assert len(whole) == 5
    assert walked(library, text, sort=sort, reverse=reverse, limit=2) == whole
    by_offset = [library.names(text, sort=sort, reverse=reverse, offset=at, limit=2) for at in (0, 2, 4)]
    assert [name for page in by_offset for name in page] == whole


def walked(library: Library, text: str = "", sight: Sight = PUBLIC, **more: object) -> list[str]:
    """Ask page after page, and name what was found."""
    found, cursor = [], ""
    while True:
        results = library.find(text, sight, cursor=cursor, highlight=False, **more)
        found += [hit.held.slug for hit in results.hits]
        cursor = results.cursor
        if not cursor:
            return found


def test_pages_of_one_are_the_whole_answer_too(library: Library) -> None:
    assert walked(library, "parking OR tree", limit=1) == library.names("parking OR tree")
    assert walked(library, sort="title", limit=1) == library.names(sort="title")


def test_a_page_of_none_counts(library: Library) -> None:
    results = library.find("parking", limit=0, facets=("city",))
    assert (results.total, results.hits, results.cursor) == (3, (), "")
    assert results.facets["city"]
    assert library.search.count(Query(text="parking", limit=2, facets=("city",)), now_ms=NOW) == 3


def test_what_was_asked_for_is_marked_and_all_else_escaped(library: Library) -> None:
    found = {hit.held.slug: hit for hit in library.find("parking").hits}
    assert found["parking-areas"].why_title == "<mark>Parking</mark> areas"
    assert found["parking-areas"].why_text == "Areas and fee zones of street <mark>parking</mark> &amp; more."
    assert found["bikes"].why_title == ""
    assert "<mark>Parking</mark> of cars" in found["bikes"].why_text
    other = library.find("pysäköinti", language="en").hits[0]
    assert other.why_title == ""
    assert other.why_text == "Helsingin <mark>pysäköintialueet</mark>"
    assert library.find("parking", highlight=False).hits[0].why_title == ""


def test_a_slip_of_the_finger_finds_and_says_what_was_meant(library: Library) -> None:
    results = library.find("parkign bays")
    assert [hit.held.slug for hit in results.hits] == ["bays"]
    assert (results.fuzzy, results.did_you_mean) == (True, "parking bays")
    assert library.find("bays").fuzzy is False
    strict = library.find("parkign bays", loosen=False)
    assert (strict.total, strict.fuzzy, strict.did_you_mean) == (0, False, "")


def test_most_words_do_where_no_record_has_all_of_them(library: Library) -> None:
    results = library.find("register of bicycles")
    assert results.fuzzy
    assert {hit.held.slug for hit in results.hits} == {"trees", "bikes"}
    nothing = library.find("quetzalcoatl")
    assert (nothing.total, nothing.fuzzy, nothing.did_you_mean, nothing.hits) == (0, False, "", ())


@pytest.mark.parametrize("sort", ["relevance", "changed", "title"])
def test_pages_of_a_loose_answer_go_on_as_loosely(library: Library, sort: str) -> None:
    assert len(library.names("parkign", sort=sort)) == 3
    assert walked(library, "parkign", sort=sort, limit=1) == library.names("parkign", sort=sort)


@pytest.mark.parametrize("text", ['"', "-", "AND", "🚗", "\x00", "()", "“”", "‏"])
def test_what_has_no_word_in_it_finds_nothing_and_is_no_error(library: Library, text: str) -> None:
    results = library.find(text, facets=("city",))
    assert (results.total, results.hits, results.facets["city"], results.cursor) == (0, (), (), "")


@pytest.mark.parametrize("text", ["", "*", "*:*", "   "])
def test_asking_for_nothing_in_particular_finds_everything(library: Library, text: str) -> None:
    assert library.find(text).total == 5


def test_a_long_paste_is_read_as_far_as_a_question_goes(library: Library) -> None:
    results = library.find("parking " * 2_000)
    assert results.cut
    assert results.total == 3


# ---------------------------------------------------------------- who sees what


def test_what_is_restricted_is_found_counted_and_suggested_for_nobody_else(library: Library) -> None:
    for text in ("cables", "tunnels", "zebrafish", f"{HELSINKI}/datasets/cables", "cabels", "collection:shared-maps"):
        results = library.find(text, facets=("theme", "collection", "kind"))
        assert not {hit.held.slug for hit in results.hits} & {"cables", "tunnels"}, text
        told = {each.value for values in results.facets.values() for each in values if each.count}
        assert MAPS_ONLY not in told, text
        assert "cables" not in results.did_you_mean, text
    assert library.find(iris=(f"{HELSINKI}/datasets/cables",)).total == 0


def test_an_agreement_shows_its_collection_among_what_is_public(library: Library) -> None:
    results = library.find("parking", AGREED, facets=("collection",))
    assert {hit.held.slug for hit in results.hits} == {"bays", "parking-areas", "bikes", "tunnels"}
    assert (results.total, results.exact) == (4, True)
    assert {each.value: each.count for each in results.facets["collection"]}[MAPS_ONLY] == 1
    assert library.names(sight=AGREED, sort="changed")[:3] == ["cables", "tunnels", "parking-areas"]


@pytest.mark.parametrize("sort", ["relevance", "changed", "quality", "title"])
def test_pages_over_several_indexes_are_the_whole_answer(library: Library, sort: str) -> None:
    whole = library.names("", AGREED, sort=sort)
    assert len(whole) == 7
    assert walked(library, "", AGREED, sort=sort, limit=2) == whole


@pytest.mark.parametrize(
    ("but", "named", "found"),
    [
        (True, {"cables"}, {"tunnels"}),
        (False, {"cables"}, {"cables"}),
        (False, set(), set()),
        (True, set(), {"cables", "tunnels"}),
    ],
)
def test_only_the_records_that_an_agreement_names_are_shown(
    library: Library, but: bool, named: set[str], found: set[str]
) -> None:
    iris = frozenset(f"{HELSINKI}/datasets/{name}" for name in named)
    sight = Sight(restricted=(Allowed(MAPS_ONLY, iris, but),))
    results = library.find("", sight, filters={"collection": (MAPS_ONLY,)}, facets=("kind",))
    assert {hit.held.slug for hit in results.hits} == found
    assert results.total == len(found) == sum(each.count for each in results.facets["kind"])


def test_mirrors_of_hidden_peers_are_neither_found_nor_counted_nor_suggested(library: Library) -> None:
    hidden = Sight(hidden=frozenset({"london"}))
    assert library.names("parking", hidden) == ["parking-areas", "bikes"]
    results = library.find("", hidden, facets=("city", "publisher"))
    assert results.total == 4
    assert "london" not in str(results.facets)
    assert "camden" not in str(results.facets)
    assert library.find("camdem", hidden).did_you_mean == ""
    assert library.find("camdem").did_you_mean == "camden"


def test_places_are_suggested_from_what_records_name(library: Library) -> None:
    assert library.search.places("ka") == ["kallio helsinki"]
    assert library.search.places("hel") == ["helsinki", "helsingfors"] or library.search.places("hel")[0] == "helsinki"
    assert library.search.places("") == []


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "asked",
    [
        {"filters": {"colour": ("red",)}},
        {"facets": ("colour",)},
        {"excluded": {"colour": ("red",)}},
        {"sort": "best"},
        {"limit": -1},
        {"limit": 1001},
        {"offset": 9_990, "limit": 20},
        {"offset": -1},
        {"bbox": (1, 2, 3)},
        {"bbox": (0.0, 10.0, 1.0, 5.0)},
        {"bbox": (0.0, -91.0, 1.0, 5.0)},
        {"bbox": (0.0, float("nan"), 1.0, 5.0)},
        {"bbox": (200.0, 0.0, 210.0, 5.0)},
        {"period": (5, 3)},
        {"changed_ms": (5, 3)},
        {"entered_ms": (5, 3)},
        {"facet_limit": 5_000},
        {"filters": {"city": tuple(map(str, range(101)))}},
        {"filters": {"city": ("x" * 301,)}},
        {"filters": {"city": ("\ud800",)}},
        {"iris": tuple(map(str, range(1_001)))},
        {"place": "\ud800"},
    ],
)
def test_a_question_past_its_bounds_is_refused_with_a_sentence_that_helps(asked: dict[str, object]) -> None:
    with pytest.raises(Malformed) as refused:
        Query(**asked)  # type: ignore[arg-type]
    assert refused.value.fix


@pytest.mark.parametrize("cursor", ["x", "é", "a" * 2_000, "bnVsbA", "W10", "WzEsMiwzLDRd"])
def test_a_cursor_that_is_none_of_ours_is_refused(library: Library, cursor: str) -> None:
    with pytest.raises(Malformed):
        library.find("parking", cursor=cursor)


def test_a_cursor_belongs_to_its_question(library: Library) -> None:
    cursor = library.find("parking", limit=1).cursor
    assert library.find("parking", limit=2, cursor=cursor).hits
    with pytest.raises(Malformed, match="another question"):
        library.find("trees", limit=1, cursor=cursor)
    with pytest.raises(Malformed, match="another question"):
        library.find("parking", limit=1, sort="title", cursor=cursor)
